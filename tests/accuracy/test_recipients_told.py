"""Who outside got a value that was corrected since is told so, and its person sees who was (Q1; GDPR, Article 19)."""

import json
from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import MINUTE, SECOND
from omonat.flows.cases import PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer
from omonat.flows.erase import ErasureRequest
from omonat.flows.tell_recipients import TellRecipients
from omonat.flows.use import UseRequest
from omonat.hooks.sender import Hooks
from tests.erasure.stories import acts, one, ordered
from tests.erasure.test_systems import Till, listening
from tests.flows.conftest import Shop

PARTNER = "courier-partner"


async def passed_on(shop: Shop, order: CollectAnswer, recipient: str | None = PARTNER, *items: str) -> Any:
    """The courier's firm gets what it delivers by."""
    assert order.case is not None
    await shop.house.cases.put(PutCase(credential=shop.credentials["panel"], case=order.case, assigned=("204",)))
    return await shop.house.use(
        UseRequest(
            credential=shop.credentials["courier-app"], purpose="deliver-order", case=order.case, on_behalf_of="204",
            recipient=recipient, items=items,
        )
    )  # fmt: skip


async def renamed(shop: Shop, person: str, to: str = "Dilnoza Aliyeva") -> str:
    """The person corrects their name; the erasure's id comes back."""
    shop.clock.forward(SECOND)
    held = (await shop.house.my_data(person)).newest()["contact.name"]
    await shop.house.correct.begin(person, held.record, "contact.name", to, language="uz")
    return (await shop.house.erase.of_person(person))[0].id


async def test_Q1_a_recipient_is_told_signed_at_its_address_without_a_value_or_a_person(shop: Shop) -> None:
    order, other = await ordered(shop), await ordered(shop, contact_mobile="+998901112233")
    used = await passed_on(shop, order)
    await passed_on(shop, other)
    correction = await renamed(shop, order.person)
    flow = TellRecipients(shop.house.grounds, frozenset({PARTNER}))
    assert await flow.round() == 1
    assert await flow.round() == 0
    async with listening(Till(answers=[500])) as till:
        grounds = shop.house.grounds
        hooks = Hooks(shop.house.systems, {PARTNER: till.url}, grounds.vault.signing_key("webhooks"), grounds.clock)
        assert await hooks.once() == 1
        assert "correction:recipient:told" not in await acts(shop, "correction:")
        shop.clock.forward(2 * MINUTE)
        assert await hooks.once() == 1
        shop.clock.forward(MINUTE * 60 * 48)
        assert await hooks.once() == 0  # told is told
        await hooks.close()
    headers, body = till.heard[-1]
    told = json.loads(body)
    assert told["type"] == "correction.made"
    assert told["data"] == {
        "erasure": correction, "recipient": PARTNER, "items": ["contact.name"], "cases": [order.case],
        "uses": [used.receipt.id],
    }  # fmt: skip
    assert headers["webhook-id"] == f"{correction}.{PARTNER}"
    assert not any(said in body.decode() for said in ("Dilnoza", "Aliyeva", "per_", "998"))
    (notice,) = await shop.house.systems.of(correction, "recipient")
    assert not notice.open
    seen = [e for e in (await shop.house.my_data.who_looked(order.person)).entries
            if e.act == "correction:recipient:told"]  # fmt: skip
    assert [(e.facts["recipient"], e.facts["items"]) for e in seen] == [(PARTNER, ["contact.name"])]
    assert [e.act for e in (await shop.house.my_data.who_looked(other.person)).entries
            if e.act == "correction:recipient:told"] == []  # fmt: skip


async def test_Q1_who_got_another_item_or_only_carries_messages_is_told_nothing(shop: Shop) -> None:
    order = await ordered(shop)
    await passed_on(shop, order, PARTNER, "contact.mobile")  # not the name
    await passed_on(shop, order, None)  # nobody outside
    correction = await renamed(shop, order.person)
    assert await shop.house.tell_recipients.round() == 1
    assert await shop.house.systems.of(correction, "recipient") == []


async def test_Q1_a_recipient_without_an_address_is_work_until_an_officer_says_that_it_was_told(shop: Shop) -> None:
    order = await ordered(shop)
    await passed_on(shop, order)
    correction = await renamed(shop, order.person)
    await shop.house.tell_recipients.round()
    waits = "select count(*) from work_items where rule = 'tell-by-hand' and missing = $1 and closed_at is null"
    missing = f"{PARTNER} {correction}"
    assert await one(shop, waits, missing) == 1
    with pytest.raises(Refused):
        await shop.house.systems.acknowledge_by(shop.credentials["panel"], correction, PARTNER)
    issued = await shop.house.clients.issue(name="office", source="counter", roles=["privacy-officer"])
    entry = await shop.house.systems.acknowledge_by(parse_credential(issued), correction, PARTNER)
    assert await one(shop, waits, missing) == 0
    assert entry in {e.id for e in (await shop.house.my_data.who_looked(order.person)).entries}


async def test_Q1_each_correction_is_told_and_what_the_desk_corrects_too(shop: Shop) -> None:
    order = await ordered(shop)
    await passed_on(shop, order)
    first = await renamed(shop, order.person)
    await shop.house.tell_recipients.round()
    second = await renamed(shop, order.person, "Dilnoza Karim")
    await shop.house.tell_recipients.round()
    for correction in (first, second):
        assert len(await shop.house.systems.of(correction, "recipient")) == 1


async def test_Q1_who_is_erased_before_it_was_found_is_followed_no_more(shop: Shop) -> None:
    order = await ordered(shop)
    await passed_on(shop, order)
    correction = await renamed(shop, order.person)
    await shop.house.erase(ErasureRequest(person=order.person))
    assert await one(shop, "select count(*) from corrections_to_tell") == 0
    assert await shop.house.tell_recipients.round() == 0
    assert await shop.house.systems.of(correction, "recipient") == []
