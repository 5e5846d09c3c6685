"""Work items: what no rule could decide waits here for a person, once per rule, person and missing fact."""

import asyncpg

from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.database.statements import load

_queries = load("omonat.flows", "work.sql")


async def open_work_item(database: Database, *, rule: str, person: str | None, missing: str, now: Instant) -> None:
    """Note that `missing` keeps `rule` from deciding about `person`; does nothing when that is noted already."""
    async with database.connection() as connection:
        await _queries.open_work_item(connection, id=new_id("wrk"), rule=rule, person=person, missing=missing, now=now)


async def open_work_item_in(
    connection: asyncpg.Connection, *, rule: str, person: str | None, missing: str, now: Instant
) -> None:
    """As `open_work_item`, in the caller's transaction."""
    await _queries.open_work_item(connection, id=new_id("wrk"), rule=rule, person=person, missing=missing, now=now)


async def close_work_item(database: Database, *, rule: str, person: str | None, missing: str, now: Instant) -> None:
    """What was missing is there, or nobody needs it any more; does nothing when no such item is open."""
    async with database.connection() as connection:
        await _queries.close_work_item(connection, rule=rule, person=person, missing=missing, now=now)


async def close_work_item_in(
    connection: asyncpg.Connection, *, rule: str, person: str | None, missing: str, now: Instant
) -> None:
    """As `close_work_item`, in the caller's transaction."""
    await _queries.close_work_item(connection, rule=rule, person=person, missing=missing, now=now)


async def close_work_items_about(connection: asyncpg.Connection, *, rule: str, person: str, now: Instant) -> None:
    """Nothing waits by this rule for one person any more, in the caller's transaction."""
    await _queries.close_work_items_about(connection, rule=rule, person=person, now=now)


async def close_work_items_by(connection: asyncpg.Connection, *, rule: str, now: Instant) -> None:
    """Nothing waits by this rule any more that is about nobody, in the caller's transaction: one act settled it."""
    await _queries.close_work_items_by(connection, rule=rule, now=now)
