"""The steps of `choose`: who may say this, what holds afterwards, and one statement that writes it with its evidence
after it. Promises C1, C2, C3, C4.

Many who choose at the same time share a transaction, and so its round trips and its flush, as uses do: each person's
row is locked all the same, and nobody waits for a row that somebody else holds: who is met there goes alone. The answer
is given after the commit; what is refused is refused to its own asker.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.coalesce import Coalescer
from omonat.flows.grounds import Also, Grounds
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.choice.rule import decide_choice, decide_report
from omonat.promises.choice.standing import Choice, Kind, State, applied
from omonat.promises.location.rule import Term, decide_term

_queries = load("omonat.flows", "choose.sql")
_places = load("omonat.promises.location")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """One choice of one person. `by` is who carried it in: a client id, or `person` from the Privacy Center.

    `version` is the published version whose words were shown; None means the one in force. `door` says where. `roles`
    and `source` are those of the system that reports it; None means that the person said so themself. `term` says of a
    consent to use a location how long it lasts, and how exact the place may be (L5). `unless_ended`: where no consent
    stands, not even one in doubt, there is nothing to take back and nothing is written.
    """

    person: str
    kind: Kind
    state: State
    purpose: str = ""
    version: str | None = None
    channel: str = ""
    door: str = "api"
    by: str = "person"
    roles: frozenset[str] | None = None
    source: str | None = None
    term: Term | None = None
    unless_ended: bool = False

    @property
    def widens(self) -> str:
        """The promise that a report of this choice must not break; empty for one that only narrows a use."""
        if self.kind in ("consent", "agreement"):
            return "C1" if self.state == "given" else ""
        return "C2" if self.state == "withdrawn" else ""

    @property
    def narrows(self) -> bool:
        """Whether it forbids something from now on."""
        return self.state == ("withdrawn" if self.kind in ("consent", "agreement") else "given")


class Written(NamedTuple):
    """What was written: the receipt, and whether a letter it forbids is being handed over at this moment."""

    receipt: Receipt
    under_way: bool


class NothingStands(Exception):
    """There is no consent to take back, of a choice that asked for nothing to be written then."""


class _Alone(Exception):
    """To be written by itself: its person is held by somebody, or stands in the batch already, or the batch failed."""


class _Newer(Exception):
    """Another policy is in force than the one at hand."""

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal


class _Change(NamedTuple):
    """One choice that may be made, with its row and its evidence."""

    row: tuple[Any, ...]
    entry: Entry


class Writer:
    """Writes choices: together with all that come at the same time, or one by itself with what goes with it."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._together: Coalescer[Choosing, Written] = Coalescer(self._many)

    async def __call__(self, choosing: Choosing, also: Also[Receipt] | None) -> Written:
        """Write one choice; committed once this returns. Raises BadInput, Refused, NothingStands, Unavailable."""
        if also is None:
            try:
                return await self._together(choosing)
            except _Alone:
                pass
        (answer,) = await self._under_the_law([choosing], also, wait=True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _many(self, several: Sequence[Choosing]) -> Sequence[Written | Exception]:
        try:
            return await self._under_the_law(several, None, wait=False)
        except (asyncpg.PostgresError, asyncpg.InterfaceError):
            return [_Alone() for _ in several]  # nothing of it is written: what one brought along stops nobody else

    async def _under_the_law(
        self, several: Sequence[Choosing], also: Also[Receipt] | None, *, wait: bool
    ) -> Sequence[Written | Exception]:
        policy = await self._law.at_hand()
        while True:
            try:
                return await self._in_one(policy, several, also, wait=wait)
            except _Newer as newer:
                policy = await self._law.of(newer.ordinal)  # outside the transaction: it needs a connection of its own

    async def _in_one(
        self, policy: CompiledPolicy, several: Sequence[Choosing], also: Also[Receipt] | None, *, wait: bool
    ) -> Sequence[Written | Exception]:
        """One transaction; who couldn't be locked is told to go alone, unless it has waited for that."""
        answers: list[Written | Exception] = [Refused("person-unknown") if wait else _Alone() for _ in several]
        changes: dict[int, _Change] = {}
        async with self._database.transaction() as connection:
            people = await _locked(connection, several, wait=wait)
            now = self._clock()
            reach("choose.locked")
            for place, choosing in enumerate(several):
                person = people.pop(choosing.person, None)  # who chose twice has two instants, one after the other
                try:
                    if person is not None:
                        changes[place] = await self._decided(connection, policy, choosing, person, now)
                    elif wait:
                        self._permitted(policy, choosing, now)  # a purpose that isn't there is named before a person
                except (BadInput, Refused, NothingStands) as refusal:
                    answers[place] = refusal
            written = await self._write(connection, tuple(changes.values()), now)
            if also is not None:
                for one in written:
                    await also(connection, one.receipt)
            reach("choose.recorded")
        reach("choose.committed")
        for place, one in zip(changes, written, strict=True):
            answers[place] = one
        return answers

    async def _decided(
        self, connection: Any, policy: CompiledPolicy, choosing: Choosing, person: Any, now: Instant
    ) -> _Change:
        """What is to be written, under the policy that the locking statement saw. Raises BadInput, Refused,
        NothingStands; _Newer."""
        if person["ordinal"] != policy.ordinal:
            raise _Newer(person["ordinal"])
        shown, term = self._permitted(policy, choosing, now)
        if choosing.widens and person["closed"]:  # a child's yes must not wait there for its parent's (K2)
            raise Refused("person-quarantined")
        if choosing.widens and person["guarded"] and choosing.by != "guardian":
            raise Refused("guardian-decides")
        before = person["standing"] or {}
        if choosing.unless_ended and choosing.purpose not in (*before.get("consents", ()), *before.get("doubt", ())):
            raise NothingStands
        if term is not None and term.case is not None:
            await _open_case_of(connection, term.case, choosing.person)
        return self._change(policy, shown, choosing, person, term=term, now=now)

    def _permitted(
        self, policy: CompiledPolicy, choosing: Choosing, now: Instant
    ) -> tuple[CompiledPolicy, Term | None]:
        """The policy whose words were shown, and the term from now on. Raises BadInput, Refused."""
        if choosing.kind != "restriction":
            policy.purpose(choosing.purpose)
        verdict = decide_choice(policy, kind=choosing.kind, purpose=choosing.purpose, state=choosing.state)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        term = _dated(policy, choosing, now)
        permit(policy, choosing.roles, choosing.widens, choosing.purpose, choosing.source)
        return self._law.shown(policy, choosing.version), term

    def _change(
        self, policy: CompiledPolicy, shown: CompiledPolicy, choosing: Choosing, person: Any, *, term: Term | None,
        now: Instant,
    ) -> _Change:  # fmt: skip
        kept, entry = None if term is None else term.stored(), new_id("ev")
        choice = Choice(
            kind=choosing.kind, purpose=choosing.purpose, state=choosing.state, version=shown.ordinal, at=now, term=kept
        )
        standing, restricted_at = applied(person["standing"], choice), person["restricted_at"]
        if choosing.kind == "restriction":
            restricted_at = (restricted_at or now) if choosing.state == "given" else None
        moved = standing.get("withdrawn") != (person["standing"] or {}).get("withdrawn")
        letters = None
        if choosing.narrows:
            letters = "" if choosing.kind == "restriction" else choosing.purpose
        row = (
            new_id("cho"), choosing.person, choosing.kind, choosing.purpose, choosing.channel, choosing.state,
            shown.ordinal, choosing.door, entry, kept, standing or None, restricted_at,
            new_id("rkn") if moved else None, letters,
        )  # fmt: skip
        commitment = self._vault.commitment(
            evidence_slot=person["evidence_slot"], entry=entry, field="person", value=choosing.person
        )
        facts: dict[str, Any] = {
            "policy": policy.digest,
            "shown": shown.version,
            "purpose": choosing.purpose,
            "state": choosing.state,
            "door": choosing.door,
            "by": choosing.by,
            "person": commitment,
        }
        if kept is not None:  # whose order it is for stays with the choice
            facts["term"] = {k: v for k, v in kept.items() if k in ("kind", "precision", "until")}
        act = f"choice:{choosing.kind}:{choosing.state}"
        return _Change(row, Entry(entry, now, act, facts, (choosing.person,)))

    async def _write(self, connection: Any, changes: Sequence[_Change], now: Instant) -> list[Written]:
        """The choices, what holds since, and their evidence; with it, whose letters are under way."""
        if not changes:
            return []
        noted = self._journal.beside([change.entry for change in changes], now=now)
        rows = [
            (*change.row, change.entry.act, entry.body, entry.leaf)
            for change, entry in zip(changes, noted, strict=True)
        ]
        columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
        meeting = {row["person"] async for row in _queries.write_choices(connection, **columns, now=now)}
        reach("choose.written")
        return [Written(entry.receipt, row[1] in meeting) for row, entry in zip(rows, noted, strict=True)]


_COLUMNS = (
    "ids", "people", "kinds", "purposes", "channels", "states", "versions", "doors", "entries", "terms", "standings",
    "restricted", "reckonings", "letters", "acts", "bodies", "leaves",
)  # fmt: skip


async def _locked(connection: Any, several: Sequence[Choosing], *, wait: bool) -> dict[str, Any]:
    """The people's rows by their id, held until the transaction ends; without waiting, those that nobody holds."""
    if wait:
        (choosing,) = several
        person = await _queries.person_to_choose(connection, id=choosing.person)
        return {} if person is None else {choosing.person: person}
    asked = list({choosing.person for choosing in several})
    return {row["id"]: row async for row in _queries.people_to_choose(connection, ids=asked)}


def permit(
    policy: CompiledPolicy, roles: frozenset[str] | None, widens: str, purpose: str = "", source: str | None = None
) -> None:
    """Raises Refused for a report by a system that would profit from it."""
    if roles is None or not widens:
        return
    verdict = decide_report(policy, roles=roles, widens=widens, purpose=purpose, source=source)
    if isinstance(verdict, Deny):
        raise Refused(verdict.reasons[0].code)


def _dated(policy: CompiledPolicy, choosing: Choosing, now: Instant) -> Term | None:
    """The term of a grant, from now on. Raises Refused for one that can't be given."""
    if choosing.term is None:
        return None
    if choosing.kind != "consent" or choosing.state != "given":
        raise Refused("term-not-asked", purpose=choosing.purpose)
    verdict = decide_term(policy, choosing.purpose, choosing.term, now)
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
    return replace(choosing.term, at=now, used=None)


async def _open_case_of(connection: Any, case: str, person: str) -> None:
    """Raises Refused unless the case is open and this person's."""
    owners = [row["person"] async for row in _places.cases_of_grants(connection, ids=[case])]
    if owners != [person]:
        raise Refused("no-open-case")
