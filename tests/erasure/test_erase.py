"""Erasure takes what was asked for, leaves what a duty needs, touches nobody else, and survives being cut off."""

import asyncio
from collections.abc import Callable

import pytest

from omonat.base.errors import BadInput, Fault, OmonatError, Refused
from omonat.base.instants import DAY
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase import Erase, ErasureRequest
from omonat.flows.use import UseRequest
from tests.erasure.stories import acts, closed, delivered, event, for_tax, held, hired, one, ordered, swept
from tests.erasure.test_sweep import found_by
from tests.flows.conftest import Shop


async def subscribed(shop: Shop, person: str | None = None) -> CollectAnswer:
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="newsletter", items={"contact.email": "d@example.com"},
            version="1", consents={"marketing-email": True}, person=person,
        )
    )  # fmt: skip


async def slots_of(shop: Shop, person: str) -> list[int]:
    row = await shop.house.grounds.database.pool.fetch(
        "select slot from persons where id = $1 union all select slot from records where person = $1", person
    )
    return [each["slot"] for each in row]


async def test_R3_a_person_nothing_keeps_goes_at_once_and_whoever_shares_the_number_stays(shop: Shop) -> None:
    mine, household = await subscribed(shop), await subscribed(shop)
    (slot, *_) = await slots_of(shop, mine.person)
    done = await shop.house.erase(ErasureRequest(person=mine.person))
    assert (done.stage, done.stays, done.copies) == ("swept", (), 1)
    assert done.lookup_epoch == 1  # the digest in an old backup still matches until that key ends
    assert shop.house.grounds.vault.is_destroyed(slot)
    for table in ("records", "sections", "lookups", "outbox", "ledger", "work_items"):
        assert await one(shop, f"select count(*) from {table} where person = $1", mine.person) == 0, table
    with pytest.raises(Refused, match="held"):
        await shop.house.my_data(mine.person)
    assert (await shop.house.my_data(household.person)).newest()["contact.email"].value == "d@example.com"
    assert await one(shop, "select count(*) from lookups where person = $1", household.person) == 1
    again = await shop.house.erase(ErasureRequest(person=mine.person))
    assert again.id == done.id
    assert await acts(shop, "erasure:") == [
        "erasure:person:hidden", "erasure:keys:destroyed", "erasure:data:proof-kept", "erasure:data:swept",
    ]  # fmt: skip
    assert await one(shop, "select count(*) from proof_packets") > 0  # what must be shown when they are gone (A1)


async def test_R2_what_a_tax_duty_an_open_order_or_a_dispute_needs_stays_and_serves_nothing_else(shop: Shop) -> None:
    taxed = await ordered(shop)
    await closed(shop, taxed)
    shop.clock.forward(31 * DAY)
    running = await ordered(shop, person=taxed.person)
    disputed = await ordered(shop, person=taxed.person)
    await closed(shop, disputed)
    await event(shop, disputed, "last-complaint")
    letter = await subscribed(shop, taxed.person)
    plan = await shop.house.erase.plan(ErasureRequest(person=taxed.person))
    assert plan.goes["contact.email"] == 1
    assert plan.goes["contact.name"] == 1
    (slot, *_) = await slots_of(shop, taxed.person)
    done = await shop.house.erase(ErasureRequest(person=taxed.person))
    reasons = {(stay.item, stay.factor) for stay in done.stays}
    assert {("transaction.amount", "obligation"), ("contact.mobile", "dispute"), ("contact.name", "at-most")} <= reasons
    assert {(s.item, s.service, s.factor, s.count) for s in done.stays} == {
        (s.item, s.service, s.factor, s.count) for s in plan.stays
    }
    assert shop.house.grounds.vault.is_destroyed(slot)
    left = await held(shop, taxed.person)
    assert left[taxed.record] == ["transaction"]
    assert letter.record not in left
    assert (await delivered(shop, running)).items["contact.postal-address"]  # the courier is on the way
    assert (await for_tax(shop, taxed.person)).items == {"transaction.amount": 9_000_000}
    anna = await hired(shop, "501", "marketing")
    with pytest.raises(Refused) as refusal:
        await shop.house.use(
            UseRequest(
                credential=shop.credentials["campaigns"],
                purpose="marketing-sms",
                person=taxed.person,
                on_behalf_of=anna,
            )
        )
    assert refusal.value.code == "person-unknown"
    with pytest.raises(Refused):
        await shop.house.my_data(taxed.person)
    assert await found_by(shop, "+998901234567") is None
    await closed(shop, running)
    shop.clock.forward(200 * DAY)
    await swept(shop)
    assert set(map(tuple, (await held(shop, taxed.person)).values())) == {("transaction",)}
    shop.clock.forward(6 * 366 * DAY)
    await swept(shop)
    assert await held(shop, taxed.person) == {}
    assert await one(shop, "select count(*) from persons where id = $1", taxed.person) == 0  # its evidence was due, too


async def test_Q2_an_item_goes_from_every_record_and_the_rest_of_them_stays(shop: Shop) -> None:
    first = await ordered(shop)
    second = await ordered(shop, person=first.person)
    before = await slots_of(shop, first.person)
    done = await shop.house.erase(
        ErasureRequest(person=first.person, items=("contact.landmark",), cause="inaccurate", by="operator")
    )
    assert done.stays[0].factor == "at-most"  # both orders are open: the courier needs it until then
    await closed(shop, first, second)
    await swept(shop)
    assert "contact.landmark" not in (await shop.house.my_data(first.person)).newest()
    third = await ordered(shop, person=first.person)
    await closed(shop, third)
    done = await shop.house.erase(ErasureRequest(person=first.person, record=third.record, items=("contact.landmark",)))
    assert (done.stage, done.stays) == ("final", ())
    kept = {
        item.item: item.value for item in (await shop.house.my_data(first.person)).held if item.record == third.record
    }
    assert kept["contact.name"] == "Dilnoza Karimova"
    assert shop.house.grounds.vault.is_destroyed(before[1])


async def test_R3_a_record_goes_alone_and_its_channel_lives_on_in_another(shop: Shop) -> None:
    order = await ordered(shop)
    letter = await subscribed(shop, order.person)
    other = await subscribed(shop, order.person)
    done = await shop.house.erase(ErasureRequest(person=order.person, record=letter.record))
    assert (done.stage, done.lookup_epoch) == ("final", None)
    assert set(await held(shop, order.person)) == {order.record, other.record}
    done = await shop.house.erase(ErasureRequest(person=order.person, record=other.record))
    assert done.lookup_epoch == 1
    assert (await shop.house.erase(ErasureRequest(person=order.person, record=other.record))).id == done.id
    items = "select item from lookups where person = $1"
    assert await one(shop, items, order.person) == "contact.mobile"
    stranger = await ordered(shop)
    with pytest.raises(Refused, match="record"):
        await shop.house.erase(ErasureRequest(person=stranger.person, record=order.record))
    with pytest.raises(BadInput):
        await shop.house.erase(ErasureRequest(person=order.person, items=("contact.nonsense",)))


async def test_K2_a_child_is_closed_at_once_and_gone_by_the_deadline(shop: Shop) -> None:
    order = await subscribed(shop)
    await shop.house.grounds.database.pool.execute(
        "update persons set quarantined_at = to_timestamp($1::bigint / 1e6) where id = $2",
        int(shop.clock.now),
        order.person,
    )
    anna = await hired(shop, "501", "marketing")
    with pytest.raises(Refused, match="child"):
        await shop.house.use(
            UseRequest(
                credential=shop.credentials["campaigns"],
                purpose="marketing-email",
                person=order.person,
                on_behalf_of=anna,
            )
        )
    await swept(shop)
    assert await held(shop, order.person)
    shop.clock.forward(3 * DAY - 1)
    await swept(shop)
    assert await held(shop, order.person), "the pack gives a parent three days"
    shop.clock.forward(1)
    await swept(shop)
    assert await held(shop, order.person) == {}
    assert await one(shop, "select cause from erasures") == "child"


async def test_design_proof_outlives_the_person_for_a_while_and_then_goes_too(shop: Shop) -> None:
    order = await subscribed(shop)
    evidence = await one(shop, "select evidence_slot from persons")
    await shop.house.erase(ErasureRequest(person=order.person))
    shop.clock.forward(2 * 365 * DAY)
    await swept(shop)
    vault = shop.house.grounds.vault
    assert not vault.is_destroyed(evidence)
    assert await one(shop, "select count(*) from choices where person = $1", order.person) > 0
    shop.clock.forward(366 * DAY)
    await swept(shop)
    assert vault.is_destroyed(evidence)
    assert await one(shop, "select count(*) from persons") == 0
    assert await one(shop, "select count(*) from erasures where person is not null") == 0


class Cut(Exception):
    """The process died here."""


def cut_after(steps: int) -> Callable[[str], None]:
    """Dies at the step after so many."""
    left = iter(range(steps))

    def reached(step: str) -> None:
        if next(left, None) is None:
            raise Cut(step)

    return reached


async def every_cut(shop: Shop, person: str) -> int:
    """Erase while dying after each step in turn, always taken up by the sweeper; how many cuts there were."""
    cuts = 0
    while True:
        try:
            await Erase(shop.house.grounds, reached=cut_after(cuts))(ErasureRequest(person=person))
        except Cut:
            cuts += 1
            with pytest.raises(Refused):  # never readable in between
                await shop.house.my_data(person)
            continue
        return cuts


async def test_R3_cut_off_after_any_step_it_completes_by_itself_and_keeps_what_must_stay(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    await ordered(shop, person=order.person)
    (slot, *_) = await slots_of(shop, order.person)

    with pytest.raises(Cut):
        await Erase(shop.house.grounds, reached=cut_after(0))(ErasureRequest(person=order.person))
    assert not shop.house.grounds.vault.is_destroyed(slot)
    assert await every_cut(shop, order.person) >= 0
    await swept(shop)
    assert shop.house.grounds.vault.is_destroyed(slot)
    assert (await for_tax(shop, order.person)).items == {"transaction.amount": 9_000_000}
    assert len(await acts(shop, "erasure:person:hidden")) == 1
    assert await one(shop, "select count(*) from erasures where swept_at is null") == 0


async def test_R3_the_sweeper_takes_up_what_was_cut_at_each_step(shop: Shop) -> None:
    for steps in range(4):
        order = await ordered(shop)
        await closed(shop, order)
        (slot, *_) = await slots_of(shop, order.person)
        with pytest.raises(Cut):
            await Erase(shop.house.grounds, reached=cut_after(steps))(ErasureRequest(person=order.person))
        await swept(shop)
        assert shop.house.grounds.vault.is_destroyed(slot), steps
        assert (await for_tax(shop, order.person)).items == {"transaction.amount": 9_000_000}


async def test_R3_a_thief_with_an_older_dump_and_every_key_of_today_opens_nothing_erased(shop: Shop) -> None:
    pool, vault = shop.house.grounds.database.pool, shop.house.grounds.vault
    gone, partly, living = await subscribed(shop), await ordered(shop), await ordered(shop)
    dump = await pool.fetch(
        "select s.record, s.category, s.person, s.sealed, r.slot, r.version, p.slot as person_slot"
        "  from sections s join records r on r.id = s.record join persons p on p.id = s.person"
    )
    await closed(shop, partly)
    await swept(shop)
    await shop.house.erase(ErasureRequest(person=gone.person))
    opened = set()
    for row in dump:
        try:
            vault.open_section(
                person=row["person"], person_slot=row["person_slot"], record=row["record"], record_slot=row["slot"],
                category=row["category"], version=row["version"], sealed=row["sealed"],
            )  # fmt: skip
        except OmonatError:
            continue
        opened.add(row["record"])
    assert opened == {living.record}
    assert (await shop.house.my_data(partly.person)).newest()["contact.mobile"].value == "+998901234567"


async def test_R3_erasing_meets_collecting_and_nobody_is_half_erased(shop: Shop) -> None:
    person = (await subscribed(shop)).person
    jobs = [asyncio.create_task(subscribed(shop, person)) for _ in range(12)]
    erased = asyncio.create_task(shop.house.erase(ErasureRequest(person=person)))
    outcomes = await asyncio.gather(*jobs, erased, return_exceptions=True)
    assert all(not isinstance(o, Exception) or isinstance(o, Refused) for o in outcomes)
    await swept(shop)
    assert await held(shop, person) == {}


async def test_S6_a_key_that_still_opens_the_living_is_never_destroyed(shop: Shop) -> None:
    gone, living = await subscribed(shop), await ordered(shop)
    pool = shop.house.grounds.database.pool

    with pytest.raises(Cut):
        await Erase(shop.house.grounds, reached=cut_after(0))(ErasureRequest(person=gone.person))
    await pool.execute("update persons set erased_at = null where id = $1", gone.person)  # an older copy was put back
    order = await ordered(shop)
    await closed(shop, order)
    with pytest.raises(Fault) as fault:
        await swept(shop)
    assert fault.value.code == "key-in-use"
    assert "contact.postal-address" not in (await shop.house.my_data(order.person)).newest()
    before = await one(shop, "select count(*) from erasures where scope = 'due' and swept_at is not null")
    assert before == 1  # what is due goes all the same
    assert (await shop.house.my_data(living.person)).held
