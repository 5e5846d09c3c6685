"""Anonymous demographics: counted in batches, released above a threshold (L4, X3).

An answer is kept in the memory of the process that took it until there are enough of them; then they are added to the
counters together, in one order for all. So neither the order nor the time of a write, nor the database's own log, ties
a counter to a request. A process that ends without warning forgets the batch it had begun: a few answers of statistics
against a trace of everybody who gave one. So does one whose batch fills so late that its weeks may have been shown.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, MINUTE, Instant, to_datetime
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Grounds
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.demographics.rule import Report, counted, period_shown, questions, released, too_late, week_of

_queries = load("omonat.promises.demographics")

BATCH: Final = 20
"""How many people's answers are written together."""
LONGEST: Final = 7 * DAY
_LOST: Final = ""
"""The question under which a restore notes weeks whose counters were lost."""
A_MINUTE: Final = 60
"""How many answers one process takes in a minute, whoever gives them: no address is kept to tell people apart."""


class Demographics:
    """The flow, put together once per process."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._batch: Counter[tuple[date, str, str]] = Counter()
        self._people = 0
        self._since = Instant(0)
        self._minute = (0, 0)
        self._writing = asyncio.Lock()

    async def asked(self) -> tuple[CompiledPolicy, Mapping[str, tuple[str, ...]]]:
        """The policy in force, and what it counts: item and bands."""
        policy = await self._grounds.law.current()
        return policy, questions(policy)

    async def count(self, answers: Mapping[str, str]) -> None:
        """Count one person's answers, each for itself. Raises Refused `demographics-too-often`."""
        policy = await self._grounds.law.current()
        taken, now = counted(policy, answers), self._grounds.clock()
        if not taken:
            return
        self._limited(now)
        week = week_of(_day(policy, now))
        self._since = self._since if self._people else now
        self._people += 1
        self._batch.update((week, question, answer) for question, answer in taken)
        if self._people >= BATCH or now - self._since >= LONGEST:
            await self.write()

    async def write(self) -> None:
        """Add what is waiting to the counters: a full batch, or the last one when the process ends."""
        async with self._writing:
            batch, people = self._batch, self._people
            if not people:
                return
            self._batch, self._people = Counter(), 0
            try:
                await self._add(batch, people)
            except BaseException:
                self._batch.update(batch)
                self._people += people
                raise

    async def _add(self, batch: Mapping[tuple[date, str, str], int], people: int) -> None:
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        today = _day(policy, now)
        rows = sorted((*key, times) for key, times in batch.items() if not too_late(key[0], today))
        if not rows:
            return
        entry = Entry(
            new_id("ev"), now, "demographics:batch:counted", {"policy": policy.digest, "answered": people}, ()
        )
        async with self._grounds.database.transaction() as connection:
            await _queries.count_answers(
                connection,
                weeks=[row[0] for row in rows],
                questions=[row[1] for row in rows],
                answers=[row[2] for row in rows],
                times=[row[3] for row in rows],
            )
            reach("demographics.counted")
            await self._grounds.journal.append(connection, [entry], now=now)

    def _limited(self, now: Instant) -> None:
        minute, taken = self._minute
        self._minute = (now // MINUTE, taken + 1 if minute == now // MINUTE else 1)
        if self._minute[1] > A_MINUTE:
            raise Refused("demographics-too-often")

    async def report(self, *, periods_ago: int = 1, by: str = "operator") -> Sequence[Report]:
        """What may be seen of four whole weeks; `periods_ago` 1: the newest that ended a week ago or longer. Evidence.

        Raises BadInput `demographics-not-over` for later weeks, `demographics-not-asked` without questions.
        """
        if periods_ago < 1:
            raise BadInput("demographics-not-over")
        policy, asked = await self.asked()
        if policy.policy.demographics is None:
            raise BadInput("demographics-not-asked")
        now, threshold = self._grounds.clock(), policy.policy.demographics.threshold
        since, until = period_shown(_day(policy, now), periods_ago)
        counts = await self._counts(since, until)
        lost = _LOST in counts
        reports = [
            released(question, since, counts.get(question, {}), bands=bands, threshold=threshold, incomplete=lost)
            for question, bands in asked.items()
        ]
        facts: dict[str, Any] = {
            "policy": policy.digest, "since": since.isoformat(), "threshold": threshold, "by": by,
            "questions": sum(report.total is not None for report in reports), "incomplete": int(lost),
        }  # fmt: skip
        await self._grounds.journal.submit(Entry(new_id("ev"), now, "demographics:report:released", facts, ()))
        return reports

    async def _counts(self, since: date, until: date) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        async with self._grounds.database.connection() as connection:
            async for row in _queries.counted_between(connection, since=since, until=until):
                found.setdefault(row["question"], {})[row["answer"]] = row["times"]
        return found

    async def report_for(self, credential: Credential, *, periods_ago: int = 1) -> Sequence[Report]:
        """The report for a system that acts for whoever keeps promise L4. Raises Refused `statistics-not-yours`."""
        async with self._grounds.database.connection() as connection:
            client = await require_client(connection, credential, self._grounds.clock())
        policy = await self._grounds.law.current()
        promise = policy.policy.promises.get("L4")
        if promise is None or promise.owner not in client.roles:
            raise Refused("statistics-not-yours")
        return await self.report(periods_ago=periods_ago, by=client.id)


def _day(policy: CompiledPolicy, now: Instant) -> date:
    return to_datetime(now).astimezone(policy.zone).date()
