"""A guest's way in: a link on the bill leads to what was recorded about this visit (A3, C2, B3, A2).

1. A system that keeps cases of this kind, a till, asks for the link of one. It is sealed, so it holds no number and no
   name that anybody could read, ends after the term of the setting `visit-link-days`, and its making is an entry.
2. Whoever holds the paper sees what was recorded, by its name, why, until when, who looked and to whom it may go. They
   are not proved to be the person: nothing is opened for them, so no value can be shown, whole or in part.
3. The entry of the look is durable before anything is shown. What can't be shown, for whatever reason, looks alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.evidence.reader import START, Reader
from omonat.flows.clients import require_client
from omonat.flows.grounds import Grounds
from omonat.flows.handed_in import kind_of_case
from omonat.flows.letter_links import VisitNamed, is_visit_of, read_visit_link, visit_link
from omonat.flows.refusals import refusals_noted
from omonat.flows.requesting import count
from omonat.flows.use import Credential
from omonat.flows.visit_kept import Kept, kept_of, may_be_told
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Recipient
from omonat.promises.cases.rule import sources_of

_queries = load("omonat.flows", "visit_links.sql")
PAGE: Final = "/me/visit"
MADE: Final = "case:work:linked"
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
class VisitSeen:
    """What a link shows, of one instant. `whole` is False where older looks were left out."""

    case: str
    opened_at: Instant
    closed_at: Instant | None
    until: Instant
    kept: tuple[Kept, ...]
    looks: tuple[Entry, ...]
    """The uses in this case and the refusals, newest first."""
    opened_by_link: int
    whole: bool
    recipients: tuple[Recipient, ...]
    policy: CompiledPolicy


class VisitLinks:
    """The flow of links on bills. `site` is the address people know the installation by, `days` how long one lasts."""

    def __init__(self, grounds: Grounds, evidence: Reader, *, site: str, days: int) -> None:
        self._grounds = grounds
        self._evidence = evidence
        self._site = site
        self._days = days

    async def make(self, credential: Credential, case: str) -> VisitLink:
        """A link for a system that keeps cases of this kind. Raises Refused `credential-refused`, `source-not-named`,
        `visit-unknown`: for a case nobody opened, and one whose person a link may not speak of, alike."""
        kind = kind_of_case(case)
        async with refusals_noted(self._grounds, "case:work:refused", {"kind": kind, "client": credential.client}):
            return await self._make(case, credential)

    async def make_by_operator(self, case: str) -> VisitLink:
        """The same at the command line. Raises Refused `visit-unknown`."""
        kind_of_case(case)
        return await self._make(case, None)

    async def _make(self, case: str, credential: Credential | None) -> VisitLink:
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
            if row is None or row["ours"] or row["person"] is None:
                raise Refused("visit-unknown")
            until, entry = Instant(now + self._days * DAY), new_id("ev")
            facts = {"kind": kind, "until": until, "case": self._bound(entry, case, row), **by}
            (receipt,) = await self._grounds.journal.append(
                connection, [Entry(entry, now, MADE, facts, (row["person"],))], now=now
            )
            reach("visit-link.recorded")
        reach("visit-link.committed")
        address = f"{self._site}{PAGE}/{visit_link(vault, case, row['person'], until)}"
        return VisitLink(address=address, until=until, receipt=receipt)

    async def about(self, token: str) -> str | None:
        """The case a link names, for a form that begins with it; None where the link shows nothing."""
        link = read_visit_link(self._grounds.vault, token, now=self._grounds.clock())
        found = None if link is None else await self._found(link)
        return link.case if link is not None and found is not None else None

    async def look(self, token: str, *, caller: str = "") -> VisitSeen | None:
        """What was recorded about the visit; None for a link that is over, made up, another installation's, or of a
        visit nothing is kept about any more. Raises Refused `too-many-looks`, Unavailable without evidence."""
        link = read_visit_link(self._grounds.vault, token, now=self._grounds.clock())
        found = None if link is None else await self._found(link)
        if link is None or found is None:
            return None
        row, policy, kept = found
        await self._not_too_often(link.case, caller)
        await self._note(link.case, row, policy, kept)
        uses, opened, whole = await self._looks(link.case, row)
        purposes = {purpose for each in kept for purpose in each.purposes}
        return VisitSeen(
            case=link.case,
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            until=link.until,
            kept=kept,
            looks=tuple(entry for entry in uses if may_be_told(policy, entry.facts)),
            opened_by_link=opened,
            whole=whole,
            recipients=tuple(r for r in policy.policy.recipients.values() if not purposes.isdisjoint(r.purposes)),
            policy=policy,
        )

    async def _found(self, link: VisitNamed) -> tuple[Any, CompiledPolicy, tuple[Kept, ...]] | None:
        """The case as it stands, the policy in force, and what is kept of the visit now; None where nothing is that may
        be named, and where the number has come to be somebody else's."""
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _queries.what_is_kept(connection, case=link.case)]
        if not rows or not is_visit_of(self._grounds.vault, link, rows[0]["person"]):
            return None
        policy, now = await self._grounds.law.of(rows[0]["active_ordinal"]), self._grounds.clock()
        sections = [row for row in rows if row["category"] is not None]
        given = {record: await self._given(record) for record in dict.fromkeys(row["record"] for row in sections)}
        found = (
            kept_of(policy, row, given[row["record"]], version=self._version(row["version"]), now=now)
            for row in sections
        )
        kept = tuple(each for each in found if each is not None)
        return (rows[0], policy, kept) if kept else None

    async def _given(self, record: str) -> frozenset[str]:
        """The items a record was given, as the entry of its collecting names them; none where there is no entry."""
        try:
            collected = await self._evidence.entry(f"ev{record.removeprefix('rec')}")
        except BadInput:
            return frozenset()
        return frozenset(collected.entry.facts.get("items", ()))

    async def _not_too_often(self, case: str, caller: str) -> None:
        """A paper that lies about doesn't fill the log; a counter holds keyed digests alone."""
        ways = [(f"visit-looks:{case}", _LOOKS_AN_HOUR)]
        ways += [(f"visit-looks-from:{caller}", _LOOKS_FROM_ONE_ADDRESS)] if caller else []
        for key, most in ways:
            if await count(self._grounds, key, HOUR, self._grounds.clock()) > most:
                raise Refused("too-many-looks")

    async def _note(self, case: str, row: Any, policy: CompiledPolicy, kept: Sequence[Kept]) -> None:
        entry = new_id("ev")
        facts = {
            "policy": policy.digest,
            "kind": row["kind"],
            "items": sorted({item for each in kept for term in each.terms for item in term.items}),
            "case": self._bound(entry, case, row),
        }
        reach("visit.read")
        await self._grounds.journal.submit(Entry(entry, self._grounds.clock(), LOOKED, facts, (row["person"],)))
        reach("visit.recorded")

    def _bound(self, entry: str, case: str, row: Any) -> str:
        vault = self._grounds.vault
        return vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field="case", value=case)

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
