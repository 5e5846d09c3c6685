"""Replaying: what the journal and the log know, brought into an older copy of the data, in one transaction.

1. The journal's changes are made again, in order. Those of people this copy doesn't hold are counted.
2. Entries younger than the copy are taken from the log's own bundles, each at its index: the log never goes back.
3. Entries the journal carries and the log has not yet placed come back as well; the sequencer places them.
4. People and records whose keys were destroyed are buried: nothing of theirs stays, whatever the copy says.
5. Sign-ins, codes and messages of that time end: whether they were used since can't be told.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from omonat.backup.frames import Frame, Noted, Place, after, image, unseal
from omonat.backup.standing import Stores
from omonat.base.errors import Fault
from omonat.base.instants import SECOND, Instant
from omonat.database.statements import load
from omonat.evidence import journal, placing, publishing
from omonat.evidence.entry import Entry, decode
from omonat.evidence.folder import LogFolder
from omonat.evidence.publishing import EMPTY, Head
from omonat.evidence.receipts import PROMISED
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName, leaves_of, unbundle
from omonat.vault.history import KeyState

_BATCH: Final = 500
_STEP: Final = 32 * WIDTH
_SLACK: Final = 5 * SECOND
_queries = load(__package__, "replay.sql")


@dataclass(slots=True)
class Replayed:
    """What came of it. `lost` counts, by act, what the log tells of and no copy holds; `collections` are
    the entries of what was taken in."""

    frames: int = 0
    changes: int = 0
    end: Place | None = None
    keys: KeyState = field(default_factory=lambda: KeyState(0, 0))
    destroyed: set[int] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    told_by_journal: set[str] = field(default_factory=set)
    recovered: list[Entry] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    collections: list[str] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    """Records that were sealed anew."""
    buried: set[str] = field(default_factory=set)
    buried_records: int = 0
    log: int = 0
    log_behind: int = 0
    written: Instant = field(default=Instant(0))
    """When the newest frame was written."""


def frames_after(stores: Stores, start: Place) -> Iterator[tuple[Place, Frame]]:
    """The journal's frames after a place, each with the place behind it. Raises Fault, see `JournalFile.boxes`."""
    for place, box in stores.journal.boxes(start):
        yield after(place, box), unseal(stores.vault, box, place)


async def replay(
    connection: asyncpg.Connection, stores: Stores, start: Place, *, now: Instant, log_lost: bool = False
) -> Replayed:
    """Bring the copy in the caller's transaction up to date; `start` is the journal's head as the copy knows it.
    `log_lost`: an operator says that there is no newer log.

    Raises Fault `journal-*`, `restore-log-older`, `evidence-*`.
    """
    done = Replayed(end=start)
    noted: dict[str, Noted] = {}
    await _queries.notes(connection, wanted=False)
    for place, frame in frames_after(stores, start):
        done.end, done.frames, done.written = place, done.frames + 1, frame.at
        done.keys = KeyState(*map(max, zip(done.keys, frame.keys, strict=True)))
        await _apply(connection, stores, frame, done)
        noted |= {entry.id: entry for deed in frame.deeds for entry in deed.entries}
    done.told_by_journal = set(noted)
    await _recover_log(connection, stores, done)
    await _recover_noted(connection, noted, done, log_lost=log_lost)
    await _bury(connection, stores, done, now=now)
    for statement in (_queries.end_sessions, _queries.end_codes, _queries.forget_waiting):
        await statement(connection)
    await _queries.settle_outbox(connection, now=now)
    found = await asyncio.to_thread(stores.vault.key_state)
    assert done.end is not None
    await _queries.set_head(
        connection, frames=done.end.frames, digest=done.end.digest,
        high_water=done.keys.high_water, generation=min(found.generation, done.keys.generation),
    )  # fmt: skip
    await _queries.numbers(connection)
    await _queries.notes(connection, wanted=True)
    return done


async def _apply(connection: asyncpg.Connection, stores: Stores, frame: Frame, done: Replayed) -> None:
    done.destroyed.update(number for number, _ in frame.destroyed)
    changes = [change for deed in frame.deeds for change in deed.changes]
    known = [(change, row) for change in changes if (row := image(stores.vault, change)) is not None]
    for first in range(0, len(known), _BATCH):
        part = known[first : first + _BATCH]
        rows = _queries.apply(
            connection,
            sources=[c.source for c, _ in part],
            ops=[c.op for c, _ in part],
            images=[row for _, row in part],
        )
        async for row in rows:
            change = part[row["n"] - 1][0]
            if row["became"] == "unknown":
                raise Fault("journal-altered", frame=str(frame.n))
            if row["became"] == "missing":
                done.missing.add(change.person or change.source)
    done.moved.update(row["id"] for change, row in known if change.source == "records")
    done.changes += len(changes)


# -- the log ----------------------------------------------------------------------------------------------------------


async def _recover_log(connection: asyncpg.Connection, stores: Stores, done: Replayed) -> None:
    head = await asyncio.to_thread(publishing.read_checkpoint, stores.log, stores.keys) or EMPTY
    await placing.begin(connection, stores.keys.origin, await placing.look_around(connection))
    state = await placing.state(connection)
    assert state is not None
    if head.size < state.published.size:
        raise Fault("evidence-log-rolled-back", log=str(head.size), database=str(state.published.size))
    await asyncio.to_thread(publishing.load_edge, stores.log, head)
    marked, done.log = state.marked, head.size
    for start in range(state.placed, head.size, _STEP):
        bodies = await asyncio.to_thread(entries_of_log, stores.log, start, min(start + _STEP, head.size), head)
        entries = [decode(body) for body in bodies]
        await _take_in(connection, start, entries, bodies, done)
        marked = max([marked, *(entry.at for entry in entries if entry.act == "clock:mark")])
    if head.size >= state.placed:
        await _queries.set_log(connection, size=head.size, root=head.root, marked=marked)


async def _take_in(
    connection: asyncpg.Connection, start: int, entries: Sequence[Entry], bodies: Sequence[bytes], done: Replayed
) -> None:
    ids = [entry.id for entry in entries]
    txids = {row["id"]: row["txid"] async for row in _queries.known_entries(connection, ids=ids)}
    fresh = [(entry, body) for entry, body in zip(entries, bodies, strict=True) if entry.id not in txids]
    if fresh:
        columns = journal.columns([entry for entry, _ in fresh], [body for _, body in fresh])
        await connection.execute(journal.WRITE, *columns)
    mine = await _queries.own_txid(connection)
    order = [txids.get(entry, mine) for entry in ids]
    await _queries.place(connection, indexes=list(range(start, start + len(ids))), entries=ids, txids=order)
    for entry, _ in fresh:
        done.recovered.append(entry)
        if entry.id not in done.told_by_journal and not entry.act.startswith("clock:"):
            done.lost[entry.act] += 1
        if entry.act == "collect:record:accepted":
            done.collections.append(entry.id)


def entries_of_log(log: LogFolder, start: int, until: int, head: Head) -> list[bytes]:
    """The entries of a range, read from the bundles and checked against the tiles beside them. `start` may lie within
    a bundle. Raises Fault `evidence-altered`."""
    bodies: list[bytes] = []
    for number in range(start // WIDTH, -(-until // WIDTH)):
        width = min(WIDTH, head.size - number * WIDTH)
        try:
            found = unbundle(log.read(TileName(ENTRIES, number, width)) or b"", width)
        except ValueError as error:
            raise Fault("evidence-altered", what="bundle", index=str(number * WIDTH)) from error
        if len(found) != width:
            raise Fault("evidence-altered", what="bundle", index=str(number * WIDTH))
        publishing.compare_leaves(log, number * WIDTH, leaves_of(found), head.size)
        first = number * WIDTH
        bodies += found[max(0, start - first) : max(0, until - first)]
    return bodies


async def _recover_noted(
    connection: asyncpg.Connection, noted: dict[str, Noted], done: Replayed, *, log_lost: bool
) -> None:
    """Entries the journal carries: those the log hasn't placed yet, and for all of them whom they concern.

    One that had its time to be placed while the journal went on, and wasn't, is in a newer log than this.
    """
    known = {row["id"] async for row in _queries.known_entries(connection, ids=list(noted))}
    absent = [entry for entry in noted.values() if entry.id not in known]
    entries = [decode(entry.body) for entry in absent]
    done.log_behind = sum(entry.at < done.written - PROMISED - _SLACK for entry in entries)
    if done.log_behind and not log_lost:
        raise Fault("restore-log-older", log=str(done.log), entries=str(done.log_behind))
    if absent:
        await connection.execute(journal.WRITE, *journal.columns(entries, [entry.body for entry in absent]))
    pairs = [(person, entry.id) for entry in noted.values() for person in entry.persons]
    await _queries.add_ledger(connection, persons=[p for p, _ in pairs], ids=[e for _, e in pairs])


# -- the destroyed ----------------------------------------------------------------------------------------------------


async def _bury(connection: asyncpg.Connection, stores: Stores, done: Replayed, *, now: Instant) -> None:
    rows = [row async for row in _queries.people(connection)]
    done.buried = set(await asyncio.to_thread(_destroyed, stores, [(row["id"], row["slot"]) for row in rows]))
    proofs = [(row["id"], row["evidence_slot"]) for row in rows if row["id"] in done.buried]
    ended = await asyncio.to_thread(_destroyed, stores, proofs)
    records = [(row["id"], row["slot"]) async for row in _queries.record_slots(connection)]
    gone = await asyncio.to_thread(_destroyed, stores, records)
    ids = list(done.buried)
    await _queries.bury_people(connection, ids=ids, now=now)
    removed = await _queries.bury_records(connection, records=gone, ids=ids)
    done.buried_records = int(removed.removeprefix("DELETE "))
    for statement in (
        _queries.bury_lookups,
        _queries.bury_outbox,
        _queries.bury_ledger,
        _queries.bury_cases,
    ):
        await statement(connection, ids=ids)
    for statement in (_queries.bury_choices, _queries.bury_tellings):  # proof outlives the person, for a while
        await statement(connection, ids=ended)
    await _drop_unkept(connection, stores, done)


async def _drop_unkept(connection: asyncpg.Connection, stores: Stores, done: Replayed) -> None:
    """A record that was sealed anew keeps what was sealed anew; the rest of it lies under a key that is gone."""
    sections = [row async for row in _queries.sections_of(connection, records=list(done.moved))]
    closed = [row for row in sections if not await asyncio.to_thread(opens, stores, row)]
    await _queries.drop_sections(
        connection, records=[row["record"] for row in closed], categories=[row["category"] for row in closed]
    )


def opens(stores: Stores, row: Any) -> bool:
    """Whether the section in a row of `sections_of` or `sections_to_open` opens."""
    return stores.vault.section_opens(
        person=row["person"],
        person_slot=row["person_slot"],
        record=row["record"],
        record_slot=row["slot"],
        category=row["category"],
        version=row["version"],
        sealed=row["sealed"],
    )


def _destroyed(stores: Stores, slots: Iterable[tuple[str, int]]) -> list[str]:
    """Whose slot holds a true tombstone. Raises Fault `slot-unknown`: the keys are older than the data."""
    return [name for name, slot in slots if stores.vault.is_destroyed(slot)]


__all__ = ["Replayed", "entries_of_log", "frames_after", "opens", "replay"]
