"""Foreign exceptions stop here: what the driver throws becomes one of our four kinds of error."""

import asyncio
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


_LOST: Final = ("clos", "released back to the pool")
"""What the driver says of a connection that was lost: its own words for one that it noticed between two statements are
those for one that was given back, which nobody here uses."""


@contextmanager
def converted() -> Iterator[None]:
    """Turn the loss of the database into `Unavailable`; anything else passes, because it is a fault of ours.

    Raises Unavailable with `database-unavailable` (gone or starting), `database-busy` (a lock or a time limit; nothing
    was done, try again) or `database-full`. Whether a commit whose answer was lost took place is unknown: callers
    answer 503 and repeat under the same idempotency key.

    Who is cancelled stays cancelled: what ending a transaction throws then, on a connection that is gone, is no answer.
    """
    try:
        yield
    except (*_FULL, *_BUSY, *_GONE, asyncpg.InterfaceError) as error:
        code = _code(error)
        if code is None:
            raise
        if _being_cancelled():
            raise asyncio.CancelledError from error
        raise Unavailable(code) from error


def _code(error: Exception) -> str | None:
    """Which of our errors it is; None for a fault of ours."""
    if isinstance(error, _FULL):
        return "database-full"
    if isinstance(error, _BUSY):
        return "database-busy"
    if isinstance(error, _GONE):
        return "database-unavailable"
    # The driver says with one class that the connection is closed and that we used it wrongly.
    lost = not isinstance(error, asyncpg.DataError) and any(words in str(error) for words in _LOST)
    return "database-unavailable" if lost else None


def _being_cancelled() -> bool:
    """Whether somebody has asked this task to stop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs here
        return False
    return task is not None and task.cancelling() > 0


@contextmanager
def reached() -> Iterator[None]:
    """As `converted`, while a connection is being made: then every failure of the system means it is out of reach."""
    try:
        with converted():
            yield
    except (OSError, *_REFUSED) as error:
        raise Unavailable("database-unavailable") from error
