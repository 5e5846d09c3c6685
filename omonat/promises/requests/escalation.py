"""When a request goes up to management (A2). Pure.

1. What nobody has answered goes up by itself, to the role that owns A2: once when its deadline is near, once when it is
   over. How near, the policy says, as a share of the time there was; a policy that says nothing escalates what is over.
2. What waits for its channel to be proved doesn't go up: nobody may work on it. Nor does what is answered.
3. A request taken up again has a new deadline, and its own two steps.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from omonat.base.instants import Instant
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.requests.facts import State

PROMISE: Final = "A2"
_OPEN: Final = frozenset({State.RECEIVED, State.CONFIRMED, State.CLAIMED, State.REOPENED})


class Step(StrEnum):
    """How far up it has gone, the later one last."""

    NEAR = "near"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A request and its clock: `runs_from` and `due_at` are the ends of its time, `workable` that staff may take it."""

    state: State
    workable: bool
    runs_from: Instant
    due_at: Instant


def step_now(request: Running, *, near_at: int | None, now: Instant) -> Step | None:
    """The step a request stands at; None while it needs none. `near_at`: per cent of its time, None: no such step."""
    if request.state not in _OPEN or not request.workable:  # 2
        return None
    if now >= request.due_at:
        return Step.OVERDUE
    if near_at is None:
        return None
    gone, whole = now - request.runs_from, request.due_at - request.runs_from
    return Step.NEAR if gone * 100 >= whole * near_at else None


def goes_to(policy: CompiledPolicy) -> str | None:
    """The role it goes up to: the owner of A2; None where the policy doesn't promise it."""
    promised = policy.policy.promises.get(PROMISE)
    return None if promised is None else promised.owner


def near_at(policy: CompiledPolicy) -> int | None:
    """The share of its time, in per cent, after which a request is near its deadline."""
    return None if policy.policy.escalation is None else policy.policy.escalation.near_at
