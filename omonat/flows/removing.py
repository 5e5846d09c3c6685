"""Removing: what nothing keeps leaves its records, and what stays is sealed anew. The one way data goes (R2, R3).

Removing one item of a record gives the record a new slot: what stays is sealed under it, and the old slot is destroyed
once the transaction has committed, so that the sealed bytes of before open in no backup either. A section that goes as
a whole is not opened; one that stays as a whole is opened only to be sealed again.

Everything here happens inside the caller's transaction, on rows the caller has locked. Nothing is destroyed here:
`doomed` names the slots whose keys the caller destroys after the commit.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import asyncpg

from omonat.base.errors import BadInput, Unavailable
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.flows.systems import Gone
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import (
    APPROVED_WITHIN,
    Held,
    Stay,
    Weighed,
    anchors_of,
    asking,
    held_by,
    items_of,
    knew_more,
    together,
    weigh,
)

_queries = load("omonat.promises.retention")
_AT_ONCE = 8
_NOTHING: Mapping[str, Any] = {}
ByName = Literal["", "stays", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked to be erased: these items, or everything; `leaving` takes back consents and accounts too."""

    items: tuple[str, ...] = ()
    leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What was read around the records of a batch: their people, cases, sections and holds, by id."""

    persons: Mapping[str, Any]
    cases: Mapping[str, Any]
    sections: Mapping[str, Sequence[Any]]
    holds: Mapping[str, Sequence[Any]]

    def held(self, record: Any) -> Held:
        """What holds cover of the record: its own, its case's, its person's."""
        targets = (record["id"], record["case_id"], record["person"])
        return held_by(hold for target in targets for hold in self.holds.get(target or "", ()))

    def stands(self, record: Any) -> bool:
        """Whether everything the record depends on could be read and kept as it is."""
        return record["person"] in self.persons and (record["case_id"] is None or record["case_id"] in self.cases)

    def anchors(self, policy: CompiledPolicy, record: Any, own: Mapping[str, Instant] | None) -> dict[str, Instant]:
        """The named instants of the record, `own` in place of those stored with it."""
        case = self.cases.get(record["case_id"])
        standing = self.persons[record["person"]]["standing"]
        known = record["service"] in policy.services
        return anchors_of(
            own=own,
            collected=record["collected_at"],
            person=choice_anchors(policy, record["service"], standing) if known else _NOTHING,
            case=None if case is None else (case["opened_at"], case["closed_at"], case["anchors"]),
        )


async def read_around(
    connection: asyncpg.Connection,
    records: Sequence[Any],
    *,
    now: Instant,
    kept_still: bool = True,
    person: Any = None,
) -> Around:
    """Read what a batch of records depends on; with `kept_still`, it stays so until the transaction ends.

    Nobody is waited for: what is being changed just now is left out, and its records wait for the next time. `person`:
    the one they are all about, locked by the caller.
    """
    cases = sorted({r["case_id"] for r in records if r["case_id"] is not None})
    people = sorted({r["person"] for r in records})
    ids = [r["id"] for r in records]
    find_cases = _queries.cases_standing if kept_still else _queries.cases_to_plan
    known = [person] if person is not None else [r async for r in _queries.persons_standing(connection, ids=people)]
    found_cases = [r async for r in find_cases(connection, ids=cases)] if cases else []
    holds: dict[str, list[Any]] = {}
    async for row in _queries.holds_on(connection, targets=[*ids, *cases, *people], lapsed=lapsed(now)):
        holds.setdefault(row["target"], []).append(row)
    sections: dict[str, list[Any]] = {}
    async for row in _queries.sections_of(connection, records=ids):
        sections.setdefault(row["record"], []).append(row)
    return Around(
        persons={r["id"]: r for r in known},
        cases={r["id"]: r for r in found_cases},
        sections=sections,
        holds=holds,
    )


def lapsed(now: Instant) -> Instant:
    """Holds placed before then stand only if a second person approved them."""
    return Instant(now - APPROVED_WITHIN)


@dataclass(slots=True)
class Judged:
    """One record after judgement: what goes whole, what was opened with what stays in it, the rest untouched."""

    record: Any
    anchors: Mapping[str, Instant] | None
    whole: list[str] = field(default_factory=list)
    opened: dict[str, dict[str, Any]] = field(default_factory=dict)
    untouched: list[Any] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    next: list[Instant] = field(default_factory=list)

    @property
    def loses(self) -> bool:
        """Whether anything of the record goes."""
        return bool(self.gone)

    @property
    def ends(self) -> bool:
        """Whether nothing of it stays."""
        return not self.untouched and not self.opened

    @property
    def due_at(self) -> Instant | None:
        """When to look at it again."""
        return min(self.next, default=None)


class Judge:
    """Judges records item by item, opening only what can't be judged closed.

    `entry` names the evidence entry of the caller's transaction that speaks of the openings; `opened` counts them.
    `by_name` opens more, to name what is held and not what might be: what `stays`, or `all`.
    """

    def __init__(
        self, grounds: Grounds, policy: CompiledPolicy, now: Instant, *, entry: str, by_name: ByName = ""
    ) -> None:
        self._vault = grounds.vault
        self._versions = {version.ordinal: version for version in grounds.law.history()}
        self._policy = policy
        self._now = now
        self._by_name = by_name
        self.entry = entry
        self.opened = 0

    def judge(self, record: Any, around: Around, asked: Asked | None = None) -> Judged:
        """What of the record goes and stays now; `asked`: its erasure was asked for as well."""
        own = record["anchors"]
        if asked is not None:
            own = asking(own, items=asked.items, at=self._now, leaving=asked.leaving)
        judged = Judged(record, own)
        anchors, held = around.anchors(self._policy, record, own), around.held(record)
        for section in around.sections.get(record["id"], ()):
            self._judge_section(judged, section, anchors, held, around.persons[record["person"]]["slot"])
        return judged

    def _judge_section(
        self, judged: Judged, section: Any, anchors: Mapping[str, Instant], held: Held, person_slot: int
    ) -> None:
        record, category = judged.record, section["category"]
        items = items_of(self._policy, category)
        weighed = weigh(self._policy, record["service"], items, anchors, held=held, now=self._now)
        if not knew_more(self._policy, self._versions.get(record["version"]), category):
            if not weighed.stays and self._by_name != "all":
                judged.whole.append(category)
                judged.gone += weighed.goes
                return
            if not weighed.goes and not self._by_name:
                judged.untouched.append(section)
                self._note(judged, weighed)
                return
        values = self.open(record, section, person_slot)
        named = {f"{category}.{name}": name for name in values}
        weighed = weigh(self._policy, record["service"], named, anchors, held=held, now=self._now)
        self._note(judged, weighed)
        judged.gone += weighed.goes
        if weighed.stays:
            judged.opened[category] = {named[stay.item]: values[named[stay.item]] for stay in weighed.stays}
        else:
            judged.whole.append(category)

    def _note(self, judged: Judged, weighed: Weighed) -> None:
        judged.stays += weighed.stays
        if weighed.next is not None:
            judged.next.append(weighed.next)

    def open(self, record: Any, section: Any, person_slot: int) -> dict[str, Any]:
        """The items of a section. Raises Refused key-destroyed, Fault section-tampered."""
        self.opened += 1
        return self._vault.open_section(
            person=record["person"],
            person_slot=person_slot,
            record=record["id"],
            record_slot=record["slot"],
            category=section["category"],
            version=record["version"],
            sealed=section["sealed"],
            entry=self.entry,
        )

    def contents(self, judged: Judged, person_slot: int) -> dict[str, dict[str, Any]]:
        """All that stays of a record, by category: what is to be sealed under the new key."""
        rest = {section["category"]: self.open(judged.record, section, person_slot) for section in judged.untouched}
        return {**judged.opened, **rest}


class Removal:
    """Gathers what one transaction removes and seals anew, and writes it."""

    def __init__(self, grounds: Grounds, policy: CompiledPolicy, judge: Judge) -> None:
        self._vault = grounds.vault
        self._policy = policy
        self._judge = judge
        self.doomed: list[int] = []
        self.people: set[str] = set()
        self.stays: list[Stay] = []
        self.counted = 0
        self.gone: list[Gone] = []
        self.unknown: set[tuple[str, str]] = set()
        self._dropped: list[str] = []
        self._cut: list[tuple[str, str]] = []
        self._sealed: list[tuple[str, str, bytes]] = []
        self._moved: list[tuple[Any, ...]] = []
        self._searched: dict[str, set[str]] = {}

    def add(self, judged: Judged, person: Any, *, new_person_slot: int | None = None, by: str | None = None) -> None:
        """Plan one record. With `new_person_slot`, the person's own slot goes: all that stays is sealed under the new
        one, and `by` is the erasure that keeps it."""
        record = judged.record
        self.stays += judged.stays
        self.unknown |= {(record["person"], stay.item) for stay in judged.stays if stay.factor == "unknown"}
        if judged.loses:
            self.counted += 1
            self.gone.append(Gone(record=record["id"], case=record["case_id"], items=tuple(judged.gone)))
            self.people.add(record["person"])
            self._search(record["person"], judged.gone)
        if judged.ends:
            self._dropped.append(record["id"])
            if new_person_slot is None:
                self.doomed.append(record["slot"])
            return
        slot = record["slot"]
        if judged.loses and new_person_slot is None:
            (slot,) = self._vault.reserve_slots(1)
            self.doomed.append(record["slot"])
        if judged.loses or new_person_slot is not None:
            self._seal(judged, person["slot"], new_person_slot or person["slot"], slot)
            self._cut += [(record["id"], category) for category in judged.whole]
        self._moved.append((record["id"], slot, judged.anchors, judged.due_at, self._policy.ordinal, by))

    def _seal(self, judged: Judged, old_person_slot: int, person_slot: int, slot: int) -> None:
        record = judged.record
        for category, items in self._judge.contents(judged, old_person_slot).items():
            sealed = self._vault.seal_section(
                person=record["person"], person_slot=person_slot, record=record["id"], record_slot=slot,
                category=category, version=record["version"], items=items,
            )  # fmt: skip
            self._sealed.append((record["id"], category, sealed))

    def _search(self, person: str, gone: Iterable[str]) -> None:
        found = {item for item in gone if self._policy.items[item].lookup}
        if found:
            self._searched.setdefault(person, set()).update(found)

    async def write(self, connection: asyncpg.Connection, around: Around, *, lookups: bool = True) -> bool:
        """Write it all; whether digests of channels went. Without `lookups` they are left to the caller."""
        if self._dropped:
            await _queries.drop_records(connection, ids=self._dropped)
        if self._cut:
            await _queries.drop_sections(connection, **_columns(("record", "category"), self._cut))
        if self._sealed:
            await _queries.reseal_sections(connection, **_columns(("record", "category", "sealed"), self._sealed))
        if self._moved:
            names = ("id", "slot", "anchors", "due_at", "due_under", "kept_by")
            await _queries.move_records(connection, **_columns(names, self._moved))
        return lookups and bool(self._searched) and await self._forget_channels(connection, around)

    async def _forget_channels(self, connection: asyncpg.Connection, around: Around) -> bool:
        """Drop the ways to be found whose value no living record of the person holds any more."""
        items = sorted({item for found in self._searched.values() for item in found})
        rows = [r async for r in _queries.lookups_of(connection, persons=sorted(self._searched), items=items)]
        orphans = {(r["person"], r["item"], r["digest"]): r["epoch"] for r in rows}
        orphans = {key: epoch for key, epoch in orphans.items() if key[1] in self._searched.get(key[0], ())}
        skip = 0
        while orphans:
            wanted = sorted({(person, item.partition(".")[0]) for person, item, _ in orphans})
            names = _columns(("person", "category"), wanted)
            found = [r async for r in _queries.sections_holding(connection, **names, most=_AT_ONCE, skip=skip)]
            for section in found:
                self._keep_what_lives(orphans, section, around)
            if not found:
                break
            skip += _AT_ONCE
        if orphans:
            await _queries.drop_lookups(connection, **_columns(("person", "item", "digest"), sorted(orphans)))
        return bool(orphans)

    def _keep_what_lives(self, orphans: dict[tuple[str, str, bytes], int], section: Any, around: Around) -> None:
        person = section["person"]
        mine = [key for key in orphans if key[0] == person and key[1].partition(".")[0] == section["category"]]
        if not mine:
            return
        record = {"id": section["record"], "person": person, "slot": section["slot"], "version": section["version"]}
        values = self._judge.open(record, section, around.persons[person]["slot"])
        for key in mine:
            value = values.get(key[1].partition(".")[2])
            if value is not None and self._digest(key[1], value, orphans[key]) == key[2]:
                del orphans[key]

    def _digest(self, item: str, value: Any, epoch: int) -> bytes | None:
        return digest_of(self._policy, self._vault, item, value, epoch)

    def summary(self) -> list[dict[str, Any]]:
        """What stays, as the row of an erasure keeps it."""
        return told(self.stays)


def digest_of(policy: CompiledPolicy, vault: Any, item: str, value: Any, epoch: int) -> bytes | None:
    """The look-up digest of a stored value under an epoch; None for a value that nobody is found by."""
    try:
        normal = policy.normalise(item, value)
    except BadInput:
        return None
    return None if normal.lookup is None else bytes(vault.lookup_digest(item, normal.lookup, epoch=epoch))


def told(stays: Iterable[Stay]) -> list[dict[str, Any]]:
    """Stays as plain data, those for the same reason as one."""
    return [
        {"item": s.item, "service": s.service, "factor": s.factor, "source": s.source, "until": s.until,
         "waits-for": s.waits_for, "count": s.count, "quiet": s.quiet}
        for s in together(stays)
    ]  # fmt: skip


def stays_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Stay, ...]:
    """What `told` wrote."""
    return tuple(
        Stay(r["item"], r["service"], r["factor"], r["source"], r["until"], r["waits-for"], r["count"], r["quiet"])
        for r in rows
    )


async def in_force(connection: asyncpg.Connection, policy: CompiledPolicy) -> None:
    """Inside a transaction that removes: `policy` is in force and stays so. Raises Unavailable `policy-changing`."""
    if await _queries.policy_in_force(connection) != policy.ordinal:
        raise Unavailable("policy-changing")


async def destroy(grounds: Grounds, slots: Collection[int]) -> None:
    """Destroy keys on every registered copy, off the loop: it flushes."""
    if slots:
        await asyncio.to_thread(grounds.vault.destroy_slots, list(slots))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[n] for row in rows] for n, name in enumerate(names)}
