"""Choose: consent, objection and restriction, given and taken back. Promises C1, C2, C4, P2.

The person's row is locked while the choice is written, and every use reads that row: no use begun after the
acknowledgement of a withdrawal sees the consent.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_pass
from omonat.flows.reckon import note_moved
from omonat.flows.refusals import refusals_noted
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.choice.rule import decide_choice, decide_report
from omonat.promises.choice.standing import Choice, Kind, State, applied
from omonat.promises.location.rule import Term, decide_term
from omonat.promises.notice.rule import told_after

_queries = load("omonat.promises.choice")
_places = load("omonat.promises.location")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """One choice of one person. `by` is who carried it in: a client id, or `person` from the Privacy Center.

    `version` is the published version whose words were shown; None means the one in force. `door` says where. `roles`
    and `source` are those of the system that reports it; None means that the person said so themself. `term` says of a
    consent to use a location how long it lasts, and how exact the place may be (L5).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A published version reached a person through a channel: delivered or shown, not merely sent. `roles` as above."""

    person: str
    version: str
    channel: str
    by: str = "person"
    roles: frozenset[str] | None = None


class Choose:
    """The flow of choices and tellings."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def __call__(self, choosing: Choosing, also: Also[Receipt] | None = None) -> Receipt:
        """Write the choice; in force once this returns. Raises BadInput, Refused (`person-unknown`, …)."""
        policy = await self._law.current()
        if choosing.kind != "restriction":
            policy.purpose(choosing.purpose)
        async with self._refusals_noted(policy, choosing, choosing.purpose):
            return await self._choose(policy, choosing, also)

    async def _choose(self, policy: CompiledPolicy, choosing: Choosing, also: Also[Receipt] | None) -> Receipt:
        now = self._clock()
        verdict = decide_choice(policy, kind=choosing.kind, purpose=choosing.purpose, state=choosing.state)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        term = _dated(policy, choosing, now)
        self._permit(policy, choosing, choosing.widens, choosing.purpose, choosing.source)
        shown = self._shown(policy, choosing.version)
        ordinal, entry = shown.ordinal, new_id("ev")
        async with self._database.transaction() as connection:
            person = await _queries.person_for_choice(connection, id=choosing.person)
            if person is None:
                raise Refused("person-unknown")
            if choosing.widens and person["guarded"] and choosing.by != "guardian":
                raise Refused("guardian-decides")
            reach("choose.locked")
            if term is not None and term.case is not None:
                await _open_case_of(connection, term.case, choosing.person)
            kept = None if term is None else term.stored()
            choice = Choice(
                kind=choosing.kind, purpose=choosing.purpose, state=choosing.state, version=ordinal, at=now, term=kept
            )
            restricted_at = person["restricted_at"]
            if choosing.kind == "restriction":
                restricted_at = (restricted_at or now) if choosing.state == "given" else None
            standing = applied(person["standing"], choice)
            await _queries.set_standing(
                connection, id=choosing.person, standing=standing or None, restricted_at=restricted_at
            )
            if standing.get("withdrawn") != (person["standing"] or {}).get("withdrawn"):
                await note_moved(connection, "person", [choosing.person], now)
            reach("choose.standing")
            await _queries.add_choice(
                connection, id=new_id("cho"), person=choosing.person, kind=choosing.kind, purpose=choosing.purpose,
                channel=choosing.channel, state=choosing.state, at=now, version=ordinal, door=choosing.door,
                entry=entry, term=kept,
            )  # fmt: skip
            reach("choose.written")
            facts: dict[str, Any] = {
                "policy": policy.digest,
                "shown": shown.version,
                "purpose": choosing.purpose,
                "state": choosing.state,
                "door": choosing.door,
                "by": choosing.by,
                "person": self._commit(person, entry),
            }
            if term is not None:  # whose order it is for stays with the choice
                facts["term"] = {k: v for k, v in term.stored().items() if k in ("kind", "precision", "until")}
            act = f"choice:{choosing.kind}:{choosing.state}"
            (receipt,) = await self._journal.append(
                connection, [Entry(entry, now, act, facts, (choosing.person,))], now=now
            )
            if also is not None:
                await also(connection, receipt)
            reach("choose.recorded")
        reach("choose.committed")
        if choosing.narrows:
            purpose = "" if choosing.kind == "restriction" else choosing.purpose
            await let_pass(self._database, choosing.person, purpose=purpose, now=now)
        return receipt

    async def tell(self, telling: Telling, also: Also[Receipt] | None = None) -> Receipt:
        """Record that a version reached a person; `told` advances as far as nothing is missing (P2)."""
        policy = await self._law.current()
        async with self._refusals_noted(policy, telling):
            return await self._tell(policy, telling, also)

    async def _tell(self, policy: CompiledPolicy, telling: Telling, also: Also[Receipt] | None) -> Receipt:
        now = self._clock()
        self._permit(policy, telling, "P2")
        ordinal = self._shown(policy, telling.version).ordinal
        entry = new_id("ev")
        async with self._database.transaction() as connection:
            person = await _queries.person_for_choice(connection, id=telling.person)
            if person is None:
                raise Refused("person-unknown")
            await _queries.add_telling(
                connection, person=telling.person, version=ordinal, channel=telling.channel, at=now, entry=entry
            )
            versions = [
                row["version"]
                async for row in _queries.tellings_after(connection, person=telling.person, version=person["told"])
            ]
            await _queries.set_told(connection, id=telling.person, told=told_after(person["told"], versions))
            reach("tell.written")
            facts = {
                "version": telling.version,
                "channel": telling.channel,
                "by": telling.by,
                "person": self._commit(person, entry),
            }
            told = Entry(entry, now, "notice:person:told", facts, (telling.person,))
            (receipt,) = await self._journal.append(connection, [told], now=now)
            if also is not None:
                await also(connection, receipt)
            reach("tell.recorded")
        reach("tell.committed")
        return receipt

    def _refusals_noted(
        self, policy: CompiledPolicy, report: Choosing | Telling, purpose: str = ""
    ) -> AbstractAsyncContextManager[None]:
        """What a system reports and is refused is in evidence; what people say themselves isn't held against them."""
        if report.roles is None:
            return nullcontext()
        facts = {"policy": policy.digest, "purpose": purpose, "by": report.by}
        return refusals_noted(self._grounds, "choice:person:refused", facts)

    def _permit(
        self,
        policy: CompiledPolicy,
        report: Choosing | Telling,
        widens: str,
        purpose: str = "",
        source: str | None = None,
    ) -> None:
        """Raises Refused for a report by a system that would profit from it."""
        if report.roles is None or not widens:
            return
        verdict = decide_report(policy, roles=report.roles, widens=widens, purpose=purpose, source=source)
        if isinstance(verdict, Deny):
            raise Refused(verdict.reasons[0].code)

    def _shown(self, policy: CompiledPolicy, version: str | None) -> CompiledPolicy:
        shown = policy if version is None else self._law.version(version)
        if shown is None or shown.ordinal > policy.ordinal:
            raise BadInput("version-unknown")
        return shown

    def _commit(self, person: Any, entry: str) -> str:
        slot = person["evidence_slot"]
        return self._vault.commitment(evidence_slot=slot, entry=entry, field="person", value=person["id"])


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
