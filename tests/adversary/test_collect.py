"""Two hands on one order, and a source that reaches for orders that aren't its own (S4, L3, T2)."""

import asyncio

import pytest

from omonat.base.errors import OmonatError, Refused
from omonat.flows.cases import CaseEvent
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from tests.adversary.conftest import PHONE, acts, ordered
from tests.flows.conftest import Shop


def newsletter(shop: Shop, system: str, **more: object) -> CollectRequest:
    return CollectRequest(
        credential=shop.credentials[system], service="newsletter", version="1", items={"contact.email": "a@example.uz"},
        consents={"marketing-email": True}, accepted=True, **more,  # type: ignore[arg-type]
    )  # fmt: skip


async def bound(shop: Shop) -> list[tuple[str, str]]:
    """The person of each record, and of its case."""
    rows = await shop.house.grounds.database.pool.fetch(
        "select r.person, k.person as owner from records r join cases k on k.id = r.case_id order by r.id"
    )
    return [(row["person"], row["owner"]) for row in rows]


async def test_S4_two_collections_of_one_order_at_once_are_one_persons(shop: Shop) -> None:
    answers = await asyncio.gather(*(ordered(shop, case="order:7") for _ in range(6)))
    assert len({answer.person for answer in answers}) == 1
    assert all(person == owner for person, owner in await bound(shop))


async def test_S4_of_two_people_named_for_one_order_at_once_one_is_refused(shop: Shop) -> None:
    one, two = await ordered(shop), await ordered(shop)
    answers = await asyncio.gather(
        *(ordered(shop, case="order:7", person=whose.person) for whose in (one, two)), return_exceptions=True
    )
    kinds = {type(answer) for answer in answers}
    assert kinds == {CollectAnswer, Refused}
    assert all(person == owner for person, owner in await bound(shop))


async def test_S4_nothing_is_added_to_a_closed_order(shop: Shop) -> None:
    order = await ordered(shop)
    await shop.house.cases.event(
        CaseEvent(credential=shop.credentials["panel"], case="order:41877", name="case-closed")
    )
    with pytest.raises(Refused) as refusal:
        await ordered(shop, case=order.case)
    assert refusal.value.code == "no-open-case"


async def test_S4_an_erased_person_in_a_batch_keeps_nobody_else_waiting(shop: Shop) -> None:
    order = await ordered(shop)
    await shop.house.grounds.database.pool.execute("update persons set erased_at = $1", shop.clock.now)
    answers = await asyncio.gather(ordered(shop, case=order.case), ordered(shop), return_exceptions=True)
    assert isinstance(answers[0], Refused)
    assert answers[0].code == "person-unknown"
    assert isinstance(answers[1], CollectAnswer)


async def test_T2_a_source_writes_nothing_into_orders_it_doesnt_keep(shop: Shop) -> None:
    victim = await ordered(shop)
    shop.credentials["mailbox"] = parse_credential(
        await shop.house.clients.issue(name="mailbox", source="mailbox", roles=["system"])
    )
    for case in (victim.case, "order:99", "call:1", "nonsense:1"):
        with pytest.raises(OmonatError) as refusal:
            await shop.house.collect(newsletter(shop, "mailbox", case=case))
        assert refusal.value.code == "source-not-named"
    with pytest.raises(Refused) as unopened:  # a service without cases opens none, whoever asks
        await shop.house.collect(newsletter(shop, "site", case="order:99"))
    assert unopened.value.code == "no-open-case"
    assert (await shop.house.collect(newsletter(shop, "site", case=victim.case))).person == victim.person
    assert (await acts(shop)).count("collect:record:refused") == 5


async def test_L3_keys_sent_twice_in_any_order_are_answered_once_each(shop: Shop) -> None:
    house, keys = shop.house, [f"key-{n}" for n in range(24)]
    cases = {key: f"order:{5000 + n}" for n, key in enumerate(keys)}

    async def take(key: str) -> CollectAnswer:
        return await house.collect(
            CollectRequest(
                credential=shop.credentials["site"], service="order", version="1", consents={}, case=cases[key],
                items=shop.order_items(**{"contact.mobile": PHONE}), accepted=True, key=key, body_digest=key.encode(),
            )  # type: ignore[arg-type]
        )  # fmt: skip

    answers = await asyncio.gather(*(take(key) for key in [*keys, *reversed(keys), *keys]))
    assert len({answer.record for answer in answers}) == len(keys)
    assert sum(answer.repeated for answer in answers) == 2 * len(keys)
