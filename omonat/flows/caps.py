"""Caps: how much one staff member may use or look up in an hour and a day (S4), counted before release.

The count is one statement that adds and returns the totals, so parallel calls can't both take the last place;
concurrent callers share the statement.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from omonat.base.instants import Instant
from omonat.base.verdict import Deny, Reason
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.database.trouble import converted
from omonat.flows.coalesce import Coalescer
from omonat.policy.model import Caps as RoleCaps

_SQL = load("omonat.flows", "use.sql").take_from_cap.sql
_OVER = Deny((Reason("over-cap", "S4"),))


class _Taking(NamedTuple):
    staff: str
    kind: str
    now: Instant


class Caps:
    """Counts uses and look-ups. Calls that were refused over the cap count too: trying on doesn't help."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._take: Coalescer[_Taking, tuple[int, int]] = Coalescer(self._count, limit=256, lanes=1)

    async def take(self, staff: str, kind: Literal["use", "lookup"], caps: RoleCaps, now: Instant) -> Deny | None:
        """Count one more use or look-up; a Deny when the role's cap for the hour or the day is passed."""
        hour, day = (
            (caps.uses_per_hour, caps.uses_per_day) if kind == "use" else (caps.lookups_per_hour, caps.lookups_per_day)
        )
        if hour is None and day is None:
            return None
        hourly, daily = await self._take(_Taking(staff, kind, now))
        if (hour is not None and hourly > hour) or (day is not None and daily > day):
            return _OVER
        return None

    async def _count(self, takings: Sequence[_Taking]) -> Sequence[tuple[int, int] | Exception]:
        sums: dict[tuple[str, str], int] = {}
        for taking in takings:
            key = (taking.staff, taking.kind)
            sums[key] = sums.get(key, 0) + 1
        staff, kinds = [s for s, _ in sums], [k for _, k in sums]
        now = max(taking.now for taking in takings)
        with converted():
            rows = await self._database.pool.fetch(_SQL, *_in_order(now, staff, kinds, list(sums.values())))
        hourly = {(r["staff"], r["kind"]): r["taken"] for r in rows if r["hourly"]}
        daily = {(r["staff"], r["kind"]): r["taken"] for r in rows if not r["hourly"]}
        answers: list[tuple[int, int]] = []
        for taking in reversed(takings):  # each gets its own place in the count
            key = (taking.staff, taking.kind)
            answers.append((hourly[key], daily[key]))
            hourly[key] -= 1
            daily[key] -= 1
        answers.reverse()
        return answers


def _in_order(now: Instant, staff: list[str], kinds: list[str], taken: list[int]) -> tuple[object, ...]:
    """The parameters in the statement's own order: :now comes first in its text."""
    return now, staff, kinds, taken
