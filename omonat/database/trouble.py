"""Foreign exceptions stop here: what the driver throws becomes one of our four kinds of error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from omonat.base.errors import Unavailable

_GONE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    ConnectionError,
    OSError,
)
_BUSY: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    TimeoutError,
)
_FULL: Final = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.InsufficientResourcesError)


@contextmanager
def converted() -> Iterator[None]:
    """Turn the loss of the database into `Unavailable`; anything else passes, because it is a fault of ours.

    Raises Unavailable with `database-unavailable` (gone or starting), `database-busy` (a lock or a time limit; nothing
    was done, try again) or `database-full`. Whether a commit whose answer was lost took place is unknown: callers
    answer 503 and repeat under the same idempotency key.
    """
    try:
        yield
    except _FULL as error:
        raise Unavailable("database-full") from error
    except _BUSY as error:  # before _GONE: TimeoutError is an OSError
        raise Unavailable("database-busy") from error
    except _GONE as error:
        raise Unavailable("database-unavailable") from error
