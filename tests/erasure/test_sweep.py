"""The sweeper removes exactly what the read refuses, item by item, and nothing else."""

import asyncio

import asyncpg
import pytest

from omonat.base.errors import Fault, Refused
from omonat.base.instants import DAY, HOUR, MINUTE
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectRequest
from omonat.flows.lookup import LookupRequest
from omonat.flows.notify import Notification, Notify, Receipt
from omonat.flows.sweep import Sweeper, Swept
from omonat.promises.messages import Channel
from tests.erasure.stories import acts, closed, event, for_tax, held, one, ordered, swept, waits_or_is_done
from tests.flows.conftest import Shop
from tests.flows.test_time import publish, second_version


async def found_by(shop: Shop, mobile: str) -> str | None:
    answer = await shop.house.lookup(
        LookupRequest(
            credential=shop.credentials["panel"], purpose="answer-inquiry", item="contact.mobile", value=mobile,
            on_behalf_of="401",
        )
    )  # fmt: skip
    return "several" if answer.several else answer.person


async def test_R2_a_closed_order_loses_item_by_item_and_the_tax_duty_keeps_the_amount(shop: Shop) -> None:
    order, neighbour = await ordered(shop), await ordered(shop, contact_mobile="+998901112233")
    before = await one(shop, "select sealed from sections where record = $1 and category = 'contact'", neighbour.record)
    slot = await one(shop, "select slot from records where id = $1", order.record)
    await closed(shop, order)
    await swept(shop)  # the address served the delivery alone
    vault = shop.house.grounds.vault
    assert vault.is_destroyed(slot)
    mine = (await shop.house.my_data(order.person)).newest()
    assert set(mine) == {"contact.name", "contact.mobile", "transaction.order-lines", "transaction.amount"}
    shop.clock.forward(31 * DAY)
    await swept(shop)
    assert await held(shop, order.person) == {order.record: ["transaction"]}
    shop.clock.forward(340 * DAY)
    await swept(shop)
    assert (await for_tax(shop, order.person)).items == {"transaction.amount": 9_000_000}
    assert set((await shop.house.my_data(order.person)).newest()) == {"transaction.amount"}
    after = await one(shop, "select sealed from sections where record = $1 and category = 'contact'", neighbour.record)
    assert after == before
    assert (await shop.house.my_data(neighbour.person)).newest()["contact.postal-address"].value
    shop.clock.forward(4 * 366 * DAY)
    await swept(shop)
    assert await held(shop, order.person) == {}
    person = await one(shop, "select slot from persons where id = $1 and erased_at is not null", order.person)
    assert vault.is_destroyed(person)
    assert set(await acts(shop, "retention:")) >= {"retention:records:removed", "retention:keys:destroyed"}


async def test_R3_a_channel_is_forgotten_once_no_living_record_holds_it(shop: Shop) -> None:
    first = await ordered(shop)
    second = await ordered(shop, person=first.person)
    other = await ordered(shop, contact_name="Boshqa odam")
    assert await found_by(shop, "+998901234567") == "several"
    await closed(shop, first)
    shop.clock.forward(31 * DAY)
    await swept(shop)
    lookups = "select count(*) from lookups where person = $1"
    assert await one(shop, lookups, first.person) == 1  # the second order is still open
    await closed(shop, second)
    shop.clock.forward(31 * DAY)
    await swept(shop)
    assert await one(shop, lookups, first.person) == 0
    assert await one(shop, lookups, other.person) == 1
    assert await found_by(shop, "+998901234567") == other.person


async def test_R1_events_move_the_index_and_a_complaint_keeps_what_a_dispute_needs(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    await event(shop, order, "last-complaint")
    shop.clock.forward(100 * DAY)
    assert await swept(shop) == 0
    assert "contact.mobile" in (await shop.house.my_data(order.person)).newest()
    shop.clock.forward(100 * DAY)
    await swept(shop)
    assert await held(shop, order.person) == {order.record: ["transaction"]}


async def test_C4_a_withdrawn_consent_ends_what_only_it_kept_and_unsubscribing_ends_nothing_else(shop: Shop) -> None:
    order = await ordered(shop)
    letter = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="newsletter", items={"contact.email": "d@example.com"},
            version="1", consents={"marketing-email": True}, person=order.person,
        )
    )  # fmt: skip
    await swept(shop)
    assert set(await held(shop, order.person)) == {order.record, letter.record}
    await shop.house.choose(Choosing(person=order.person, kind="consent", purpose="marketing-email", state="withdrawn"))
    await swept(shop)
    assert set(await held(shop, order.person)) == {order.record}


async def test_R1_a_new_policy_is_reckoned_in_the_background(shop: Shop) -> None:
    order = await ordered(shop)
    await publish(
        shop.house,
        second_version().replace("at-most: {after: collected, keep: P6Y}", "at-most: {after: collected, keep: P7Y}"),
    )
    before = await one(shop, "select due_at from records where id = $1", order.record)
    await swept(shop)
    row = await shop.house.grounds.database.pool.fetchrow("select due_at, due_under from records")
    assert row["due_under"] == 2
    assert row["due_at"] > before


async def test_R1_a_new_policy_leaves_the_index_of_services_alone_that_it_keeps_alike(shop: Shop) -> None:
    pool = shop.house.grounds.database.pool
    order = await ordered(shop)
    letter = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="newsletter", items={"contact.email": "d@example.com"},
            version="1", consents={"marketing-email": True}, person=order.person,
        )
    )  # fmt: skip
    await swept(shop)
    changed = second_version().replace(
        "at-most: {after: collected, keep: P6Y}", "at-most: {after: collected, keep: P7Y}"
    )
    await publish(shop.house, changed)
    await swept(shop)
    under = "select due_under from records where id = $1"
    assert [await one(shop, under, record) for record in (order.record, letter.record)] == [2, 1]

    await pool.execute("update retention_state set reckoned_under = 0")  # as after a restore
    await swept(shop)
    assert [await one(shop, under, record) for record in (order.record, letter.record)] == [2, 2]


async def test_R3_a_service_the_policy_no_longer_knows_hides_and_destroys_nothing(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    await shop.house.grounds.database.pool.execute("update records set service = 'gone'")
    shop.clock.forward(10 * 366 * DAY)
    await swept(shop)
    assert await held(shop, order.person) == {order.record: ["contact", "transaction"]}
    seen = (
        await shop.house.my_data(order.person)
    ).held  # its person sees that it lies there, and that no rule keeps it
    assert seen
    assert {item.due for item in seen} == {None}
    answer = await for_tax(shop, order.person)
    assert answer.items == {}
    assert answer.withheld["transaction.amount"].code == "no-relation"  # nor does anybody collect for a purpose there


async def test_R3_a_clock_that_is_not_believed_destroys_nothing(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    sweeper = shop.house.sweeper
    await sweeper.round()
    shop.clock.forward(-2 * HOUR)
    assert (await sweeper.round()).doubt == "clock-stepped-back"
    shop.clock.forward(2 * HOUR + 31 * DAY)
    assert (await sweeper.round()).doubt == "clock-jumped"
    assert "contact" in (await held(shop, order.person))[order.record]
    assert "contact.mobile" not in (await shop.house.my_data(order.person)).newest()  # hidden all the same
    assert await acts(shop, "retention:clock") == ["retention:clock:doubted"]
    await sweeper.confirm_clock(by="operator")
    assert await sweeper.doubted_at() is None
    assert (await sweeper.round()).doubt == ""
    assert await held(shop, order.person) == {order.record: ["transaction"]}
    shop.clock.forward(50 * MINUTE)
    assert (await sweeper.round()).doubt == ""


async def test_design_two_sweepers_share_the_work_and_a_use_under_way_sees_what_stays(shop: Shop) -> None:
    orders = [await ordered(shop, contact_mobile=f"+9989012345{n:02}") for n in range(20)]
    await closed(shop, *orders)
    await for_tax(shop, orders[0].person)
    await shop.house.sweeper.confirm_clock(by="test")
    done = await asyncio.gather(
        *(shop.house.sweeper.round() for _ in range(4)), *(for_tax(shop, order.person) for order in orders)
    )
    assert all(answer.items == {"transaction.amount": 9_000_000} for answer in done[4:])
    assert await swept(shop) + sum(round_.records for round_ in done[:4]) >= 20
    for order in orders:
        assert "contact.postal-address" not in (await shop.house.my_data(order.person)).newest()
        assert "contact.mobile" in (await shop.house.my_data(order.person)).newest()


async def test_S6_a_record_somebody_changed_stays_and_the_others_go_on(shop: Shop) -> None:
    good, bad = await ordered(shop), await ordered(shop)
    await closed(shop, good, bad)
    pool = shop.house.grounds.database.pool
    await pool.execute("update sections set sealed = $2 where record = $1", bad.record, b"x" * 200)
    await swept(shop)
    assert "contact.postal-address" not in (await shop.house.my_data(good.person)).newest()
    assert await one(shop, "select missing from work_items where rule = 'sweep'") == "section-tampered"


async def test_S6_the_database_alone_dooms_no_key(shop: Shop) -> None:
    victim, order = await ordered(shop), await ordered(shop)
    slot = await one(shop, "select slot from records where id = $1", victim.record)
    await closed(shop, order)

    def cut(step: str) -> None:
        if step == "intended":
            raise Refused("key-destroyed")

    broken = Sweeper(shop.house.grounds, shop.house.erase, reached=cut)
    await broken.confirm_clock(by="test")
    with pytest.raises(Refused):
        await broken.round()
    await shop.house.grounds.database.pool.execute("update erasures set slots = array[$1::bigint]", slot)
    with pytest.raises(Fault, match="changed"):
        await shop.house.sweeper.round()
    assert not shop.house.grounds.vault.is_destroyed(slot)


def message_to(shop: Shop, person: str) -> Notification:
    return Notification(
        credential=shop.credentials["site"], person=person, template="order-confirmation",
        purpose="order-messages", channel=Channel.SMS, params={"order": "1", "delivery": 0, "total": 1},
    )  # fmt: skip


async def test_R3_a_message_written_while_its_person_ends_goes_with_them(shop: Shop) -> None:
    """A system asks for a message in a transaction that isn't over yet when the sweeper finds that nothing is held."""
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(6 * 366 * DAY)
    await shop.house.sweeper.confirm_clock(by="test")
    sweeping: list[asyncio.Task[Swept]] = []

    async def meanwhile(connection: asyncpg.Connection, receipt: Receipt) -> None:
        sweeping.append(asyncio.create_task(shop.house.sweeper.round()))
        await waits_or_is_done(shop, sweeping[0])

    await Notify(shop.house.grounds)(message_to(shop, order.person), meanwhile)
    assert (await sweeping[0]).records == 1
    assert await one(shop, "select erased_at from persons where id = $1", order.person) is not None
    for table in ("outbox", "ledger"):
        assert await one(shop, f"select count(*) from {table} where person = $1", order.person) == 0


async def test_R3_nobody_is_written_to_who_ends_before_the_message_is_written(shop: Shop) -> None:
    person = (await ordered(shop)).person
    async with shop.house.grounds.database.transaction() as connection:
        await connection.execute("select from persons where id = $1 for update", person)
        await connection.execute("update persons set erased_at = now() where id = $1", person)
        asking = asyncio.create_task(Notify(shop.house.grounds)(message_to(shop, person)))
        await waits_or_is_done(shop, asking)
    with pytest.raises(Refused) as refused:
        await asking
    assert refused.value.code == "person-unknown"
    assert await one(shop, "select count(*) from outbox where person = $1", person) == 0


async def test_R3_somebody_who_is_held_again_before_the_sweeper_ends_them_stays(shop: Shop) -> None:
    """A case is opened for them in a transaction that isn't over yet."""
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(6 * 366 * DAY)
    await shop.house.sweeper.confirm_clock(by="test")
    async with shop.house.grounds.database.transaction() as connection:
        await connection.execute(
            "insert into cases (id, kind, service, person, opened_at, opened_by)"
            " select 'order:x', kind, service, person, $1, opened_by from cases limit 1",
            shop.clock(),
        )
        sweeping = asyncio.create_task(shop.house.sweeper.round())
        await waits_or_is_done(shop, sweeping)
    await sweeping
    assert await one(shop, "select erased_at from persons where id = $1", order.person) is None
