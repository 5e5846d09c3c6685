"""The journal: entries go in, and nothing is answered before they are durable (design: No evidence, no data).

`append` is for changes: the entry lives and dies with the caller's transaction. `submit` is for uses: whoever waits
while the previous flush runs goes out together with the next one, in one statement on a connection of its own, and is
answered after its commit. An unknown commit is `Unavailable`: an entry may then stand for a use that was never
answered, never the other way round.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import asyncpg

from omonat.base.errors import OmonatError, Unavailable
from omonat.base.failpoints import reach
from omonat.base.instants import Instant
from omonat.database import codecs, statements
from omonat.database.pool import Database
from omonat.database.trouble import converted
from omonat.evidence.entry import Entry, encode, leaf_hash
from omonat.evidence.note import Signer
from omonat.evidence.receipts import PROMISED, Receipt, issue

__all__ = ["Journal", "Receipt"]

_queries = statements.load(__package__, "journal.sql")
WRITE: Final = _queries.write.sql
"""The statement that writes a batch; `columns` are its parameters."""
_ORDER: Final = statements.order(_queries, "write")

_PATIENCE: Final = 2.0
"""Seconds a flush may take, connecting included, before those who wait are told 503 (bar c3)."""
_MOST: Final = 1024
"""Entries in one flush: beyond this the statement's own time outweighs what sharing saves."""
_PENDING: Final = 16_384
"""Entries that may wait before more are refused: memory stays bounded when the disk stalls."""


class Journal:
    """Takes entries in and hands out receipts. One per process; `start` before `submit`, `stop` at the end.

    `clock` says when a receipt is due; it decides nothing else. The key is the vault's `receipts` key. A ledger row is
    due `ledger_keeps` microseconds after its entry (the log's own entry stays); never, unless that is given.
    """

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        receipts: Signer,
        clock: Callable[[], Instant],
        ledger_keeps: int | None = None,
    ) -> None:
        self._database = database
        self._origin = origin
        self._signer = receipts
        self._clock = clock
        self._ledger_keeps = ledger_keeps
        self._waiting: deque[tuple[Entry, bytes, bytes, asyncio.Future[Receipt]]] = deque()
        self._arrived = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection | None = None
        self._stopping = False

    async def append(self, connection: asyncpg.Connection, entries: Sequence[Entry], *, now: Instant) -> list[Receipt]:
        """Write entries inside the caller's transaction. The receipts are true only once it commits."""
        if not entries:
            return []
        bodies = [encode(entry) for entry in entries]
        leaves = [leaf_hash(body) for body in bodies]
        with converted():
            await connection.execute(WRITE, *columns(entries, bodies, leaves, self._ledger_keeps))
        return self._receipts(entries, leaves, now)

    async def submit(self, entry: Entry) -> Receipt:
        """Write an entry together with all others under way; returns after the commit.

        Raises Unavailable `evidence-unavailable` when it isn't known to be durable: then release nothing.
        """
        if self._flusher is None or self._stopping or len(self._waiting) >= _PENDING:
            raise Unavailable("evidence-unavailable")
        body = encode(entry)
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, body, leaf_hash(body), future))
        self._arrived.set()
        return await future

    async def start(self) -> None:
        """Begin to flush. A database that is away is no reason not to start: uses are refused until it is back."""
        if self._flusher is None:
            self._stopping = False
            self._flusher = asyncio.create_task(self._flush_for_ever(), name="evidence-journal")

    async def stop(self) -> None:
        """Flush what waits, then end; nobody is left waiting."""
        self._stopping = True
        self._arrived.set()
        if self._flusher is not None:
            await self._flusher
            self._flusher = None
        self._drop_connection()

    async def _flush_for_ever(self) -> None:
        while not (self._stopping and not self._waiting):
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST))]
                await self._flush(batch)

    async def _flush(self, batch: Sequence[tuple[Entry, bytes, bytes, asyncio.Future[Receipt]]]) -> None:
        entries = [item[0] for item in batch]
        leaves = [item[2] for item in batch]
        try:
            reach("journal.gathered")
            await self._write(columns(entries, [item[1] for item in batch], leaves, self._ledger_keeps))
            reach("journal.committed")
            receipts = self._receipts(entries, leaves, self._clock())
        except Exception as error:  # whatever it was: those who wait must hear of it, and the next flush be tried
            cause = error if isinstance(error, OmonatError) and error.code == "evidence-unavailable" else None
            for *_, future in batch:
                if not future.done():
                    refusal = cause or Unavailable("evidence-unavailable")
                    refusal.__cause__ = None if refusal is error else error
                    future.set_exception(refusal)
            return
        for (*_, future), receipt in zip(batch, receipts, strict=True):
            if not future.done():  # its caller may have gone away; the entry stays
                future.set_result(receipt)

    async def _write(self, arrays: Sequence[object]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
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
    ledger_keeps: int | None = None,
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
        "ledger_keeps": ledger_keeps,
    }
    return [named[name] for name in _ORDER]
