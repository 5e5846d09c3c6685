"""A guest's way in: a link on the bill leads to what was recorded about this visit (A3, C2, B3, A2).

1. A system that keeps cases of this kind, a till, asks for the link of one. It is sealed, so it holds no number and no
   name that anybody could read, ends after the term of the setting `visit-link-days`, and its making is an entry.
2. Whoever holds the paper sees which categories are kept, why, until when, who looked and to whom it may go. They are
   not proved to be the person: nothing is opened for them, so no value can be shown, not even a masked one.
3. The entry of the look is durable before anything is shown. What can't be shown, for whatever reason, looks alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.evidence.reader import START, Reader
from omonat.flows.clients import require_client
from omonat.flows.collecting import kind_of_case
from omonat.flows.grounds import Also, Grounds
from omonat.flows.letter_links import read_visit_link, visit_link
from omonat.flows.refusals import refusals_noted
from omonat.flows.requesting import count
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Recipient
from omonat.promises.cases.rule import sources_of
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import anchors_of, items_of

_queries = load("omonat.flows", "visit_links.sql")
PAGE: Final = "/me/visit"
LOOKED: Final = "access:case:viewed"
_LOOKS_AN_HOUR: Final = 60
_LOOKS_FROM_ONE_ADDRESS: Final = 120
_PAGES: Final = 20
_PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLink:
    """The address for the bill, and when it ends."""

    address: str
    until: Instant
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Items that go together. `waits_for` names the event that brings `due` forward, or ""; `ends` is when they would go
    if it came now."""

    items: tuple[str, ...]
    due: Instant
    factor: str
    source: str
    waits_for: str
    ends: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One category of one record; which of its items were given is sealed. No `terms`: the version in force has no rule
    for it, and nobody may use it."""

    category: str
    service: str
    came_from: str
    version: str
    collected_at: Instant
    terms: tuple[Term, ...]
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSeen:
    """What a link shows, of one instant. `whole` is False where older looks were left out."""

    case: str
    opened_at: Instant
    closed_at: Instant | None
    until: Instant
    kept: tuple[Kept, ...]
    looks: tuple[Entry, ...]
    opened_by_link: int
    whole: bool
    recipients: tuple[Recipient, ...]
    policy: CompiledPolicy


class VisitLinks:
    """The flow of links on bills. `site` is the address people know the installation by, `days` how long a link lasts."""

    def __init__(self, grounds: Grounds, evidence: Reader, *, site: str, days: int) -> None:
        self._grounds = grounds
        self._evidence = evidence
        self._site = site
        self._days = days

    async def make(self, credential: Credential, case: str, also: Also[VisitLink] | None = None) -> VisitLink:
        """A link for a system that keeps cases of this kind. Raises Refused `credential-refused`, `source-not-named`,
        `visit-unknown`: for a case nobody opened, and one whose person isn't served any more, alike."""
        kind = kind_of_case(case)
        async with refusals_noted(self._grounds, "access:case:refused", {"kind": kind, "client": credential.client}):
            return await self._make(case, credential, also)

    async def make_by_operator(self, case: str) -> VisitLink:
        """The same at the command line. Raises Refused `visit-unknown`."""
        kind_of_case(case)
        return await self._make(case, None, None)

    async def _make(self, case: str, credential: Credential | None, also: Also[VisitLink] | None) -> VisitLink:
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        vault, kind = self._grounds.vault, kind_of_case(case)
        by: dict[str, str] = {"by": "operator"}
        async with self._grounds.database.transaction() as connection:
            if credential is not None:
                client = await require_client(connection, credential, now)
                if client.source not in sources_of(policy, kind):
                    raise Refused("source-not-named", service=kind, source=client.source)
                by = {"client": client.id}
            row = await _queries.case_to_link(connection, case=case)
            if row is None or row["ours"] or row["evidence_slot"] is None:
                raise Refused("visit-unknown")
            until, entry = Instant(now + self._days * DAY), new_id("ev")
            bound = vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field="case", value=case)
            facts = {"kind": kind, "until": until, "case": bound, **by}
            (receipt,) = await self._grounds.journal.append(
                connection, [Entry(entry, now, "access:case:linked", facts, (row["person"],))], now=now
            )
            address = f"{self._site}{PAGE}/{visit_link(vault, case, until)}"
            made = VisitLink(address=address, until=until, receipt=receipt)
            reach("visit-link.recorded")
            if also is not None:
                await also(connection, made)
        reach("visit-link.committed")
        return made

    async def about(self, token: str) -> str | None:
        """The case a link names, for a form that begins with it; None where the link shows nothing."""
        link = read_visit_link(self._grounds.vault, token, now=self._grounds.clock())
        if link is None:
            return None
        rows = await self._rows(link.case)
        return link.case if rows and await self._kept(rows) else None

    async def look(self, token: str, *, caller: str = "") -> VisitSeen | None:
        """What was recorded about the visit; None for a link that is over, made up, another installation's, or of a
        visit nothing is kept about any more. Raises Refused `too-many-looks`, Unavailable without evidence."""
        now = self._grounds.clock()
        link = read_visit_link(self._grounds.vault, token, now=now)
        if link is None:
            return None
        rows = await self._rows(link.case)
        kept = await self._kept(rows) if rows else ()
        if not kept:
            return None
        await self._not_too_often(link.case, caller, now)
        row, policy = rows[0], await self._grounds.law.of(rows[0]["active_ordinal"])
        await self._note(link.case, row, policy, kept, now)
        looks, opened, whole = await self._looks(link.case, row)
        purposes = {purpose for each in kept for purpose in each.purposes}
        return VisitSeen(
            case=link.case,
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            until=link.until,
            kept=kept,
            looks=looks,
            opened_by_link=opened,
            whole=whole,
            recipients=tuple(r for r in policy.recipients.values() if not purposes.isdisjoint(r.purposes)),
            policy=policy,
        )

    async def _rows(self, case: str) -> Sequence[Any]:
        async with self._grounds.database.connection() as connection:
            return [row async for row in _queries.what_is_kept(connection, case=case)]

    async def _not_too_often(self, case: str, caller: str, now: Instant) -> None:
        """A paper that lies about doesn't fill the log; a counter holds keyed digests alone."""
        ways = [(f"visit-looks:{case}", _LOOKS_AN_HOUR)]
        ways += [(f"visit-looks-from:{caller}", _LOOKS_FROM_ONE_ADDRESS)] if caller else []
        for key, most in ways:
            if await count(self._grounds, key, HOUR, now) > most:
                raise Refused("too-many-looks")

    async def _note(
        self, case: str, row: Any, policy: CompiledPolicy, kept: Sequence[Kept], now: Instant
    ) -> None:
        entry = new_id("ev")
        facts = {
            "policy": policy.digest,
            "kind": row["kind"],
            "categories": sorted({each.category for each in kept}),
            "case": self._grounds.vault.commitment(
                evidence_slot=row["evidence_slot"], entry=entry, field="case", value=case
            ),
        }
        await self._grounds.journal.submit(Entry(entry, now, LOOKED, facts, (row["person"],)))
        reach("visit.recorded")

    async def _kept(self, rows: Sequence[Any]) -> tuple[Kept, ...]:
        """What of the case's records is still kept now; what is due is hidden from its second, held or not."""
        policy, now = await self._grounds.law.of(rows[0]["active_ordinal"]), self._grounds.clock()
        found = (self._one(policy, row, now) for row in rows if row["category"] is not None)
        return tuple(each for each in found if each is not None)

    def _one(self, policy: CompiledPolicy, row: Any, now: Instant) -> Kept | None:
        service, category = row["service"], row["category"]
        items: list[str] = []
        terms: tuple[Term, ...] = ()
        if service in policy.services:
            every = items_of(policy, category)
            items = [item for item in every if policy.needed_by(service, item)] or list(every)
            terms = _terms(policy, service, items, _anchors(policy, row), now)
            if items and not terms:
                return None
        still = {item for term in terms for item in term.items}
        purposes = dict.fromkeys(p for item in items if item in still for p in policy.needed_by(service, item))
        return Kept(
            category=category,
            service=service,
            came_from=row["source"],
            version=self._version(row["version"]),
            collected_at=row["collected_at"],
            terms=terms,
            purposes=tuple(purposes),
        )

    def _version(self, ordinal: int) -> str:
        known = self._grounds.law.history()
        return next((policy.version for policy in known if policy.ordinal == ordinal), "legacy")

    async def _looks(self, case: str, row: Any) -> tuple[tuple[Entry, ...], int, bool]:
        """The uses in this case, newest first, how often the link itself was opened, and whether that is all of them.

        The log keeps the case as a commitment: the person's other visits don't answer to it.
        """
        uses: list[Entry] = []
        opened, cursor = 0, START
        for _ in range(_PAGES):
            page = await self._evidence.of_person(row["person"], before=cursor, most=_PER_PAGE)
            for entry in page.entries:
                if self._in_case(entry, case, row):
                    opened += entry.act == LOOKED
                    uses += [entry] if entry.act.startswith("use:") else []
            if page.next is None or page.next[0] < row["opened_at"]:
                return tuple(uses), opened, True
            cursor = page.next
        return tuple(uses), opened, False

    def _in_case(self, entry: Entry, case: str, row: Any) -> bool:
        if entry.act == LOOKED:
            name, value = "case", case
        elif entry.act.startswith("use:"):
            name, value = "person", f"{row['person']} {case}"
        else:
            return False
        told = entry.facts.get(name)
        commitment = self._grounds.vault.commitment
        return told == commitment(evidence_slot=row["evidence_slot"], entry=entry.id, field=name, value=value)


def _anchors(policy: CompiledPolicy, row: Any) -> dict[str, Instant]:
    return anchors_of(
        own=row["anchors"],
        collected=row["collected_at"],
        person=choice_anchors(policy, row["service"], row["standing"]),
        case=(row["opened_at"], row["closed_at"], row["case_anchors"]),
    )


def _terms(
    policy: CompiledPolicy, service: str, items: Sequence[str], anchors: Mapping[str, Instant], now: Instant
) -> tuple[Term, ...]:
    """What is kept until when and why, the first to go first; nothing of what is due."""
    together: dict[tuple[Any, ...], list[str]] = {}
    for item, due in policy.dues(service, items, anchors).items():
        if due.instant > now:
            together.setdefault((due.instant, due.factor, due.source, due.waits_for), []).append(item)
    return tuple(
        Term(
            items=tuple(names),
            due=key[0],
            factor=key[1],
            source=key[2],
            waits_for=key[3],
            ends=_if_it_ended(policy, service, names, {**anchors, key[3]: now}) if key[3] else None,
        )
        for key, names in sorted(together.items(), key=lambda one: one[0])
    )


def _if_it_ended(
    policy: CompiledPolicy, service: str, items: Sequence[str], anchors: Mapping[str, Instant]
) -> Instant | None:
    then = policy.dues(service, items, anchors).values()
    return None if any(due.waits_for for due in then) else max((due.instant for due in then), default=None)
