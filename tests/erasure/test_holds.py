"""Legal holds: nothing they cover is destroyed, nobody uses it meanwhile, and two people answer for each."""

import asyncio

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, Instant
from omonat.flows.erase import ErasureRequest
from omonat.flows.holds import Hold, HoldRequest
from omonat.flows.staff import Registration
from tests.erasure.stories import acts, closed, for_tax, held, one, ordered, swept
from tests.erasure.test_erase import subscribed
from tests.flows.conftest import Shop


async def officers(shop: Shop) -> None:
    trained = Instant(shop.clock.now + 3650 * DAY)
    for ref in ("901", "902"):
        registration = Registration(ref=ref, name=f"Xodim {ref}", role="privacy-officer", trained_until=trained)
        await shop.house.staff.put(registration, by="test")


async def placed(shop: Shop, scope: str, target: str, *items: str, may_tell: bool = True) -> Hold:
    request = HoldRequest(
        scope=scope,  # type: ignore[arg-type]
        target=target,
        authority="Toshkent shahar sudi, 12-345/2026",
        review_at=Instant(shop.clock.now + 90 * DAY),
        may_tell=may_tell,
        items=items,
    )
    return await shop.house.holds.place(request, by="901")


async def test_R2_a_held_item_stays_unreadable_and_undestroyed_until_two_people_end_the_hold(shop: Shop) -> None:
    await officers(shop)
    order, other = await ordered(shop), await ordered(shop)
    await closed(shop, order, other)
    hold = await placed(shop, "record", order.record, "contact.mobile")
    await shop.house.holds.approve(hold.id, by="902")
    shop.clock.forward(40 * DAY)
    await swept(shop)
    assert await held(shop, order.person) == {order.record: ["contact", "transaction"]}
    assert await held(shop, other.person) == {other.record: ["transaction"]}
    assert "contact.mobile" not in (await shop.house.my_data(order.person)).newest()
    vault = shop.house.grounds.vault
    row = await shop.house.grounds.database.pool.fetchrow(
        "select s.sealed, r.slot, r.version, p.slot as person_slot from sections s join records r on r.id = s.record"
        " join persons p on p.id = s.person where s.record = $1 and s.category = 'contact'", order.record
    )  # fmt: skip
    kept = vault.open_section(
        person=order.person, person_slot=row["person_slot"], record=order.record, record_slot=row["slot"],
        category="contact", version=row["version"], sealed=row["sealed"],
    )  # fmt: skip
    assert kept == {"mobile": "+998901234567"}  # item by item: the name went, the held number stayed
    await shop.house.holds.end(hold.id, by="901")
    with pytest.raises(Refused) as alone:
        await shop.house.holds.approve(hold.id, by="901")
    assert alone.value.code == "hold-same-person"
    assert (await shop.house.holds.approve(hold.id, by="902")).released_at
    await swept(shop)
    assert await held(shop, order.person) == {order.record: ["transaction"]}
    with pytest.raises(Refused):
        await shop.house.holds.approve(hold.id, by="902")
    assert await acts(shop, "hold:") == [
        *("hold:data:placed", "hold:data:approved", "hold:data:ending", "hold:data:released"),
    ]


async def test_R2_an_erasure_leaves_what_is_held_and_finishes_when_the_hold_ends(shop: Shop) -> None:
    await officers(shop)
    order = await ordered(shop)
    await closed(shop, order)
    assert order.case is not None
    hold = await placed(shop, "case", order.case, may_tell=False)
    await shop.house.holds.approve(hold.id, by="902")
    shop.clock.forward(6 * 366 * DAY)  # no duty keeps anything any more
    done = await shop.house.erase(ErasureRequest(person=order.person))
    assert {(stay.factor, stay.quiet) for stay in done.stays} == {("hold", True)}
    assert (await held(shop, order.person))[order.record] == ["contact", "transaction"]
    assert (await for_tax(shop, order.person)).items == {}  # held is not usable
    await swept(shop)
    assert await held(shop, order.person)
    await shop.house.holds.end(hold.id, by="902")
    await shop.house.holds.approve(hold.id, by="901")
    await swept(shop)
    assert await held(shop, order.person) == {}
    assert await one(shop, "select count(*) from ledger") == 0


async def test_R2_a_hold_nobody_approves_lapses_and_an_overdue_review_is_work(shop: Shop) -> None:
    await officers(shop)
    order, second = await ordered(shop), await ordered(shop)
    await closed(shop, order, second)
    forgotten = await placed(shop, "person", order.person)
    standing = await placed(shop, "person", second.person)
    await shop.house.holds.approve(standing.id, by="902")
    assert await one(shop, "select count(*) from work_items where rule = 'hold-approval' and closed_at is null") == 1
    shop.clock.forward(DAY)
    await swept(shop)
    shop.clock.forward(100 * DAY)
    await swept(shop)
    assert (await shop.house.holds.show(forgotten.id)).released_by == "lapsed"
    assert await held(shop, order.person) == {order.record: ["transaction"]}
    assert await held(shop, second.person) == {second.record: ["contact", "transaction"]}
    assert await one(shop, "select missing from work_items where rule = 'hold-review'") == standing.id
    later = Instant(shop.clock.now + 30 * DAY)
    await shop.house.holds.review(standing.id, by="901", review_at=later)
    assert await one(shop, "select count(*) from work_items where rule = 'hold-review' and closed_at is null") == 0


async def test_S4_only_officers_in_office_hold_and_never_what_is_gone(shop: Shop) -> None:
    await officers(shop)
    order = await ordered(shop)
    request = HoldRequest(
        scope="person", target=order.person, authority="x", review_at=Instant(shop.clock.now + DAY), may_tell=True
    )
    for ref, code in (("204", "holder-needed"), ("999", "staff-unknown")):
        with pytest.raises(Refused) as refusal:
            await shop.house.holds.place(request, by=ref)
        assert refusal.value.code == code
    with pytest.raises(Refused) as gone:
        await placed(shop, "record", "rec_nobody")
    assert gone.value.code == "held-unknown"
    with pytest.raises(BadInput):
        await placed(shop, "person", order.person, "contact.nonsense")
    hold = await placed(shop, "person", order.person, "contact")
    with pytest.raises(Refused) as alone:
        await shop.house.holds.approve(hold.id, by="901")
    assert alone.value.code == "hold-same-person"
    stored = await one(shop, "select authority from holds")
    assert b"sud" not in stored


async def test_R2_a_hold_that_was_placed_is_never_overtaken_by_a_sweep_under_way(shop: Shop) -> None:
    await officers(shop)
    orders = [await ordered(shop, contact_mobile=f"+9989012300{n:02}") for n in range(12)]
    await closed(shop, *orders)
    shop.clock.forward(40 * DAY)
    await shop.house.sweeper.confirm_clock(by="test")
    sweeping = [asyncio.create_task(shop.house.sweeper.round()) for _ in range(2)]
    seen: dict[str, list[str]] = {}
    for order in orders:
        await placed(shop, "record", order.record)
        seen[order.person] = (await held(shop, order.person)).get(order.record, [])
    await asyncio.gather(*sweeping)
    await swept(shop)
    for order in orders:
        assert (await held(shop, order.person)).get(order.record, []) == seen[order.person]


async def test_R2_a_hold_keeps_what_would_otherwise_go_without_a_step_of_its_own(shop: Shop) -> None:
    await officers(shop)
    free, theirs = await subscribed(shop), await subscribed(shop)
    await placed(shop, "record", theirs.record)
    gone = await shop.house.erase(ErasureRequest(person=free.person))
    kept = await shop.house.erase(ErasureRequest(person=theirs.person))
    assert await one(shop, "select sealed_at = hidden_at from erasures where id = $1", gone.id)
    assert "erasure:data:sealed" in await acts(shop, "erasure:data:s")
    assert gone.stays == ()
    assert {stay.factor for stay in kept.stays} == {"hold"}
    assert await held(shop, free.person) == {}
    assert await held(shop, theirs.person) == {theirs.record: ["contact"]}


async def test_R2_no_hold_lapses_by_a_clock_that_is_not_believed(shop: Shop) -> None:
    """The clock jumps a hundred days ahead, and a second officer has yet to approve."""
    await officers(shop)
    order, asked = await ordered(shop), await ordered(shop)
    await closed(shop, order, asked)
    await swept(shop)
    holds = [await placed(shop, "person", one_of.person) for one_of in (order, asked)]
    shop.clock.forward(100 * DAY)
    await swept(shop, believed=False)
    assert await shop.house.sweeper.doubted_at() is not None
    await shop.house.erase(ErasureRequest(person=asked.person))
    await swept(shop, believed=False)
    for hold, held_order in zip(holds, (order, asked), strict=True):
        assert (await shop.house.holds.show(hold.id)).released_by is None
        assert await held(shop, held_order.person) == {held_order.record: ["contact", "transaction"]}
    await swept(shop)  # a person says that the time is right
    assert (await shop.house.holds.show(holds[0].id)).released_by == "lapsed"
