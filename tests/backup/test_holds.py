"""Legal holds through a restore: one placed since keeps what it covers, one ended since keeps nothing (R2)."""

from dataclasses import replace
from pathlib import Path

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.holds import Hold
from omonat.house import House
from tests.backup.conftest import Town
from tests.backup.test_restore import MakeRuin
from tests.erasure.stories import closed, held, ordered, swept
from tests.erasure.test_holds import officers, placed
from tests.flows.conftest import Shop

AS_TAKEN_IN = ["contact", "transaction"]
AS_THE_DUTY_KEEPS_IT = ["transaction"]


def after(town: Town, house: House) -> Shop:
    """The same shop, in the house that was restored."""
    return replace(town.shop, house=house)


async def approved(shop: Shop, person: str) -> Hold:
    hold = await placed(shop, "person", person)
    return await shop.house.holds.approve(hold.id, by="902")


async def ended(shop: Shop, hold: Hold) -> None:
    await shop.house.holds.end(hold.id, by="901")
    assert (await shop.house.holds.approve(hold.id, by="902")).released_at


async def swept_when_due(shop: Shop, *people: str) -> list[list[str]]:
    """What is left of each when the order's term is over and a sweep has gone by."""
    shop.clock.forward(40 * DAY)
    await swept(shop)
    return [category for person in people for category in (await held(shop, person)).values()]


async def test_R2_a_hold_placed_after_the_backup_keeps_its_data_from_the_sweep_after_the_restore(
    town: Town, ruin: MakeRuin
) -> None:
    await officers(town.shop)
    theirs, free = await ordered(town.shop), await ordered(town.shop)
    await closed(town.shop, theirs, free)
    backup = await town.backup()
    hold = await approved(town.shop, theirs.person)
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert not report.gap
    async with new.opened() as house:
        shop = after(town, house)
        assert await house.holds.show(hold.id) == hold
        assert await swept_when_due(shop, theirs.person, free.person) == [AS_TAKEN_IN, AS_THE_DUTY_KEEPS_IT]
        await house.holds.end(hold.id, by="901")
        with pytest.raises(Refused) as alone:
            await house.holds.approve(hold.id, by="901")
        assert alone.value.code == "hold-same-person"
        await house.holds.approve(hold.id, by="902")
        await swept(shop)
        assert list((await held(shop, theirs.person)).values()) == [AS_THE_DUTY_KEEPS_IT]


async def test_R2_a_hold_ended_after_the_backup_stays_ended_after_the_restore(town: Town, ruin: MakeRuin) -> None:
    await officers(town.shop)
    freed, theirs = await ordered(town.shop), await ordered(town.shop)
    await closed(town.shop, freed, theirs)
    over, stands = await approved(town.shop, freed.person), await approved(town.shop, theirs.person)
    backup = await town.backup()
    await ended(town.shop, over)
    await town.settle()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.copies,))
    assert report.proved
    assert not report.gap
    async with new.opened() as house:
        assert [hold.id for hold in await house.holds.standing()] == [stands.id]
        with pytest.raises(Refused) as again:
            await house.holds.end(over.id, by="901")
        assert again.value.code == "hold-over"
        left = await swept_when_due(after(town, house), freed.person, theirs.person)
        assert left == [AS_THE_DUTY_KEEPS_IT, AS_TAKEN_IN]


async def burned(town: Town) -> Path:
    """The host burns: the log has its entries already, the journal never got the change. What is left of it."""
    town.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    return town.newest_of_home()


async def test_R2_a_hold_the_journal_never_got_is_taken_from_the_log(town: Town, ruin: MakeRuin) -> None:
    """Of a case or a record the log doesn't tell, so it stands on the person; nobody is closed by it as a child."""
    await officers(town.shop)
    theirs, waiting, free = [await ordered(town.shop) for _ in range(3)]
    await closed(town.shop, theirs, waiting, free)
    backup = await town.backup()
    await town.settle()
    both, alone = await approved(town.shop, theirs.person), await placed(town.shop, "record", waiting.record, "contact")
    left = await burned(town)
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(left,))
    assert report.proved
    assert len(report.gap) == 3
    async with new.opened() as house:
        again = await house.holds.show(both.id)
        assert again == replace(both, authority=both.entries["placed"])
        assert (await house.holds.show(alone.id)).target == waiting.person
        assert await house.grounds.database.pool.fetchval("select count(quarantined_at) from persons") == 0
        asked = "select missing from work_items where rule = 'hold-approval' and closed_at is null"
        assert [row["missing"] for row in await house.grounds.database.pool.fetch(asked)] == [alone.id]
        with pytest.raises(Refused) as same:
            await house.holds.approve(alone.id, by="901")
        assert same.value.code == "hold-same-person"
        await house.holds.approve(alone.id, by="902")
        people = (theirs.person, waiting.person, free.person)
        assert await swept_when_due(after(town, house), *people) == [AS_TAKEN_IN, AS_TAKEN_IN, AS_THE_DUTY_KEEPS_IT]


async def test_R2_an_approval_the_journal_never_got_keeps_the_hold_from_lapsing(town: Town, ruin: MakeRuin) -> None:
    await officers(town.shop)
    theirs, forgotten = await ordered(town.shop), await ordered(town.shop)
    await closed(town.shop, theirs, forgotten)
    holds = [await placed(town.shop, "person", order.person) for order in (theirs, forgotten)]
    backup = await town.backup()
    await town.settle()
    await town.house.holds.approve(holds[0].id, by="902")
    left = await burned(town)
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(left,))
    assert report.proved
    assert len(report.gap) == 1
    async with new.opened() as house:
        left_over = await swept_when_due(after(town, house), theirs.person, forgotten.person)
        assert left_over == [AS_TAKEN_IN, AS_THE_DUTY_KEEPS_IT]
        assert [(await house.holds.show(hold.id)).released_by for hold in holds] == [None, "lapsed"]
