"""My data: a person sees what is held about them, why, from where, until when, and who looked. Promises A3, C2, R1, B3.

One of the few flows beside `use` that open the vault: the person is the actor and the purpose is their own right of
access. The entry is durable before anything is shown, like for everybody else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omonat.base.errors import BadInput, Fault, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.evidence.reader import START, Page, Reader, Recorded
from omonat.flows.grounds import Grounds
from omonat.flows.integrity import note_broken, only_if_broken
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Keep
from omonat.promises.choice.standing import live_consents

_queries = load("omonat.flows", "my_data.sql")
_choices = load("omonat.promises.choice")
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One item as held. `value` is None for a verify-only item: nobody reads those back, not even their owner.

    `purposes` are what it is kept for; `due` is when it goes, `factor` which of R2's reasons keeps it until then and
    `source` the law that names the period, if one does. `waits_for` names the event that brings `due` forward, or "".
    """

    item: str
    value: Any
    service: str
    record: str
    case: str | None
    came_from: str
    version: str
    collected_at: Instant
    due: Instant
    factor: str
    source: str
    waits_for: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line of the history of a person's choices."""

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
        if row is None:
            raise Refused("person-unknown")
        return MyStanding(
            person=person,
            language=row["language"],
            consents=live_consents(row["standing"]),
            objections=frozenset((row["standing"] or {}).get("objections", ())),
            restricted_at=row["restricted_at"],
        )

    async def __call__(self, person: str, categories: frozenset[str] | None = None) -> MyData:
        """What is held about a person, all of it or of some categories: no other section is opened.

        Raises Refused `person-unknown` once erased, Unavailable without evidence.
        """
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            row = await _queries.person_for_view(connection, id=person)
            if row is None:
                raise Refused("person-unknown")
            sections = [s async for s in _queries.held_sections(connection, person=person, most=_MOST)]
        wanted = [s for s in sections if categories is None or s["category"] in categories]
        broken: list[str] = []
        held = tuple(item for section in wanted for item in self._open(policy, row, section, now, broken))
        await note_broken(
            self._grounds, broken, person=person, evidence_slot=row["evidence_slot"], by="person", now=now
        )
        entry = new_id("ev")
        facts = {
            "policy": policy.digest,
            "items": sorted({item.item for item in held}),
            "person": self._grounds.vault.commitment(
                evidence_slot=row["evidence_slot"], entry=entry, field="person", value=person
            ),
        }
        reach("my-data.opened")
        receipt = await self._grounds.journal.submit(Entry(entry, now, "access:person:viewed", facts, (person,)))
        reach("my-data.recorded")
        return MyData(
            person=person,
            language=row["language"],
            since=row["created_at"],
            held=held,
            consents=live_consents(row["standing"]),
            restricted=row["restricted_at"] is not None,
            receipt=receipt,
            policy=policy,
        )

    def _open(
        self, policy: CompiledPolicy, person: Any, section: Any, now: Instant, broken: list[str]
    ) -> Iterator[Held]:
        """The items of one section that are still kept; an expired or destroyed one isn't there, nor is one that was
        changed: its category goes to `broken`."""
        if section["service"] not in policy.services:
            return
        anchors = _anchors(person, section)
        names = [item for item in policy.items if item.startswith(section["category"] + ".")]
        dues = {item: policy.due(section["service"], item, anchors) for item in names}
        if all(due.instant <= now for due in dues.values()):
            return
        try:
            values = self._grounds.vault.open_section(
                person=person["id"], person_slot=person["slot"], record=section["record"],
                record_slot=section["slot"], category=section["category"], version=section["version"],
                sealed=section["sealed"],
            )  # fmt: skip
        except Refused:
            return
        except Fault as fault:
            only_if_broken(fault)
            broken.append(section["category"])
            return
        for name, value in values.items():
            item = f"{section['category']}.{name}"
            due = dues.get(item)
            if due is None or due.instant <= now:
                continue
            yield Held(
                item=item,
                value=None if policy.items[item].keep is Keep.VERIFY_ONLY else value,
                service=section["service"],
                record=section["record"],
                case=section["case_id"],
                came_from=section["source"],
                version=self._version(section["version"]),
                collected_at=section["collected_at"],
                due=due.instant,
                factor=due.factor,
                source=due.source,
                waits_for=due.waits_for,
                purposes=policy.needed_by(section["service"], item),
            )

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

    async def choices(self, person: str, most: int = 200) -> tuple[Choice, ...]:
        """What the person chose, newest first."""
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _choices.choices_of(connection, person=person, most=most)]
        return tuple(
            Choice(
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


def _anchors(person: Any, section: Any) -> dict[str, Instant]:
    anchors: dict[str, Instant] = {
        **(section["anchors"] or {}),
        "collected": section["collected_at"],
        **((person["standing"] or {}).get("anchors", {})),
    }
    if section["opened_at"] is not None:
        anchors |= {"case-opened": section["opened_at"], **section["case_anchors"]}
        if section["closed_at"] is not None:
            anchors["case-closed"] = section["closed_at"]
    return anchors
