"""The outbox: written by flows, claimed by workers, never twice, never lost."""

import asyncio
import json
from collections import Counter

import pytest

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, MINUTE, SECOND
from omonat.mail.outbox import CLAIM_LEASE, HAND_OVER_LEASE, KEEP_SETTLED, End, Outbox
from omonat.promises.messages import Channel, forget, put

from .conftest import House


async def test_U3_a_row_holds_neither_the_address_nor_a_word_of_the_text(house: House) -> None:
    person = await house.person(mobile="+998901234567", name="Gulnora")
    await house.put(house.code(person))
    async with house.database.connection() as connection:
        row = dict(await connection.fetchrow("select * from outbox"))
    assert row["facts"] == {"minutes": 10}
    assert b"271828" not in row["sealed"]
    written = json.dumps({name: str(value) for name, value in row.items()})
    assert "271828" not in written
    assert "901234567" not in written
    assert "Gulnora" not in written


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"template": "lottery"}, "message-template-unknown"),
        ({"language": "kk"}, "message-language-unknown"),
        ({"params": {"code": "271828"}}, "message-parameters-wrong"),
        ({"params": {"code": "271828", "minutes": 10, "note": "x"}}, "message-parameters-wrong"),
        ({"params": {"code": "271828", "minutes": True}}, "message-parameters-wrong"),
        ({"template": "newsletter-welcome", "params": {}}, "message-channel-wrong"),
    ],
)
async def test_L3_a_message_that_is_not_what_its_template_declares_is_refused(
    house: House, changed: dict[str, object], code: str
) -> None:
    person = await house.person(mobile="+998901234567")
    with pytest.raises(BadInput) as refused:
        await house.put(house.code(person, **changed))
    assert refused.value.code == code
    assert await house.rows() == []


async def test_a_message_written_again_under_the_same_name_is_written_once(house: House) -> None:
    person, other = await house.person(), await house.person()
    assert await house.put(house.code(person, once="order:1")) is not None
    assert await house.put(house.code(person, once="order:1")) is None
    assert await house.put(house.code(other, once="order:1")) is not None


async def test_a_message_leaves_with_the_transaction_that_wrote_it_or_not_at_all(house: House) -> None:
    person = await house.person()

    async def write(*, fail: bool) -> None:
        async with house.database.transaction() as connection:
            await put(connection, house.notice(person), seal=house.vault.seal_value, now=house.clock())
            if fail:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write(fail=True)
    assert await house.rows() == []
    await write(fail=False)
    assert await house.rows() == [("waiting", None)]


async def test_a_sign_in_code_overtakes_a_campaign(house: House) -> None:
    person = await house.person()
    for number in range(3):
        await house.put(house.newsletter(person, once=str(number)))
    house.clock.pass_by(SECOND)
    await house.put(house.notice(person))
    await house.put(house.code(person))
    claimed = [await Outbox(house.database).claim_due(most=1, now=house.clock()) for _ in range(3)]
    assert [batch[0].template for batch in claimed] == ["sign-in-code", "service-notice", "newsletter-welcome"]


async def test_two_workers_never_claim_the_same_message_and_leave_none(house: House) -> None:
    people = [await house.person() for _ in range(10)]
    for person in people:
        for number in range(12):
            await house.put(house.code(person, once=str(number)))
    first, second = Outbox(house.database), Outbox(house.database)

    async def work(outbox: Outbox) -> list[str]:
        mine: list[str] = []
        while batch := await outbox.claim_due(most=7, now=house.clock()):
            mine += [message.id for message in batch]
        return mine

    one, two = await asyncio.gather(work(first), work(second))
    claims = Counter(one + two)
    assert len(claims) == 120
    assert set(claims.values()) == {1}


async def test_a_worker_that_dies_before_the_hand_over_loses_nothing(house: House) -> None:
    person = await house.person()
    await house.put(house.code(person))
    outbox = Outbox(house.database)
    (dead,) = await outbox.claim_due(most=1, now=house.clock())
    assert await outbox.claim_due(most=1, now=house.clock()) == []
    house.clock.pass_by(CLAIM_LEASE)
    (taken,) = await outbox.claim_due(most=1, now=house.clock())
    assert taken.id == dead.id
    assert taken.attempt == 2
    # The dead one comes back, late: it may neither hand over nor mark.
    assert not await outbox.begin_hand_over(dead, now=house.clock())
    assert not await outbox.settle(dead, End.SENT, now=house.clock())
    assert await outbox.begin_hand_over(taken, now=house.clock())


async def test_a_claim_that_ran_out_hands_nothing_over_even_if_nobody_took_it(house: House) -> None:
    await house.put(house.code(await house.person()))
    outbox = Outbox(house.database)
    (slow,) = await outbox.claim_due(most=1, now=house.clock())
    house.clock.pass_by(CLAIM_LEASE)
    assert not await outbox.begin_hand_over(slow, now=house.clock())


async def test_U5_marketing_goes_at_most_once_whoever_dies_over_it(house: House) -> None:
    await house.put(house.newsletter(await house.person(), once="campaign"))
    outbox = Outbox(house.database)
    (dead,) = await outbox.claim_due(most=1, now=house.clock())
    assert await outbox.begin_hand_over(dead, now=house.clock())
    house.clock.pass_by(HAND_OVER_LEASE)
    assert await outbox.mend_interrupted(now=house.clock()) == 1
    assert await house.rows() == [("uncertain", "message-outcome-unknown")]
    assert await outbox.claim_due(most=1, now=house.clock()) == []


@pytest.mark.parametrize(
    ("channel", "then"),
    [(Channel.EMAIL, ("waiting", "message-outcome-unknown")), (Channel.SMS, ("uncertain", "message-outcome-unknown"))],
)
async def test_a_worker_that_dies_during_the_hand_over_mail_goes_again_and_sms_does_not(
    house: House, channel: Channel, then: tuple[str, str]
) -> None:
    await house.put(house.code(await house.person(), channel=channel))
    outbox = Outbox(house.database)
    (message,) = await outbox.claim_due(most=1, now=house.clock())
    assert await outbox.begin_hand_over(message, now=house.clock())
    assert await outbox.mend_interrupted(now=house.clock()) == 0
    house.clock.pass_by(HAND_OVER_LEASE)
    assert await outbox.mend_interrupted(now=house.clock()) == 1
    assert await house.rows() == [then]
    again = await outbox.claim_due(most=1, now=house.clock())
    assert [other.id for other in again] == ([message.id] if channel is Channel.EMAIL else [])


async def test_R3_the_sealed_parameters_go_when_the_message_has_gone(house: House) -> None:
    await house.put(house.code(await house.person()))
    outbox = Outbox(house.database)
    (message,) = await outbox.claim_due(most=1, now=house.clock())
    assert await outbox.settle(message, End.SENT, now=house.clock())
    async with house.database.connection() as connection:
        assert await connection.fetchval("select sealed from outbox") is None
    house.clock.pass_by(KEEP_SETTLED - MINUTE)
    assert await outbox.prune(now=house.clock()) == 0
    house.clock.pass_by(DAY)
    assert await outbox.prune(now=house.clock()) == 1
    assert await house.rows() == []


async def test_R3_an_erased_persons_messages_are_swept(house: House) -> None:
    person, other = await house.person(), await house.person()
    await house.put(house.code(person))
    await house.put(house.code(other))
    async with house.database.transaction() as connection:
        assert await forget(connection, person) == 1
    assert len(await house.rows()) == 1


async def test_what_is_on_its_way_can_be_counted(house: House) -> None:
    person = await house.person()
    await house.put(house.code(person))
    await house.put(house.notice(person))
    assert await Outbox(house.database).open_counts() == {
        ("transactional", "waiting"): 1,
        ("service", "waiting"): 1,
    }
