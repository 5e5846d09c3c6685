"""Versions, terms, failures: a new use of old data waits, a term ends at its second, no evidence means no data."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from omonat.base.codes import sentence
from omonat.base.errors import Refused, Unavailable
from omonat.base.instants import DAY, Instant, from_datetime, to_datetime
from omonat.base.settings import Settings
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.choose import Choosing, Telling
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import House, open_house
from omonat.promises.choice.standing import State
from tests.flows.conftest import Shop, document, packs, without_newsletter

TASHKENT = ZoneInfo("Asia/Tashkent")
IN_FORCE = "policy:version:in-force"


def second_version() -> str:
    """The same policy, in which the courier may also see the amount: cash is paid at the door."""
    text = document()
    start = text.index("\n  deliver-order:")
    widened = text[start:].replace("may-use: [contact.landmark]", "may-use: [contact.landmark, transaction.amount]", 1)
    return (text[:start] + widened).replace('version: "1"', 'version: "2"', 1)


async def publish(house: House, text: str, **people: str) -> None:
    people = {"author": "staff:1", "approver": "staff:2"} | people
    await house.publish(Publication(document=text, packs=packs(), **people))


async def ordered(shop: Shop, version: str = "1", *, system: str = "site", **more: Any) -> CollectAnswer:
    shop.orders += 1
    request = CollectRequest(
        credential=shop.credentials[system],
        service="order",
        version=version,
        case=f"order:{41876 + shop.orders}",
        **{"items": shop.order_items(), "consents": {}} | more,
    )
    return await shop.house.collect(request)


async def delivered(shop: Shop, order: CollectAnswer) -> UseAnswer:
    assert order.case is not None
    await shop.house.cases.put(PutCase(credential=shop.credentials["panel"], case=order.case, assigned=("204",)))
    request = UseRequest(
        credential=shop.credentials["courier-app"], purpose="deliver-order", case=order.case, on_behalf_of="204"
    )
    return await shop.house.use(request)


async def test_P2_a_new_use_of_old_data_waits_until_its_person_is_told_and_agrees(shop: Shop) -> None:
    old = await ordered(shop)
    await publish(shop.house, second_version())
    assert (await delivered(shop, old)).withheld["transaction.amount"].code == "not-told-yet"
    await shop.house.choose.tell(Telling(person=old.person, version="2", channel="email"))
    assert (await delivered(shop, old)).withheld["transaction.amount"].code == "not-told-yet"
    await shop.house.choose(Choosing(person=old.person, kind="agreement", purpose="deliver-order", state="given"))
    assert (await delivered(shop, old)).items["transaction.amount"] == 9_000_000


async def test_P4_a_form_shown_opens_no_old_data_but_a_version_accepted_does_with_all_that_stands_in_it(
    shop: Shop,
) -> None:
    old = await ordered(shop, accepted=True)
    await publish(shop.house, second_version())
    await publish(shop.house, second_version().replace('version: "2"', 'version: "3"', 1))
    agreement = Choosing(person=old.person, kind="agreement", purpose="deliver-order", state="given")
    await shop.house.choose(agreement)

    async def opened() -> bool:
        return "transaction.amount" in (await delivered(shop, old)).items

    await shop.house.choose.tell(Telling(person=old.person, version="3", channel="email"))
    assert not await opened(), "what is new in 3 says nothing of 2"
    await ordered(shop, "3", person=old.person)
    assert not await opened(), "a form that nobody accepted tells of nothing"
    await ordered(shop, "2", person=old.person, accepted=True, system="panel")
    assert not await opened(), "who uses the data doesn't write that its owner was told"
    await ordered(shop, "2", person=old.person, accepted=True)
    assert await opened()
    told = "select told from persons where id = $1"
    assert await shop.house.grounds.database.pool.fetchval(told, old.person) == 3, "the letter about 3 had come before"


async def test_P4_who_accepts_a_later_version_is_told_of_what_came_between_and_stands(shop: Shop) -> None:
    old = await ordered(shop, accepted=True)
    await publish(shop.house, second_version())
    await publish(shop.house, second_version().replace('version: "2"', 'version: "3"', 1))
    await ordered(shop, "3", person=old.person, accepted=True)
    assert (await delivered(shop, old)).withheld["transaction.amount"].code == "not-told-yet", "told, and not agreed"
    await shop.house.choose(Choosing(person=old.person, kind="agreement", purpose="deliver-order", state="given"))
    assert "transaction.amount" in (await delivered(shop, old)).items


async def test_P2_who_consents_in_the_new_words_agrees_to_them_and_an_older_consent_does_not(shop: Shop) -> None:
    old = await ordered(shop)
    consent = Choosing(person=old.person, kind="consent", purpose="marketing-sms", state="given")
    await shop.house.choose(consent)
    text = document()
    start = text.index("\n  marketing-sms:")
    widened = text[start:].replace("may-use: [contact.name]", "may-use: [contact.name, contact.landmark]", 1)
    await publish(shop.house, (text[:start] + widened).replace('version: "1"', 'version: "2"', 1))
    await shop.house.choose.tell(Telling(person=old.person, version="2", channel="email"))
    campaign = UseRequest(
        credential=shop.credentials["campaigns"], purpose="marketing-sms", person=old.person, on_behalf_of="501"
    )
    assert (await shop.house.use(campaign)).withheld["contact.landmark"].code == "not-told-yet"
    await shop.house.choose(consent)
    assert "contact.landmark" in (await shop.house.use(campaign)).items


async def test_C4_new_data_lives_under_the_new_version_at_once(shop: Shop) -> None:
    old = await ordered(shop)
    await publish(shop.house, second_version())
    new = await ordered(shop, version="2")
    assert "transaction.amount" in (await delivered(shop, new)).items
    assert "transaction.amount" not in (await delivered(shop, old)).items
    late = await ordered(shop, version="1")  # the form was opened before the new version came
    assert "transaction.amount" not in (await delivered(shop, late)).items


async def test_R2_what_a_consent_kept_goes_with_it_though_another_consent_lives_on(shop: Shop) -> None:
    reader = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="newsletter",
            items={"contact.email": "dilnoza@mail.example"},
            version="1",
            consents={"marketing-email": True},
        )
    )

    async def choose(purpose: str, state: State) -> None:
        await shop.house.choose(Choosing(person=reader.person, kind="consent", purpose=purpose, state=state))

    await choose("personalisation", "given")
    assert "contact.email" in (await shop.house.my_data(reader.person)).newest()
    await choose("marketing-email", "withdrawn")
    assert (await shop.house.my_data(reader.person)).held == ()
    await choose("customer-insight", "given")
    assert (await shop.house.my_data(reader.person)).held == ()


async def test_R1_what_a_dropped_service_took_in_stays_closed_and_waits_for_somebody(shop: Shop) -> None:
    reader = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="newsletter",
            items={"contact.email": "dilnoza@mail.example"},
            version="1",
            consents={"marketing-email": True},
        )
    )
    letter = UseRequest(
        credential=shop.credentials["campaigns"], purpose="marketing-email", person=reader.person, on_behalf_of="501"
    )
    assert "contact.email" in (await shop.house.use(letter)).items
    await publish(shop.house, without_newsletter())
    answer = await shop.house.use(letter)
    assert answer.items == {}
    assert answer.withheld["contact.email"].code == "due-unknown"
    waiting = await shop.house.grounds.database.pool.fetch("select rule, person, missing from work_items")
    assert ("due", reader.person, "contact.email") in [tuple(row) for row in waiting]


async def test_A3_what_no_rule_keeps_any_more_is_still_shown_to_its_person(shop: Shop) -> None:
    items = {"contact.email": "dilnoza@mail.example"}
    form = {"service": "newsletter", "items": items, "version": "1", "consents": {"marketing-email": True}}
    reader = await shop.house.collect(CollectRequest(credential=shop.credentials["site"], **form))
    kept = (await shop.house.my_data(reader.person)).newest()["contact.email"]
    await publish(shop.house, without_newsletter())
    held = (await shop.house.my_data(reader.person)).newest()["contact.email"]
    assert (kept.value, held.value) == ("dilnoza@mail.example", "dilnoza@mail.example")
    assert kept.due is not None
    assert kept.purposes
    assert (held.due, held.factor, held.purposes) == (None, "", ())
    assert held.law.label("service", held.service, "en") == kept.law.label("service", kept.service, "en")
    page = await shop.house.my_data.who_looked(reader.person)
    assert page.entries[0].facts["items"] == ["contact.email"]


async def test_A3_an_item_the_policy_has_no_more_is_still_shown(shop: Shop) -> None:
    old = await ordered(shop, accepted=True)
    text = document().replace('version: "1"', 'version: "2"', 1)
    lines = [line for line in text.splitlines() if not line.startswith("      landmark:")]
    text = "\n".join(
        line for line in lines if line.strip() not in ("- contact.landmark", "may-use: [contact.landmark]")
    )
    await publish(shop.house, text.replace(", contact.landmark", ""))
    held = (await shop.house.my_data(old.person)).newest()
    assert (held["contact.landmark"].due, held["contact.landmark"].value) == (None, "Makro doʻkoni yonida")
    assert held["contact.name"].due is not None


async def test_A3_the_page_is_of_one_instant_whatever_is_written_meanwhile(shop: Shop) -> None:
    person = (await ordered(shop, consents={"marketing-sms": True})).person
    done = asyncio.Event()

    async def write() -> None:
        for number in range(2, 40):  # with every order the consent changes: given with odd ones, refused with even ones
            await ordered(shop, consents={"marketing-sms": number % 2 == 1}, person=person)
        done.set()

    async def read() -> None:
        while not done.is_set():
            mine = await shop.house.my_data(person, frozenset({"transaction"}))
            orders = len({held.record for held in mine.held})
            assert ("marketing-sms" in mine.consents) == (orders % 2 == 1)

    await asyncio.gather(write(), *(read() for _ in range(4)))


async def test_P1_nobody_publishes_alone_or_twice_or_past_the_linter(shop: Shop) -> None:
    with pytest.raises(Refused) as alone:
        await publish(shop.house, second_version(), approver="staff:1")
    assert alone.value.code == "approver-is-author"
    with pytest.raises(Refused) as twice:
        await publish(shop.house, document())
    assert twice.value.code == "version-published"
    unanswered = second_version()
    cut = unanswered.index("\ncontradictions:")
    with pytest.raises(Refused) as findings:
        await publish(shop.house, unanswered[:cut])
    assert findings.value.code == "policy-unanswered"
    pixel = second_version().replace(
        "    owner: BESHQOZON\n    party: first\n", "    owner: Ads\n    party: third\n", 1
    )
    with pytest.raises(Refused, match="third-party-cookies"):  # "resolved: there is none", says the document
        await publish(shop.house, pixel)
    assert [policy.version for policy in shop.house.grounds.law.history()] == ["1"]


async def test_P1_a_version_dated_ahead_comes_into_force_on_its_day(shop: Shop) -> None:
    day = datetime(2027, 1, 1, tzinfo=TASHKENT)
    ahead = second_version().replace("effective: 2026-11-01T00:00:00+05:00", "effective: 2027-01-01T00:00:00+05:00", 1)
    await publish(shop.house, ahead)
    order = await ordered(shop)
    assert "transaction.amount" not in (await delivered(shop, order)).withheld
    shop.clock.now = from_datetime(day)
    assert await shop.house.publish.activate_due() == 2
    assert await shop.house.publish.activate_due() is None
    begun = await shop.house.grounds.database.pool.fetchval("select count(*) from entries where act = $1", IN_FORCE)
    assert begun == 2
    assert (await delivered(shop, order)).withheld["transaction.amount"].code == "not-told-yet"


async def test_R3_an_expired_item_is_refused_from_the_due_second_and_the_tax_duty_keeps_the_amount(shop: Shop) -> None:
    order = await ordered(shop)
    assert order.case is not None
    await shop.house.cases.event(CaseEvent(credential=shop.credentials["panel"], case=order.case, name="case-closed"))
    closed = to_datetime(shop.clock.now).astimezone(TASHKENT)
    due = from_datetime(closed.replace(year=closed.year + 1))
    quality = parse_credential(await shop.house.clients.issue(name="kitchen", source="counter", roles=["quality"]))
    trained = Instant(due + DAY)
    await shop.house.staff.put(Registration(ref="601", name="Xodim", role="quality", trained_until=trained), by="test")

    async def looked_at() -> UseAnswer:
        request = UseRequest(credential=quality, purpose="improve-services", person=order.person, on_behalf_of="601")
        return await shop.house.use(request)

    shop.clock.now = Instant(due - 1)
    assert "transaction.order-lines" in (await looked_at()).items
    shop.clock.now = due
    after = await looked_at()
    assert after.withheld["transaction.order-lines"].code == "no-longer-kept"
    assert after.items == {"transaction.amount": 9_000_000}
    mine = (await shop.house.my_data(order.person)).newest()
    assert set(mine) == {"transaction.amount"}
    assert (mine["transaction.amount"].factor, mine["transaction.amount"].source) == ("obligation", "uz/tax")


async def test_R3_another_records_end_is_not_said_of_the_order_one_works_on(shop: Shop) -> None:
    """What this order never held is said so, with the record that once had it; the expired one says which it is."""
    before = await ordered(shop)
    await shop.house.cases.event(
        CaseEvent(credential=shop.credentials["panel"], case=before.case or "", name="case-closed")
    )
    shop.clock.forward(DAY)
    bare = shop.order_items(**{"contact.landmark": None})
    order = await ordered(shop, person=before.person, items=bare)
    now = await delivered(shop, order)
    reason = now.withheld["contact.landmark"]
    assert (reason.code, reason.promise) == ("only-in-an-older-record", "R3")
    assert reason.about == {"item": "contact.landmark", "service": "order"}
    for language in ("uz", "ru", "en"):
        said = sentence(reason.code, language, {"item": "Moʻljal", "service": "Buyurtma"})
        assert "{" not in said
        assert "Buyurtma" in said
    assert "contact.postal-address" in now.items, "what the order itself holds is given all the same"
    recorded = await shop.house.my_data.own_entry(order.person, now.receipt.id)
    assert recorded.entry.facts["withheld"]["only-in-an-older-record"] == ["contact.landmark"]


async def test_A1_no_evidence_no_data_and_it_recovers_by_itself(shop: Shop) -> None:
    order = await ordered(shop)
    assert (await delivered(shop, order)).items
    pool = shop.house.grounds.database.pool
    await pool.execute("alter table entries rename to entries_away")
    with pytest.raises(Unavailable) as unwritten:
        await shop.house.use(UseRequest(credential=shop.credentials["site"], purpose="deliver-order", case=order.case))
    assert unwritten.value.code == "evidence-unavailable"
    await pool.execute("alter table entries_away rename to entries")
    assert (await delivered(shop, order)).items


async def test_S2_another_process_sees_a_destroyed_key_at_once(
    shop: Shop, settings: Settings, clock: Callable[[], Instant]
) -> None:
    order = await ordered(shop)
    request = UseRequest(credential=shop.credentials["site"], purpose="deliver-order", case=order.case)
    async with open_house(settings, clock=clock) as other:
        assert (await other.use(request)).items
        slot = await shop.house.grounds.database.pool.fetchval("select slot from records where id = $1", order.record)
        await asyncio.to_thread(shop.house.grounds.vault.destroy_slots, [slot])
        answer = await other.use(request)
        assert answer.items == {}
        assert {reason.code for reason in answer.withheld.values()} == {"key-gone"}


async def test_C2_no_use_begun_after_the_acknowledgement_of_a_withdrawal_sees_the_consent(shop: Shop) -> None:
    order = await ordered(shop)
    house, campaign = shop.house, shop.credentials["campaigns"]

    async def choose(state: Any) -> None:
        await house.choose(Choosing(person=order.person, kind="consent", purpose="marketing-sms", state=state))

    async def use() -> bool:
        try:
            await house.use(
                UseRequest(credential=campaign, purpose="marketing-sms", person=order.person, on_behalf_of="501")
            )
        except Refused:
            return False
        return True

    for _ in range(10):
        await choose("given")
        during = [asyncio.create_task(use()) for _ in range(8)]
        await choose("withdrawn")
        assert not any(await asyncio.gather(*(use() for _ in range(8))))
        await asyncio.gather(*during)
