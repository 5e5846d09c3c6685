"""Safeguards: those with a date, and what happens when it passes (S3, S6). Today that is the restore drill."""

from typing import Any, Final

from omonat.base.errors import Unavailable
from omonat.base.ids import new_id
from omonat.base.logs import log
from omonat.base.verdict import Allow, Verdict
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.work import open_work_item
from omonat.promises.security.rule import decide_drill

DRILL: Final = "restore-drill"
"""The id of the safeguard in the policy; its `review` says how often."""
_queries = load("omonat.promises.security")
_log = log(__name__)


class Safeguards:
    """The flow of safeguards."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._told = False

    async def drill_standing(self) -> Verdict:
        """Whether the restore drill is kept: Allow, Deny `drill-overdue`, CannotTell `drill-unplanned`."""
        policy = await self._law.current()
        async with self._database.connection() as connection:
            row = await _queries.last_drill(connection)
        review = next((one.review for one in policy.policy.safeguards if one.id == DRILL), None)
        return decide_drill(review, passed_at=row["passed_at"], since=row["since"], now=self._clock())

    async def look_after(self) -> None:
        """Make what is overdue a work item, once, and say it in the log of this process, once."""
        try:
            verdict = await self.drill_standing()
        except Unavailable:  # no policy yet: nothing is promised
            return
        if isinstance(verdict, Allow):
            self._told = False
            return
        await open_work_item(
            self._database, rule="safeguard", person=None, missing=DRILL, now=self._clock()
        )  # fmt: skip
        if not self._told:
            self._told = True
            _log.error("safeguard-broken", code=verdict.reasons[0].code, promise=verdict.reasons[0].promise)

    async def note_drill(self, *, backup: str, passed: bool, report: dict[str, Any], facts: dict[str, Any]) -> str:
        """Write down a drill, with its entry; the entry's id. `facts` go into the log, `report` stays here."""
        now, entry = self._clock(), new_id("ev")
        act = "drill:restore:passed" if passed else "drill:restore:failed"
        async with self._database.transaction() as connection:
            await _queries.add_drill(
                connection, id=new_id("drl"), at=now, backup=backup, passed=passed, report=report, entry=entry
            )
            await self._journal.append(connection, [Entry(entry, now, act, {"backup": backup, **facts})], now=now)
        return entry
