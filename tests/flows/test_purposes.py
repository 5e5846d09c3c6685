"""The eleven purposes, and the categories of data: each use gets what its purpose needs, and nothing beside it."""

import itertools
from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, Instant
from omonat.flows.choose import Choosing
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.staff import Registration
from omonat.flows.use import Credential, UseAnswer, UseRequest
from tests.flows.conftest import Shop

_numbers = itertools.count(70001)
_SECRET_ANSWER = "the street I grew up in"


async def acting_as(street: Shop, role: str, source: str = "counter") -> Credential:
    name = f"{role}-at-{source}"
    if name not in street.credentials:
        issued = await street.house.clients.issue(name=name, source=source, roles=[role])
        street.credentials[name] = parse_credential(issued)
    return street.credentials[name]


async def member(street: Shop, role: str) -> str | None:
    """The number of somebody in that role; None for a system, which has no staff."""
    if role == "system":
        return None
    trained = Instant(street.clock.now + 365 * DAY)
    registration = Registration(ref=f"of-{role}", name="Xodim", role=role, trained_until=trained)
    await street.house.staff.put(registration, by="test")
    return registration.ref


async def given(
    street: Shop,
    service: str,
    items: dict[str, Any],
    *,
    kind: str | None = None,
    source: str = "site",
    **consents: bool,
) -> CollectAnswer:
    request = CollectRequest(
        credential=await acting_as(street, "system", source),
        service=service,
        items=items,
        version="1",
        consents={purpose.replace("_", "-"): yes for purpose, yes in consents.items()},
        case=f"{kind}:{next(_numbers)}" if kind else None,
    )
    return await street.house.collect(request)


async def used(
    street: Shop, role: str, purpose: str, held: CollectAnswer, *items: str, with_case: bool = True
) -> UseAnswer:
    request = UseRequest(
        credential=await acting_as(street, role),
        purpose=purpose,
        case=held.case if with_case else None,
        person=held.person,
        on_behalf_of=await member(street, role),
        items=items,
    )
    return await street.house.use(request)


async def ordered(street: Shop) -> CollectAnswer:
    card = {
        "financial.card-token": "tok_5kq8h2m9x4vw7z31",
        "financial.card-brand": "humo",
        "financial.card-last-four": "4242",
    }
    return await given(street, "order", {**street.order_items(), **card}, kind="order")


async def registered(street: Shop, **more: Any) -> CollectAnswer:
    items = {"contact.name": "Aziz Rahimov", "contact.mobile": "+998935550101", "relationship.age-band": "35-44"}
    return await given(street, "registration", {**items, **more})


async def test_U1_the_service_one_asked_for_gets_what_it_needs(street: Shop) -> None:
    answer = await used(street, "system", "take-order", await ordered(street))
    assert set(answer.items) >= {"contact.name", "transaction.order-lines", "transaction.amount"}
    assert "contact.postal-address" not in answer.items


async def test_U2_the_account_is_managed_without_what_the_orders_hold(street: Shop) -> None:
    account = await registered(street)
    answer = await used(street, "system", "account-management", account, "contact.name", "transaction.order-lines")
    assert set(answer.items) == {"contact.name"}
    assert answer.withheld["transaction.order-lines"].code == "item-not-needed"


async def test_U3_messages_about_an_order_get_its_phone_and_no_address(street: Shop) -> None:
    answer = await used(street, "system", "order-messages", await ordered(street))
    assert answer.items["contact.mobile"] == "+998901234567"
    assert "contact.postal-address" not in answer.items


async def test_U4_improving_services_looks_at_dishes_and_stops_at_an_objection(street: Shop) -> None:
    order = await ordered(street)
    answer = await used(street, "quality", "improve-services", order, with_case=False)
    assert "transaction.order-lines" in answer.items
    assert "contact.name" not in answer.items
    objection = Choosing(person=order.person, kind="objection", purpose="improve-services", state="given")
    await street.house.choose(objection)
    with pytest.raises(Refused) as refusal:
        await used(street, "quality", "improve-services", order, with_case=False)
    assert refusal.value.code == "objected"


async def test_U5_marketing_mail_goes_by_consent_to_the_address_alone(street: Shop) -> None:
    reader = await given(street, "newsletter", {"contact.email": "aziz@mail.example"}, marketing_email=True)
    answer = await used(street, "marketing", "marketing-email", reader, with_case=False)
    assert set(answer.items) == {"contact.email"}
    refuser = await registered(street, **{"contact.email": "nodira@mail.example"})
    with pytest.raises(Refused) as refusal:
        await used(street, "marketing", "marketing-email", refuser, with_case=False)
    assert refusal.value.code == "no-consent"


async def test_U6_fraud_prevention_needs_an_incident(street: Shop) -> None:
    report = await given(
        street, "incident-report", {"transaction.amount": 9_000_000, "online.ip-address": "192.0.2.7"},
        kind="incident", source="server",
    )  # fmt: skip
    answer = await used(street, "security", "fraud-prevention", report)
    assert "online.ip-address" in answer.items
    with pytest.raises(Refused) as refusal:
        await used(street, "security", "fraud-prevention", await ordered(street))
    assert refusal.value.code == "no-open-case"


async def test_U7_finance_sees_the_amount_and_the_card_brand_and_no_phone(street: Shop) -> None:
    order = await ordered(street)
    answer = await used(street, "finance", "take-payment", order)
    assert set(answer.items) == {"transaction.amount", "financial.card-brand", "financial.card-last-four"}
    asked = await used(street, "finance", "take-payment", order, "transaction.amount", "contact.mobile")
    assert asked.withheld["contact.mobile"].code == "item-not-needed"


async def test_U8_a_survey_invites_those_who_agreed(street: Shop) -> None:
    account = await registered(street, **{"contact.email": "aziz@mail.example"})
    with pytest.raises(Refused) as refusal:
        await used(street, "marketing", "survey-invitation", account, with_case=False)
    assert refusal.value.code == "no-consent"
    consent = Choosing(person=account.person, kind="consent", purpose="survey-invitation", state="given")
    await street.house.choose(consent)
    answer = await used(street, "marketing", "survey-invitation", account, with_case=False)
    assert "contact.email" in answer.items


async def test_U9_personalising_waits_for_consent(street: Shop) -> None:
    account = await registered(street)
    with pytest.raises(Refused) as refusal:
        await used(street, "system", "personalisation", account, with_case=False)
    assert refusal.value.code == "no-consent"


async def test_U10_an_inquiry_is_answered_with_what_it_said(street: Shop) -> None:
    asked = {"contact.name": "Aziz", "contact.mobile": "+998935550101", "transaction.inquiry": "Soat nechagacha?"}
    inquiry = await given(street, "information-request", asked, kind="inquiry")
    answer = await used(street, "call-centre", "answer-inquiry", inquiry)
    assert answer.items["transaction.inquiry"] == "Soat nechagacha?"


async def test_U11_no_authority_gets_anything_without_a_case_of_its_own(street: Shop) -> None:
    with pytest.raises(Refused) as refusal:
        await used(street, "privacy-officer", "answer-authorities", await ordered(street))
    assert refusal.value.code == "no-open-case"


async def test_G1_contact_data_is_open_to_those_who_deliver_and_closed_to_the_books(street: Shop) -> None:
    order = await ordered(street)
    assert "contact.postal-address" in (await used(street, "counter", "deliver-order", order)).items
    with pytest.raises(Refused) as refusal:
        await used(street, "finance", "deliver-order", order)
    assert refusal.value.code == "role-may-not"


async def test_G2_an_age_band_serves_the_age_check_and_insight_only_by_consent(street: Shop) -> None:
    account = await registered(street)
    answer = await used(street, "system", "age-check", account, "relationship.age-band", with_case=False)
    assert answer.items["relationship.age-band"] == "35-44"
    with pytest.raises(Refused) as refusal:
        await used(street, "management", "customer-insight", account, with_case=False)
    assert refusal.value.code == "no-consent"


async def test_G3_a_security_answer_is_never_read_back_by_any_purpose(street: Shop) -> None:
    answers = {"transaction.security-question": "Where?", "transaction.security-answer": _SECRET_ANSWER}
    account = await registered(street, **answers)
    answer = await used(street, "system", "sign-in", account, "transaction.security-answer", with_case=False)
    assert answer.items == {}
    assert answer.withheld["transaction.security-answer"].code == "item-verify-only"
    mine = await street.house.my_data(account.person)
    assert mine.newest()["transaction.security-answer"].value is None


async def test_G4_server_logs_serve_the_system_and_not_the_courier(street: Shop) -> None:
    visit = await given(
        street, "site-visit", {"online.server-log": "GET /menu 200", "online.ip-address": "192.0.2.7"}, source="server"
    )
    answer = await used(street, "system", "cyber-security", visit, with_case=False)
    assert answer.items["online.ip-address"] == "192.0.2.7"
    with pytest.raises(Refused):
        await used(street, "courier", "cyber-security", visit, with_case=False)


async def test_G6_survey_answers_serve_the_survey(street: Shop) -> None:
    answers = {"compliance.survey-answers": "4 of 5"}
    with pytest.raises(Refused) as refusal:
        await given(street, "survey", answers)
    assert refusal.value.code == "item-waits-for-consent"
    survey = await given(street, "survey", answers, survey=True)
    answer = await used(street, "quality", "survey", survey, with_case=False)
    assert answer.items["compliance.survey-answers"] == "4 of 5"
