"""The journal: entries go in, and nothing is answered before they are durable (design: No evidence, no data).

`append` is for changes: the entry lives and dies with the caller's transaction. `submit` is for uses: whoever waits
while the previous flush runs goes out together with the next one, in one statement on a connection of its own, and is
answered after its commit. An unknown commit is `Unavailable`: an entry may then stand for a use that was never
answered, never the other way round.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import asyncpg

from omonat.base.errors import Unavailable
from omonat.base.failpoints import reach
from omonat.base.instants import Instant
from omonat.base.logs import log
from omonat.database import codecs, statements
from omonat.database.pool import Database
from omonat.database.trouble import converted
from omonat.evidence.entry import Entry, encode, leaf_hash
from omonat.evidence.note import Signer
from omonat.evidence.overdue import Overdue
from omonat.evidence.receipts import PROMISED, Receipt, issue
from omonat.evidence.room import Room

__all__ = ["Journal", "Receipt"]

_log = log(__name__)
_queries = statements.load(__package__, "journal.sql")
WRITE: Final = _queries.write.sql
"""The statement that writes a batch; `columns` are its parameters."""
_ORDER: Final = statements.order(_queries, "write")

_PATIENCE: Final = 2.0
"""Seconds an entry may wait to be durable, behind others and connecting included, before it is told 503 (bar c3)."""
_MOST: Final = 1024
"""Entries in one flush: beyond this the statement's own time outweighs what sharing saves."""
_PENDING: Final = 16_384
"""Entries that may wait before more are refused: memory stays bounded when the disk stalls."""


class _Waiting(NamedTuple):
    """An entry on its way, and when its patience ends by the loop's clock."""

    entry: Entry
    body: bytes
    leaf: bytes
    until: float
    future: asyncio.Future[Receipt]


class Beside(NamedTuple):
    """What an entry needs in a statement that writes it beside the change it speaks of."""

    body: bytes
    leaf: bytes
    receipt: Receipt


class Journal:
    """Takes entries in and hands out receipts. One per process; `start` before `submit`, `stop` at the end.

    `clock` says when a receipt is due; it decides nothing else. The key is the vault's `receipts` key. With
    `overdue`, uses are refused while proofs stay away too long; with `room`, ordinary business while the disk is full.
    """

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        receipts: Signer,
        clock: Callable[[], Instant],
        overdue: Overdue | None = None,
        room: Room | None = None,
    ) -> None:
        self._database = database
        self._origin = origin
        self._signer = receipts
        self._clock = clock
        self._overdue = overdue
        self._room = room
        self._watching: asyncio.Task[None] | None = None
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None
        self._stopping = False

    async def append(self, connection: asyncpg.Connection, entries: Sequence[Entry], *, now: Instant) -> list[Receipt]:
        """Write entries inside the caller's transaction. The receipts are true only once it commits.

        Raises Unavailable `disk-full` for what can wait.
        """
        if not entries:
            return []
        bodies, leaves = self._made(entries)
        with converted():
            await connection.execute(WRITE, *columns(entries, bodies, leaves))
        return self._receipts(entries, leaves, now)

    def prepared(self, *entries: Entry) -> dict[str, list[object]]:
        """The columns of entries that concern nobody in the ledger, for a statement of the caller's own that writes
        them with the change they speak of. Raises as `append`."""
        bodies, leaves = self._made(entries)
        return {
            "ids": [entry.id for entry in entries],
            "times": [entry.at for entry in entries],
            "acts": [entry.act for entry in entries],
            "bodies": list(bodies),
            "leaves": list(leaves),
        }

    def beside(self, entries: Sequence[Entry], *, now: Instant) -> list[Beside]:
        """As `prepared`, each by itself: that statement also writes into the ledger whom they concern. The receipts are
        true only once the caller's transaction commits."""
        bodies, leaves = self._made(entries)
        return list(map(Beside._make, zip(bodies, leaves, self._receipts(entries, leaves, now), strict=True)))

    def _made(self, entries: Sequence[Entry]) -> tuple[list[bytes], list[bytes]]:
        if self._room is not None:
            for entry in entries:
                self._room.require(entry.act)
        bodies = [encode(entry) for entry in entries]
        return bodies, [leaf_hash(body) for body in bodies]

    async def submit(self, entry: Entry) -> Receipt:
        """Write an entry together with all others under way; returns after the commit.

        Raises Unavailable `evidence-unavailable` when it isn't known to be durable, `evidence-overdue` while proofs of
        earlier ones stay away, `disk-full` for what can wait: then release nothing.
        """
        if self._room is not None:
            self._room.require(entry.act)
        if self._flusher is None or self._stopping or len(self._waiting) >= _PENDING:
            raise Unavailable("evidence-unavailable")
        if self._overdue is not None and self._overdue.is_over:
            raise Unavailable("evidence-overdue")
        body = encode(entry)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._waiting.append(_Waiting(entry, body, leaf_hash(body), loop.time() + _PATIENCE, future))
        self._arrived.set()
        return await future

    async def start(self) -> None:
        """Begin to flush. A database that is away is no reason not to start: uses are refused until it is back."""
        if self._flusher is None:
            self._stopping = False
            self._begin()
        if self._overdue is not None and self._watching is None:
            self._watching = asyncio.create_task(self._overdue.run(), name="evidence-overdue")

    def _begin(self) -> None:
        self._flusher = asyncio.create_task(self._flush_for_ever(), name="evidence-journal")
        self._flusher.add_done_callback(self._ended)

    def _ended(self, flusher: "asyncio.Task[None]") -> None:
        """A flusher that died of something nobody foresaw leaves nobody waiting, and the next one takes over."""
        if self._stopping or flusher.cancelled():
            self._refuse(self._waiting, None)
            return
        _log.error("journal-ended", exc_info=flusher.exception())
        self._drop_connection()
        self._refuse(self._waiting, flusher.exception())
        self._waiting.clear()
        self._begin()

    async def stop(self) -> None:
        """Flush what waits, then end; nobody is left waiting."""
        self._stopping = True
        self._arrived.set()
        if self._flusher is not None:
            await self._flusher
            self._flusher = None
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._drop_connection()

    async def _flush_for_ever(self) -> None:
        while not (self._stopping and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]
                try:
                    await self._flush(batch)
                finally:
                    self._refuse(batch, None)  # does nothing to those who have their answer

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        """Write what still has time; whoever waited out its patience behind others is refused, unwritten."""
        now = asyncio.get_running_loop().time()
        late = [item for item in batch if item.until <= now]
        batch = [item for item in batch if item.until > now] if late else batch
        self._refuse(late, None)
        if not batch:
            return
        entries = [item.entry for item in batch]
        leaves = [item.leaf for item in batch]
        try:
            reach("journal.gathered")
            arrays = columns(entries, [item.body for item in batch], leaves)
            await self._write(arrays, until=batch[0].until)
            reach("journal.committed")
            receipts = self._receipts(entries, leaves, self._clock())
        except Exception as error:  # whatever it was: those who wait must hear of it, and the next flush be tried
            self._refuse(batch, error)
            return
        for item, receipt in zip(batch, receipts, strict=True):
            if not item.future.done():  # its caller may have gone away; the entry stays
                item.future.set_result(receipt)
        if self._overdue is not None:
            self._overdue.note(entries[-1].id)

    @staticmethod
    def _refuse(waiting: Iterable[_Waiting], cause: BaseException | None) -> None:
        for item in waiting:
            if not item.future.done():
                refusal = Unavailable("evidence-unavailable")
                refusal.__cause__ = cause
                item.future.set_exception(refusal)

    async def _write(self, arrays: Sequence[object], *, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                connection = self._connection
                if connection is None or connection.is_closed():
                    connection = self._connection = await self._connect()
                await connection.execute(WRITE, *arrays)
        except BaseException:
            self._drop_connection()  # its state is unknown; a fresh one tells whether the database is there
            raise

    async def _connect(self) -> asyncpg.Connection:
        """A connection outside the pool: evidence never queues behind reads. Durable before it answers."""
        connection = await asyncpg.connect(
            self._database.dsn,
            timeout=_PATIENCE,
            server_settings={"search_path": "omonat", "TimeZone": "UTC", "application_name": "omonat evidence"},
        )
        await codecs.install(connection)
        if await connection.fetchval("select current_setting('synchronous_commit')") in ("off", "local"):
            await connection.execute("set synchronous_commit = on")
        return connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.terminate()

    def _receipts(self, entries: Sequence[Entry], leaves: Sequence[bytes], now: Instant) -> list[Receipt]:
        ids = [entry.id for entry in entries]
        return issue(ids, leaves, due=Instant(now + PROMISED), origin=self._origin, signer=self._signer)


def columns(
    entries: Sequence[Entry],
    bodies: Sequence[bytes] | None = None,
    leaves: Sequence[bytes] | None = None,
) -> list[object]:
    """The statement's parameters, in its order; bytes and hashes are made here unless they are at hand."""
    bodies = bodies or [encode(entry) for entry in entries]
    leaves = leaves or [leaf_hash(body) for body in bodies]
    concerned = [(person, entry) for entry in entries for person in entry.subjects]
    named: dict[str, object] = {
        "ids": [entry.id for entry in entries],
        "times": [entry.at for entry in entries],
        "acts": [entry.act for entry in entries],
        "bodies": bodies,
        "leaves": leaves,
        "persons": [person for person, _ in concerned],
        "ledger_times": [entry.at for _, entry in concerned],
        "ledger_entries": [entry.id for _, entry in concerned],
    }
    return [named[name] for name in _ORDER]
