"""When a request goes up: a table, and what holds of any deadline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import DAY, Instant
from omonat.promises.requests.escalation import Running, Step, step_now
from omonat.promises.requests.facts import State

START = Instant(1_796_000_000_000_000)


def running(state: State = State.RECEIVED, *, workable: bool = True, days: int = 10) -> Running:
    return Running(state=state, workable=workable, runs_from=START, due_at=Instant(START + days * DAY))


@pytest.mark.parametrize(
    ("passed", "near", "step"),
    [
        (0, 75, None),
        (7.4, 75, None),
        (7.5, 75, Step.NEAR),
        (9.9, 75, Step.NEAR),
        (10, 75, Step.OVERDUE),
        (40, 75, Step.OVERDUE),
        (9.9, None, None),  # a policy that says nothing of near
        (10, None, Step.OVERDUE),
        (0.1, 1, Step.NEAR),
    ],
)
def test_A2_it_goes_up_when_its_deadline_is_near_and_when_it_is_over(
    passed: float, near: int | None, step: Step | None
) -> None:
    now = Instant(START + int(passed * DAY))
    for state in (State.RECEIVED, State.CONFIRMED, State.CLAIMED, State.REOPENED):
        assert step_now(running(state), near_at=near, now=now) is step


@given(passed=st.integers(0, 100 * DAY), days=st.integers(0, 60), near=st.integers(1, 99))
def test_A2_what_is_answered_or_waits_for_its_code_never_goes_up(passed: int, days: int, near: int) -> None:
    now = Instant(START + passed)
    for state in (State.ANSWERED, State.CLOSED):
        assert step_now(running(state, days=days), near_at=near, now=now) is None
    assert step_now(running(workable=False, days=days), near_at=near, now=now) is None


@given(one=st.integers(0, 100 * DAY), later=st.integers(0, 100 * DAY), days=st.integers(0, 60), near=st.integers(1, 99))
def test_A2_a_step_is_never_taken_back_by_time(one: int, later: int, days: int, near: int) -> None:
    order = [None, Step.NEAR, Step.OVERDUE]
    first, second = (step_now(running(days=days), near_at=near, now=Instant(START + at)) for at in sorted((one, later)))
    assert order.index(first) <= order.index(second)
