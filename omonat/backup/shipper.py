"""The shipper: writes what was committed into the control journal, outside the database, and into its copies.

Flows don't know of it. The statement that changes a row under the journal notes the change in its own transaction;
one fenced process takes the notes, in order, some tenths of a second later:

    noted       in `control_changes`, committed together with what it notes
      │ write     a frame: sealed, chained, flushed to the journal in the home
    written     survives the database
      │ pin       the new head beside the keys
      │ note      the head in the database, the notes removed, in one transaction that confirms the lease
      │ copy      the same bytes into every folder of `journal-copies`, and what is new in the log beside them
    copied      survives the home

A crash between any two is one frame ahead of the database at most, and `open` finishes it. A copy that can't be
reached is told in the log and caught up later; a journal that can't be written stops nothing but itself: the notes
wait in the database, which says how many.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from omonat.backup.frames import BEGINNING, Change, Deed, Frame, Noted, Place, after, change, seal
from omonat.backup.journal_file import JournalFile
from omonat.backup.log_copy import mirror_log
from omonat.backup.standing import Stores, check, compare, look_ahead
from omonat.base.errors import Fault, OmonatError, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import SECOND, Instant
from omonat.base.logs import log
from omonat.database import leases
from omonat.database.statements import load
from omonat.vault.history import KeyState

LEASE: Final = "control-journal"
LEASE_LASTS: Final = 6 * SECOND
PAUSE: Final = 0.5
"""Seconds between two looks: with one flush, how long an acknowledged choice lives in the database alone."""
_CONVICTS: Final = frozenset({"journal-rolled-back", "journal-forked"})
"""What a copy may say of our own journal; anything else is the copy's own trouble, and late."""
_QUIET: Final = 5 * SECOND
_MOST: Final = 2_000

_queries = load(__package__, "control.sql")
_log = log(__name__)


@dataclass(slots=True)
class _Shipped:
    """How far this process knows the journal to be, and the key state and tombstones it holds."""

    place: Place
    keys: KeyState
    at: Instant


class Shipper:
    """Runs the steps above. `run` for a service; `open` and `ship` for those who turn the clock themselves.

    `copies` are folders in other places. `reached` hears the name of every step just done.
    """

    def __init__(
        self,
        stores: Stores,
        copies: Sequence[Path] = (),
        *,
        clock: Callable[[], Instant],
        reached: Callable[[str], None] = lambda step: reach(f"journal.{step}"),
    ) -> None:
        self._stores = stores
        self._copies = copies
        self._clock = clock
        self._reached = reached
        self._holder = new_id("shp")
        self._lease: leases.Lease | None = None
        self._shipped: _Shipped | None = None
        self._unread: frozenset[str] | None = None
        self._stopping = asyncio.Event()
        self._late: set[Path] = set()
        self._compared: dict[Path, tuple[int, int]] = {}
        self._personal: frozenset[str] = frozenset()

    @property
    def unread(self) -> frozenset[str] | None:
        """Copies that couldn't be compared or kept up, by their place in the setting; None where another process ships:
        what was seen here before says nothing any more.
        """
        return None if self._shipped is None else self._unread

    async def open(self) -> bool:
        """Take the lease, compare the stores, finish what a crash left; False while somebody else ships.

        Raises Fault, see `standing.check`; a copy that got further than the journal in the home convicts that one.
        """
        async with self._stores.database.transaction() as connection:
            self._lease = await leases.acquire(
                connection, LEASE, holder=self._holder, now=self._clock(), lasting=LEASE_LASTS
            )
            if self._lease is None:
                return False
            await _queries.begin_journal(connection, digest=BEGINNING.digest)
            head = await _queries.head(connection)
            self._personal = frozenset([row["name"] async for row in _queries.personal_tables(connection)])
        await check(self._stores)
        noted = Place(head["frames"], head["digest"])
        ahead = await asyncio.to_thread(look_ahead, self._stores, noted)
        await compare(self._stores, ahead)
        self._compared.clear()
        for copy in self._copies:
            try:
                await asyncio.to_thread(self._compare, copy)
            except OSError:  # it can't be read: nothing is known of it, and `_copy` says so
                self._compared.pop(copy, None)
        keys = KeyState(head["high_water"], head["generation"])
        self._shipped, self._unread = _Shipped(noted, keys, Instant(0)), None
        for place, frame in ahead.frames:
            await self._note(place, frame, ahead.end)
        await self._copy()
        return True

    async def ship(self) -> int:
        """One round: everything committed by now into the journal; how many frames were written.

        Raises Unavailable (`lease-lost`, `journal-unwritable`, …): then `open` again.
        """
        written = 0
        if self._shipped is None:
            raise Unavailable("lease-lost", lease=LEASE)
        try:
            while (frame := await self._next(shipped := self._shipped)) is not None:
                await self._keep_lease()
                place = await asyncio.to_thread(self._write, frame, shipped.place)
                self._reached("written")
                await self._note(shipped.place, frame, place)
                written += 1
                if sum(len(deed.changes) for deed in frame.deeds) < _MOST:
                    break
        except BaseException:
            self._shipped = None  # what was written may not be noted: `open` looks closer
            raise
        await self._keep_lease()
        await self._copy()
        return written

    async def run(self) -> None:
        """Ship until `stop`; waits while another process does, and through every loss of database or disk.

        Raises Fault when the stores disagree.
        """
        while not self._stopping.is_set():
            try:
                if self._shipped is not None or await self.open():
                    await self.ship()
            except Unavailable as error:
                self._shipped = None
                _log.warning("journal-waits", code=error.code)
            try:
                async with asyncio.timeout(PAUSE):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        await self._give_back()

    def stop(self) -> None:
        """Let `run` end after the round under way."""
        self._stopping.set()

    async def _give_back(self) -> None:
        """One last round, so that an orderly stop leaves nothing in the database alone; then the lease."""
        try:
            if self._shipped is not None:
                await self.ship()
            if self._lease is not None:
                async with self._stores.database.transaction() as connection:
                    await leases.release(connection, self._lease)
        except OmonatError as error:
            _log.warning("journal-waits", code=error.code)
        finally:
            self._shipped = None

    async def _keep_lease(self) -> None:
        now = self._clock()
        if self._lease is not None and self._lease.until - now < LEASE_LASTS // 2:
            async with self._stores.database.transaction() as connection:
                self._lease = await leases.renew(connection, self._lease, now=now, lasting=LEASE_LASTS)
        if self._lease is None:
            self._shipped = None
            raise Unavailable("lease-lost", lease=LEASE)

    async def _next(self, shipped: _Shipped) -> Frame | None:
        """What is to be written now, or None when nothing new is worth a frame."""
        async with (
            self._stores.database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            rows = [row async for row in _queries.pending(connection, most=_MOST)]
            entries = await _entries(connection, rows) if rows else {}
        keys = await asyncio.to_thread(self._stores.vault.key_state)
        now = self._clock()
        quiet = now - shipped.at < _QUIET and keys.generation == shipped.keys.generation
        if not rows and (keys == shipped.keys or quiet):
            return None
        return await asyncio.to_thread(self._frame, shipped, rows, entries, keys, now)

    def _frame(
        self,
        shipped: _Shipped,
        rows: Sequence[Any],
        entries: dict[int, tuple[Noted, ...]],
        keys: KeyState,
        now: Instant,
    ) -> Frame:
        vault = self._stores.vault
        destroyed = vault.destroyed_since(shipped.keys.generation) if keys.generation > shipped.keys.generation else []
        deeds: dict[int, list[Change]] = {}
        for row in rows:
            noted = change(
                vault, id=row["id"], source=row["source"], op=row["op"], row=row["row"], slot=row["slot"],
                personal=row["source"] in self._personal,
            )  # fmt: skip
            deeds.setdefault(row["txid"], []).append(noted)
        return Frame(
            n=shipped.place.frames + 1,
            at=now,
            keys=keys,
            destroyed=tuple(destroyed),
            deeds=tuple(Deed(txid, tuple(changes), entries.get(txid, ())) for txid, changes in deeds.items()),
        )

    def _write(self, frame: Frame, before: Place) -> Place:
        stores = self._stores
        tail = stores.journal.tail()
        if tail.place != before:
            raise Unavailable("lease-lost", lease=LEASE)  # somebody went on without us
        box = seal(stores.vault, frame, before)
        stores.journal.append([box], tail)
        self._reached("appended")
        stores.pin.write(after(before, box))
        return after(before, box)

    async def _note(self, before: Place, frame: Frame, place: Place) -> None:
        ids = [change.id for deed in frame.deeds for change in deed.changes]
        async with self._stores.database.transaction() as connection:
            if self._lease is None:
                raise Unavailable("lease-lost", lease=LEASE)
            await leases.confirm(connection, self._lease)
            noted = await _queries.note_head(
                connection, frames=place.frames, digest=place.digest, high_water=frame.keys.high_water,
                generation=frame.keys.generation, before=before.frames,
            )  # fmt: skip
            if noted != "UPDATE 1":
                raise Unavailable("lease-lost", lease=LEASE)
            await _queries.written(connection, ids=ids)
        self._shipped = _Shipped(place, frame.keys, frame.at)
        self._reached("noted")

    def _compare(self, copy: Path) -> None:
        """Whether the copy is of this history, unless that very folder was compared: a place that was away comes back
        as another one.
        """
        folder = copy / "journal"
        try:
            found = folder.stat()
        except OSError:  # away; `mirror` says whether it can be made anew
            self._compared.pop(copy, None)
            return
        if self._compared.get(copy) != (found.st_dev, found.st_ino):
            self._stores.journal.compare(JournalFile(folder, self._stores.vault.installation))
            self._compared[copy] = found.st_dev, found.st_ino

    async def _copy(self) -> None:
        for copy in self._copies:
            try:
                await asyncio.to_thread(self._compare, copy)
                await asyncio.to_thread(self._stores.journal.mirror, copy / "journal")
                await asyncio.to_thread(mirror_log, self._stores.log, copy / "log")
            except (OSError, OmonatError) as error:
                if isinstance(error, Fault) and error.code in _CONVICTS:
                    raise
                if copy not in self._late:
                    _log.error("journal-copy-late")
                self._late.add(copy)
            else:
                self._late.discard(copy)
        self._unread = frozenset(str(place) for place, copy in enumerate(self._copies, 1) if copy in self._late)
        self._reached("copied")


async def _entries(connection: asyncpg.Connection, rows: Sequence[Any]) -> dict[int, tuple[Noted, ...]]:
    persons = {row["row"].get("id" if row["source"] == "persons" else "person") for row in rows}
    found: dict[int, list[Noted]] = {}
    async for row in _queries.entries_of(
        connection, txids=list({row["txid"] for row in rows}), persons=[p for p in persons if p]
    ):
        found.setdefault(row["txid"], []).append(Noted(row["id"], row["act"], row["body"], tuple(row["persons"])))
    return {txid: tuple(entries) for txid, entries in found.items()}
