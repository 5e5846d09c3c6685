"""Law watch: where the law packs in force contradict each other waits for a person, once, until it is over (P5).

Each contradiction is a doubt (`omonat.flows.doubts`): an entry when it begins and when it ends, one work item in
between, shown at the Desk to the privacy officer with both rules and where they come from. So is a year that deadlines
will soon run into and whose working days a pack doesn't list.

    law-conflict    what of the law the packs disagree on, as `omonat.policy.conflicts` names it
    law-calendar    pack/year
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from omonat.base.verdict import CannotTell
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds
from omonat.flows.work import close_work_item
from omonat.policy.conflicts import Conflict, conflicts, longest_in_working_days, unlisted_years

CONFLICT: Final = "law-conflict"
CALENDAR: Final = "law-calendar"
_AHEAD: Final = timedelta(days=14)
"""How long before a year begins its working days are missed; at least twice the longest deadline counted in them."""


class LawWatch:
    """The flow. Any worker may look; each doubt begins and ends once."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._doubts = Doubts(grounds)

    async def look_after(self) -> None:
        """Begin and end what is in doubt about the packs of the policy in force. Raises Unavailable without one."""
        policy = await self._grounds.law.current()
        now = self._grounds.clock()
        found = {one.about: {"rules": _rules(one)} for one in conflicts(policy.packs)}
        await self._doubts.are(CONFLICT, found)
        today = policy.today(now)
        ahead = max(_AHEAD, timedelta(days=2 * longest_in_working_days(policy.packs)))
        missing = unlisted_years(policy.packs, today, today + ahead)
        await self._doubts.are(CALENDAR, {f"{pack}/{year}": {} for pack, year in missing})
        for name in {name for pack in policy.packs for name in pack.deadlines}:
            if not isinstance(policy.deadline(name), CannotTell):
                await close_work_item(
                    self._grounds.database, rule="request", person=None, missing=f"deadline-{name}", now=now
                )

    async def standing(self) -> Mapping[str, Conflict]:
        """The contradictions of the policy in force, by what they are about."""
        policy = await self._grounds.law.current()
        return {one.about: one for one in conflicts(policy.packs)}


def _rules(conflict: Conflict) -> dict[str, Any]:
    return {side.pack: side.rule for side in conflict.sides}
