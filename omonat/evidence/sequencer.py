"""The sequencer: gives committed entries their place, writes the tiles, signs the checkpoint. One at a time.

Writers never wait for it, and it needs no counter of theirs: it asks which entries have become visible since the
snapshot it saw last, so a transaction that commits late is simply placed late.

States and steps; a crash between any two heals at the next `open`:

    committed    an entry's transaction has committed; nobody has placed it
      │ place      one transaction: lease confirmed, placements inserted, `placed` and `seen` moved
    placed       the index is decided for ever, in the database
      │ write      bundles and tiles, flushed; the same placements always give the same bytes: repeating is harmless
      │ sign       lease confirmed and held by a row lock; the folder's lock held; the checkpoint on the disk is still
      │            the one we extend; only then the signature, the flush, the rename
      │ note       `published` and the root, in the transaction that held the lease
    published    under a signed checkpoint

    crash after          found at `open`                          healed by
    place                placed > published                       write, sign, note
    write                the same; files of the future lie about  they are written again, byte for byte
    sign, before note    checkpoint ahead of `published`           its entries compared with the placements, then note

Before anything is signed, leaf hashes are recomputed from the stored bytes, what was written is read back, and the new
tree is grown from the right edge on the disk, whose root must be the one signed last. A single wrong bit stops the
signing (Fault), never the taking in of entries.

A writer that lost its lease can't place (the fence is checked in that transaction) nor sign (the fence again, under a
row lock that keeps a taker waiting; and, should its connection have died meanwhile, the checkpoint it would replace is
no longer the one it extends).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from omonat.base.errors import Fault, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import SECOND, Instant
from omonat.base.logs import log
from omonat.base.rounds import Rounds
from omonat.database import leases
from omonat.database.pool import Database
from omonat.evidence import placing, publishing
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.placing import State
from omonat.evidence.publishing import Head
from omonat.evidence.witnesses import Witnesses

LEASE: Final = "evidence-sequencer"
LEASE_LASTS: Final = 6 * SECOND
HEARTBEAT: Final = 5 * SECOND
"""A fresh time stamp on the checkpoint at least this often; the promise is ten seconds."""
PAUSE: Final = 0.5
"""Seconds between two looks when nothing waits; a receipt is due after ten."""

LONGEST_ROUND: Final = 60.0
"""Seconds: a statement ends after half of it, a lock sooner, and a round places no more than a few seconds' worth."""

_log = log(__name__)
_MOST_PUBLISHED: Final = 8_192  # a multiple of 256, so that a backlog makes full tiles only


class Sequencer:
    """Runs the steps above. `run` for a service; `open` and `advance` for those who turn the clock themselves.

    `reached` hears the name of every step just done, some from the writing thread: the place for failpoints.
    """

    def __init__(
        self,
        database: Database,
        folder: LogFolder,
        keys: LogKeys,
        *,
        clock: Callable[[], Instant],
        holder: str | None = None,
        reached: Callable[[str], None] = lambda step: reach(f"sequencer.{step}"),
        witnesses: Witnesses | None = None,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._folder = folder
        self._keys = keys
        self._clock = clock
        self._holder = holder or new_id("seq")
        self._reached = reached
        self._witnesses = witnesses
        self._rounds = Rounds(LEASE, longest=LONGEST_ROUND, give_up=give_up)
        self._lease: leases.Lease | None = None
        self._signed_at: Instant | None = None
        self._behind = False
        self._stopping = asyncio.Event()

    async def open(self) -> bool:
        """Take the lease and compare log and database; False while somebody else sequences.

        Raises Fault: `evidence-log-rolled-back`, `evidence-database-rolled-back`, `evidence-log-forked`,
        `evidence-log-foreign`, `evidence-altered`, `evidence-witness-conflict`. Nothing is signed then, until somebody
        has looked.
        """
        async with self._database.transaction() as connection:
            self._lease = await leases.acquire(
                connection, LEASE, holder=self._holder, now=self._clock(), lasting=LEASE_LASTS
            )
        if self._lease is None:
            self._forget_witnesses()
            return False
        await self._reconcile()
        if self._witnesses is not None:
            await self._witnesses.compare()
        vkeys = [key.vkey for key in self._keys.pinned]
        await asyncio.to_thread(self._folder.write_keys, vkeys)
        return True

    async def advance(self) -> Head:
        """One round: place what is new, publish what is placed, sign at least a heartbeat when one is due.

        Returns the newest published head. Raises Unavailable `lease-lost` (then `open` again) and whatever stops
        signing.
        """
        if self._witnesses is not None and self._witnesses.conflict is not None:
            raise self._witnesses.conflict
        now = self._clock()
        await self._keep_lease(now)
        state = await self._place(now)
        head = state.published
        while head.size < state.placed:
            await self._keep_lease(self._clock())
            head = await self._publish(head, min(state.placed, _next_stop(head.size)))
            self._rounds.goes_on()
        if self._signed_at is None or not 0 <= now - self._signed_at < HEARTBEAT:
            await self._sign(head, head)
        return head

    async def run(self) -> None:
        """Sequence until `stop`; waits while another process does, and through every loss of database or disk. A round
        that hangs all the same is told in the log and given up, if `give_up` can.

        Raises Fault when log and database disagree or bytes were altered: the caller reports it and keeps serving
        without proofs, or stops.
        """
        ready, waits = False, ""
        try:
            with self._rounds.watched():
                while not self._stopping.is_set():
                    try:
                        with self._rounds.one():
                            ready = ready or await self.open()
                            if ready:
                                await self.advance()
                                waits = ""
                    except Unavailable as error:
                        ready = False
                        self._forget_witnesses()
                        if error.code != waits:
                            waits = error.code
                            _log.warning("evidence-waits", code=waits)
                    if not (ready and self._behind):
                        with self._rounds.one():  # a loop that stands still meanwhile is noticed too
                            await self._pause()
            await self._give_back()
        finally:
            self._forget_witnesses()

    def stop(self) -> None:
        """Let `run` end after the round under way."""
        self._stopping.set()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(PAUSE):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _give_back(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            try:
                async with self._database.transaction() as connection:
                    await leases.release(connection, lease)
            except Unavailable:
                return  # it runs out by itself

    async def _keep_lease(self, now: Instant) -> None:
        if self._lease is None:
            raise Unavailable("lease-lost", lease=LEASE)
        if self._lease.until - now < LEASE_LASTS // 2:
            async with self._database.transaction() as connection:
                self._lease = await leases.renew(connection, self._lease, now=now, lasting=LEASE_LASTS)
            if self._lease is None:
                self._forget_witnesses()
                raise Unavailable("lease-lost", lease=LEASE)

    def _forget_witnesses(self) -> None:
        """Whether witnesses could be read is what the holder of the lease knows, nobody else."""
        if self._witnesses is not None:
            self._witnesses.unread = None

    async def _confirm(self, connection: asyncpg.Connection) -> None:
        if self._lease is None:
            raise Unavailable("lease-lost", lease=LEASE)
        await leases.confirm(connection, self._lease)

    # -- open ----------------------------------------------------------------------------------------------------

    async def _reconcile(self) -> None:
        on_disk = publishing.read_checkpoint(self._folder, self._keys) or publishing.EMPTY
        async with self._database.transaction() as connection:
            await self._confirm(connection)
            await placing.begin(connection, self._keys.origin, await placing.look_around(connection))
            state = await self._state(connection)
            compare(on_disk, state, self._keys.origin)
            await asyncio.to_thread(publishing.load_edge, self._folder, on_disk)
            if on_disk.size > state.published.size:
                await self._catch_up(connection, state.published, on_disk)

    async def _catch_up(self, connection: asyncpg.Connection, before: Head, signed: Head) -> None:
        """The last run signed and didn't note it: what it signed must be what the database placed."""
        start = before.size
        while start < signed.size:
            until = min(signed.size, _next_stop(start))
            rows = await placing.to_publish(connection, start, until)
            leaves = publishing.checked_leaves(rows, start)
            await asyncio.to_thread(publishing.compare_leaves, self._folder, start, leaves, signed.size)
            start = until
        await placing.note_published(connection, before, signed)

    # -- place ---------------------------------------------------------------------------------------------------

    async def _place(self, now: Instant) -> State:
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read"),
        ):
            await self._confirm(connection)
            state, self._behind = await placing.place(connection, await self._state(connection), now=now)
        self._reached("placed")
        return state

    async def _state(self, connection: asyncpg.Connection) -> State:
        state = await placing.state(connection)
        if state is None:  # the database was emptied under us: `open` looks closer
            raise Unavailable("lease-lost", lease=LEASE)
        return state

    # -- publish -------------------------------------------------------------------------------------------------

    async def _publish(self, before: Head, until: int) -> Head:
        async with self._database.connection() as connection:
            rows = await placing.to_publish(connection, before.size, until)
        after = await asyncio.to_thread(self._write, before, rows)
        self._reached("written")
        await self._sign(before, after)
        return after

    def _write(self, before: Head, rows: Sequence[Any]) -> Head:
        leaves = publishing.checked_leaves(rows, before.size)
        grown, files = publishing.grow(self._folder, before, [row["body"] for row in rows], leaves)
        self._reached("grown")
        self._folder.write_tiles(files)
        self._reached("flushed")
        after = Head(grown.size, grown.root())
        publishing.read_back(self._folder, files, after)
        return after

    async def _sign(self, before: Head, after: Head) -> None:
        now = self._clock()
        async with self._database.transaction() as connection:
            await self._confirm(connection)
            self._reached("confirmed")
            await asyncio.to_thread(self._replace_checkpoint, before, after, now)
            if after.size > before.size:
                await placing.note_published(connection, before, after)
            self._reached("noted")
        self._signed_at = now
        self._reached("published")
        if self._witnesses is not None:
            self._witnesses.signed()
        if after.size > before.size:
            await asyncio.to_thread(self._folder.drop_superseded, before.size, after.size)
        self._reached("tidied")

    def _replace_checkpoint(self, before: Head, after: Head, now: Instant) -> None:
        with self._folder.replacing_checkpoint():
            on_disk = publishing.read_checkpoint(self._folder, self._keys)
            if (on_disk or publishing.EMPTY) != before:
                raise Unavailable("lease-lost", lease=LEASE)  # somebody went on without us; `open` looks closer
            signed = publishing.sign(after, self._keys, now=now, over=self._folder.read_checkpoint())
            self._reached("signed")
            self._folder.write_checkpoint(signed)
            self._reached("replaced")


def _next_stop(size: int) -> int:
    return (size // _MOST_PUBLISHED + 1) * _MOST_PUBLISHED


def compare(on_disk: Head, state: State, origin: str, *, later: Head | None = None) -> None:
    """Whether log and database can be of one history. Raises Fault, see `Sequencer.open`.

    Beside a running sequencer `on_disk` was read before `state` and `later` after it.
    """
    later = later or on_disk
    if state.origin != origin:
        raise Fault("evidence-log-foreign", found=state.origin, expected=origin)
    if later.size < state.published.size:
        raise Fault("evidence-log-rolled-back", log=str(later.size), database=str(state.published.size))
    if on_disk.size > state.placed:
        raise Fault("evidence-database-rolled-back", log=str(on_disk.size), database=str(state.placed))
    for head in (on_disk, later):
        if head.size == state.published.size and head.root != state.published.root:
            raise Fault("evidence-log-forked", size=str(head.size))
