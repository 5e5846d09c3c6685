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
from omonat.database.statements import load
from omonat.promises.campaigns.rule import once_key
from omonat.promises.messages import BEGINS_WITHIN, under_way

_LOOK_EVERY: Final = 0.05
_campaigns = load("omonat.promises.campaigns")


async def let_pass(database: Database, person: str, *, purpose: str = "", now: Instant) -> None:
    """Return once no message of this purpose to this person can still begin; of any purpose when it is empty.

    Call it after the commit of what forbids it, and before saying so. Raises Unavailable.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(BEGINS_WITHIN + 1.0):
            while await under_way(database, person, purpose=purpose, now=now):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_LOOK_EVERY)


async def let_campaign_pass(database: Database, campaign: str, *, now: Instant) -> None:
    """Return once no letter of this campaign can still begin; to be called as `let_pass`. Raises Unavailable."""
    with suppress(TimeoutError):
        async with asyncio.timeout(BEGINS_WITHIN + 1.0):
            while await _under_way(database, campaign, now):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_LOOK_EVERY)


async def _under_way(database: Database, campaign: str, now: Instant) -> bool:
    async with database.connection() as connection:
        found: bool = await _campaigns.campaign_under_way(connection, once=once_key(campaign), now=now)
    return found
