"""No number that is too small is seen, nor computed from those that are (L4, X3)."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from omonat.promises.demographics.rule import WEEKS, period_of, released, week_of

K = 10
BANDS = ("a", "b", "c", "d", "e")
MONDAY = date(2026, 11, 30)


def seen(*times: int) -> tuple[list[int | None], int | None]:
    counts = dict(zip(BANDS, times, strict=False))
    report = released("q", MONDAY, counts, bands=BANDS[: len(times)], threshold=K)
    return [cell.times for cell in report.cells], report.total


def test_L4_a_cell_is_shown_from_the_threshold_and_not_one_below() -> None:
    assert seen(10, 10) == ([10, 10], 20)
    assert seen(9, 0) == ([None, None], None)
    assert seen(0, 0) == ([None, None], None)


def test_L4_one_small_cell_hides_another_so_that_the_total_does_not_betray_it() -> None:
    assert seen(30, 25, 3) == ([30, None, None], 58), "58 − 30 tells 28 of two cells"
    assert seen(30, 3) == ([None, None], None), "two cells: the other would betray it"
    assert seen(40, 6, 5) == ([40, None, None], 51), "together they are enough"
    assert seen(40, 30, 0) == ([40, None, None], 70), "that nobody said it is a number too"


@given(st.lists(st.integers(0, 60), min_size=1, max_size=5))
def test_L4_what_is_hidden_together_is_never_small(times: list[int]) -> None:
    cells, total = seen(*times)
    shown = [cell for cell in cells if cell is not None]
    assert all(cell >= K for cell in shown)
    if total is None:
        assert shown == []
    else:
        hidden = total - sum(shown)
        assert total == sum(times)
        assert (len(cells) - len(shown) == 0) or (len(cells) - len(shown) >= 2 and hidden >= K)


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_L4_periods_are_whole_weeks_that_never_overlap(day: date) -> None:
    since, until = period_of(week_of(day))
    assert since <= day < until
    assert (until - since).days == 7 * WEEKS
    assert since.weekday() == 0
    assert period_of(week_of(until)) == (until, until + (until - since))
    assert period_of(week_of(until - timedelta(days=1))) == (since, until)
