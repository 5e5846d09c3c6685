"""The main job: an order is taken, the courier gets what the delivery needs, marketing is refused and told why."""

from dataclasses import replace
from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, MINUTE
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.reading import MANY, Question, Reader
from omonat.flows.use import UseRequest
from tests.flows.conftest import Shop


async def ordered(shop: Shop, **more: Any) -> CollectAnswer:
    shop.orders += 1
    request = CollectRequest(
        credential=shop.credentials["site"],
        service="order",
        items=shop.order_items(),
        version="1",
        consents={},
        case=f"order:{41876 + shop.orders}",
        accepted=True,
    )
    return await shop.house.collect(replace(request, **more))


async def given_to(shop: Shop, case: str, *refs: str) -> None:
    await shop.house.cases.put(PutCase(credential=shop.credentials["panel"], case=case, assigned=refs))


def delivery(shop: Shop, case: str, ref: str = "204", *items: str) -> UseRequest:
    return UseRequest(
        credential=shop.credentials["courier-app"], purpose="deliver-order", case=case, on_behalf_of=ref, items=items
    )


async def test_S4_the_assigned_courier_gets_name_and_address_and_nothing_else(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    wanted = ("contact.name", "contact.postal-address", "financial.card-number")
    answer = await shop.house.use(delivery(shop, "order:41877", "204", *wanted))
    assert set(answer.items) == {"contact.name", "contact.postal-address"}
    assert answer.items["contact.name"] == "Dilnoza Karimova"
    assert answer.withheld["financial.card-number"].code == "item-not-needed"
    assert answer.withheld["financial.card-number"].promise == "L3"
    assert answer.records == (order.record,)
    assert answer.receipt.id.startswith("ev_")


async def test_S4_a_curious_colleague_gets_nothing_and_neither_does_anyone_once_it_is_closed(shop: Shop) -> None:
    await ordered(shop)
    await given_to(shop, "order:41877", "204")
    with pytest.raises(Refused, match="case") as refusal:
        await shop.house.use(delivery(shop, "order:41877", "205"))
    assert refusal.value.code == "no-open-case"
    assert (await shop.house.use(delivery(shop, "order:41877", "204"))).items
    await shop.house.cases.event(
        CaseEvent(credential=shop.credentials["panel"], case="order:41877", name="case-closed")
    )
    with pytest.raises(Refused) as refusal:
        await shop.house.use(delivery(shop, "order:41877", "204"))
    assert refusal.value.code == "no-open-case"
    with pytest.raises(Refused) as unknown:
        await shop.house.use(delivery(shop, "order:99999", "204"))
    assert unknown.value.code == refusal.value.code


async def test_Q1_what_was_said_last_in_an_order_is_what_the_courier_gets(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    for house in ("13-uy", "14-uy", "15-uy"):
        shop.clock.forward(MINUTE)
        corrected = CollectRequest(
            credential=shop.credentials["site"],
            service="order",
            items=shop.order_items(**{"contact.postal-address": f"Toshkent, Chilonzor, 5-mavze, {house}"}),
            version="1",
            consents={},
            case=order.case,
        )
        newest = await shop.house.collect(corrected)
    answer = await shop.house.use(delivery(shop, "order:41877"))
    assert answer.items["contact.postal-address"] == "Toshkent, Chilonzor, 5-mavze, 15-uy"
    assert answer.records == (newest.record,)


async def test_S4_a_case_that_is_added_to_for_ever_is_read_no_further_than_any_person(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    more = CollectRequest(
        credential=shop.credentials["site"], service="order", version="1", consents={}, case=order.case,
        items=shop.order_items(**{"contact.landmark": None}),
    )  # fmt: skip
    for _ in range(MANY - 1):
        shop.clock.forward(MINUTE)
        newest = await shop.house.collect(more)
    shop.clock.forward(MINUTE)
    other = await ordered(shop, person=order.person, items=shop.order_items(**{"contact.landmark": "Bozor yonida"}))
    assert other.person == order.person
    wanted = ("contact.name", "contact.landmark")
    answer = await shop.house.use(delivery(shop, "order:41877", "204", *wanted))
    assert answer.items["contact.landmark"] == "Makro doʻkoni yonida", "of this case, though it is the oldest"
    assert answer.records == (newest.record, order.record)
    shop.clock.forward(MINUTE)
    await shop.house.collect(more)
    question = Question("omk_x", None, None, "order:41877", "contact,transaction", MANY)
    found = await Reader(shop.house.grounds.database).read(question)
    assert len(found.sections) == 2 * MANY
    assert order.record not in {section.record for section in found.sections}


async def test_C1_marketing_waits_for_consent_and_stops_with_its_withdrawal(shop: Shop) -> None:
    order = await ordered(shop)
    campaign = UseRequest(
        credential=shop.credentials["campaigns"], purpose="marketing-sms", person=order.person, on_behalf_of="501"
    )
    with pytest.raises(Refused) as refusal:
        await shop.house.use(campaign)
    assert refusal.value.code == "no-consent"
    consent = Choosing(person=order.person, kind="consent", purpose="marketing-sms", state="given")
    await shop.house.choose(consent)
    answer = await shop.house.use(campaign)
    assert set(answer.items) == {"contact.mobile", "contact.name"}
    withdrawal = Choosing(person=order.person, kind="consent", purpose="marketing-sms", state="withdrawn")
    await shop.house.choose(withdrawal)
    with pytest.raises(Refused) as refusal:
        await shop.house.use(campaign)
    assert refusal.value.code == "no-consent"


async def test_B2_lapsed_training_suspends_access(shop: Shop) -> None:
    await ordered(shop)
    await given_to(shop, "order:41877", "204")
    assert (await shop.house.use(delivery(shop, "order:41877"))).items
    shop.clock.forward(366 * DAY)
    with pytest.raises(Refused) as refusal:
        await shop.house.use(delivery(shop, "order:41877"))
    assert refusal.value.code == "training-lapsed"


async def test_C2_a_restriction_closes_every_purpose_and_lifting_it_opens_them_again(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    await shop.house.choose(Choosing(person=order.person, kind="restriction", state="given"))
    with pytest.raises(Refused) as refusal:
        await shop.house.use(delivery(shop, "order:41877"))
    assert refusal.value.code == "person-restricted"
    await shop.house.choose(Choosing(person=order.person, kind="restriction", state="withdrawn"))
    assert (await shop.house.use(delivery(shop, "order:41877"))).items


async def test_S4_the_cap_of_the_role_holds_and_ends_with_the_hour(shop: Shop) -> None:
    await ordered(shop)
    await given_to(shop, "order:41877", "204")
    policy = await shop.house.grounds.law.current()
    cap = policy.roles["courier"].caps.uses_per_hour
    assert cap is not None
    for _ in range(cap):
        assert (await shop.house.use(delivery(shop, "order:41877"))).items
    with pytest.raises(Refused) as refusal:
        await shop.house.use(delivery(shop, "order:41877"))
    assert refusal.value.code == "over-cap"
    shop.clock.forward(60 * MINUTE)
    assert (await shop.house.use(delivery(shop, "order:41877"))).items


async def test_S4_a_foreign_secret_opens_nothing(shop: Shop) -> None:
    await ordered(shop)
    await given_to(shop, "order:41877", "204")
    request = delivery(shop, "order:41877")
    forged = type(request.credential)(client=request.credential.client, secret_digest=bytes(32))
    with pytest.raises(Refused) as refusal:
        await shop.house.use(
            UseRequest(credential=forged, purpose="deliver-order", case="order:41877", on_behalf_of="204")
        )
    assert refusal.value.code == "credential-refused"


async def test_A3_the_person_sees_what_is_held_why_until_when_and_who_looked(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    await shop.house.use(delivery(shop, "order:41877"))
    mine = await shop.house.my_data(order.person)
    held = mine.newest()
    assert held["contact.name"].value == "Dilnoza Karimova"
    assert "deliver-order" in held["contact.postal-address"].purposes
    assert all(item.due > shop.clock.now for item in mine.held)
    looked = await shop.house.my_data.who_looked(order.person)
    assert [entry.act for entry in looked.entries].count("use:person:authorised") == 1


async def test_P4_no_entry_holds_a_name_a_phone_or_an_id(shop: Shop) -> None:
    order = await ordered(shop)
    await given_to(shop, "order:41877", "204")
    await shop.house.use(delivery(shop, "order:41877"))
    rows = await shop.house.grounds.database.pool.fetch("select body from entries")
    bodies = b"\n".join(bytes(row["body"]) for row in rows)
    assert rows
    for secret in ("Dilnoza", "901234567", "Chilonzor", order.person, order.record, "41877", '"204"'):
        assert secret.encode() not in bodies
