"""Working days: counted by the pack's calendar, and never later than any calendar could have it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import Instant, from_datetime, to_datetime
from omonat.base.verdict import CannotTell
from omonat.policy.complaints import InvalidPolicy
from omonat.policy.packs import Deadline, Pack, read_pack, strictest_deadline
from omonat.policy.words import Mark, Weekday
from omonat.policy.working_days import WorkingDays, WorkingYear, after_working_days
from tests.policy.documents import HERE, SHIPPED, shipped_packs

ZONE = ZoneInfo("Asia/Tashkent")
UZ = next(pack for pack in shipped_packs() if pack.pack == "uz")
SATURDAY_SUNDAY = (Weekday.SATURDAY, Weekday.SUNDAY)


def at(day: date) -> Instant:
    return from_datetime(datetime(day.year, day.month, day.day, 15, 30, tzinfo=ZONE))


def calendar(
    year: int, off: Sequence[date] = (), worked: Sequence[date] = (), weekend: Sequence[Weekday] = SATURDAY_SUNDAY
) -> WorkingDays:
    listed = WorkingYear(year=year, off=tuple(off), worked=tuple(worked), source="made up", mark=Mark.UNKNOWN)
    return WorkingDays(weekend=tuple(weekend), source="made up", mark=Mark.UNKNOWN, years=(listed,))


def correction(pack: Pack = UZ) -> Deadline:
    found = strictest_deadline([pack], "correct")
    assert isinstance(found, Deadline)
    return found


def ends_on(deadline: Deadline, day: date) -> date:
    end = deadline.end(at(day), ZONE)
    assert not isinstance(end, CannotTell)
    return to_datetime(end.at).astimezone(ZONE).date()


@pytest.mark.parametrize(
    ("began", "ends"),
    [
        (date(2026, 11, 23), date(2026, 11, 26)),  # Monday; nothing in between
        (date(2026, 11, 27), date(2026, 12, 1)),  # Friday: Saturday, Monday, Tuesday
        (date(2026, 12, 5), date(2026, 12, 10)),  # Saturday: Monday, then Constitution Day is off, Wednesday, Thursday
        (date(2026, 8, 29), date(2026, 9, 4)),  # Saturday: 31 August and 1 September are off
    ],
)
def test_P5_three_working_days_pass_over_sundays_and_holidays(began: date, ends: date) -> None:
    assert ends_on(correction(), began) == ends


def test_P5_a_deadline_into_a_year_nobody_listed_counts_every_day_and_says_so() -> None:
    found = correction().end(at(date(2026, 12, 30)), ZONE)

    assert not isinstance(found, CannotTell)
    assert to_datetime(found.at).astimezone(ZONE).date() == date(2027, 1, 3)  # the 31st is off; 1, 2, 3 January count
    assert found.unlisted == (2027,)
    exact = correction().end(at(date(2026, 11, 23)), ZONE)
    assert not isinstance(exact, CannotTell)
    assert exact.unlisted == ()


def test_P5_a_pack_without_a_calendar_counts_every_day() -> None:
    bare = read_pack((HERE / "pack-uz.yaml").read_text("utf-8").replace("within: P10D", "within: P10D, days: working"))
    found = strictest_deadline([bare], "answer-request")
    assert isinstance(found, Deadline)
    end = found.end(at(date(2026, 11, 27)), ZONE)
    assert not isinstance(end, CannotTell)
    assert to_datetime(end.at).astimezone(ZONE).date() == date(2026, 12, 7)
    assert end.unlisted == (2026,)


def test_P5_a_moved_day_off_counts_where_it_was_moved_to_and_the_day_it_came_from_is_worked() -> None:
    moved = calendar(2026, off=[date(2026, 12, 31)], worked=[date(2026, 12, 12)])
    assert moved.is_working(date(2026, 12, 12)) is True  # a Saturday
    assert moved.is_working(date(2026, 12, 19)) is False
    assert moved.is_working(date(2026, 12, 31)) is False  # a Thursday
    assert moved.is_working(date(2027, 1, 4)) is None


@given(
    start=st.dates(date(2025, 6, 1), date(2027, 6, 1)),
    days=st.integers(0, 40),
    off=st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40),
    worked=st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40),
)
def test_P5_no_calendar_makes_a_deadline_come_before_the_earliest_nor_a_fuller_one_bring_it_forward(
    start: date, days: int, off: list[date], worked: list[date]
) -> None:
    known = calendar(2026, off=set(off) - set(worked), worked=worked)
    found, earliest = (after_working_days(days, at(start), ZONE, each) for each in (known, None))
    assert earliest.at <= found.at
    assert to_datetime(earliest.at).astimezone(ZONE).date() == start + timedelta(days=days)
    end = to_datetime(found.at).astimezone(ZONE).date()
    between = [start + timedelta(days=n + 1) for n in range((end - start).days)]
    assert sum(known.is_working(day) is not False for day in between) == days
    assert not days or known.is_working(end) is not False


_SOURCE = '      source: "Labour Code, Art. 208'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- 2026-01-01\n", "- 2025-12-31\n"),  # a day of another year
        (_SOURCE, f"      worked: [2026-01-02]\n{_SOURCE}"),  # off and worked at once
    ],
)
def test_P5_a_calendar_that_contradicts_itself_is_refused_where_it_stands(old: str, new: str) -> None:
    text = (SHIPPED.parent / "packs" / "uz.yaml").read_text("utf-8")
    assert old in text
    with pytest.raises(InvalidPolicy) as caught:
        read_pack(text.replace(old, new))
    (complaint,) = caught.value.complaints
    assert complaint.code == "policy-wrong-value"
    assert complaint.about["path"] == "working-days.years.0"


@pytest.mark.parametrize("span", ["P1M", "P2W", "PT72H", "P1Y", "P1DT12H"])
def test_P5_working_days_that_are_not_written_in_days_are_refused_where_they_stand(span: str) -> None:
    text = (HERE / "pack-uz.yaml").read_text("utf-8")
    assert "answer-request" in read_pack(text.replace("within: P10D", "within: P10D, days: working")).deadlines
    with pytest.raises(InvalidPolicy) as caught:
        read_pack(text.replace("within: P10D", f"within: {span}, days: working"))
    assert [(one.code, one.about["path"]) for one in caught.value.complaints] == [
        ("policy-wrong-value", "deadlines.answer-request.within")
    ]


def test_P5_two_countries_working_days_are_not_compared() -> None:
    other = read_pack(
        (HERE / "pack-uz.yaml").read_text("utf-8").replace("pack: uz", "pack: kz").replace("uz/", "kz/")
        .replace("answer-request: {within: P10D", "correct: {within: P5D, days: working")
    )  # fmt: skip
    assert "correct" in other.deadlines
    assert isinstance(strictest_deadline([UZ, other], "correct"), CannotTell)
