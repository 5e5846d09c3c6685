"""Instants: whole microseconds since 1970-01-01T00:00:00Z, as plain integers.

`now` is always an argument (design: Time), so nothing here reads a clock. The integer is what PostgreSQL's
`timestamptz` holds and what evidence entries print, so no rounding ever happens on the way.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import NewType

Instant = NewType("Instant", int)

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(instant: Instant, zone: timezone = UTC) -> datetime:
    """The same moment as an aware datetime in `zone`."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError for a naive one: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without a zone names no instant")
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def to_rfc3339(instant: Instant) -> str:
    """`2026-12-01T09:00:10.000000Z`: one spelling, always six decimals, always UTC."""
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_rfc3339(text: str) -> Instant:
    """Parse RFC 3339 with an explicit offset. Raises ValueError when the offset is missing or the text malformed."""
    return from_datetime(datetime.fromisoformat(text))
