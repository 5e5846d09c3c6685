"""What reviews found, and which hosts there are, survives a restore; what is lost is nobody's word (S3, S5)."""

from omonat.base.instants import DAY, SECOND, Instant
from omonat.base.verdict import Allow
from omonat.flows.staff import Registration
from omonat.house import House
from tests.backup.conftest import Town
from tests.backup.test_restore import MakeRuin


async def why(house: House, about: str) -> str:
    one = next(each for each in await house.safeguards.standing() if each.about == about)
    return "" if isinstance(one.verdict, Allow) else one.verdict.reasons[0].code


async def guarded(town: Town) -> None:
    """Somebody looks after security; the room was found in place, and a host stands in the register."""
    trained = Instant(town.clock() + 365 * DAY)
    await town.house.staff.put(
        Registration(ref="801", name="Xodim 801", role="security", trained_until=trained), by="test"
    )
    await town.house.safeguards.review("server-room", kept=True, proof="Dalolatnoma 7/2026", by="801")
    await town.house.places.add("host", "db-1", proof="Inventar 14", by="801")


async def test_S3_what_was_found_after_the_backup_stands_after_the_restore(town: Town, ruin: MakeRuin) -> None:
    await guarded(town)
    backup = await town.backup()
    await town.house.safeguards.review("server-room", kept=False, proof="Ariza 12", by="801")
    await town.house.places.add("room", "cellar-1", proof="Inventar 15", by="801")
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    async with new.opened() as house:
        assert await why(house, "server-room") == "safeguard-broken"
        assert await why(house, "host/db-1") == ""
        assert await why(house, "room/cellar-1") == ""


async def test_S3_a_review_the_journal_never_got_is_not_covered_by_the_one_before(town: Town, ruin: MakeRuin) -> None:
    await guarded(town)
    backup = await town.backup()
    await town.settle()
    await town.house.safeguards.review("server-room", kept=False, proof="Ariza 12", by="801")
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.newest_of_home(),))
    assert report.proved
    assert len(report.gap) == 1
    async with new.opened() as house:
        assert await why(house, "server-room") == "safeguard-unproved"
        new.clock.forward(DAY)
        await house.safeguards.review("server-room", kept=True, proof="Dalolatnoma 8/2026", by="801")
        assert await why(house, "server-room") == ""
