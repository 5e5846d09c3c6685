"""Passing: a letter a carrier is taking over just now can't be called back, so whoever forbids it waits for it.

What is acknowledged (a withdrawal, an objection, a restriction, an erasure) binds every letter that begins afterwards
(I2). The hand-over asks once more under the person's lock, so none begins under the old choice; one that has begun is
let pass, for as long as it may take to begin (`promises.messages.BEGINS_WITHIN`), and then the answer is given.
"""

import asyncio
from contextlib import suppress
from typing import Final

from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.promises.messages import BEGINS_WITHIN, under_way

_LOOK_EVERY: Final = 0.05


async def let_pass(database: Database, person: str, *, purpose: str = "", now: Instant) -> None:
    """Return once no message of this purpose to this person can still begin; of any purpose when it is empty.

    Call it after the commit of what forbids it, and before saying so. Raises Unavailable.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(BEGINS_WITHIN + 1.0):
            while await under_way(database, person, purpose=purpose, now=now):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_LOOK_EVERY)
