"""Anonymous counters that came after the copy: they can't be brought back, and the weeks that lack them say so (L4).

A report of older counters beside one of newer ones would tell their difference, which no threshold guards. The log
tells when a batch was counted; the copy has its entry with its counters, or neither.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import asyncpg

from omonat.backup.replay import Replayed
from omonat.base.instants import Instant, to_datetime
from omonat.database.statements import load

_queries = load(__package__, "replay.sql")
_COUNTED: Final = "demographics:batch:counted"
_BEFORE: Final = timedelta(days=8)
"""An answer waits for a week at most until it is counted, and days begin at other hours than in UTC."""
_AFTER: Final = timedelta(days=1)


async def note_lost_counts(
    connection: asyncpg.Connection, done: Replayed, *, taken: Instant, now: Instant, log_lost: bool
) -> None:
    """Mark the weeks of lost counters, in the caller's transaction; with a lost log, every week since the copy."""
    spans = [(entry.at, entry.at) for entry in done.recovered if entry.act == _COUNTED]
    if log_lost:
        spans.append((taken, now))
    days = {day for since, until in spans for day in _days(since, until)}
    if days:
        await _queries.lost_counts(connection, days=sorted(days))


def _days(since: Instant, until: Instant) -> Iterator[date]:
    day, last = to_datetime(since).date() - _BEFORE, to_datetime(until).date() + _AFTER
    while day <= last:
        yield day
        day += timedelta(days=1)
