"""Data has an age: its person is asked once a period whether it is still right, and nobody else is (Q1)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.errors import Refused
from omonat.base.instants import DAY, SECOND, Instant
from omonat.base.verdict import Allow
from omonat.evidence.entry import decode
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase import ErasureRequest
from omonat.promises.accuracy.rule import REMIND_APART, Ageing, ages_of, decide_reminder, first_look
from tests.erasure.stories import acts, ordered
from tests.flows.conftest import Shop
from tests.policy.documents import shipped_compiled

YEAR = 366 * DAY
POLICY = shipped_compiled()
NOW = Instant(1_800_000_000_000_000)


async def registered(shop: Shop, mobile: str = "+998901234567") -> CollectAnswer:
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="loyalty-account", version="1", consents={},
            items={"contact.name": "Dilnoza Karimova", "contact.mobile": mobile, "relationship.age-band": "25-34"},
        )
    )  # fmt: skip


async def letters(shop: Shop) -> list[Any]:
    return await shop.house.grounds.database.pool.fetch(
        "select person, purpose, channel, facts, sealed from outbox where template = 'confirm-data' order by created_at"
    )


async def test_Q1_what_is_a_year_old_is_asked_about_once_and_a_tap_makes_it_new(shop: Shop) -> None:
    account = await registered(shop)
    await ordered(shop)  # an order's data isn't asked about
    assert await shop.house.remind.round() == 0
    assert (await shop.house.remind.standing(account.person)).old == {}
    shop.clock.forward(YEAR)
    assert await shop.house.remind.round() == 1
    (letter,) = await letters(shop)
    assert (letter["person"], letter["purpose"], letter["channel"]) == (account.person, "account-codes", "sms")
    assert letter["sealed"] is None
    for _ in range(11):  # asked again and again, written to once
        shop.clock.forward(REMIND_APART)
        await shop.house.remind.round()
    assert len(await letters(shop)) == 1
    assert "contact.mobile" in (await shop.house.remind.standing(account.person)).old
    await shop.house.remind.still_right(account.person, "contact.mobile")
    assert "contact.mobile" not in (await shop.house.remind.standing(account.person)).old
    with pytest.raises(Refused) as twice:
        await shop.house.remind.still_right(account.person, "contact.mobile")
    assert twice.value.code == "reminder-not-now"
    told = await shop.house.my_data.who_looked(account.person)
    assert {"accuracy:person:reminded", "accuracy:item:confirmed"} <= {entry.act for entry in told.entries}
    body = await shop.house.grounds.database.pool.fetchval(
        "select body from entries where act = 'accuracy:person:reminded'"
    )
    assert "contact.mobile" in decode(body).facts["items"]
    assert b"998901234567" not in body


async def test_Q1_beside_a_value_it_is_asked_only_where_that_value_was_given_to_what_the_policy_asks_about(
    shop: Shop,
) -> None:
    account = await registered(shop)
    shop.clock.forward(SECOND)
    await ordered(shop, person=account.person, contact_mobile="+998935550102")  # newer, and an order's
    shop.clock.forward(YEAR)
    asks = await shop.house.remind.asks(await shop.house.my_data(account.person))
    assert asks.old == {}
    alone = await registered(shop, "+998901234599")
    shop.clock.forward(YEAR)
    asks = await shop.house.remind.asks(await shop.house.my_data(alone.person))
    assert set(asks.old) == {"contact.mobile"}
    await shop.house.remind.still_right(alone.person, "contact.mobile")
    assert (await shop.house.remind.asks(await shop.house.my_data(alone.person))).old == {}


async def test_Q1_the_next_period_brings_the_next_reminder(shop: Shop) -> None:
    await registered(shop)
    for round_ in (1, 2, 3):
        shop.clock.forward(YEAR + REMIND_APART)
        await shop.house.remind.round()
        assert len(await letters(shop)) == round_


async def test_Q1_what_was_corrected_is_as_old_as_its_correction(shop: Shop) -> None:
    account = await registered(shop)
    shop.clock.forward(YEAR)
    held = (await shop.house.my_data(account.person)).newest()["contact.name"]
    assert "contact.mobile" in (await shop.house.remind.standing(account.person)).old
    await shop.house.correct.begin(account.person, held.record, "contact.name", "Dilnoza Aliyeva", language="uz")
    assert "contact.mobile" in (await shop.house.remind.standing(account.person)).old  # another item
    await shop.house.grounds.database.pool.execute(
        "update confirmations set confirmed = jsonb_build_object('contact.mobile', $1::bigint)", shop.clock.now
    )
    assert "contact.mobile" not in (await shop.house.remind.standing(account.person)).old


async def test_Q1_nobody_is_written_to_who_restricted_objected_is_closed_erased_or_wants_none(shop: Shop) -> None:
    people = [await registered(shop, f"+99890123456{n}") for n in range(6)]
    restricted, objected, closed, erased, quiet, other = (each.person for each in people)
    await shop.house.choose(Choosing(person=restricted, kind="restriction", state="given"))
    standing = '{"objections": ["account-codes"]}'
    await shop.house.grounds.database.pool.execute(
        "update persons set standing = $2::text::jsonb where id = $1", objected, standing
    )
    await shop.house.children.signal(closed, "birth-date", by="person")
    await shop.house.erase(ErasureRequest(person=erased))
    shop.clock.forward(YEAR)
    await shop.house.remind.set_quiet(quiet, quiet=True)
    await shop.house.remind.round()
    assert [letter["person"] for letter in await letters(shop)] == [other]
    assert (await shop.house.remind.standing(restricted)).old == {}
    gone = "select count(*) from confirmations where person = $1"
    assert await shop.house.grounds.database.pool.fetchval(gone, erased) == 0
    assert (await shop.house.remind.standing(quiet)).quiet
    await shop.house.remind.set_quiet(quiet, quiet=False)
    shop.clock.forward(SECOND)
    await shop.house.remind.round()
    assert {letter["person"] for letter in await letters(shop)} == {other, quiet}
    assert "accuracy:reminders:stopped" in await acts(shop, "accuracy:")


async def test_Q1_nobody_is_written_to_with_nothing_to_ask_and_whoever_may_be_can_stop_it(shop: Shop) -> None:
    account = await registered(shop)
    for _ in range(14):  # the phone is given anew with each order
        shop.clock.forward(30 * DAY)
        await ordered(shop, person=account.person)
        await shop.house.remind.round()
    assert (await shop.house.remind.asks(await shop.house.my_data(account.person))).old == {}
    assert await letters(shop) == []
    asks = await shop.house.remind.asks(await shop.house.my_data(account.person))
    assert asks.may_come
    await shop.house.remind.set_quiet(account.person, quiet=True)
    assert (await shop.house.remind.standing(account.person)).quiet


async def test_Q1_what_was_never_given_reminds_of_nothing(shop: Shop) -> None:
    account = await registered(shop)
    shop.clock.forward(YEAR)
    await shop.house.remind.round()
    body = await shop.house.grounds.database.pool.fetchval(
        "select body from entries where act = 'accuracy:person:reminded'"
    )
    assert decode(body).facts["items"] == ["contact.mobile"]  # neither an e-mail nor an address
    assert set((await shop.house.remind.asks(await shop.house.my_data(account.person))).old) == {"contact.mobile"}


async def test_Q1_whose_data_was_closed_and_is_open_again_is_asked_again_in_time(shop: Shop) -> None:
    account = await registered(shop)
    pool = shop.house.grounds.database.pool
    shop.clock.forward(YEAR)
    await pool.execute("update persons set quarantined_at = $2 where id = $1", account.person, shop.clock.now)
    await shop.house.remind.round()
    assert await letters(shop) == []
    await pool.execute("update persons set quarantined_at = null where id = $1", account.person)
    shop.clock.forward(REMIND_APART)
    await shop.house.remind.round()
    assert [letter["person"] for letter in await letters(shop)] == [account.person]


async def test_Q1_only_who_is_due_is_looked_at(shop: Shop) -> None:
    first = await registered(shop)
    shop.clock.forward(30 * DAY)
    await registered(shop, "+998901234568")
    shop.clock.forward(YEAR - 30 * DAY)
    assert await shop.house.remind.round() == 1
    assert [letter["person"] for letter in await letters(shop)] == [first.person]


async def test_Q1_what_is_old_when_it_comes_in_is_not_asked_about_on_one_day(shop: Shop) -> None:
    """An import of years: each person has a day of their own within ninety, and everybody has one."""
    people = [f"per_{n}" for n in range(300)]
    looked = [first_look(Instant(NOW - YEAR), person, NOW) for person in people]
    assert min(looked) >= NOW
    assert max(looked) < NOW + 90 * DAY
    assert max(Counter((at - NOW) // DAY for at in looked).values()) < 20
    assert first_look(Instant(NOW + DAY), people[0], NOW) == NOW + DAY, "what isn't old yet has its own day"

    request = CollectRequest(
        credential=shop.credentials["site"], service="loyalty-account", version="1", consents={},
        at=Instant(shop.clock.now - 2 * YEAR),
        items={"contact.name": "Dilnoza Karimova", "contact.mobile": "+998901234567", "relationship.age-band": "25-34"},
    )  # fmt: skip
    assert (await shop.house.collect(request)).person
    due = await shop.house.grounds.database.pool.fetchval("select due_at from confirmations")
    assert due > shop.clock.now


@given(
    st.integers(0, 1500),
    st.one_of(st.none(), st.integers(0, 1500)),
    st.sets(st.sampled_from(["closed", "restricted", "guarded", "objected", "quiet"])),
)
def test_Q1_a_child_the_restricted_and_who_objected_are_never_reminded_and_nobody_twice_a_period(
    age: int, asked: int | None, stops: set[str]
) -> None:
    ageing = Ageing(
        given={("contact", "registration"): Instant(NOW - age * DAY)}, confirmed={},
        sure=frozenset({"contact.mobile"}),
        asked_at=None if asked is None else Instant(NOW - asked * DAY), **dict.fromkeys(stops, True),
    )  # fmt: skip
    if isinstance(decide_reminder(POLICY, ageing, NOW), Allow):
        assert not stops
        assert min(ages_of(POLICY, ageing).values()) <= NOW
        assert asked is None or asked >= 365
    elif not stops and (asked is None or asked > 366):
        assert age <= 366
