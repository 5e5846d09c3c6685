"""Any store that is older than the others is found at the start: alone, in pairs, in threes. All four: a witness's."""

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from omonat.backup.shipper import LEASE_LASTS, Shipper
from omonat.backup.standing import check
from omonat.base.codes import registry
from omonat.base.errors import Fault, Unavailable
from omonat.base.instants import SECOND
from tests.backup.conftest import Ruin, Town, erase, subscriber

MakeRuin = Callable[[], Awaitable[Ruin]]
STORES = ("database", "log", "journal", "keys")
SETS = [frozenset(old) for n in (1, 2, 3) for old in itertools.combinations(STORES, n)]
CODES = {
    "database": {"evidence-database-rolled-back", "database-rolled-back"},
    "log": {"evidence-log-rolled-back"},
    "journal": {"journal-rolled-back"},
    "keys": {"keys-rolled-back"},
}


async def test_S6_every_store_that_was_put_back_is_found_alone_and_with_others(
    town: Town, ruin: MakeRuin, tmp_path: Path
) -> None:
    person, gone = await subscriber(town), await town.order(mobile="+998907770002")
    before, old = await town.backup(), town.newest_of_home()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await erase(town, gone)
    after, new = await town.backup(), town.newest_of_home()
    databases = {"old": await ruin(), "new": await ruin()}
    await databases["old"].load_data_only(before)
    await databases["new"].load_data_only(after)

    async def start(put_back: frozenset[str]) -> str:
        home = tmp_path / ("-".join(sorted(put_back)) or "none")
        for name in ("keys", "log", "journal"):
            shutil.copytree((old if name in put_back else new) / name, home / name)
        home.chmod(0o700)
        try:
            await databases["old" if "database" in put_back else "new"].check_beside(home)
        except Fault as fault:
            return fault.code
        return ""

    assert await start(frozenset()) == ""
    found = {put_back: await start(put_back) for put_back in SETS}
    for put_back, code in found.items():
        assert code, f"nobody saw that {set(put_back)} were put back"
        assert registry()[code].exit == 8
        # What is named is old, or is convicted by something that isn't.
        assert any(code in CODES[name] for name in put_back), (put_back, code)
    assert {name: found[frozenset({name})] in CODES[name] for name in STORES} == dict.fromkeys(STORES, True)
    assert await start(frozenset(STORES)) == ""  # all at once: only a checkpoint kept elsewhere tells


async def test_S6_the_frame_a_crash_left_unnoted_is_no_rollback(town: Town) -> None:
    """Killed at each step of a round, it opens again, and every change is in the journal once."""
    for step in ("appended", "written", "noted", "copied"):
        person = await town.order(mobile=f"+99890777{town.shop.orders:04}")
        await town.choose(person, "objection", "given", "improve-services")

        def kill(at: str, step: str = step) -> None:
            if at == step:
                raise KeyboardInterrupt(step)

        town.shipper._reached = kill
        with pytest.raises(KeyboardInterrupt):
            await town.shipper.ship()
        town.shipper._reached = lambda _step: None
        town.clock.forward(10_000_000)
        assert await town.shipper.open()
        await town.shipper.ship()
    changes = [c.id for _, frame in town.frames() for deed in frame.deeds for c in deed.changes]
    assert len(changes) == len(set(changes))
    assert not await town.house.grounds.database.pool.fetchval("select count(*) from control_changes")
    persons = {
        c.person for _, frame in town.frames() for deed in frame.deeds for c in deed.changes if c.source == "choices"
    }
    assert len(persons) == 4


async def test_S6_a_change_of_the_journal_by_one_bit_is_found(town: Town) -> None:
    person = await subscriber(town)
    await town.settle()
    await town.choose(person, "consent", "withdrawn", "marketing-email")
    await town.settle()
    (segment,) = (town.home / "journal").glob("*.omj")
    raw = segment.read_bytes()
    for at in (5, 30, 90, 140, len(raw) // 2, len(raw) - 1):
        segment.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        assert (await what_is_wrong(town)).startswith("journal-"), at
    segment.write_bytes(raw)
    await town.check()


async def what_is_wrong(town: Town) -> str:
    try:
        await town.check()
        town.frames()
    except Fault as fault:
        return fault.code
    return ""


async def test_S6_a_frame_taken_out_of_the_middle_is_found(town: Town) -> None:
    for n in range(3):
        await town.choose(await town.order(mobile=f"+99890111000{n}"), "objection", "given", "improve-services")
        await town.settle()
    (segment,) = (town.home / "journal").glob("*.omj")
    raw, head = segment.read_bytes(), 120
    first = 4 + int.from_bytes(raw[head : head + 4], "big")
    segment.write_bytes(raw[:head] + raw[head + first :])
    with pytest.raises(Fault) as fault:
        await town.check()
    assert fault.value.code.startswith("journal-")


async def test_S6_a_copy_in_another_place_convicts_a_journal_that_was_cut(town: Town) -> None:
    """Database, pin and journal agree with each other; the copy got further."""
    await town.settle()
    old = town.newest_of_home()
    await town.choose(await town.order(), "objection", "given", "improve-services")
    await town.settle()
    shutil.rmtree(town.home / "journal")
    shutil.copytree(old / "journal", town.home / "journal")
    kept = {file.name: file.read_bytes() for file in (town.copies / "journal").iterdir()}
    with pytest.raises(Fault) as fault:
        town.house.stores.journal.mirror(town.copies / "journal")
    assert fault.value.code == "journal-rolled-back"
    with pytest.raises(Fault) as fault:
        await town.shipper._copy()
    assert fault.value.code == "journal-rolled-back"
    assert {file.name: file.read_bytes() for file in (town.copies / "journal").iterdir()} == kept, "nothing is cut off"


@pytest.mark.parametrize("further", [True, False])
async def test_S6_a_copy_that_comes_back_late_is_compared_before_anything_is_written_to_it(
    town: Town, further: bool
) -> None:
    """The whole machine goes back to a snapshot, and the other place is mounted a minute after the start."""
    await town.settle()
    old = town.newest_of_home()
    await town.choose(await town.order(), "objection", "given", "improve-services")
    await town.settle()
    away = town.place / "away"
    town.copies.rename(away)
    await town.shipper._copy()  # into the empty place
    shutil.rmtree(town.home / "journal")
    shutil.copytree(old / "journal", town.home / "journal")
    if not further:  # of the same length, and of another history
        (segment,) = (away / "journal").glob("*.omj")
        raw = bytearray((town.home / "journal" / segment.name).read_bytes())
        raw[-1] ^= 1
        segment.write_bytes(raw)
    shutil.rmtree(town.copies)
    away.rename(town.copies)
    kept = {file.name: file.read_bytes() for file in (town.copies / "journal").iterdir()}
    with pytest.raises(Fault) as fault:
        await town.shipper._copy()
    assert fault.value.code == ("journal-rolled-back" if further else "journal-forked")
    assert {file.name: file.read_bytes() for file in (town.copies / "journal").iterdir()} == kept


async def test_S6_a_copy_that_cannot_be_read_at_the_start_stops_nothing_and_is_named_until_it_can(town: Town) -> None:
    await town.choose(await town.order(), "objection", "given", "improve-services")
    await town.settle()
    assert town.shipper.unread == frozenset()
    (segment,) = (town.copies / "journal").glob("*.omj")
    kept = segment.read_bytes()
    segment.unlink()
    segment.mkdir()  # root reads every file, but no folder as one
    assert await town.shipper.open()
    assert town.shipper.unread == {"1"}
    segment.rmdir()
    segment.write_bytes(kept)
    await town.settle()
    assert town.shipper.unread == frozenset()


async def test_S6_who_lost_the_lease_says_nothing_of_copies_any_more(town: Town) -> None:
    """Else two processes, one of which reaches a place and one of which does not, begin and end a doubt for ever."""
    house, first = town.house, town.shipper
    await first.ship()
    assert first.unread == frozenset()
    second = Shipper(house.stores, [town.place / "second"], clock=town.clock)
    assert not await second.open()
    assert second.unread is None
    town.clock.forward(LEASE_LASTS + SECOND)
    assert await second.open()
    with pytest.raises(Unavailable):
        await first.ship()
    assert (first.unread, second.unread) == (None, frozenset())
    assert not await first.open()
    assert first.unread is None


async def test_R3_erasure_reaches_what_the_journal_says_of_a_person(town: Town) -> None:
    person = await subscriber(town)
    await town.settle()
    journal = b"".join(file.read_bytes() for file in (town.home / "journal").iterdir())
    assert person.encode() not in journal
    assert b"marketing-email" not in journal
    readable = [image for image in town.images() if image.get("person") == person]
    assert readable
    await erase(town, person)
    await town.settle()
    assert not [image for image in town.images() if person in (image.get("person"), image.get("id"))]


async def test_S6_the_second_place_is_byte_for_byte_the_first_and_its_loss_stops_nothing(town: Town) -> None:
    await town.choose(await town.order(), "objection", "given", "improve-services")
    await town.settle()

    def bytes_of(folder: Path) -> dict[str, bytes]:
        return {
            str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"
        }

    for name in ("journal", "log"):
        assert bytes_of(town.copies / name) == bytes_of(town.home / name)
    shutil.rmtree(town.copies)
    town.copies.write_text("a file where the folder was")
    await town.choose(await town.order(mobile="+998907770003"), "objection", "given", "improve-services")
    await town.settle()
    assert not await town.house.grounds.database.pool.fetchval("select count(*) from control_changes")
    town.copies.unlink()
    await town.settle()
    assert bytes_of(town.copies / "journal") == bytes_of(town.home / "journal")


async def test_S6_looking_at_a_service_at_work_finds_nothing(town: Town) -> None:
    """Log, journal and database are read one after the other while all of them grow."""
    people = [await town.order(mobile=f"+9989022200{n:02}") for n in range(8)]
    await town.settle()
    done = asyncio.Event()

    async def work() -> None:
        for n in range(24):
            await town.choose(people[n % 8], "objection", "given" if n < 8 else "withdrawn", "improve-services")
            await asyncio.gather(town.sequencer.advance(), town.shipper.ship())
        done.set()

    async def look() -> int:
        looked = 0
        while not done.is_set():
            await check(town.house.stores)
            looked += 1
        return looked

    town.sequencer._keep_lease = town.shipper._keep_lease = _no_clock  # type: ignore[method-assign]
    _, first, second = await asyncio.gather(work(), look(), look())
    assert first + second > 10


async def _no_clock(*_: object) -> None:
    """The lease is fresh; only this test turns the clock."""
