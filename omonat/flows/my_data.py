"""My data: a person sees what is held about them, why, from where, until when, and who looked. Promises A3, C2, R1, B3.

One of the few flows beside `use` that open the vault: the person is the actor and the purpose is their own right of
access. The entry is durable before anything is shown, like for everybody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omonat.base.errors import BadInput, Fault, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.evidence.reader import START, Page, Reader, Recorded
from omonat.flows.grounds import Grounds
from omonat.flows.held import Held, dues_of, ends_of
from omonat.flows.integrity import note_broken, only_if_broken
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Keep
from omonat.promises.choice.standing import live_consents
from omonat.promises.location.rule import Term

_queries = load("omonat.flows", "my_data.sql")
_choices = load("omonat.promises.choice")
_places = load("omonat.promises.location")
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line of the history of a person's choices."""

    id: str
    kind: str
    purpose: str
    state: str
    at: Instant
    version: int
    door: str
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MyStanding:
    """What stands of a person's choices, without opening anything of theirs. `restricted_at` is None for no limit."""

    person: str
    language: str
    consents: frozenset[str]
    objections: frozenset[str]
    restricted_at: Instant | None
    terms: Mapping[str, Term] = field(default_factory=dict)
    """How long the live consents last that end by themselves; `over` are those that did."""
    over: frozenset[str] = frozenset()
    guarded: bool = False
    """Whether a parent decides for them: then nothing is widened by themself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MyData:
    """Everything the Privacy Center shows of one person, of one instant; `held` newest first."""

    person: str
    language: str
    since: Instant
    held: tuple[Held, ...]
    consents: frozenset[str]
    restricted: bool
    receipt: Receipt
    policy: CompiledPolicy

    def newest(self) -> Mapping[str, Held]:
        """The newest holding of each item."""
        found: dict[str, Held] = {}
        for held in self.held:
            found.setdefault(held.item, held)
        return found


class ViewMyData:
    """The flow of access."""

    def __init__(self, grounds: Grounds, evidence: Reader) -> None:
        self._grounds = grounds
        self._evidence = evidence

    async def standing(self, person: str) -> MyStanding:
        """What the person chose, as it holds now. Raises Refused `person-unknown` once erased."""
        async with self._grounds.database.connection() as connection:
            row = await _queries.person_for_view(connection, id=person)
            terms = await self._terms(connection, row["standing"] if row is not None else None)
        if row is None:
            raise Refused("person-unknown")
        consents = live_consents(row["standing"], self._grounds.clock())
        ended = (row["standing"] or {}).get("terms", {}).keys() - terms.keys()
        return MyStanding(
            person=person,
            language=row["language"],
            consents=consents - ended,
            objections=frozenset((row["standing"] or {}).get("objections", ())),
            restricted_at=row["restricted_at"],
            terms={purpose: term for purpose, term in terms.items() if purpose in consents},
            over=frozenset((row["standing"] or {}).get("terms", {})) - (consents - ended),
            guarded=row["guarded"],
        )

    async def _terms(self, connection: Any, standing: Mapping[str, Any] | None) -> dict[str, Term]:
        """The terms that are not over: those of a case end with it."""
        kept = {purpose: Term(**term) for purpose, term in ((standing or {}).get("terms") or {}).items()}
        cases = [term.case for term in kept.values() if term.case is not None]
        still = {row["id"] async for row in _places.cases_of_grants(connection, ids=cases)} if cases else set()
        return {purpose: term for purpose, term in kept.items() if term.case is None or term.case in still}

    async def __call__(
        self,
        person: str,
        categories: frozenset[str] | None = None,
        *,
        taken_away: Mapping[str, Any] | None = None,
        guardian: str = "",
    ) -> MyData:
        """What is held about a person, all of it or of some categories: no other section is opened.

        A page shows the newest sections alone. `taken_away`: all there is, for a file; the evidence says which.
        `guardian`: who looks in the child's place (K3); whether they may is the caller's to know.

        Raises Refused `person-unknown` once erased, Unavailable without evidence.
        """
        vault = self._grounds.vault
        wanted = None if categories is None else sorted(categories)
        with vault.openings.for_an_entry() as entry:
            look = await self._look(person, wanted, entry, _MOST if taken_away is None else None)
            row, policy, held = look.person, look.policy, look.held
            await note_broken(
                self._grounds, look.broken, person=person, evidence_slot=row["evidence_slot"], by="person", now=look.now
            )
            facts = {
                "policy": policy.digest,
                "items": sorted({item.item for item in held}),
                "opened": look.opened,
                "person": vault.commitment(
                    evidence_slot=row["evidence_slot"], entry=entry, field="person", value=person
                ),
            }
            reach("my-data.opened")
            act = "access:person:viewed" if taken_away is None else "access:person:copied"
            if guardian:
                act = "access:guardian:viewed" if taken_away is None else "access:guardian:copied"
                facts["guardian"] = vault.commitment(
                    evidence_slot=row["evidence_slot"], entry=entry, field="guardian", value=guardian
                )
            viewed = Entry(entry, look.now, act, {**facts, **(taken_away or {})}, (person,))
            receipt = await self._grounds.journal.submit(viewed)
            reach("my-data.recorded")
        return MyData(
            person=person,
            language=row["language"],
            since=row["created_at"],
            held=held,
            consents=live_consents(row["standing"], self._grounds.clock()),
            restricted=row["restricted_at"] is not None,
            receipt=receipt,
            policy=policy,
        )

    async def _look(
        self, person: str, categories: Sequence[str] | None, entry: str, most: int | None = _MOST
    ) -> "_Look":
        """What is held, of one instant, opened for this entry. A key may go between the read and the opening: what
        stays was sealed anew before, so it is read once more. Raises Refused `person-unknown`."""
        opened, again = 0, False
        while True:
            async with self._grounds.database.connection() as connection:
                found = _queries.held_sections(connection, person=person, categories=categories, most=most)
                rows = [row async for row in found]
            if not rows:
                raise Refused("person-unknown")
            policy, now = await self._grounds.law.of(rows[0]["active_ordinal"]), self._grounds.clock()
            look = _Look(entry, policy, now, rows[0], opened)
            sections = [each for each in rows if each["record"] is not None]
            look.held = tuple(item for section in sections for item in self._open(look, section))
            if not look.missed or again:
                return look
            opened, again = look.opened, True

    def _open(self, look: "_Look", section: Any) -> Iterator[Held]:
        """The items of one section that are still kept; an expired or destroyed one isn't there, nor is
        one that was changed."""
        policy, dues, anchors = look.policy, *dues_of(look.policy, section)
        gone = dues and all(due.instant <= look.now for due in dues.values())
        if gone and not self._dropped(policy, section["category"]):
            return
        try:
            values = self._grounds.vault.open_section(
                person=section["id"], person_slot=section["person_slot"], record=section["record"],
                record_slot=section["slot"], category=section["category"], version=section["version"],
                sealed=section["sealed"], entry=look.entry,
            )  # fmt: skip
        except Refused:
            look.missed = True
            return
        except Fault as fault:
            only_if_broken(fault)
            look.opened += 1
            look.broken.append(section["category"])
            return
        look.opened += 1
        ends = ends_of(policy, section["service"], dues, anchors, look.now)
        for name, value in values.items():
            item = f"{section['category']}.{name}"
            due = dues.get(item)
            if due is not None and due.instant <= look.now:
                continue
            law = policy if due is not None else self._last_with(policy, section["service"], item)
            yield Held(
                item=item,
                declared=law.items[item],
                law=law,
                value=None if law.items[item].keep is Keep.VERIFY_ONLY else value,
                service=section["service"],
                record=section["record"],
                case=section["case_id"],
                came_from=section["source"],
                version=self._version(section["version"]),
                collected_at=section["collected_at"],
                due=due.instant if due is not None else None,
                factor=due.factor if due is not None else "",
                source=due.source if due is not None else "",
                waits_for=due.waits_for if due is not None else "",
                ends=ends.get(item),
                purposes=policy.needed_by(section["service"], item) if due is not None else (),
            )

    def _last_with(self, policy: CompiledPolicy, service: str, item: str) -> CompiledPolicy:
        """The newest version up to the one in force that has both, else that has the item at least."""
        known = [p for p in reversed(self._grounds.law.history()) if p.ordinal <= policy.ordinal and item in p.items]
        return next((p for p in known if service in p.services), known[0])

    def _dropped(self, policy: CompiledPolicy, category: str) -> bool:
        """Whether an earlier version had an item of this category that the one in force doesn't."""
        earlier = (item for p in self._grounds.law.history() if p.ordinal < policy.ordinal for item in p.items)
        return any(item.startswith(category + ".") and item not in policy.items for item in earlier)

    def _version(self, ordinal: int) -> str:
        for policy in self._grounds.law.history():
            if policy.ordinal == ordinal:
                return policy.version
        return "legacy"

    async def who_looked(self, person: str, cursor: tuple[Instant, str] = START, most: int = 50) -> Page:
        """The entries that concern a person, newest first, a page at a time, as `omonat.evidence.reader` gives them."""
        return await self._evidence.of_person(person, before=cursor, most=most)

    async def own_entry(self, person: str, entry: str) -> Recorded:
        """One entry of the evidence that concerns the person.

        Raises BadInput `evidence-not-found` for one that doesn't exist and for anybody else's alike.
        """
        async with self._grounds.database.connection() as connection:
            mine = await _queries.concerns(connection, person=person, entry=entry)
        if not mine:
            raise BadInput("evidence-not-found")
        return await self._evidence.entry(entry)

    async def services(self, person: str) -> frozenset[str]:
        """The services the person came for, as their records say; nothing is opened for it."""
        async with self._grounds.database.connection() as connection:
            return frozenset([row["service"] async for row in _queries.services_of(connection, person=person)])

    async def everybody_who_looked(self, person: str) -> tuple[Entry, ...]:
        """All entries that concern a person, newest first."""
        found: list[Entry] = []
        cursor: tuple[Instant, str] | None = START
        while cursor is not None:
            page = await self.who_looked(person, cursor, _MOST)
            found += page.entries
            cursor = page.next
        return tuple(found)

    async def choices(self, person: str, most: int | None = 200) -> tuple[Choice, ...]:
        """What the person chose, newest first."""
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _choices.choices_of(connection, person=person, most=most)]
        return tuple(
            Choice(
                id=row["id"],
                kind=row["kind"],
                purpose=row["purpose"],
                state=row["state"],
                at=row["at"],
                version=row["version"],
                door=row["door"],
                entry=row["entry"],
            )
            for row in rows
        )


@dataclass(slots=True)
class _Look:
    """One look at what is held, for one entry: how many sections were opened for it, and whether a key was gone when
    its section was to be opened."""

    entry: str
    policy: CompiledPolicy
    now: Instant
    person: Any
    opened: int
    missed: bool = False
    broken: list[str] = field(default_factory=list)
    held: tuple[Held, ...] = ()
