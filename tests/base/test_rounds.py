"""Work that repeats: a round that hangs is noticed from outside, whatever it hangs in."""

import asyncio
import io
import json
import threading
import time

import pytest

from omonat.base.rounds import Rounds


class Given:
    """Whether a round was given up, and after how long."""

    def __init__(self) -> None:
        self.up = threading.Event()

    def rounds(self) -> Rounds:
        return Rounds("evidence-sequencer", longest=0.3, give_up=self.up.set)


async def wait_for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def stand_still() -> None:
    time.sleep(1.0)  # noqa: ASYNC251 - the loop itself stands still


@pytest.mark.parametrize("hangs_in", [wait_for_ever, stand_still])
async def test_A1_a_round_that_hangs_is_given_up_and_the_log_says_where(hangs_in: object, lines: io.StringIO) -> None:
    given = Given()
    rounds = given.rounds()

    async def work() -> None:
        with rounds.one():
            await hangs_in()  # type: ignore[operator]

    with rounds.watched():
        task = asyncio.create_task(work())
        async with asyncio.timeout(5):
            while not given.up.is_set():  # noqa: ASYNC110 - another thread's event
                await asyncio.sleep(0.05)
        task.cancel()
    said = json.loads(lines.getvalue())
    assert (said["event"], said["lease"]) == ("round-stuck", "evidence-sequencer")
    assert f"test_rounds.{hangs_in.__name__}" in said["trail"]  # type: ignore[attr-defined]


async def test_A1_rounds_that_end_are_left_alone_however_many_there_are() -> None:
    given = Given()
    rounds = given.rounds()
    with rounds.watched():
        for _ in range(20):
            with rounds.one():
                await asyncio.sleep(0.03)
        await asyncio.sleep(0.5)  # between two rounds nothing is watched
    assert not given.up.is_set()
