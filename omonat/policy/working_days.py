"""Working days, as a law pack lists them: the weekend, and year by year the days off and the weekend days worked (P5).

Which days are off is decided year by year, some only weeks before. A year that the pack doesn't list is not guessed:
each of its days counts as a working day, which gives the earliest end any calendar could give. So a deadline may turn
out earlier than the law's, and is never later.
"""
# ruff: noqa: RUF009 - `key` makes dataclass fields

from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from omonat.base.instants import Instant, from_datetime, to_datetime
from omonat.policy.shapes import Choice, Day, Flag, Many, Struct, Text, Whole, key
from omonat.policy.words import Mark, Weekday

_SOURCE = Text(600)
_WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingYear:
    """One year: the days `off` beside the weekend, and the days `worked` although they fall on one."""

    year: int = key(Whole(2000, 2199))
    off: tuple[date, ...] = key(Many(Day()))
    worked: tuple[date, ...] = key(Many(Day()), default=())
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)

    def misplaced(self) -> tuple[date, ...]:
        """Days that lie in another year, or are said to be both off and worked."""
        both = set(self.off) & set(self.worked)
        listed = dict.fromkeys((*self.off, *self.worked))
        return tuple(day for day in listed if day.year != self.year or day in both)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """Which days are working days in a country; years in any order, each at most once."""

    weekend: tuple[Weekday, ...] = key(Many(Choice(Weekday), least=1))
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)
    years: tuple[WorkingYear, ...] = key(Many(Struct(WorkingYear)), default=())

    def is_working(self, day: date) -> bool | None:
        """Whether this is a working day; None in a year that isn't listed."""
        year = next((one for one in self.years if one.year == day.year), None)
        if year is None:
            return None
        if day in year.worked:
            return True
        return day not in year.off and _WEEK[day.weekday()] not in self.weekend


@dataclass(frozen=True, slots=True)
class End:
    """When a deadline ends. `unlisted`: years it runs into whose working days are unknown, so that it is the earliest
    end rather than the law's; empty where it is exact."""

    at: Instant
    unlisted: tuple[int, ...] = ()


def after_working_days(count: int, start: Instant, zone: tzinfo, calendar: WorkingDays | None) -> End:
    """The end of `count` working days after the day of `start` in `zone`, at the same time of day.

    The day of `start` doesn't count. Without a calendar every year is unlisted.
    """
    moment, left, unlisted = to_datetime(start).astimezone(zone), count, set()
    while left:
        moment += timedelta(days=1)
        working = None if calendar is None else calendar.is_working(moment.date())
        if working is None:
            unlisted.add(moment.year)
        left -= working is not False
    return End(from_datetime(moment), tuple(sorted(unlisted)))
