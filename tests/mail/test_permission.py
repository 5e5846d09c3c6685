"""Permission is asked at the moment of sending: withdrawals, classes, recipients, limits (C3, N2, T1, C1)."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from omonat.base.instants import HOUR, MINUTE, SECOND, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason
from omonat.mail.drain import FIRST_WAIT
from omonat.mail.outbox import Outbox
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.promises.messages import Channel, PurposeFacts, Recipient, fits_purpose, may_go_through, service_slot

from .conftest import NOON, House

MAIL, MOBILE = "gulnora@mail.example", "+998901234567"


async def test_C3_nothing_is_sent_after_a_withdrawal_even_from_a_running_campaign(house: House) -> None:
    people = [await house.person(email=f"p{number}@mail.example") for number in range(6)]
    for person in people:
        await house.put(house.newsletter(person))
    # The campaign is written; now half of them withdraw, before anything was drained.
    for person in people[::2]:
        house.register.refused[person, "marketing-email"] = Reason("consent-missing", "C1")
    assert await house.drain().once() == Counter(sent=3, refused=3)
    assert {caught.to for caught in house.catcher.newest()} == {f"p{number}@mail.example" for number in (1, 3, 5)}
    assert Counter(await house.rows())["refused", "consent-missing"] == 3


async def test_C3_a_withdrawal_between_two_attempts_stops_the_second(house: House) -> None:
    person = await house.person(email=MAIL)
    await house.put(house.newsletter(person))
    away = SmtpCarrier(Relay("127.0.0.1", 1))
    assert await house.drain(mail=away).once() == Counter(waiting=1)
    house.register.refused[person, "marketing-email"] = Reason("consent-missing", "C1")
    house.clock.pass_by(FIRST_WAIT)
    assert await house.drain().once() == Counter(refused=1)
    assert house.catcher.newest() == []


async def test_N2_a_withdrawal_of_marketing_does_not_silence_a_breach_notice(house: House) -> None:
    person = await house.person(email=MAIL)
    house.register.refused[person, "marketing-email"] = Reason("consent-missing", "C1")
    await house.put(house.newsletter(person))
    await house.put(house.notice(person, "security-breach"))
    assert await house.drain().once() == Counter(sent=1, refused=1)
    assert "not an advertisement" in house.catcher.newest()[0].text


@pytest.mark.parametrize(
    ("template", "purpose"),
    [("notice", "marketing-email"), ("newsletter", "tell-of-service"), ("code", "marketing-email")],
)
async def test_N2_no_class_travels_under_another_ones_purpose(house: House, template: str, purpose: str) -> None:
    person = await house.person(email=MAIL, mobile=MOBILE)
    await house.put(getattr(house, template)(person, purpose=purpose))
    assert await house.drain().once() == Counter(refused=1)
    assert await house.rows() == [("refused", "message-class-mismatch")]
    assert house.register.asked == []  # the address was not even opened


async def test_N2_a_fourth_notice_in_a_day_waits_and_a_breach_does_not(house: House) -> None:
    person = await house.person(email=MAIL)
    for _ in range(3):
        await house.put(house.notice(person))
        assert await house.drain().once() == Counter(sent=1)
        house.clock.pass_by(HOUR)
    await house.put(house.notice(person))
    assert await house.drain().once() == Counter(waiting=1)
    await house.put(house.notice(person, "security-breach"))
    assert await house.drain().once() == Counter(sent=1)
    house.clock.pass_by(21 * HOUR - SECOND)
    assert await house.drain().once() == Counter()
    house.clock.pass_by(HOUR + SECOND)  # the breach notice counts as well: two slots must open
    assert await house.drain().once() == Counter(sent=1)


async def test_T1_a_gateway_the_policy_does_not_register_gets_nothing(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    house.rules.registered["sms-gateway"] = Recipient("sms-gateway", frozenset({"account-codes"}), frozenset())
    await house.put(house.code(person))
    assert await house.drain().once() == Counter(refused=1)
    assert await house.rows() == [("refused", "recipient-not-registered")]
    assert house.gateway.requests == []
    assert house.register.asked == []


async def test_T1_a_relay_that_is_not_registered_for_names_gets_no_name(house: House) -> None:
    person = await house.person(email=MAIL, name="Gulnora")
    house.rules.registered["mail-provider"] = Recipient(
        "mail-provider", frozenset({"marketing-email"}), frozenset({"contact.email"})
    )
    await house.put(house.newsletter(person))
    assert await house.drain().once() == Counter(sent=1)
    assert "Gulnora" not in house.catcher.newest()[0].text


async def test_P1_a_policy_that_changed_while_the_address_was_opened_is_obeyed(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    await house.put(house.code(person))
    opening = house.register.open_channel

    async def publish_meanwhile(**asked: object) -> object:
        house.rules.purposes["account-codes"] = PurposeFacts("none", "contract")
        return await opening(**asked)  # type: ignore[arg-type]

    drain = house.drain()
    drain.ports = replace(drain.ports, open_channel=publish_meanwhile)  # type: ignore[arg-type]
    assert await drain.once() == Counter(refused=1)
    assert house.gateway.requests == []


async def test_R3_a_message_of_an_erased_key_is_refused(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    await house.put(house.code(person))
    house.vault.destroy_slots([house._slots[person]])
    assert await house.drain().once() == Counter(refused=1)
    assert house.gateway.requests == []


async def test_R3_what_carries_its_own_address_does_not_leave_after_an_erasure_either(house: House) -> None:
    """The key outlives the erasure's begin, so the message could still be read: it is refused by the erasure itself."""
    person = await house.person(email=MAIL)
    params = {"code": "271828", "minutes": 10, "address": "new@mail.example"}
    own = {"channel": Channel.EMAIL, "template": "new-channel-code", "params": params}
    await house.put(house.code(person, **own))
    assert await house.drain().once() == Counter(sent=1)
    await house.put(house.code(person, **own))
    async with house.database.transaction() as connection:
        await connection.execute("update persons set erased_at = $2 where id = $1", person, house.clock())
    assert await house.drain().once() == Counter(refused=1)
    assert [caught.to for caught in house.catcher.newest()] == ["new@mail.example"]
    assert Counter(await house.rows()) == Counter([("sent", None), ("refused", "person-unknown")])


async def test_R3_an_erasure_between_the_claim_and_the_hand_over_stops_it_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await house.person(email=MAIL)
    params = {"code": "271828", "minutes": 10, "address": "new@mail.example"}
    await house.put(house.code(person, channel=Channel.EMAIL, template="new-channel-code", params=params))
    declared = house.rules.purpose

    async def erased_meanwhile(purpose: str) -> PurposeFacts | None:
        async with house.database.transaction() as connection:
            await connection.execute("update persons set erased_at = $2 where id = $1", person, house.clock())
        return await declared(purpose)

    monkeypatch.setattr(house.rules, "purpose", erased_meanwhile)
    await house.drain().once()
    await house.drain().once()
    assert house.catcher.newest() == []
    assert await house.rows() == [("refused", "person-unknown")]


async def test_C3_marketing_without_a_way_to_leave_is_never_sent(house: House) -> None:
    await house.put(house.newsletter(await house.person(email=MAIL)))
    assert await house.drain(unsubscribe=None).once() == Counter(failed=1)
    assert await house.rows() == [("failed", "unsubscribe-link-missing")]


async def test_C1_a_channel_the_policy_does_not_declare_is_refused(house: House) -> None:
    await house.put(house.newsletter(await house.person(email=MAIL)))
    (message,) = await Outbox(house.database).claim_due(most=1, now=house.clock())
    assert isinstance(fits_purpose(message, PurposeFacts("marketing", "consent", frozenset({"email"}))), Allow)
    assert isinstance(fits_purpose(message, PurposeFacts("marketing", "consent", frozenset({"sms"}))), Deny)
    assert isinstance(fits_purpose(message, PurposeFacts("marketing", "legitimate-interest")), Deny)
    assert isinstance(fits_purpose(message, None), CannotTell)


def test_N2_the_daily_limit_opens_when_the_third_last_notice_is_a_day_old() -> None:
    sent = [NOON - hours * HOUR for hours in (1, 5, 23, 30)]
    assert service_slot({"kind": "service-change"}, sent[:2], now=NOON) == NOON
    assert service_slot({"kind": "service-change"}, sent, now=NOON) == NOON + HOUR
    assert service_slot({"kind": "security-breach"}, sent, now=NOON) == NOON
    assert service_slot({"kind": "service-change"}, sent, now=NOON + HOUR) == NOON + HOUR


def test_T1_a_recipient_is_registered_for_purposes_and_items_or_not_at_all() -> None:
    registered = {"sms": Recipient("sms", frozenset({"codes"}), frozenset({"contact.mobile"}))}
    assert isinstance(may_go_through("sms", registered, purpose="codes", item="contact.mobile"), Allow)
    for name, purpose, item in (
        ("other", "codes", "contact.mobile"),
        ("sms", "marketing", "contact.mobile"),
        ("sms", "codes", "contact.email"),
    ):
        assert isinstance(may_go_through(name, registered, purpose=purpose, item=item), Deny)


async def test_N2_notices_written_at_once_keep_the_daily_limit(house: House) -> None:
    person = await house.person(email=MAIL)
    for _ in range(7):
        await house.put(house.notice(person))
    for _ in range(2):
        await house.put(house.notice(person, "security-breach"))
    first, second = house.drain(), house.drain()  # two workers, one batch after the other
    await asyncio.gather(first.once(), second.once())
    assert sum(state == "sent" for state, _ in await house.rows()) <= 5
    house.clock.now = Instant(house.clock.now + 3 * MINUTE)  # the leases of the others are over: asked again, they wait
    await first.once()
    assert sorted(state for state, _ in await house.rows()).count("sent") <= 5
    assert {code for state, code in await house.rows() if state == "waiting"} == {"service-message-limit"}
