"""Draining: every message once, whatever breaks, and no value in any log."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from omonat.base.errors import Unavailable
from omonat.base.instants import DAY, MINUTE, SECOND
from omonat.flows.send import UNSERVED_WAIT
from omonat.mail.carriers import Mail, MailCarrier, Outcome, SmsCarrier
from omonat.mail.drain import ATTEMPTS, LONGEST_WAIT, wait_after
from omonat.mail.outbox import CLAIM_LEASE, HAND_OVER_LEASE
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.promises.messages import Channel

from .conftest import House

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


def test_waits_double_up_to_two_hours() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 12)]
    assert waits[:4] == [30 * SECOND, 60 * SECOND, 120 * SECOND, 240 * SECOND]
    assert max(waits) == LONGEST_WAIT
    assert waits == sorted(waits)
