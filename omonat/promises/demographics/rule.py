"""What may be asked and counted, and which numbers may be seen. Pure (L4, X3).

Each question has counters of its own: nobody's answers are ever combined, so no combination singles anybody out. A
report covers four whole weeks and no two reports overlap, so none can be subtracted from another. A cell below the
threshold isn't shown; and so that it can't be computed from the total, the cells hidden together hold at least the
threshold between them, or nothing is shown at all.

No report of a period says anything else later, or the difference would be a number without a threshold: a period is
shown a week after its end, and nothing is added to it from then on; where a restore brought back counters that are
older than the ones shown before, nothing is shown of their period any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from omonat.policy.beside import choices
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import age_signal
from omonat.policy.words import Kind

GENDERS: Final = ("female", "male")
WEEKS: Final = 4
_WEEK: Final = timedelta(days=7)
SHOWN_AFTER: Final = _WEEK
"""How long after its end a period is shown: no answer waits longer to be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of a report; None: hidden, because it or another would be too small."""

    answer: str
    times: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What may be seen of one question over one period of four weeks. `total` None: nothing may. `incomplete`: because
    counters of this period were lost with a restore."""

    question: str
    since: date
    until: date
    cells: tuple[Cell, ...]
    total: int | None
    incomplete: bool = False


def questions(policy: CompiledPolicy) -> Mapping[str, tuple[str, ...]]:
    """The items the policy counts, each with its bands. A band below the age of a child isn't asked (K1)."""
    asked = policy.policy.demographics
    return {} if asked is None else {item: _bands(policy, item) for item in asked.asks}


def _bands(policy: CompiledPolicy, item: str) -> tuple[str, ...]:
    declared = policy.item(item)
    if declared.kind is Kind.GENDER:
        return GENDERS
    bands = tuple(choices(policy, item, "en"))
    if declared.kind is not Kind.AGE_BAND:
        return bands
    ages = ((band, age_signal(Kind.AGE_BAND, band)) for band in bands)
    return tuple(band for band, age in ages if isinstance(age, int) and age >= policy.child_under)


def counted(policy: CompiledPolicy, answers: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The answers that are counted: to questions asked, with bands offered. Everything else is dropped unread."""
    known = questions(policy)
    return [(item, answer) for item, answer in answers.items() if answer in known.get(item, ())]


def week_of(day: date) -> date:
    """The Monday of a day: no finer time is kept."""
    return day - timedelta(days=day.weekday())


def period_of(week: date) -> tuple[date, date]:
    """The four weeks a week belongs to, first day and the day after the last: the same for everybody, ever."""
    number = week.toordinal() // 7 // WEEKS
    since = date.fromordinal(number * WEEKS * 7 + 1)
    return since, since + WEEKS * _WEEK


def period_shown(day: date, ago: int) -> tuple[date, date]:
    """A period that may be seen on a day: 1 is the newest."""
    running, _ = period_of(week_of(day - SHOWN_AFTER))
    return period_of(running - (WEEKS * (ago - 1) + 1) * _WEEK)


def too_late(week: date, day: date) -> bool:
    """Whether answers of a week can't be counted any more, as its period may have been seen."""
    return day >= period_of(week)[1] + SHOWN_AFTER


def released(
    question: str,
    week: date,
    counts: Mapping[str, int],
    *,
    bands: Sequence[str],
    threshold: int,
    incomplete: bool = False,
) -> Report:
    """What of these counts may be seen; of what is `incomplete`, nothing."""
    since, until = period_of(week)
    every = {band: counts.get(band, 0) for band in (*bands, *(c for c in counts if c not in bands))}
    shown = {band: times for band, times in every.items() if times >= threshold}
    total = sum(every.values())
    while shown and len(shown) < len(every) and total - sum(shown.values()) < threshold:
        del shown[min(shown, key=lambda band: (shown[band], band))]
    nothing = incomplete or total < threshold or not shown
    cells = tuple(Cell(answer=band, times=None if nothing else shown.get(band)) for band in every)
    return Report(
        question=question,
        since=since,
        until=until,
        cells=cells,
        total=None if nothing else total,
        incomplete=incomplete,
    )
