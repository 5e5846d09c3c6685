"""Whom a restore closes because it knows too little of them is nobody's child, and is never erased for it (S6, K2)."""

from dataclasses import replace

import pytest

from omonat.backup.gap import closes_a_child
from omonat.base.ids import new_id
from omonat.base.instants import DAY, SECOND, Instant
from omonat.evidence.entry import Entry
from omonat.flows.erase import ErasureRequest
from omonat.flows.work import open_work_item
from omonat.house import House
from tests.backup.conftest import Town
from tests.backup.test_restore import MakeRuin
from tests.erasure.stories import closed, ordered, swept
from tests.flows.test_children import officer


async def about(house: House, person: str) -> list[str]:
    """The entries of this person that wait for an officer."""
    asked = "select missing from work_items where rule = 'quarantine' and person = $1 and closed_at is null"
    return [row["missing"] for row in await house.grounds.database.pool.fetch(asked, person)]


async def test_S6_an_adult_closed_by_a_restore_stays_while_a_child_closed_by_it_goes(
    town: Town, ruin: MakeRuin
) -> None:
    """Only the log has it: of one person a record was erased, another one was told to be a child, a third one both."""
    shop = town.shop
    adult, child, both = await ordered(shop), await ordered(shop), await ordered(shop)
    by = await officer(shop)
    backup = await town.backup()
    await town.settle()
    await closed(shop, adult, both)
    for order in (adult, both):
        await shop.house.erase(ErasureRequest(person=order.person, record=order.record, by="test"))
    for order in (child, both):
        await shop.house.children.signal(order.person, "staff", by="test")
    shop.clock.forward(10 * SECOND)
    assert await town.sequencer.open()
    await town.sequencer.advance()
    new = await ruin()
    report = await new.restore(backup, keys=town.keys_of(backup), copies=(town.newest_of_home(),))
    assert report.proved
    async with new.opened() as house:
        pool, after = house.grounds.database.pool, replace(shop, house=house)
        asked = "select id from persons where quarantined_at is not null and erased_at is null"
        assert {row["id"] for row in await pool.fetch(asked)} == {adult.person, child.person, both.person}
        waits = "select distinct person from work_items where rule = 'quarantine' and closed_at is null"
        assert {row["person"] for row in await pool.fetch(waits)} == {adult.person, both.person}
        (task,) = await about(house, both.person)
        await house.tasks.done("quarantine", task, by=by)
        assert both.person in {row["id"] for row in await pool.fetch(asked)}, "a word about the rest opens no child"
        shop.clock.forward(10 * DAY)
        await swept(after)
        assert {row["id"] for row in await pool.fetch(asked)} == {adult.person}
        for order in (child, both):
            gone = await pool.fetch("select cause from erasures where person = $1", order.person)
            assert "child" in [row["cause"] for row in gone]
        (task,) = await about(house, adult.person)
        await house.tasks.done("quarantine", task, by=by)
        assert await pool.fetch(asked) == []


async def test_K2_somebody_who_is_told_to_be_a_child_meanwhile_stays_closed(town: Town) -> None:
    shop = town.shop
    both, other = await ordered(shop), await ordered(shop)
    by, pool = await officer(shop), shop.house.grounds.database.pool
    for order in (both, other):
        await pool.execute("update persons set quarantined_at = $2 where id = $1", order.person, shop.clock())
        for entry in ("ev_1", "ev_2"):
            about = f"{entry}{order.person}"
            await open_work_item(
                shop.house.grounds.database, rule="quarantine", person=order.person, missing=about, now=shop.clock()
            )
    await shop.house.children.signal(both.person, "staff", by="test")
    asked = "select id from persons where quarantined_at is not null and id = any($1::text[])"
    people = [both.person, other.person]
    for entry, left in (("ev_1", people), ("ev_2", [both.person])):
        for order in (both, other):
            await shop.house.tasks.done("quarantine", f"{entry}{order.person}", by=by)
        assert {row["id"] for row in await pool.fetch(asked, people)} == set(left)


@pytest.mark.parametrize(
    ("act", "facts", "is_one"),
    [
        ("child:person:signalled", {"closed": True}, True),
        ("child:person:signalled", {"closed": False}, False),
        ("child:person:cleared", {}, False),
        ("guardian:consent:withdrawn", {"scope": "data"}, True),
        ("guardian:consent:withdrawn", {"scope": "images"}, False),
        ("erasure:record:hidden", {}, False),
    ],
)
def test_K2_only_what_closes_a_childs_data_is_taken_for_it(act: str, facts: dict[str, object], *, is_one: bool) -> None:
    assert closes_a_child(Entry(id=new_id("ev"), at=Instant(1), act=act, facts=facts)) is is_one
