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
    asyncpg.ReadOnlySQLTransactionError,  # a server that was put aside, or a standby we were led to
    asyncpg.PostgresSystemError,  # the disk, a file of its own
    asyncpg.InternalServerError,  # what it calls its own fault: a quota, a limit of a file, a damaged page
    asyncpg.InternalClientError,  # the driver's own steps out of order: the connection broke between two of them
    ConnectionError,
)
_BUSY: Final = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
)
_FULL: Final = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError, asyncpg.InsufficientResourcesError)
_REFUSED: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


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
    except _BUSY as error:
        raise Unavailable("database-busy") from error
    except _GONE as error:
        raise Unavailable("database-unavailable") from error
    except asyncpg.InterfaceError as error:
        # The driver says with one class that the connection is closed and that we used it wrongly.
        if isinstance(error, asyncpg.DataError) or "clos" not in str(error):
            raise
        raise Unavailable("database-unavailable") from error


@contextmanager
def reached() -> Iterator[None]:
    """As `converted`, while a connection is being made: then every failure of the system means it is out of reach."""
    try:
        with converted():
            yield
    except (OSError, *_REFUSED) as error:
        raise Unavailable("database-unavailable") from error
