"""Calendar durations (ISO 8601): `P5Y`, `P6M`, `P30D`, `PT72H`, and the instants they lead to.

Years, months, weeks and days move on the calendar of a time zone (a month after 31 January is the last of February);
hours, minutes and seconds are exact. `floor` and `ceiling` bound a duration in microseconds without a calendar.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, from_datetime, to_datetime

_ISO = re.compile(
    r"P(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,7})S)?)?",
    re.ASCII,
)
_FEWEST_DAYS = (0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334)  # in so many months, wherever they begin
_MOST_DAYS = (0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337)
_ZONE_SLACK = DAY  # a zone may shift its offset between the two ends; no zone ever shifted by more than a day


@dataclass(frozen=True, slots=True)
class Duration:
    """A span on the calendar; every part is zero or more."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """The one spelling: the parts as written, zero parts left out, `PT0S` for nothing."""
        date = _spelled("YMWD", self.years, self.months, self.weeks, self.days)
        time = _spelled("HMS", self.hours, self.minutes, self.seconds)
        return f"P{date}{'T' + time if time else ''}" if date or time else "PT0S"

    @property
    def exact(self) -> int:
        """The part that needs no calendar, in microseconds."""
        return self.hours * HOUR + self.minutes * MINUTE + self.seconds * SECOND

    @property
    def floor(self) -> int:
        """Microseconds this duration lasts at least, from any instant in any zone."""
        years, months = divmod(self.years * 12 + self.months, 12)
        days = years * 365 + _FEWEST_DAYS[months] + self.weeks * 7 + self.days
        return max(0, days * DAY - _ZONE_SLACK if days else 0) + self.exact

    @property
    def ceiling(self) -> int:
        """Microseconds this duration lasts at most, from any instant in any zone."""
        years, months = divmod(self.years * 12 + self.months, 12)
        days = years * 365 + (years + 3) // 4 + _MOST_DAYS[months] + self.weeks * 7 + self.days
        return (days * DAY + _ZONE_SLACK if days else 0) + self.exact

    def after(self, start: Instant, zone: tzinfo) -> Instant:
        """The instant this duration after `start` on the calendar of `zone`; the day is clipped to its month."""
        return _after(self, start, zone)


@lru_cache(64)  # the rules of one record count much the same spans from the same events
def _after(duration: Duration, start: Instant, zone: tzinfo) -> Instant:
    local = to_datetime(start).astimezone(zone)
    months = local.year * 12 + local.month - 1 + duration.years * 12 + duration.months
    year, month = months // 12, months % 12 + 1
    moved = local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]), fold=0)
    moved += timedelta(days=duration.weeks * 7 + duration.days)  # wall-clock arithmetic: aware datetimes ignore offsets
    same = moved.replace(tzinfo=None) == local.replace(tzinfo=None)
    return Instant((start if same else _instant(moved)) + duration.exact)


def _spelled(units: str, *numbers: int) -> str:
    return "".join(f"{number}{unit}" for number, unit in zip(numbers, units, strict=True) if number)


def _instant(moment: datetime) -> Instant:
    return from_datetime(moment.astimezone(UTC))


def parse_duration(text: str) -> Duration:
    """Read an ISO 8601 duration. Raises ValueError when malformed, without any part, or longer than a century."""
    found = _ISO.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        raise ValueError("not an ISO 8601 duration")
    duration = Duration(**{unit: int(number) for unit, number in found.groupdict().items() if number})
    if duration.ceiling > 101 * 366 * DAY:
        raise ValueError("longer than a century")
    return duration


def is_shorter(one: Duration, other: Duration) -> bool | None:
    """Whether `one` always ends before or with `other`; None when it depends on the calendar (`P1M` and `P30D`)."""
    if one.exact == other.exact and (one.weeks, one.days) == (other.weeks, other.days):
        return one.years * 12 + one.months <= other.years * 12 + other.months
    if not (one.years or one.months or other.years or other.months):
        return _comparable(one) <= _comparable(other)
    if one.ceiling <= other.floor:
        return True
    return False if other.ceiling <= one.floor else None


def _comparable(duration: Duration) -> int:
    return (duration.weeks * 7 + duration.days) * DAY + duration.exact
