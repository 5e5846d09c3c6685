"""The one pool: connections that speak our types, transactions that commit or leave nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg

from omonat.base.errors import Unavailable
from omonat.database import codecs
from omonat.database.trouble import converted, reached

SCHEMA: Final = "omonat"

_SESSION: Final = {
    "search_path": SCHEMA,
    "TimeZone": "UTC",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",  # point statements: compiling them costs more than running them
}


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that is handed on as it is: nothing of ours leaves session state behind.

    Settings go in with `SET LOCAL`, locks are row locks; so the driver's reset statement, a round trip after every
    use, has nothing to reset. An open transaction is still rolled back.
    """

    def get_reset_query(self) -> str:
        return ""


_PATIENCE: Final = 15.0
"""Seconds until one becomes free: longer than anybody waits for a lock, and nobody waits for ever."""
_ASIDE: Final = 2
"""Connections for those who hold one already: they read little there, and wait for nobody else."""


async def _reach(*place: Any, **how: Any) -> asyncpg.Connection:
    with reached():
        return await asyncpg.connect(*place, **how)


class Database:
    """One process's connections to PostgreSQL.

    Use `transaction()` for changes, `connection()` for reads; hot paths may take `pool` directly and wrap themselves
    in `trouble.converted()`, where they take nothing else meanwhile.

    Whoever takes a second connection while it holds one (to read which policy is in force, say) gets it out of a few
    kept apart. Else as many tasks as there are connections, each waiting for one more, would wait for each other. It is
    known of the task itself: nobody who holds one may wait for other tasks that take one.
    """

    def __init__(self, pool: asyncpg.Pool, aside: asyncpg.Pool, dsn: str) -> None:
        self.pool = pool
        self.dsn = dsn
        self._aside = aside
        self._holding: set[asyncio.Task[Any] | None] = set()
        self._holding_both: set[asyncio.Task[Any] | None] = set()

    @classmethod
    async def connect(cls, dsn: str, *, size: int = 8, name: str = "omonat") -> Self:
        """Open a pool of up to `size` connections, one at once, so that a wrong address shows now.

        `name` is what the server shows for these connections. Raises Unavailable (`database-unavailable`), also for
        a refused password.
        """
        pool, aside = await _open(dsn, 1, size, name), await _open(dsn, 0, _ASIDE, name)
        return cls(pool, aside, dsn)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for reading, outside a transaction. Raises Unavailable when the database is gone, or none became
        free in time."""
        task = asyncio.current_task()
        pool, holding = (self._aside, self._holding_both) if task in self._holding else (self.pool, self._holding)
        if task in holding:
            raise RuntimeError("a third connection for one task: hand on the one it holds")
        with converted():
            connection = await _taken(pool)
            holding.add(task)
            try:
                yield connection
            finally:
                holding.discard(task)
                await pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection inside a transaction (read committed): committed on leaving, rolled back by any exception.

        Raises Unavailable when the database is gone or busy; then nothing is known to be done.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Give running statements five seconds, then cut: closing never hangs."""
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
                await self._aside.close()
        except TimeoutError:
            self.pool.terminate()
            self._aside.terminate()


async def _taken(pool: asyncpg.Pool) -> asyncpg.Connection:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await pool.acquire()
    except TimeoutError:
        raise Unavailable("database-busy") from None


async def _open(dsn: str, smallest: int, largest: int, name: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        dsn,
        min_size=smallest,
        max_size=largest,
        max_inactive_connection_lifetime=0,
        connect=_reach,
        connection_class=Connection,
        init=codecs.install,
        timeout=10,
        server_settings={**_SESSION, "application_name": name},
        statement_cache_size=512,
        max_cached_statement_lifetime=0,
    )
