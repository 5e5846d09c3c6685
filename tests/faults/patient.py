"""A patient caller: whatever is asked of a house is asked again until nothing in it fails any more. Each failure is
looked at: what was said, what it leaves behind, and whether all that is kept still fits together."""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omonat.base.errors import OmonatError, Unavailable
from omonat.base.failpoints import Tripped
from omonat.flows.reconcile import Reconcile
from omonat.house import House
from tests.faults.breaking import Failpoints
from tests.faults.state import wrong_keys
from tests.flows.conftest import Clock

_COUNTS: Final = frozenset({"rates", "staff_usage"})
"""Tables that count how often something was tried: what fails counts as well, by design."""
_MOMENT: Final = 1_000
_Work = Callable[[], Awaitable[Any]]


class Again(Exception):
    """Something failed because it was asked to, and may be tried again."""


@dataclass
class Trial:
    """Breaks each of `points` once, where it is passed first.

    Behind a point of `leaves` something durable stands; behind all others nothing may be left of the act. `refused`
    says by which codes an act is refused that was done already when its answer got lost. `problems` is what was not as
    it must be, `twice` which act of evidence of which flow a repetition says again.
    """

    house: House
    clock: Clock
    armed: Failpoints
    points: Collection[str]
    leaves: Collection[str]
    refused: Mapping[str, Collection[str]]
    problems: list[str] = field(default_factory=list)
    twice: set[str] = field(default_factory=set)
    _tokens: dict[str, str] = field(default_factory=dict)
    _tables: Sequence[str] = ()
    _whole: bool = False

    async def begin(self) -> None:
        """Arm them all: each happens once, in the order in which the acts come by."""
        names = "select tablename from pg_tables where schemaname = 'omonat' order by 1"
        self._tables = [row[0] for row in await self._asked(names) if row[0] not in _COUNTS]
        self._tokens = {point: self.armed.arm(point, "raise") for point in sorted(self.points)}

    def fired(self) -> set[str]:
        """Those that have happened."""
        return {point for point, token in self._tokens.items() if self.armed.happened(token)}

    async def act(self, who: str, work: _Work) -> Any:
        """One act of a flow, until it succeeds, or is refused because it was done already (then None comes back)."""
        if self._whole:
            return await self._once(work)
        return await self._until(who, lambda: self._once(work), _MOMENT)

    async def whole(self, who: str, work: _Work, *, apart: int) -> Any:
        """Several acts, repeated from the first one: a code is used up, and another one is asked for, `apart` later."""
        self._whole = True
        try:
            return await self._until(who, work, apart)
        finally:
            self._whole = False

    async def sound(self) -> list[str]:
        """What doesn't fit together: entries and rows, rows and keys."""
        found = [str(each) for each in await Reconcile(self.house.grounds).rows()]
        async with self.house.grounds.database.connection() as connection:
            return found + await wrong_keys(connection, self.house.grounds.vault)

    async def _until(self, who: str, once: _Work, apart: int) -> Any:
        said: Counter[str] = Counter()
        done = ""
        while True:
            known, before = self.fired(), await self._said()
            try:
                answer = await once()
            except Again:
                (point,) = self.fired() - known
                done = point if point in self.leaves else done
                said += await self._said() - before
                self.clock.forward(apart)
                continue
            except OmonatError as refused:
                if refused.code not in self.refused.get(done, ()):
                    refused.add_note("\n".join(self.problems))  # of which this may be one more
                    raise
                answer = None
            self.twice |= {f"{who} {act}" for act in (await self._said() - before).keys() & said.keys()}
            return answer

    async def _once(self, work: _Work) -> Any:
        self.clock.forward(_MOMENT)  # two choices of one instant would have no order
        known, before = self.fired(), await self._kept()
        try:
            answer = await work()
        except Exception as error:
            broken = self.fired() - known
            if not broken:
                raise
            await self._look(", ".join(broken), error, before)
            raise Again from error
        self.problems += [f"nobody heard of {point}" for point in self.fired() - known]
        return answer

    async def _look(self, point: str, error: Exception, before: Mapping[str, Any]) -> None:
        after = await self._kept()
        changed = [table for table in self._tables if before[table] != after[table]]
        if not isinstance(error, Tripped | Unavailable):
            self.problems.append(f"{point}: {error!r}")
        if changed and point not in self.leaves:
            self.problems.append(f"{point} leaves {changed}")
        if not changed and point.endswith("committed"):
            self.problems.append(f"{point} leaves nothing")
        self.problems += [f"{point}: {each}" for each in await self.sound()]

    async def _kept(self) -> Mapping[str, Any]:
        """How many rows each table has, and a sum over all that stands in them."""
        each = "select '{0}', count(*), sum(hashtextextended(x::text, 0)) from omonat.{0} x"
        return {row[0]: row for row in await self._asked(" union all ".join(map(each.format, self._tables)))}

    async def _said(self) -> Counter[str]:
        """How often each act stands in the evidence."""
        return Counter({row[0]: row[1] for row in await self._asked("select act, count(*) from entries group by 1")})

    async def _asked(self, statement: str) -> Sequence[Any]:
        rows: Sequence[Any] = await self.house.grounds.database.pool.fetch(statement)
        return rows


class Patient:
    """A house, or one of its flows, of which everything is asked patiently."""

    def __init__(self, real: Any, trial: Trial) -> None:
        self._real, self._trial = real, trial

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if inspect.iscoroutinefunction(found) and not isinstance(self._real, House):
            return self._patiently(found)
        is_flow = type(found).__module__.startswith("omonat.flows") and name != "grounds"
        return Patient(found, self._trial) if is_flow else found

    async def __call__(self, *words: Any, **named: Any) -> Any:
        return await self._patiently(self._real)(*words, **named)

    def _patiently(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def act(*words: Any, **named: Any) -> Any:
            return await self._trial.act(type(self._real).__name__, lambda: work(*words, **named))

        return act
