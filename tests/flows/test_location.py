"""Location: taken in and seen only under a grant, which ends by itself (L5), and is ended as easily (L6, C2)."""

import asyncio
from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import HOUR, SECOND, Instant
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.use import UseAnswer, UseRequest
from omonat.promises.location.rule import Term
from tests.flows.conftest import Shop

GUIDE = "guide-courier"
PLACE = {"lat": "41.311081", "lon": "69.240562", "accuracy": 8}


async def order(shop: Shop) -> CollectAnswer:
    shop.orders += 1
    request = CollectRequest(
        credential=shop.credentials["site"], service="order", items=shop.order_items(), version="1", consents={},
        case=f"order:{50_000 + shop.orders}", accepted=True,
    )  # fmt: skip
    answer = await shop.house.collect(request)
    assign = PutCase(credential=shop.credentials["panel"], case=answer.case or "", assigned=("204",))
    await shop.house.cases.put(assign)
    shop.clock.forward(SECOND)
    return answer


async def allow(shop: Shop, person: str, **term: Any) -> None:
    await shop.house.choose(
        Choosing(person=person, kind="consent", state="given", purpose=GUIDE, door="me", term=Term(**term))
    )
    shop.clock.forward(SECOND)


async def here(shop: Shop, case: str | None, **consents: bool) -> CollectAnswer:
    yes = {GUIDE: True} if consents else {}
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"], service="delivery", version="1", consents=yes, case=case,
            items=shop.order_items(**{"relationship.location": PLACE, "transaction.order-lines": None,
                                      "transaction.amount": None}),
        )
    )  # fmt: skip


async def seen(shop: Shop, case: str | None) -> UseAnswer:
    return await shop.house.use(
        UseRequest(
            credential=shop.credentials["courier-app"], purpose=GUIDE, case=case, on_behalf_of="204",
            items=("relationship.location",),
        )
    )  # fmt: skip


async def refused(shop: Shop, act: Any) -> str:
    with pytest.raises(Refused) as no:
        await act
    return no.value.code


async def test_L5_without_a_grant_no_place_is_taken_in(shop: Shop) -> None:
    bought = await order(shop)
    assert await refused(shop, here(shop, bought.case)) == "location-not-granted"
    rows = await shop.house.grounds.database.pool.fetch("select body from entries where act = 'collect:record:refused'")
    assert len(rows) == 1
    assert "41.31" not in str(rows)


async def test_L5_while_the_order_is_open_the_courier_sees_where_somebody_is_and_then_no_more(shop: Shop) -> None:
    bought = await order(shop)
    await allow(shop, bought.person, kind="while-open", case=bought.case, precision="exact")
    await here(shop, bought.case)
    assert (await seen(shop, bought.case)).items["relationship.location"]["lat"] == "41.31108"
    other = await order(shop)
    assert await refused(shop, here(shop, other.case)) == "location-not-granted"
    assert GUIDE in (await shop.house.my_data.standing(bought.person)).consents
    done = CaseEvent(credential=shop.credentials["panel"], case=bought.case or "", name="case-closed")
    await shop.house.cases.event(done)
    assert await refused(shop, seen(shop, bought.case)) == "no-open-case"
    assert await refused(shop, here(shop, bought.case)) == "no-open-case"
    assert GUIDE not in (await shop.house.my_data.standing(bought.person)).consents


async def test_L5_a_grant_until_a_time_ends_at_its_second_with_nobody_sweeping(shop: Shop) -> None:
    bought = await order(shop)
    until = Instant(shop.clock.now + HOUR)
    await allow(shop, bought.person, kind="until", until=until)
    await here(shop, bought.case)
    shop.clock.now = Instant(until - 1)
    assert "relationship.location" in (await seen(shop, bought.case)).items
    shop.clock.now = until
    assert await refused(shop, seen(shop, bought.case)) == "location-not-granted"
    assert await refused(shop, here(shop, bought.case)) == "location-not-granted"
    assert GUIDE not in (await shop.house.my_data.standing(bought.person)).consents


async def test_L5_once_is_once_even_for_two_at_the_same_moment(shop: Shop) -> None:
    bought = await order(shop)
    await allow(shop, bought.person, kind="once", case=bought.case)
    answers = await asyncio.gather(*(here(shop, bought.case) for _ in range(4)), return_exceptions=True)
    taken = [a for a in answers if isinstance(a, CollectAnswer)]
    codes = {a.code for a in answers if isinstance(a, Refused)}
    assert (len(taken), codes) == (1, {"location-not-granted"})
    assert "relationship.location" in (await seen(shop, bought.case)).items  # the one place, for the one order
    assert GUIDE not in (await shop.house.my_data.standing(bought.person)).consents


async def test_L5_a_place_finer_than_its_grant_is_made_coarse_before_it_is_sealed(shop: Shop) -> None:
    bought = await order(shop)
    await allow(shop, bought.person, kind="permanent", precision="district")
    await here(shop, bought.case)
    place = (await seen(shop, bought.case)).items["relationship.location"]
    assert place == {"lat": "41.31", "lon": "69.24", "accuracy": 1000}
    rows = await shop.house.grounds.database.pool.fetch("select body from entries where act like 'collect:record:acc%'")
    assert '"location": "district"' in str(rows).replace('\\"', '"').replace('":"', '": "')
    assert "41.31" not in str(rows)


async def test_L5_a_tick_in_the_form_is_a_permanent_grant_of_a_coarse_place(shop: Shop) -> None:
    bought = await order(shop)
    await here(shop, bought.case, guide=True)
    place = (await seen(shop, bought.case)).items["relationship.location"]
    assert place == {"lat": "41.311", "lon": "69.241", "accuracy": 100}


async def test_L6_an_ended_grant_opens_nothing_and_a_new_one_not_what_was_before(shop: Shop) -> None:
    bought = await order(shop)
    await allow(shop, bought.person, kind="permanent")
    await here(shop, bought.case)
    await shop.house.choose(Choosing(person=bought.person, kind="consent", state="withdrawn", purpose=GUIDE))
    assert await refused(shop, seen(shop, bought.case)) == "no-consent"
    assert await refused(shop, here(shop, bought.case)) == "location-not-granted"
    shop.clock.forward(SECOND)
    await allow(shop, bought.person, kind="permanent")
    answer = await seen(shop, bought.case)
    assert not answer.items
    assert answer.withheld["relationship.location"].code == "location-not-granted"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "until", "until": Instant(1)}, "term-over"),
    ({"kind": "once"}, "term-unclear"),
    ({"kind": "while-open", "case": "order:99999"}, "no-open-case"),
]


@pytest.mark.parametrize(("term", "code"), BAD, ids=range(len(BAD)))
async def test_L5_a_grant_that_cannot_be_given_changes_nothing(shop: Shop, term: dict[str, Any], code: str) -> None:
    bought = await order(shop)
    assert await refused(shop, allow(shop, bought.person, **term)) == code
    assert GUIDE not in (await shop.house.my_data.standing(bought.person)).consents


async def test_L5_nobody_allows_a_place_in_somebody_elses_order(shop: Shop) -> None:
    mine, theirs = await order(shop), await order(shop)
    code = await refused(shop, allow(shop, mine.person, kind="while-open", case=theirs.case))
    assert code == "no-open-case"


async def test_L5_each_grant_is_evidence_without_a_place_or_an_order(shop: Shop) -> None:
    bought = await order(shop)
    await allow(shop, bought.person, kind="while-open", case=bought.case, precision="exact")
    rows = await shop.house.grounds.database.pool.fetch("select body from entries where act = 'choice:consent:given'")
    assert len(rows) == 1
    said = str(rows[0]["body"])
    assert "while-open" in said
    assert (bought.case or "?") not in said
    (choice,) = [c for c in await shop.house.my_data.choices(bought.person) if c.purpose == GUIDE]
    assert choice.state == "given"
