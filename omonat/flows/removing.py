"""Removing: what nothing keeps leaves its records, and what stays is sealed anew. The one way data goes (R2, R3).

Removing one item of a record gives the record a new slot: what stays is sealed under it, and the old slot is destroyed
once the transaction has committed, so that the sealed bytes of before open in no backup either. A section that goes as
a whole is not opened; one that stays as a whole is opened only to be sealed again.

Everything here happens inside the caller's transaction, on rows the caller has locked. Nothing is destroyed here:
`doomed` names the slots whose keys the caller destroys after the commit.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from omonat.base.errors import BadInput
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.flows.judging import Around, Judge, Judged
from omonat.flows.systems import Gone
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.retention.rule import Stay, together

_queries = load("omonat.promises.retention")
_AT_ONCE = 8


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
        self._renewed: list[tuple[str, int]] = []

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
        self._seal_under(judged.record, person_slot, slot, self._judge.contents(judged, old_person_slot))

    def _seal_under(self, record: Any, person_slot: int, slot: int, contents: Mapping[str, dict[str, Any]]) -> None:
        for category, items in contents.items():
            sealed = self._vault.seal_section(
                person=record["person"], person_slot=person_slot, record=record["id"], record_slot=slot,
                category=category, version=record["version"], items=items,
            )  # fmt: skip
            self._sealed.append((record["id"], category, sealed))

    def replace(self, record: Any, person: Any, contents: Mapping[str, dict[str, Any]], item: str) -> None:
        """Plan the whole record anew with another value of `item`: under a new slot, so that the old value, in no copy
        either, opens any more."""
        (slot,) = self._vault.reserve_slots(1)
        self.doomed.append(record["slot"])
        self.counted += 1
        self.gone.append(Gone(record=record["id"], case=record["case_id"], items=(item,)))
        self._search(record["person"], (item,))
        self._seal_under(record, person["slot"], slot, contents)
        self._renewed.append((record["id"], slot))

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
        if self._renewed:
            await _queries.renew_slots(connection, **_columns(("id", "slot"), self._renewed))
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


async def destroy(grounds: Grounds, slots: Collection[int]) -> None:
    """Destroy keys on every registered copy, off the loop: it flushes."""
    if slots:
        await asyncio.to_thread(grounds.vault.destroy_slots, list(slots))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[n] for row in rows] for n, name in enumerate(names)}
