"""Somebody taken for a child by mistake: an officer who saw a proof of age takes the signal back (K2)."""

from dataclasses import replace
from datetime import date

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.clear_child import Clearing
from omonat.flows.collect import CollectAnswer
from tests.erasure.stories import acts, closed, delivered, one, ordered, swept
from tests.flows.conftest import Shop
from tests.flows.test_children import officer, refused, signed
from tests.flows.test_images import PHOTO, photographed, published, registered
from tests.flows.test_parent_asks import asking, found, lenient, link  # noqa: F401 - a fixture

GROWN = date(1990, 3, 1)


def mistaken(child: CollectAnswer, born: date | None = GROWN) -> Clearing:
    return Clearing(person=child.person, cause="age-proved", reference="2026-7", born=born)


async def clear(shop: Shop, clearing: Clearing, by: str) -> str:
    """What it answers: nothing when it is done, else the code."""
    try:
        await shop.house.clear_child(clearing, by=by)
    except (BadInput, Refused) as error:
        return error.code
    return ""


async def test_K2_an_officer_who_saw_a_proof_of_age_opens_what_a_wrong_signal_closed(shop: Shop) -> None:
    child, by = await ordered(shop), await officer(shop)
    assert await clear(shop, mistaken(child), by) == "not-taken-for-a-child"
    await shop.house.children.signal(child.person, "staff", by="test")
    assert await refused(shop, child) == "person-quarantined"
    shop.clock.forward(SECOND)
    for wrong, code in (
        (mistaken(child, None), "proof-of-age-needed"),
        (mistaken(child, date(1890, 1, 1)), "proof-of-age-needed"),
        (mistaken(child, date(2018, 3, 1)), "a-child-indeed"),
        (replace(mistaken(child), cause="because"), "clearing-cause-unknown"),
        (replace(mistaken(child), reference=" "), "reference-incomplete"),
        (replace(mistaken(child), person=f"per_{'a' * 26}"), "person-unknown"),
    ):
        assert await clear(shop, wrong, by) == code
    assert await refused(shop, child) == "person-quarantined"
    assert await clear(shop, mistaken(child), by) == ""
    assert (await delivered(shop, child)).items
    assert await one(shop, "select count(*) from work_items where closed_at is null") == 0
    assert await acts(shop, "child:") == ["child:person:signalled", "child:person:cleared"]
    shop.clock.forward(4 * DAY)
    await swept(shop)
    assert await one(shop, "select count(*) from erasures") == 0, "no deadline is left"
    entry = await one(shop, "select body from entries where act = 'child:person:cleared'")
    for never in ("2026-7", "1990-03-01", child.person):
        assert never.encode() not in entry


async def test_K2_the_next_signal_closes_again(shop: Shop) -> None:
    child, by = await ordered(shop), await officer(shop)
    await shop.house.children.signal(child.person, "staff", by="test")
    assert await clear(shop, mistaken(child), by) == ""
    shop.clock.forward(SECOND)
    await shop.house.children.signal(child.person, "declared", by="test")
    assert await refused(shop, child) == "person-quarantined"


async def test_K2_nobody_but_an_officer_in_office_takes_a_signal_back(shop: Shop) -> None:
    child, _ = await ordered(shop), await officer(shop)
    await shop.house.children.signal(child.person, "staff", by="test")
    assert await clear(shop, mistaken(child), "204") == "child-officer-needed"
    assert await refused(shop, child) == "person-quarantined"


@pytest.mark.parametrize("agreed", [False, True])
async def test_K2_whoever_is_no_child_but_young_keeps_their_images_closed(shop: Shop, agreed: bool) -> None:
    """Thirteen to fifteen: no child, and images need a parent all the same, whatever stood before (G5)."""
    child, by = await ordered(shop), await officer(shop)
    await photographed(shop, child.person)
    if agreed:
        await registered(shop, "14-17", child.person)
        await shop.house.children.agree(signed(child.person, scope="images"), by=by)
        shop.clock.forward(SECOND)
        await photographed(shop, child.person)
    await shop.house.children.signal(child.person, "staff", by="test")
    shop.clock.forward(SECOND)
    policy = await shop.house.grounds.law.current()
    today = policy.today(shop.clock.now)
    assert await clear(shop, mistaken(child, today.replace(year=today.year - policy.images_under + 1)), by) == ""
    assert (await delivered(shop, child)).items
    assert await published(shop, child.person) == {PHOTO: "images-need-parent"}
    with pytest.raises(Refused) as another:
        await photographed(shop, child.person)
    assert another.value.code == "images-need-parent"


async def test_K2_a_mistyped_year_of_an_adult_that_closed_images_is_cleared(shop: Shop) -> None:
    child, by = await ordered(shop), await officer(shop)
    await photographed(shop, child.person)
    shop.clock.forward(SECOND)
    await registered(shop, "14-17", child.person)
    assert await published(shop, child.person) == {PHOTO: "images-need-parent"}
    assert await clear(shop, mistaken(child), by) == ""
    assert (await published(shop, child.person))[PHOTO].endswith("0117.jpg")
    await photographed(shop, child.person)
    assert await clear(shop, mistaken(child), by) == "not-taken-for-a-child"


async def test_K2_with_the_mistake_ends_what_hung_on_it(lenient: Shop) -> None:  # noqa: F811
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    await asks.ask(asking(child.person), by=by)
    shop.clock.forward(SECOND)
    token = await link(shop, child.person)
    await shop.house.children.agree(signed(child.person), by=by)
    shop.clock.forward(SECOND)
    assert await clear(shop, mistaken(child), by) == ""
    assert [each.state for each in await asks.of(child.person)] == ["stopped"]
    assert await one(shop, "select count(*) from outbox") == 0
    assert await one(shop, "select count(*) from guardian_consents where withdrawn_at is null") == 0
    with pytest.raises(Refused) as told:
        await asks.answer(token)
    assert told.value.code == "parent-link-over"
    assert (await delivered(shop, child)).items


async def test_K2_questions_and_payments_go_with_somebody_of_whom_nothing_is_held_any_more(lenient: Shop) -> None:  # noqa: F811
    shop = lenient
    child, by = await found(shop)
    asked = await shop.house.parent_asks.ask(asking(child.person), by=by)
    await shop.house.grounds.database.pool.execute(
        "insert into parent_payments (id, ask, person, reported_at, entries) values ('pay_1', $1, $2, now(), '{}')",
        asked.id, child.person,
    )  # fmt: skip
    assert await clear(shop, mistaken(child), by) == ""
    await closed(shop, child)
    for years in (0, 1, 5):
        shop.clock.forward(years * 366 * DAY)
        await swept(shop)
    assert await one(shop, "select count(*) from persons where id = $1 and erased_at is not null", child.person) == 1
    for table in ("parent_asks", "parent_payments"):
        assert await one(shop, f"select count(*) from {table}") == 0
