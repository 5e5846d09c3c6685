"""Escalate: what is near its deadline or past it goes up to management by itself, once per step (A2).

One transaction holds the request and writes the step, its entry and the work item; the letter to the role's mailbox
waits with the step and is handed over by the mail door. Any number of workers may look.
"""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.failpoints import reach
from omonat.base.instants import MINUTE, Instant
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.flows.requesting import entry_about, queries
from omonat.flows.work import close_work_item_in, open_work_item_in
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.requests.escalation import Running, Step, goes_to, near_at, step_now
from omonat.promises.requests.facts import State

_steps = load("omonat.promises.requests", "escalations.sql")
RULE: Final = "escalated"
_BATCH: Final = 100
_HAND_OVER: Final = 5 * MINUTE
"""Longer than any hand-over may last, so that two never overlap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLetter:
    """A letter that goes to the role's mailbox, ours while it is handed over. `attempt` counts from 1."""

    number: str
    kind: str
    step: str
    due_at: Instant
    attempt: int


class Escalate:
    """The flow of looking at deadlines."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    def now(self) -> Instant:
        """The moment it is."""
        return self._grounds.clock()

    async def look_after(self) -> int:
        """Send up what has reached a step; how many did. Raises Unavailable without a policy."""
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        role = goes_to(policy)
        if role is None:
            return 0
        async with self._grounds.database.connection() as connection:
            rows = _steps.reaching_a_step(connection, now=now, share=near_at(policy), most=_BATCH)
            numbers = [row["number"] async for row in rows]
        return sum([await self._one(policy, number, role, now) for number in numbers])

    async def _one(self, policy: CompiledPolicy, number: str, role: str, now: Instant) -> bool:
        async with self._grounds.database.transaction() as connection:
            row = await queries.request_for_update(connection, number=number)
            step = (
                None if row is None or row["slot"] is None else step_now(running(row), near_at=near_at(policy), now=now)
            )
            if step is None:
                return False
            due, goes = row["due_at"], policy.policy.escalation
            added = await _steps.add_escalation(
                connection, number=number, due_at=due, step=step.value, role=role, now=now,
                letter="waiting" if goes is not None and goes.mailbox else "none",
            )  # fmt: skip
            if added is None:
                return False
            reach("escalate.written")
            if step is Step.OVERDUE:
                await close_work_item_in(
                    connection, rule=RULE, person=None, missing=_missing(number, Step.NEAR), now=now
                )
            await open_work_item_in(connection, rule=RULE, person=None, missing=_missing(number, step), now=now)
            entry = entry_about(
                self._grounds.vault, "escalated", row, now, step=step.value, role=role, due=due, policy=policy.digest
            )
            await self._grounds.journal.append(connection, [entry], now=now)
            reach("escalate.recorded")
        reach("escalate.committed")
        return True

    async def claim_letter(self) -> RoleLetter | None:
        """A letter that is to be sent and still true, ours for a while; None when there is none."""
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            await _steps.end_untrue_letters(connection, now=now)
            row = await _steps.claim_letter(connection, now=now, until=Instant(now + _HAND_OVER))
        if row is None:
            return None
        return RoleLetter(
            number=row["number"], kind=row["kind"], step=row["step"], due_at=row["due_at"], attempt=row["attempts"]
        )

    async def settle_letter(self, letter: RoleLetter, end: str, *, again: Instant | None = None) -> None:
        """What became of it: `sent`, `failed`, `none`, or `waiting` until `again`; nothing where the claim was lost."""
        async with self._grounds.database.connection() as connection:
            await _steps.settle_letter(
                connection, number=letter.number, due_at=letter.due_at, step=letter.step, attempts=letter.attempt,
                letter=end, due=again or self._grounds.clock(),
            )  # fmt: skip


def running(row: Any) -> Running:
    """A row of requests, as the rule of escalation sees it."""
    return Running(
        state=State(row["state"]),
        workable=not row["needs_proof"] or row["proved_at"] is not None,
        runs_from=row["runs_from"] or row["received_at"],
        due_at=row["due_at"],
    )


def escalated(row: Any) -> dict[str, Any]:
    """How far up an open request went, to whom and when; all None once it is answered, and where it didn't."""
    if row["step"] is None or row["state"] in (State.ANSWERED.value, State.CLOSED.value):
        return {"escalated": None, "escalated_at": None, "escalated_to": None}
    return {"escalated": Step(row["step"]), "escalated_at": row["escalated_at"], "escalated_to": row["escalated_to"]}


async def settle(connection: asyncpg.Connection, number: str, now: Instant) -> None:
    """It is answered, closed or gone: what it was escalated for is no work any more, and nobody is written to."""
    await _steps.end_letters_of(connection, number=number)
    for step in Step:
        await close_work_item_in(connection, rule=RULE, person=None, missing=_missing(number, step), now=now)


def _missing(number: str, step: Step) -> str:
    return f"{number} {step.value}"
