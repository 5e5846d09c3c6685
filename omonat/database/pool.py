"""The one pool: connections that speak our types, transactions that commit or leave nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg

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


async def _reach(*place: Any, **how: Any) -> asyncpg.Connection:
    with reached():
        return await asyncpg.connect(*place, **how)


class Database:
    """One process's connections to PostgreSQL.

    Use `transaction()` for changes, `connection()` for reads; hot paths may take `pool` directly and wrap themselves
    in `trouble.converted()`.
    """

    def __init__(self, pool: asyncpg.Pool, dsn: str) -> None:
        self.pool = pool
        self.dsn = dsn

    @classmethod
    async def connect(cls, dsn: str, *, size: int = 8, name: str = "omonat") -> Self:
        """Open a pool of up to `size` connections, one at once, so that a wrong address shows now.

        `name` is what the server shows for these connections. Raises Unavailable (`database-unavailable`), also for
        a refused password.
        """
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            max_inactive_connection_lifetime=0,
            connect=_reach,
            connection_class=Connection,
            init=codecs.install,
            timeout=10,
            server_settings={**_SESSION, "application_name": name},
            statement_cache_size=512,
            max_cached_statement_lifetime=0,
        )
        return cls(pool, dsn)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for reading, outside a transaction. Raises Unavailable when the database is gone."""
        with converted():
            async with self.pool.acquire() as connection:
                yield connection

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
        except TimeoutError:
            self.pool.terminate()
