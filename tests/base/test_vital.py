"""Work a process is there for: one part that fails ends it, whatever the others do."""

import asyncio
import io
import json

import pytest

from omonat.base.errors import Unavailable
from omonat.base.vital import vital


async def deaf(stop: asyncio.Event) -> None:
    """Work that takes being stopped by another's failure for trouble of its own, and goes on."""
    while not stop.is_set():
        try:
            await stop.wait()
        except asyncio.CancelledError:
            continue


async def fails() -> None:
    await asyncio.sleep(0)
    raise ValueError("+998 90 123 45 67")


async def test_A1_work_that_fails_ends_the_process_though_others_go_on(lines: io.StringIO) -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def jobs() -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (deaf(stop), fails()):
                tasks.create_task(vital(work, give_up=ended.set))
            await stop.wait()

    running = asyncio.create_task(jobs())
    async with asyncio.timeout(5):
        await ended.wait()
    assert not running.done(), "left to the others it would never end"
    said = json.loads(lines.getvalue())
    assert (said["event"], said["error"]) == ("job-failed", "ValueError")
    assert "test_vital.fails" in said["trail"]
    assert "998" not in lines.getvalue()
    stop.set()
    with pytest.raises(ExceptionGroup):
        await running


async def test_A1_work_that_is_done_or_stopped_ends_nothing(lines: io.StringIO) -> None:
    ended = asyncio.Event()
    await vital(asyncio.sleep(0), give_up=ended.set)
    stopped = asyncio.create_task(vital(asyncio.sleep(5), give_up=ended.set))
    await asyncio.sleep(0)
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert not ended.is_set()
    assert lines.getvalue() == ""


async def test_A1_what_the_log_cannot_take_does_not_keep_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def out_of_reach() -> None:
        raise Unavailable("database-unavailable")

    def full(*_: object, **__: object) -> None:
        raise OSError("no space for a line")

    monkeypatch.setattr("omonat.base.vital._log.exception", full)
    with pytest.raises(OSError, match="no space"):
        await vital(out_of_reach(), give_up=ended.set)
    assert ended.is_set()


async def test_A1_work_whose_own_errand_was_cancelled_ends_the_process_too(lines: io.StringIO) -> None:
    """A group of tasks takes it for one that was asked to stop, and nobody would hear of it."""
    ended, errand = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def waits() -> None:
        await errand

    working = asyncio.create_task(vital(waits(), give_up=ended.set))
    await asyncio.sleep(0)
    errand.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()
    assert json.loads(lines.getvalue())["event"] == "job-failed"
