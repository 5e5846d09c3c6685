"""A parent is written to, and only what they confirm later, by a second message, opens a child's data (K2)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND
from omonat.base.settings import Settings
from omonat.base.verdict import Allow, CannotTell, Deny
from omonat.flows.clear_child import Clearing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.parent_asks import Question
from omonat.flows.publish_policy import Publication
from omonat.flows.send import Ready, send
from omonat.house import open_house, set_up_doors
from omonat.jobs import ports_of
from omonat.mail.letter import Links, Sender, write_letter
from omonat.mail.outbox import Outbox
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import Pack, read_pack
from omonat.policy.words import Language, VerifiedBy
from omonat.promises.children.asking import decide_ask, decide_more, goes_to
from omonat.promises.messages import MessageClass, sealing_context, unpack
from tests.erasure.stories import acts, delivered, one, ordered, swept
from tests.flows.conftest import Clock, Shop, document, packs, staffed
from tests.flows.test_children import PACKS, officer, packs_of, refused, signed

PLUS = """  message-plus:
    says: {uz: Xabar, ru: Сообщение, en: A message}
    source: "a test's own law"
    mark: U
    verified-by-counsel: false
    by: message
    answer-within: P2D
    confirm-after: P1D
    undisclosed-only: true
"""
FORM = {"contact.name": "Dilnoza", "contact.mobile": "+998901234567", "relationship.age-band": "35-44"}
DISCLOSES = {
    "purposes: [dispute-resolution]": "purposes: [dispute-resolution, take-order]",
    'version: "1"': 'version: "2"',
}
PARENT, MAIL = "+998901112233", "ota@example.uz"


def listing(said: str = PLUS) -> dict[str, str]:
    """The law of Uzbekistan, with one more way listed."""
    return {"uz": packs()["uz"].replace("parental-consent:\n", f"parental-consent:\n{said}")}


@pytest_asyncio.fixture(loop_scope="session")
async def lenient(settings: Settings, clock: Clock) -> AsyncIterator[Shop]:
    """A shop whose law lists messages."""
    async with open_house(settings, clock=clock) as house:
        await house.publish(Publication(document=document(), packs=listing(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        yield await staffed(house, clock)


async def found(shop: Shop, **items: object) -> tuple[CollectAnswer, str]:
    """A child that was found, and an officer."""
    child, by = await ordered(shop, **items), await officer(shop)
    await shop.house.children.signal(child.person, "staff", by="test")
    shop.clock.forward(SECOND)
    return child, by


def asking(person: str, address: str = PARENT, **more: object) -> Question:
    question = Question(person=person, method="message-plus", address=address, language="en")
    return replace(question, **more)  # type: ignore[arg-type]


async def link(shop: Shop, person: str, template: str = "parent-ask", nth: int = 0) -> str:
    """The link in a message that was written."""
    row = (
        await shop.house.grounds.database.pool.fetch(
            "select o.id, o.sealed, p.slot from outbox o join persons p on p.id = o.person"
            " where o.person = $1 and template = $2 order by o.created_at",
            person,
            template,
        )
    )[nth]
    opened = shop.house.grounds.vault.open_value(sealing_context(row["id"]), row["sealed"], slot=row["slot"])
    return str(unpack(opened)["link"])


async def answered(shop: Shop, person: str, by: str, **more: object) -> str:
    """Asked and answered; the second link, its time come."""
    await shop.house.parent_asks.ask(asking(person, **more), by=by)
    await shop.house.parent_asks.answer(await link(shop, person))
    shop.clock.forward(DAY)
    return await link(shop, person, "parent-confirm")


async def told(doing: object) -> str:
    with pytest.raises(Refused) as caught:
        await doing  # type: ignore[misc]
    return caught.value.code


# The rule ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", ["us-coppa", "eu"])
def test_K2_a_message_is_enough_only_where_the_law_lists_it_and_nothing_is_disclosed(pack: str) -> None:
    law = packs_of(pack)
    ask = {"by": VerifiedBy.MESSAGE, "quarantined": True}
    assert isinstance(decide_ask(law, "message-plus", goes_to=(), **ask), Allow)  # type: ignore[arg-type]
    others = decide_ask(law, "message-plus", goes_to=("insurer",), **ask)  # type: ignore[arg-type]
    assert isinstance(others, Deny)
    assert (others.reasons[0].code, others.reasons[0].about["recipients"]) == ("consent-data-disclosed", "insurer")
    unknown = decide_ask(law, "message-plus", goes_to=None, **ask)  # type: ignore[arg-type]
    assert isinstance(unknown, CannotTell)
    assert unknown.reasons[0].code == "consent-recipients-unknown"
    for method in ("payment", "signed-form", "e-mail"):
        assert isinstance(decide_ask(law, method, goes_to=(), **ask), Deny)  # type: ignore[arg-type]
    open_ = decide_ask(law, "message-plus", by=VerifiedBy.MESSAGE, quarantined=False, goes_to=())
    assert isinstance(open_, Deny)


def test_K2_uzbek_law_lists_no_message_and_with_it_no_other_law_opens_that_way() -> None:
    for laws in (packs_of("uz"), [*packs_of("us-coppa"), *packs_of("uz")]):
        said = decide_ask(laws, "message-plus", by=VerifiedBy.MESSAGE, quarantined=True, goes_to=())
        assert isinstance(said, Deny)
        assert said.reasons[0].about["methods"] == "signed-form"


@pytest.mark.parametrize("line", ["    answer-within: P7D\n", "    confirm-after: P1D\n"])
def test_K2_a_law_that_names_no_delay_opens_nothing(line: str) -> None:
    text = (PACKS / "us-coppa.yaml").read_text("utf-8")
    start = text.index("  message-plus:")
    bare: Pack = read_pack(text[:start] + text[start:].replace(line, ""))
    said = decide_ask([bare], "message-plus", by=VerifiedBy.MESSAGE, quarantined=True, goes_to=())
    assert isinstance(said, CannotTell)
    assert said.reasons[0].code == "consent-period-unknown"


@pytest.mark.parametrize("pack", ["us-coppa", "eu"])
def test_K2_a_standing_consent_is_asked_again_for_whatever_else_is_taken_in(pack: str) -> None:
    law = packs_of(pack)
    assert isinstance(decide_more(law, "message-plus", goes_to=()), Allow)
    said = decide_more(law, "message-plus", goes_to=("insurer",))
    assert isinstance(said, Deny)
    assert said.reasons[0].code == "consent-not-for-disclosure"
    assert isinstance(decide_more(law, "message-plus", goes_to=None), CannotTell)
    assert isinstance(decide_more(law, "signed-form", goes_to=("insurer",)), Allow)


async def test_K2_whom_the_data_goes_to_is_read_from_the_policy(shop: Shop) -> None:
    policy: CompiledPolicy = await shop.house.grounds.law.current()
    assert goes_to(policy, ["order"], ["contact"]) == ()
    assert goes_to(policy, ["no-such-service"], ["contact"]) is None
    lawyer = policy.policy.recipients["legal-counsel"]
    named = replace(lawyer, purposes=("deliver-order",))
    wider = replace(policy, policy=replace(policy.policy, recipients={"lawyer": named}))
    assert goes_to(wider, ["order"], ["contact"]) == ("legal-counsel",)
    assert goes_to(wider, ["order"], ["audio-visual"]) == ()
    everything = replace(policy, policy=replace(policy.policy, recipients={"lawyer": replace(named, items=())}))
    assert goes_to(everything, ["order"], ["audio-visual"]) == ("legal-counsel",)


# The story ----------------------------------------------------------------------------------------------------


async def test_K2_two_messages_a_day_apart_open_a_childs_data_and_the_link_closes_it_again(lenient: Shop) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    asked = await asks.ask(asking(child.person), by=by)
    assert (asked.state, asked.over_at) == ("asked", shop.clock.now + 2 * DAY)
    first = await link(shop, child.person)
    shown = await asks.show(first)
    assert "contact" in shown.categories
    assert "deliver-order" in shown.purposes
    await asks.answer(first)
    assert await refused(shop, child) == "person-quarantined", "the first answer opens nothing"
    assert (await asks.show(first)).asked.confirm_from == shop.clock.now + DAY
    second = await link(shop, child.person, "parent-confirm")
    assert await told(asks.confirm(second)) == "parent-link-early"
    assert await told(asks.confirm(first)) == "parent-link-early"
    shop.clock.forward(DAY)
    assert await told(asks.confirm(first)) == "parent-link-early", (
        "whoever has the first message alone confirms nothing"
    )
    await asks.confirm(second)
    assert (await delivered(shop, child)).items
    await asks.confirm(second)
    assert await one(shop, "select count(*) from guardian_consents") == 1, "pressed twice, agreed once"
    shop.clock.forward(SECOND)
    await asks.take_back(first)
    assert await refused(shop, child) == "person-quarantined"
    assert await told(asks.show(second)) == "parent-link-over"
    assert await acts(shop, "guardian:") == [
        "guardian:ask:written", "guardian:ask:answered", "guardian:consent:given", "guardian:consent:withdrawn",
    ]  # fmt: skip
    shop.clock.forward(3 * DAY)
    await swept(shop)
    assert await one(shop, "select cause from erasures") == "child", "taken back, the deadline runs anew, and ends"


async def test_K2_a_parent_who_confirmed_by_message_opened_nothing_that_goes_to_others(
    settings: Settings, clock: Clock
) -> None:
    told_to = {"purposes: [dispute-resolution]": "purposes: [dispute-resolution, account-management]"}
    async with open_house(settings, clock=clock) as house:
        law = Publication(document=document(**told_to), packs=listing(), author="staff:1", approver="staff:2")
        await house.publish(law)
        await set_up_doors(house)
        shop = await staffed(house, clock)
        child, by = await found(shop)
        await house.parent_asks.confirm(await answered(shop, child.person, by))
        assert (await ordered(shop, person=child.person)).person == child.person, "an order goes to nobody"
        form = CollectRequest(
            credential=shop.credentials["site"], service="registration", version="1", person=child.person,
            items=FORM, consents={},
        )  # fmt: skip
        with pytest.raises(Refused) as caught:
            await house.collect(form)
        assert caught.value.code == "consent-not-for-disclosure"
        assert caught.value.about["recipients"] == "legal-counsel"
        assert (await acts(shop, "collect:"))[-1] == "collect:record:refused"
        shop.clock.forward(SECOND)
        await house.parent_asks.take_back(await link(shop, child.person))
        await house.children.agree(signed(child.person), by=by)
        shop.clock.forward(SECOND)
        assert (await house.collect(form)).person == child.person, "a signed form covers what is disclosed"


async def test_K2_a_version_that_hands_held_data_to_somebody_ends_a_consent_that_counted_only_for_nobody(
    lenient: Shop,
) -> None:
    messaged, by = await found(lenient)
    await lenient.house.parent_asks.confirm(await answered(lenient, messaged.person, by))
    papered, _ = await found(lenient, **{"contact.mobile": "+998905556677"})
    await lenient.house.children.agree(signed(papered.person), by=by)
    assert await lenient.house.consent_reach.look_after() == 0, "nothing new reaches them"

    law = Publication(document=document(**DISCLOSES), packs=listing(), author="staff:1", approver="staff:2")
    await lenient.house.publish(law)
    lenient.clock.forward(SECOND)
    assert await lenient.house.consent_reach.look_after() == 1
    assert await refused(lenient, messaged) == "person-quarantined"
    assert await one(lenient, "select count(*) from work_items where rule = 'child' and closed_at is null") == 1
    assert (await acts(lenient, "guardian:consent:"))[-1] == "guardian:consent:overtaken"
    assert (await delivered(lenient, papered)).items, "a signed form covers what is disclosed"
    await lenient.house.children.agree(signed(messaged.person), by=by)
    lenient.clock.forward(SECOND)
    assert (await delivered(lenient, messaged)).items
    assert await lenient.house.consent_reach.look_after() == 0


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_a_parent_whose_consent_is_overtaken_is_told_once_where_they_confirmed_and_nothing_of_the_childs(
    lenient: Shop, language: str
) -> None:
    child, by = await found(lenient)
    await lenient.house.parent_asks.confirm(await answered(lenient, child.person, by, address=MAIL, language=language))
    law = Publication(document=document(**DISCLOSES), packs=listing(), author="staff:1", approver="staff:2")
    await lenient.house.publish(law)
    lenient.clock.forward(SECOND)
    assert await lenient.house.consent_reach.look_after() == 1
    assert await lenient.house.consent_reach.look_after() == 0
    assert await one(lenient, "select count(*) from parent_asks where address is not null") == 0
    ports, outbox = ports_of(lenient.house), Outbox(lenient.house.grounds.database)
    waiting = [each for each in await outbox.claim_due(now=lenient.clock.now, most=10) if "overtaken" in each.template]
    assert [(each.message_class, each.purpose, each.language) for each in waiting] == [
        (MessageClass.SERVICE, "service-notices", language)
    ]
    ready = await send(waiting[0], ports, now=lenient.clock.now)
    assert isinstance(ready, Ready)
    assert ready.address == MAIL
    policy = await lenient.house.grounds.law.current()
    assert ready.params["recipients"] == policy.policy.recipients["legal-counsel"].says[Language(language)]
    sender, links = (
        Sender("BESHQOZON", "webmaster@beshqozon.uz"),
        Links("https://a/me", "https://a/page", "https://a/f"),
    )
    said = write_letter(waiting[0].template, language, ready.params, sender=sender, links=links).text()
    assert str(ready.params["recipients"]) in said
    assert sender.mailbox in said
    for value in lenient.order_items().values():
        assert str(value) not in said
    assert child.person not in said


@pytest.mark.parametrize("shape", ["the child's own by now", "the address is broken", "agreed anew"])
async def test_K2_a_parent_is_not_told_where_the_child_would_read_it_or_what_is_not_so_any_more(
    lenient: Shop, shape: str
) -> None:
    child, by = await found(lenient)
    await lenient.house.parent_asks.confirm(await answered(lenient, child.person, by))
    if shape == "the child's own by now":
        await also_the_childs(lenient, child.person, PARENT)
    if shape == "the address is broken":
        await lenient.house.grounds.database.pool.execute("update parent_asks set address = '\\x00'")
    law = Publication(document=document(**DISCLOSES), packs=listing(), author="staff:1", approver="staff:2")
    await lenient.house.publish(law)
    lenient.clock.forward(SECOND)
    assert await lenient.house.consent_reach.look_after() == 1, "closed all the same"
    if shape == "agreed anew":
        await lenient.house.children.agree(signed(child.person), by=by)
    assert await one(lenient, "select count(*) from outbox where template = 'parent-overtaken'") == 0
    assert await one(lenient, "select count(*) from work_items where rule = 'child' and closed_at is null") == (
        shape != "agreed anew"
    )


async def test_K2_one_childs_trouble_leaves_no_other_child_open(lenient: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    children = []
    for mobile in ("+998905556677", "+998905556688"):
        child, by = await found(lenient, **{"contact.mobile": mobile})
        await lenient.house.parent_asks.confirm(await answered(lenient, child.person, by))
        children.append(child)
    law = Publication(document=document(**DISCLOSES), packs=listing(), author="staff:1", approver="staff:2")
    await lenient.house.publish(law)
    withdraw, asked = lenient.house.children.withdraw_in, []

    async def fails_once(connection: Any, row: Any, *rest: Any, **more: Any) -> Any:
        asked.append(row["id"])
        if len(asked) == 1:
            raise Unavailable("database-busy")
        return await withdraw(connection, row, *rest, **more)

    monkeypatch.setattr(lenient.house.children, "withdraw_in", fails_once)
    assert await lenient.house.consent_reach.look_after() == 1
    lenient.clock.forward(2 * MINUTE)
    assert await lenient.house.consent_reach.look_after() == 1, "asked again until nobody's look failed"
    assert [await refused(lenient, child) for child in children] == ["person-quarantined"] * 2


async def test_K2_the_message_leaves_for_the_parents_address_and_the_tables_hold_none(lenient: Shop) -> None:
    child, by = await found(lenient)
    for address, item in ((PARENT, "contact.mobile"), (MAIL, "contact.email")):
        asked = await lenient.house.parent_asks.ask(asking(child.person, address), by=by)
        assert asked.channel == item
    ports, outbox = ports_of(lenient.house), Outbox(lenient.house.grounds.database)
    waiting = await outbox.claim_due(now=lenient.clock.now, most=10)
    ready = [await send(each, ports, now=lenient.clock.now) for each in waiting]
    assert {each.address for each in ready if isinstance(each, Ready)} == {PARENT, MAIL}
    for table in ("parent_asks", "outbox", "entries"):
        for row in await lenient.house.grounds.database.pool.fetch(f"select t::text as said from {table} t"):
            assert PARENT[1:] not in row["said"]
            assert MAIL not in row["said"]


async def test_K2_not_to_one_of_the_childs_own_addresses_and_to_nothing_that_is_none(lenient: Shop) -> None:
    child, by = await found(lenient)
    asks = lenient.house.parent_asks
    for own in ("+998901234567", "90 123 45 67"):
        assert await told(asks.ask(asking(child.person, own), by=by)) == "parent-address-childs"
    for none in ("", "x@", "12"):
        with pytest.raises(BadInput):
            await asks.ask(asking(child.person, none), by=by)
    assert await told(asks.ask(asking(child.person), by="204")) == "child-officer-needed"
    assert await told(asks.ask(asking(f"per_{'a' * 26}"), by=by)) == "person-unknown"
    grown = date(2001, 1, 1)
    assert await told(asks.ask(asking(child.person, born=grown), by=by)) == "child-of-age"
    assert await one(lenient, "select count(*) from outbox") == 0


async def also_the_childs(shop: Shop, person: str, phone: str) -> None:
    """A number stands among the child's own, as a landline."""
    vault = shop.house.grounds.vault
    await shop.house.grounds.database.pool.execute(
        "insert into lookups values ($1, 'contact.phone', $2, $3, now())", person, vault.lookup_epoch,
        vault.lookup_digest("contact.phone", phone, epoch=vault.lookup_epoch),
    )  # fmt: skip


async def test_K2_the_childs_own_number_is_its_own_under_whichever_item_and_until_it_is_confirmed(
    lenient: Shop,
) -> None:
    child, by = await found(lenient)
    second = await answered(lenient, child.person, by)
    await also_the_childs(lenient, child.person, PARENT)
    assert await told(lenient.house.parent_asks.confirm(second)) == "parent-address-childs"
    assert await told(lenient.house.parent_asks.ask(asking(child.person), by=by)) == "parent-address-childs"
    assert await refused(lenient, child) == "person-quarantined"


async def test_K2_where_the_law_lists_no_message_nobody_is_written_to(shop: Shop) -> None:
    child, by = await found(shop)
    assert await told(shop.house.parent_asks.ask(asking(child.person), by=by)) == "consent-method-refused"
    assert await one(shop, "select count(*) from outbox") == 0
    assert (
        await told(shop.house.children.agree(signed(child.person, "message-plus"), by=by)) == "consent-method-refused"
    )


async def test_K2_staff_alone_cannot_say_that_a_message_was_confirmed(lenient: Shop) -> None:
    child, by = await found(lenient)
    assert (
        await told(lenient.house.children.agree(signed(child.person, "message-plus"), by=by))
        == "consent-method-refused"
    )


@pytest.mark.parametrize("said", ["asked", "answered"])
async def test_K2_unanswered_or_unconfirmed_it_is_over_and_the_child_is_deleted(lenient: Shop, said: str) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    await asks.ask(asking(child.person), by=by)
    first = await link(shop, child.person)
    if said == "answered":
        await asks.answer(first)
        second = await link(shop, child.person, "parent-confirm")
        shop.clock.forward(3 * DAY)
        assert await told(asks.confirm(second)) == "parent-link-over"
    else:
        shop.clock.forward(2 * DAY)
        assert await told(asks.answer(first)) == "parent-link-over"
    assert [each.state for each in await asks.of(child.person)] == ["over"]
    shop.clock.forward(DAY)
    await swept(shop)
    assert await one(shop, "select cause from erasures") == "child"
    assert await told(asks.show(first)) == "parent-link-over"


async def test_K2_a_no_ends_it_and_calls_the_second_message_back(lenient: Shop) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    second = await answered(shop, child.person, by)
    await asks.refuse(second)
    assert await told(asks.confirm(second)) == "parent-link-over"
    assert await refused(shop, child) == "person-quarantined"
    assert await one(shop, "select count(*) from outbox") == 0
    again = await asks.ask(asking(child.person, MAIL), by=by)
    await asks.stop(again.id, by=by)
    assert await one(shop, "select count(*) from outbox") == 0
    assert await told(asks.stop(again.id, by=by)) == "parent-link-over"
    assert [each.state for each in await asks.of(child.person)] == ["stopped", "refused"]
    assert (await acts(shop, "guardian:ask:"))[2:] == [
        "guardian:ask:refused",
        "guardian:ask:written",
        "guardian:ask:stopped",
    ]


async def test_K2_a_mistyped_address_gets_no_letter_when_the_carrier_returns(lenient: Shop) -> None:
    """Called back while a worker has the message: it loses it; one that had begun, and failed, is not tried again."""
    shop, asks, outbox = lenient, lenient.house.parent_asks, Outbox(lenient.house.grounds.database)
    child, by = await found(shop)
    mistyped = await asks.ask(asking(child.person), by=by)
    (claimed,) = await outbox.claim_due(now=shop.clock.now, most=10)
    await asks.stop(mistyped.id, by=by)
    assert not await outbox.begin_hand_over(claimed, now=shop.clock.now)
    assert await one(shop, "select count(*) from outbox") == 0
    begun = await asks.ask(asking(child.person), by=by)
    (claimed,) = await outbox.claim_due(now=shop.clock.now, most=10)
    assert await outbox.begin_hand_over(claimed, now=shop.clock.now)
    stopping = asyncio.create_task(asks.stop(begun.id, by=by))
    await asyncio.sleep(0.3)
    assert not stopping.done(), "one that is with the carrier is let pass"
    assert await outbox.put_off(claimed, until=shop.clock.now, code="message-carrier-unavailable", spent=True)
    await stopping
    (again,) = await outbox.claim_due(now=shop.clock.now, most=10)
    said = await send(again, ports_of(shop.house), now=shop.clock.now)
    assert not isinstance(said, Ready)


@pytest.mark.parametrize("ending", ["refused", "stopped", "over", "withdrawn", "cleared", "erased"])
async def test_K2_a_parents_address_goes_when_the_question_is_over(lenient: Shop, ending: str) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    asked = await asks.ask(asking(child.person, born=date(2016, 5, 1)), by=by)
    kept = "select count(*) from parent_asks where address is not null or born is not null"
    assert await asks.forget_addresses() == 0, "it waits for an answer"
    assert await one(shop, kept) == 1
    first = await link(shop, child.person)
    if ending == "refused":
        await asks.refuse(first)
    elif ending == "stopped":
        await asks.stop(asked.id, by=by)
    elif ending == "over":
        shop.clock.forward(2 * DAY)
        assert await asks.forget_addresses() == 1
    elif ending == "withdrawn":
        await asks.answer(first)
        shop.clock.forward(DAY)
        await asks.confirm(await link(shop, child.person, "parent-confirm"))
        assert await asks.forget_addresses() == 0, "the consent stands"
        shop.clock.forward(SECOND)
        await asks.take_back(first)
    elif ending == "cleared":
        grown = Clearing(person=child.person, cause="mistyped", reference="2026-7", born=date(1990, 3, 1))
        await shop.house.clear_child(grown, by=by)
    else:
        shop.clock.forward(4 * DAY)
        await swept(shop)
        assert await one(shop, "select count(*) from parent_asks") == 0, "the rows go with the person"
    assert await one(shop, kept) == 0
    assert await asks.forget_addresses() == 0


async def test_K2_a_second_parent_finds_that_one_agreed_and_cannot_take_the_others_back(lenient: Shop) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    for address in (PARENT, MAIL):
        await asks.ask(asking(child.person, address), by=by)
        shop.clock.forward(SECOND)
    mother, father = await link(shop, child.person, nth=0), await link(shop, child.person, nth=1)
    await asks.answer(mother)
    shop.clock.forward(DAY)
    await asks.confirm(await link(shop, child.person, "parent-confirm"))
    assert await told(asks.answer(father)) == "parent-already-agreed"
    assert await told(asks.ask(asking(child.person, MAIL), by=by)) == "guardian-already-agreed", "an officer's words"
    assert await told(asks.take_back(father)) == "no-parental-consent"
    assert (await delivered(shop, child)).items
    await asks.take_back(mother)
    assert await refused(shop, child) == "person-quarantined"


async def test_K2_a_signal_meanwhile_changes_nothing_and_one_who_grew_up_is_nobodys_child(lenient: Shop) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    tomorrow = date.fromisoformat("2013-11-23")  # thirteen on the day after the shop's first
    await asks.ask(asking(child.person, born=tomorrow), by=by)
    await asks.answer(await link(shop, child.person))
    shop.clock.forward(HOUR)
    again = await shop.house.children.signal(child.person, "parent", by="test")
    assert again.closed_at is not None
    shop.clock.forward(DAY)
    second = await link(shop, child.person, "parent-confirm")
    assert await told(asks.confirm(second)) == "child-of-age"
    assert await refused(shop, child) == "person-quarantined"


async def test_K2_the_law_is_asked_once_more_when_it_is_confirmed(lenient: Shop) -> None:
    shop, asks = lenient, lenient.house.parent_asks
    child, by = await found(shop)
    second = await answered(shop, child.person, by)
    stricter = document().replace('version: "1"', 'version: "2"', 1)
    await shop.house.publish(Publication(document=stricter, packs=packs(), author="staff:1", approver="staff:2"))
    shop.clock.forward(MINUTE)
    assert await told(asks.confirm(second)) == "consent-method-refused"
    assert await refused(shop, child) == "person-quarantined"


async def test_K2_no_link_but_the_signed_one_opens_anything(lenient: Shop) -> None:
    child, by = await found(lenient)
    asked = await lenient.house.parent_asks.ask(asking(child.person), by=by)
    good = await link(lenient, child.person)
    signature = good.rpartition(".")[2]
    for bad in ("", "x", good[:-1], f"{asked.id}.second.{signature}", f"pas_{'a' * 26}.first.{signature}", "ы.first.ы"):
        for doing in (
            lenient.house.parent_asks.show,
            lenient.house.parent_asks.answer,
            lenient.house.parent_asks.confirm,
        ):
            assert await told(doing(bad)) == "parent-link-over"


def test_K2_every_shipped_law_lists_its_ways_with_source_and_mark() -> None:
    for name in ("uz", "eu", "us-coppa"):
        (pack,) = packs_of(name)
        assert pack.parental_consent
        for method in pack.parental_consent.values():
            assert method.source
            assert not method.verified_by_counsel, "nobody's counsel has looked yet"
