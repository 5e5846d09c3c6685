"""Judging: what a record loses and keeps now, item by item, and what that judgement stands on (R2, R3).

Everything is read inside the caller's transaction. A section that goes as a whole is not opened; one that stays as a
whole is opened only where somebody has to know by name what is in it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import asyncpg

from omonat.base.errors import Unavailable
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import (
    Held,
    Stay,
    Weighed,
    all_go,
    anchors_of,
    asking,
    held_by,
    items_of,
    knew_more,
    weigh,
)

_queries = load("omonat.promises.retention")
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

    async def with_sealed(self, connection: asyncpg.Connection, records: Sequence[Any]) -> "Around":
        """The same with the sealed sections of these records, which are locked since their categories were read."""
        return replace(self, sections=await _sections(_queries.sections_of(connection, records=_ids(records))))

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
    kept_still: bool = True,
    person: Any = None,
    sealed: bool = True,
) -> Around:
    """Read what a batch of records depends on; with `kept_still`, it stays so until the transaction ends.

    Nobody is waited for: what is being changed just now is left out, and its records wait for the next time. `person`:
    the one they are all about, locked by the caller. Without `sealed`, of sections only the categories are read.
    """
    cases = sorted({r["case_id"] for r in records if r["case_id"] is not None})
    people = sorted({r["person"] for r in records})
    ids = _ids(records)
    find_cases = _queries.cases_standing if kept_still else _queries.cases_to_plan
    known = [person] if person is not None else [r async for r in _queries.persons_standing(connection, ids=people)]
    found_cases = [r async for r in find_cases(connection, ids=cases)] if cases else []
    holds: dict[str, list[Any]] = {}
    async for row in _queries.holds_on(connection, targets=[*ids, *cases, *people]):
        holds.setdefault(row["target"], []).append(row)
    find_sections = _queries.sections_of if sealed else _queries.categories_of
    return Around(
        persons={r["id"]: r for r in known},
        cases={r["id"]: r for r in found_cases},
        sections=await _sections(find_sections(connection, records=ids)),
        holds=holds,
    )


def _ids(records: Sequence[Any]) -> list[str]:
    return [record["id"] for record in records]


async def _sections(rows: AsyncIterator[Any]) -> dict[str, list[Any]]:
    sections: dict[str, list[Any]] = {}
    async for row in rows:
        sections.setdefault(row["record"], []).append(row)
    return sections


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
        self.now = now
        self._by_name = by_name
        self._may_hold: dict[tuple[int, str], tuple[tuple[str, ...], bool]] = {}
        self.entry = entry
        self.opened = 0

    def judge(self, record: Any, around: Around, asked: Asked | None = None) -> Judged:
        """What of the record goes and stays now; `asked`: its erasure was asked for as well."""
        own = record["anchors"]
        if asked is not None:
            own = asking(own, items=asked.items, at=self.now, leaving=asked.leaving)
        judged = Judged(record, own)
        anchors, held = around.anchors(self._policy, record, own), around.held(record)
        for section in around.sections.get(record["id"], ()):
            self._judge_section(judged, section, anchors, held, around.persons[record["person"]]["slot"])
        return judged

    def goes_whole(self, record: Any, around: Around) -> Judged | None:
        """As `judge` for a record of which everything goes, from the categories of its sections alone; None for one
        of which something may stay, or that must be opened to tell."""
        judged = Judged(record, record["anchors"])
        anchors, held = around.anchors(self._policy, record, record["anchors"]), around.held(record)
        for section in around.sections.get(record["id"], ()):
            items, more = self._items(record["version"], section["category"])
            if more or not all_go(self._policy, record["service"], items, anchors, held=held, now=self.now):
                return None
            judged.whole.append(section["category"])
            judged.gone += items
        return judged

    def _items(self, version: int, category: str) -> tuple[tuple[str, ...], bool]:
        """The items a section collected under this version may hold, and whether it may hold others as well."""
        found = self._may_hold.get((version, category))
        if found is None:
            more = knew_more(self._policy, self._versions.get(version), category)
            found = self._may_hold[version, category] = items_of(self._policy, category), more
        return found

    def _judge_section(
        self, judged: Judged, section: Any, anchors: Mapping[str, Instant], held: Held, person_slot: int
    ) -> None:
        record, category = judged.record, section["category"]
        items, more = self._items(record["version"], category)
        weighed = weigh(self._policy, record["service"], items, anchors, held=held, now=self.now)
        if not more:
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
        weighed = weigh(self._policy, record["service"], named, anchors, held=held, now=self.now)
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


async def in_force(connection: asyncpg.Connection, policy: CompiledPolicy) -> None:
    """Inside a transaction that removes: `policy` is in force and stays so. Raises Unavailable `policy-changing`."""
    if await _queries.policy_in_force(connection) != policy.ordinal:
        raise Unavailable("policy-changing")
