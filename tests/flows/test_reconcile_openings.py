"""A crash of ours is never taken for a theft, nor a theft for a crash of ours (A1, S4).

What goes wrong at an awkward moment: between two files of a register, while one is made, while two processes compare.
"""

import asyncio
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omonat.base.errors import Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, SECOND, Instant
from omonat.evidence.entry import Entry
from omonat.flows.reconcile import Reconcile
from omonat.flows.sweep import BATCH
from omonat.flows.unanswered import BATCH as BELIEVED_OF_ONE
from omonat.flows.unanswered import BELIEVED
from omonat.jobs import _account_for_ever, _tidy_for_ever
from omonat.vault.openings import OPENED, WITHHELD, Openings, drop_unfinished, registers
from tests.flows.conftest import Shop
from tests.flows.test_reconcile import acts, killed_after, looked

FULL = 8_191
"""Lines in one file of a register."""


async def in_order(shop: Shop, count: int) -> Entry:
    """An entry that speaks of so many openings."""
    entry = Entry(new_id("ev"), shop.clock(), "use:person:authorised", {"opened": count})
    await shop.house.grounds.journal.submit(entry)
    return entry


def thrown_away(shop: Shop, count: int, entry: str = "") -> None:
    openings, entry = shop.house.grounds.vault.openings, entry or new_id("ev")
    for _ in range(count):
        openings.note(entry)
    openings.withhold(entry)


async def test_S4_what_is_thrown_away_is_marked_in_the_files_its_process_has_filled_meanwhile_too(shop: Shop) -> None:
    await looked(shop)
    openings, rest = shop.house.grounds.vault.openings, 8_000
    honest = await in_order(shop, rest)
    for _ in range(rest):
        openings.note(honest.id)
    thrown_away(shop, 500)
    assert len(registers(openings.folder)) == 2
    states = [line.state for register in registers(openings.folder) for line in register.read()]
    assert (states.count(WITHHELD), states.count(OPENED)) == (500, rest)
    found = await looked(shop)
    assert (found.withheld, found.unexplained) == (500, [])
    assert (await Reconcile(shop.house.grounds).unanswered()).largest == 500  # one incident


async def test_S4_an_old_file_that_was_compared_and_is_gone_hinders_nobody(shop: Shop) -> None:
    openings = shop.house.grounds.vault.openings
    for _ in range(FULL):
        openings.note(new_id("ev"))
    one = new_id("ev")
    openings.note(one)
    registers(openings.folder)[0].path.unlink()
    openings.withhold(one)
    assert [line.state for register in registers(openings.folder) for line in register.read()][-1] == WITHHELD


async def test_S4_a_service_killed_just_after_its_register_turned_over_is_no_finding(shop: Shop) -> None:
    """Its new file holds nothing but what it was in the middle of; that it writes entries, the one before says."""
    honest = await in_order(shop, FULL)
    await killed_after(shop, [*[honest.id] * FULL, new_id("ev")])
    found = await looked(shop)
    assert (found.cut_off, found.unexplained) == (1, [])


def test_A1_a_register_is_locked_before_anybody_can_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it is taken for one whose process has ended, and removed, and what is written to it compared by nobody."""
    folder, real, seen = tmp_path / "openings", fcntl.flock, []

    def looks_first(descriptor: int, how: int) -> None:
        if how == fcntl.LOCK_SH:
            seen.append(registers(folder))
        real(descriptor, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", looks_first)
        openings = Openings(folder)
        openings.note(new_id("ev"))
    assert seen == [[]]
    (register,) = registers(folder)
    assert (register.is_alive, len(list(register.read()))) == (True, 1)
    assert [path.name for path in folder.iterdir()] == [register.path.name]


FORKS = """
import os, signal, sys
from pathlib import Path
from omonat.vault.openings import Openings

openings = Openings(Path(sys.argv[1]))
openings.note("ev_" + "a" * 26)
if os.fork() == 0:
    print("began", flush=True)
    sys.stdin.readline()
    openings.note("ev_" + "b" * 26)
    print("noted", flush=True)
    sys.stdin.read()
    os._exit(0)
signal.pause()
"""
"""A process and its child, which goes on as long as somebody holds its input open."""


def test_A1_the_end_of_a_process_is_seen_though_its_child_lives_on(tmp_path: Path) -> None:
    folder = tmp_path / "openings"
    with subprocess.Popen(
        [sys.executable, "-c", FORKS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        try:
            assert parent.stdout.readline() == b"began\n"
            (parents,) = registers(folder)
            assert parents.is_alive, "what the child closes unlocks nothing of its parent's"
            parent.kill()
            parent.wait()
            assert not parents.is_alive
            parent.stdin.write(b"note\n")
            parent.stdin.flush()
            assert parent.stdout.readline() == b"noted\n", "and the child lives, and has a register of its own"
            (childs,) = (register for register in registers(folder) if register.run != parents.run)
            assert childs.is_alive
            assert [[line.entry[3] for line in each.read()] for each in (parents, childs)] == [["a"], ["b"]]
        finally:
            parent.kill()
            parent.stdin.close()


def test_A1_a_register_that_was_never_finished_is_removed_and_its_process_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = tmp_path / "openings", fcntl.flock

    def takes_long(descriptor: int, how: int) -> None:
        for path in folder.iterdir():
            os.utime(path, (0, 0))
        drop_unfinished(folder)
        real(descriptor, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", takes_long)
        with pytest.raises(Unavailable) as refused:
            Openings(folder).note(new_id("ev"))
    assert refused.value.code == "openings-unwritable"
    assert list(folder.iterdir()) == []


async def test_A1_processes_that_compare_at_the_same_time_count_everything_once(shop: Shop) -> None:
    await looked(shop)
    honest = await in_order(shop, 1)
    await killed_after(shop, [honest.id, "", new_id("ev")])
    thrown_away(shop, 3)
    shop.clock.forward(HOUR)
    found = await asyncio.gather(*(Reconcile(shop.house.grounds).openings() for _ in range(4)))
    assert [sum(one.withheld for one in found), sum(one.cut_off for one in found)] == [3, 1]
    assert sum(len(one.unexplained) for one in found) == 1
    assert len(await acts(shop, "opening:section:unexplained")) == 1
    day = await Reconcile(shop.house.grounds).unanswered()
    assert (day.withheld, day.cut_off, day.entries) == (3, 1, 2)


async def test_A1_one_that_stopped_while_it_compared_is_not_waited_for_without_end(shop: Shop) -> None:
    await looked(shop)
    folder = shop.house.grounds.vault.openings.folder
    await killed_after(shop, [""])
    shop.clock.forward(HOUR)
    stopped = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await Reconcile(shop.house.grounds).openings(patience=0.5)
        assert (refused.value.code, 0.5 <= time.monotonic() - began < 30) == ("openings-busy", True)
        waits = asyncio.create_task(Reconcile(shop.house.grounds).openings())
        await asyncio.sleep(0.3)
        assert not waits.done(), "who has patience left waits for whoever compares"
    finally:
        os.close(stopped)
    assert len((await waits).unexplained) == 1, "and compares what nobody has"


async def test_A1_a_look_that_failed_half_way_is_taken_up_again_without_a_false_alarm(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, openings = Reconcile(shop.house.grounds), shop.house.grounds.vault.openings
    await looked(shop, flow)
    honest = await in_order(shop, 5)
    for entry in [honest.id] * 5 + [""]:
        openings.note(entry)

    async def refuses(*_: object, **__: object) -> None:
        raise Unavailable("evidence-unavailable")

    with monkeypatch.context() as broken:
        broken.setattr(shop.house.grounds.journal, "append", refuses)
        with pytest.raises(Unavailable):
            await looked(shop, flow)
    assert [one.entry for one in (await looked(shop, flow)).unexplained] == ["nobody"]


@pytest.mark.parametrize(
    ("claims", "doubtful"),
    [
        ([BATCH], False),
        ([BATCH, *[1] * BELIEVED], False),
        ([BATCH, *[1] * (BELIEVED + 1)], True),
        ([BATCH, BATCH], True),
        ([BELIEVED_OF_ONE + 1], True),
    ],
    ids=["a batch", "a batch and a few uses", "a batch and many uses", "two batches", "more than a batch"],
)
async def test_A1_one_crash_of_a_batch_is_no_doubt_and_many_small_claims_are(
    shop: Shop, claims: list[int], doubtful: bool
) -> None:
    await looked(shop)
    for count in claims:
        thrown_away(shop, count)
    found = await looked(shop)
    assert (found.withheld, found.unexplained) == (sum(claims), [])
    assert bool(await shop.house.doubts.standing()) is doubtful
    day = await Reconcile(shop.house.grounds).unanswered()
    assert (day.entries, day.largest) == (len(claims), max(claims))


async def test_A1_a_doubt_has_one_name_though_midnight_passes(shop: Shop) -> None:
    await looked(shop)
    shop.clock.now = Instant((shop.clock.now // DAY + 1) * DAY - 5 * 60 * SECOND)  # 23:55
    for _ in range(BELIEVED + 1):
        thrown_away(shop, 1)
    await looked(shop)
    (before,) = await shop.house.doubts.standing()
    shop.clock.forward(HOUR)
    thrown_away(shop, 1)
    await looked(shop)
    assert await shop.house.doubts.standing() == (before,)


async def test_A1_openings_are_compared_though_what_is_tidied_before_them_is_in_lasting_trouble(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, stop = shop.house, asyncio.Event()
    house.grounds.vault.openings.note("")
    shop.clock.forward(HOUR)
    tidied: list[str] = []

    async def troubled() -> None:
        raise Unavailable("database-unavailable")

    async def end_due() -> None:
        tidied.append("packets")

    with monkeypatch.context() as broken:
        broken.setattr(house.publish, "activate_due", troubled)
        broken.setattr(house.packets, "end_due", end_due)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(_tidy_for_ever(house, stop))
            tasks.create_task(_account_for_ever(house, stop))
            while not tidied or not await acts(shop, "opening:section:unexplained"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            stop.set()
    assert tidied == ["packets"]
