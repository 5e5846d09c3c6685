"""Taking data in: what is needed, from where the policy says, never a child's; a refusal leaves no value behind."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.use import UseRequest
from tests.flows.conftest import Shop

_ADULT = {"contact.name": "Aziz Rahimov", "contact.mobile": "+998935550101", "relationship.age-band": "35-44"}


def order(street: Shop, **more: Any) -> CollectRequest:
    street.orders += 1
    request = CollectRequest(
        credential=street.credentials["site"],
        service="order",
        items=street.order_items(),
        version="1",
        consents={},
        case=f"order:{50_000 + street.orders}",
    )
    return replace(request, **more)


def registration(street: Shop, **more: Any) -> CollectRequest:
    return replace(order(street), service="registration", case=None, items={**_ADULT, **more})


async def refused(street: Shop, request: CollectRequest) -> OmonatError:
    """The refusal, after checking that it left nothing behind but an entry without the value."""
    pool = street.house.grounds.database.pool
    count = "select (select count(*) from persons), (select count(*) from records), (select count(*) from lookups)"
    before = tuple(await pool.fetchrow(count))
    with pytest.raises(OmonatError) as error:
        await street.house.collect(request)
    assert tuple(await pool.fetchrow(count)) == before
    return error.value


async def values_of(street: Shop, answer: CollectAnswer) -> dict[str, Any]:
    mine = await street.house.my_data(answer.person)
    return {item: held.value for item, held in mine.newest().items()}


async def test_L1_optional_items_can_be_left_out_without_loss(street: Shop) -> None:
    full = await street.house.collect(order(street))
    bare = await street.house.collect(order(street, items=street.order_items(**{"contact.landmark": None})))
    assert "contact.landmark" in await values_of(street, full)
    assert "contact.landmark" not in await values_of(street, bare)


async def test_L2_a_withheld_required_item_refuses_the_service_and_names_it(street: Shop) -> None:
    error = await refused(street, order(street, items=street.order_items(**{"contact.mobile": None})))
    assert (error.code, error.about["item"]) == ("required-withheld", "contact.mobile")
    assert (await street.house.collect(order(street))).record.startswith("rec_")


async def test_L2_a_yes_to_the_newsletter_needs_an_address(street: Shop) -> None:
    error = await refused(street, order(street, consents={"marketing-email": True}))
    assert (error.code, error.about["item"]) == ("required-withheld", "contact.email")
    items = street.order_items(**{"contact.email": "dilnoza@mail.example"})
    assert (await street.house.collect(order(street, items=items, consents={"marketing-email": True}))).person


async def test_L3_an_item_no_purpose_of_the_service_needs_is_refused_at_the_door(street: Shop) -> None:
    error = await refused(
        street, order(street, items={**street.order_items(), "relationship.marital-status": "married"})
    )
    assert (error.code, error.about["item"]) == ("item-not-collected", "relationship.marital-status")
    unknown = await refused(street, order(street, items={**street.order_items(), "contact.mobil": "+998901234567"}))
    assert (unknown.code, unknown.about["nearest"]) == ("item-unknown", "contact.mobile")


async def test_C1_a_consent_the_service_does_not_offer_is_refused(street: Shop) -> None:
    error = await refused(street, order(street, consents={"publish-photo": True}))
    assert error.code == "consent-not-offered"


async def test_D2_a_verification_code_is_refused_everywhere_and_card_numbers_by_default(street: Shop) -> None:
    noted = await refused(street, order(street, items={**street.order_items(), "transaction.comment": {"cvv": "123"}}))
    assert isinstance(noted, BadInput)
    number = await refused(
        street, order(street, items={**street.order_items(), "financial.card-number": "8600495473316478"})
    )
    assert number.code == "card-scope"
    bodies = await street.house.grounds.database.pool.fetch(
        "select convert_from(body, 'utf8') as body from entries where act = 'collect:record:refused'"
    )
    assert len([row for row in bodies if '"card-scope"' in row["body"]]) == 1
    assert not any("8600495473316478" in row["body"] for row in bodies)


async def test_D1_a_value_of_the_wrong_type_is_refused_by_name_and_never_repeated(street: Shop) -> None:
    error = await refused(street, order(street, items={**street.order_items(), "transaction.amount": "90000"}))
    assert error.about["item"] == "transaction.amount"
    assert "90000" not in f"{error} {error.about}"


async def test_K1_a_child_is_refused_and_a_grown_up_is_not(street: Shop) -> None:
    child = await refused(street, registration(street, **{"relationship.birth-date": "2015-06-01"}))
    assert child.code == "child"
    band = await refused(street, registration(street, **{"relationship.age-band": "under-14"}))
    assert band.code == "child"
    birthday = registration(street, **{"relationship.birth-date": "2013-11-22"})  # thirteen today
    assert (await street.house.collect(birthday)).person


async def test_T2_data_from_a_source_the_service_does_not_name_is_refused(street: Shop) -> None:
    error = await refused(street, order(street, credential=street.credentials["courier-app"]))
    assert error.code == "source-not-named"


async def test_P4_the_version_shown_and_its_acceptance_are_recorded(street: Shop) -> None:
    answer = await street.house.collect(order(street, accepted=True))
    chosen = await street.house.my_data.choices(answer.person)
    assert [(one.kind, one.state, one.version) for one in chosen] == [("acceptance", "given", 1)]
    error = await refused(street, order(street, version="99"))
    assert error.code == "version-unknown"


async def test_S4_a_case_takes_one_person_for_ever(street: Shop) -> None:
    mine, yours = order(street), registration(street)
    somebody = await street.house.collect(yours)
    first = await street.house.collect(mine)
    assert (await street.house.collect(replace(mine, person=None))).person == first.person
    error = await refused(street, replace(mine, person=somebody.person))
    assert error.code == "no-open-case"


async def test_S6_a_repeated_key_does_nothing_twice_and_a_changed_request_under_it_is_refused(street: Shop) -> None:
    request = order(street, key="basket-1", body_digest=b"one")
    first, again = await street.house.collect(request), await street.house.collect(request)
    assert (again.record, again.repeated) == (first.record, True)
    error = await refused(street, replace(request, body_digest=b"two"))
    assert error.code == "key-reused"


async def test_S6_many_at_once_each_get_their_own_answer(street: Shop) -> None:
    good = [order(street) for _ in range(40)]
    bad = [order(street, items=street.order_items(**{"contact.name": None})) for _ in range(10)]
    answers = await asyncio.gather(*(street.house.collect(one) for one in [*good, *bad]), return_exceptions=True)
    assert len({answer.person for answer in answers[:40] if isinstance(answer, CollectAnswer)}) == 40
    assert all(isinstance(answer, Refused) and answer.code == "required-withheld" for answer in answers[40:])
    for request, answer in zip(good, answers, strict=False):
        assert isinstance(answer, CollectAnswer)
        use = UseRequest(credential=street.credentials["site"], purpose="deliver-order", case=request.case)
        assert (await street.house.use(use)).person == answer.person
