"""Draining: permission at the moment of sending, every message once, no value in any log."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from omonat.base.errors import Unavailable
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND
from omonat.base.verdict import Allow, CannotTell, Deny, Reason
from omonat.flows.send import UNSERVED_WAIT
from omonat.mail.carriers import Mail, MailCarrier, Outcome, SmsCarrier
from omonat.mail.drain import ATTEMPTS, FIRST_WAIT, LONGEST_WAIT, wait_after
from omonat.mail.outbox import CLAIM_LEASE, HAND_OVER_LEASE, Outbox
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.promises.messages import Channel, PurposeFacts, Recipient, fits_purpose, may_go_through, service_slot

from .conftest import NOON, House

MAIL, MOBILE = "gulnora@mail.example", "+998901234567"


async def test_U3_a_code_by_sms_arrives(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    assert await house.drain().once() == Counter(sent=1)
    ((_, body),) = house.gateway.requests
    assert body == (
        b'{"to":"+998901234567","text":"BESHQOZON: sign-in code 271828, works for 10 minutes. Tell it to nobody."}'
    )
    assert await house.rows() == [("sent", None)]


async def test_U5_the_newsletter_greets_by_name_and_can_be_left(house: House) -> None:
    person = await house.person(email=MAIL, name="Gulnora Yoʻldosheva")
    await house.put(house.newsletter(person, language="ru"))
    assert await house.drain().once() == Counter(sent=1)
    (caught,) = house.catcher.newest(MAIL)
    assert "Assalomu alaykum, Gulnora Yoʻldosheva." in caught.text
    assert f"https://beshqozon.example/unsubscribe/{person}.marketing-email.signature" in caught.text
    assert caught.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


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


async def test_a_message_for_a_channel_nobody_carries_yet_waits_until_somebody_does(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    await house.put(house.notice(person, channel=Channel.SMS))
    bare = house.drain(sms=None)
    bare.ports = replace(bare.ports, through={Channel.EMAIL: "mail-provider"})
    assert await bare.once() == Counter(waiting=1)
    assert await house.rows() == [("waiting", "message-channel-unserved")]
    house.clock.pass_by(UNSERVED_WAIT)
    assert await house.drain().once() == Counter(sent=1)


async def test_a_code_is_not_sent_when_its_time_has_passed(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    house.clock.pass_by(10 * MINUTE)
    assert await house.drain().once() == Counter(expired=1)
    assert house.gateway.requests == []


async def test_R3_a_message_of_an_erased_key_is_refused(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    await house.put(house.code(person))
    house.vault.destroy_slots([house._slots[person]])
    assert await house.drain().once() == Counter(refused=1)
    assert house.gateway.requests == []


async def test_a_failing_gateway_is_tried_again_with_longer_and_longer_waits_and_then_given_up(house: House) -> None:
    person = await house.person(mobile=MOBILE)
    await house.put(house.notice(person, channel=Channel.SMS))
    house.gateway.script = [503] * ATTEMPTS
    for attempt in range(1, ATTEMPTS):
        assert await house.drain().once() == Counter(waiting=1)
        house.clock.pass_by(wait_after(attempt) - 1)
        assert await house.drain().once() == Counter()
        house.clock.pass_by(1)
    assert await house.drain().once() == Counter(failed=1)
    assert await house.rows() == [("failed", "message-attempts-exhausted")]
    assert len(house.gateway.requests) == ATTEMPTS
    assert len(house.register.asked) == ATTEMPTS  # permission was asked each time


async def test_a_gateway_that_recovers_gets_the_message_once(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    house.gateway.script = [500, 429]
    assert await house.drain().once() == Counter(waiting=1)
    house.clock.pass_by(wait_after(1))
    assert await house.drain().once() == Counter(waiting=1)
    house.clock.pass_by(wait_after(2))
    assert await house.drain().once() == Counter(sent=1)


@pytest.mark.parametrize("said", ["cut", "hang", 504])
async def test_an_sms_that_may_have_gone_is_not_sent_again(house: House, said: int | str) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    house.gateway.script = [said]
    assert await house.drain().once() == Counter(uncertain=1)
    house.clock.pass_by(DAY)
    assert await house.drain().once() == Counter()
    assert await house.rows() == [("uncertain", "message-outcome-unknown")]
    assert len(house.gateway.requests) == 1


async def test_a_rejected_number_has_failed_at_once(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    house.gateway.script = [422]
    assert await house.drain().once() == Counter(failed=1)
    assert await house.rows() == [("failed", "message-rejected")]


async def test_a_stored_address_that_is_none_fails_and_nothing_leaves(house: House) -> None:
    person = await house.person(email="a@mail.example\r\nBcc: thief@mail.example")
    await house.put(house.newsletter(person))
    assert await house.drain().once() == Counter(failed=1)
    assert await house.rows() == [("failed", "message-unsafe-header")]


async def test_C3_marketing_without_a_way_to_leave_is_never_sent(house: House) -> None:
    await house.put(house.newsletter(await house.person(email=MAIL)))
    assert await house.drain(unsubscribe=None).once() == Counter(failed=1)
    assert await house.rows() == [("failed", "unsubscribe-link-missing")]


async def test_a_crash_between_hand_over_and_mark_repeats_a_letter_under_its_number_and_no_sms(house: House) -> None:
    person = await house.person(email=MAIL, mobile=MOBILE)
    await house.put(house.code(person))
    await house.put(house.code(person, channel=Channel.EMAIL))

    class Dead(BaseException):
        """The end of the process, at the one instant a test can't choose from outside."""

    class Dies:
        """Hands over for real, and never lives to say so."""

        def __init__(self, carrier: MailCarrier | SmsCarrier) -> None:
            self.recipient = carrier.recipient
            self._carrier = carrier

        async def hand_over(self, what: Any) -> Outcome:
            await self._carrier.hand_over(what)
            raise Dead

    mail, sms = Dies(SmtpCarrier(Relay("127.0.0.1", house.smtp_port))), Dies(house.sms)
    with pytest.raises(Dead):
        await house.drain(mail=mail, sms=sms).once()
    assert len(house.gateway.requests) == len(house.catcher.newest()) == 1
    assert await house.drain().once() == Counter()  # nobody touches them before the lease has ended
    house.clock.pass_by(HAND_OVER_LEASE)
    assert await house.drain().once() == Counter(sent=1)
    assert len(house.gateway.requests) == 1
    first, second = house.catcher.newest()
    assert first.headers["Message-ID"] == second.headers["Message-ID"]
    assert sorted(await house.rows()) == [
        ("sent", None),
        ("uncertain", "message-outcome-unknown"),
    ]


async def test_two_workers_send_every_message_exactly_once(house: House) -> None:
    people = [await house.person(mobile=f"+9989012345{number:02}") for number in range(40)]
    for person in people:
        await house.put(house.code(person))

    async def work() -> Counter[str]:
        drain, total = house.drain(), Counter[str]()
        while result := await drain.once():
            total += result
        return total

    one, two = await asyncio.gather(work(), work())
    assert one + two == Counter(sent=40)
    numbers = Counter(body for _, body in house.gateway.requests)
    assert len(numbers) == 40
    assert set(numbers.values()) == {1}


async def test_trouble_with_the_vault_or_the_database_puts_off_and_loses_nothing(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    house.register.trouble = True
    assert await house.drain().once() == Counter(waiting=1)
    house.register.trouble = False
    house.clock.pass_by(wait_after(1))
    assert await house.drain().once() == Counter(sent=1)


async def test_a_carrier_that_breaks_leaves_an_unknown_outcome(house: House) -> None:
    class Broken:
        recipient = "mail-provider"

        async def hand_over(self, _mail: Mail) -> Outcome:
            raise ZeroDivisionError

    await house.put(house.code(await house.person(email=MAIL), channel=Channel.EMAIL))
    assert await house.drain(mail=Broken()).once() == Counter(waiting=1)
    assert await house.rows() == [("waiting", "message-outcome-unknown")]


async def test_a_mark_that_fails_is_tried_again_and_the_message_is_not(house: House) -> None:
    await house.put(house.code(await house.person(mobile=MOBILE)))
    drain = house.drain()
    settle, tries = drain.outbox.settle, []

    async def shaky(*given: object, **named: object) -> bool:
        tries.append(1)
        if len(tries) < 2:
            raise Unavailable("database-busy")
        return await settle(*given, **named)  # type: ignore[arg-type]

    drain.outbox.settle = shaky  # type: ignore[method-assign,assignment]
    assert await drain.once() == Counter(sent=1)
    assert len(house.gateway.requests) == 1


async def test_the_loop_sends_what_comes_and_stops_when_told(house: House) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(house.drain().run(stop))
    await house.put(house.code(await house.person(mobile=MOBILE)))
    async with asyncio.timeout(5):
        while not house.gateway.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        while await house.rows() != [("sent", None)]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.wait_for(running, 2)


async def test_a_fault_with_one_message_does_not_end_the_loop_and_that_message_ends_as_failed(house: House) -> None:
    bad, good = await house.person(mobile=MOBILE), await house.person(mobile="+998901234568")
    for person in (bad, good):
        await house.put(house.notice(person, channel=Channel.SMS))
    opening = house.register.open_channel

    async def stumbles(**asked: Any) -> object:
        if asked["person"] == bad:
            raise ZeroDivisionError
        return await opening(**asked)

    drain = house.drain()
    drain.ports = replace(drain.ports, open_channel=stumbles)  # type: ignore[arg-type]
    for _ in range(ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            await drain.once()
        house.clock.pass_by(CLAIM_LEASE)
    assert await drain.once() == Counter(failed=1)
    assert sorted(await house.rows()) == [("failed", "message-attempts-exhausted"), ("sent", None)]


async def test_S6_no_value_reaches_a_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    person = await house.person(email=MAIL, mobile=MOBILE, name="Gulnora")
    caplog.set_level(logging.DEBUG)
    house.gateway.script = [503, "cut"]
    for message in (house.code(person), house.code(person, once="2"), house.newsletter(person), house.notice(person)):
        await house.put(message)
    with capture_logs() as lines:
        await house.drain().once()
        await house.drain(mail=SmtpCarrier(Relay("127.0.0.1", 1))).once()
    ours = str(lines) + "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("mail", "aiosmtpd"))
    )
    assert len(lines) == 4
    for value in (MAIL, "901234567", "271828", "Gulnora", "signature"):
        assert value not in ours


# The rules by themselves ---------------------------------------------------------------------------------------------


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


def test_waits_double_up_to_two_hours() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 12)]
    assert waits[:4] == [30 * SECOND, 60 * SECOND, 120 * SECOND, 240 * SECOND]
    assert max(waits) == LONGEST_WAIT
    assert waits == sorted(waits)
