"""When proofs stay away too long, no more data is given: a receipt is our word, and we would break it knowingly.

A receipt promises a place under a signed checkpoint within ten seconds (`PROMISED`). If the log can't be written, or
nobody sequences, entries stay durable and nothing is lost, so uses go on at first: a full disk that is freed, a worker
that is started again, a lease that runs out take seconds. But until an entry is signed over, only its receipt protects
it from whoever holds the database. So once this process's oldest entry has waited `BOUND`, six times the promise, uses
are refused (503 `evidence-overdue`) until it is signed over; then they go on by themselves.

What people ask for is never refused for it: changes (withdrawals, erasures) are written with `append`.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg

from omonat.base.errors import Unavailable
from omonat.database import statements
from omonat.database.pool import Database

BOUND: Final = 60.0
"""Seconds: the ten that were promised, and what a crash, a restart with pauses and a lease's end take at the worst."""
LOOK_EVERY: Final = 1.0

_queries = statements.load(__package__, "journal.sql")


class Overdue:
    """Watches one process's entries. `monotonic` counts seconds and never steps: no turned clock opens this door.

    One entry is watched at a time, the oldest that isn't known to be signed over; so a look is one row by its key.
    """

    def __init__(self, database: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._watched: tuple[str, float] | None = None
        self._newest: tuple[str, float] | None = None
        self._noted = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether an entry has waited too long for its proof."""
        return self._watched is not None and self._monotonic() - self._watched[1] > BOUND

    def note(self, entry: str) -> None:
        """An entry is durable as of now."""
        self._newest = (entry, self._monotonic())
        if self._watched is None:
            self._watched = self._newest
            self._noted.set()

    async def look(self) -> None:
        """Ask once whether the watched entry is signed over; then the newest one is watched, if it isn't the same."""
        if self._watched is None:
            return
        async with self._database.connection() as connection:
            done = await _queries.is_published(connection, entry=self._watched[0])
        if done:
            self._watched = None if self._newest == self._watched else self._newest

    async def run(self) -> None:
        """Look once a second while anything waits; through every loss of the database."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            while self._watched is not None:
                await asyncio.sleep(LOOK_EVERY)
                with suppress(Unavailable, asyncpg.PostgresError, OSError):
                    await self.look()
