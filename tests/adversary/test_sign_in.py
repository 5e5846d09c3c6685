"""Into somebody else's history by their number (S6, S4): a code goes to the channel that was typed, or nowhere."""

import time
from collections import Counter

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant
from omonat.flows.send import Withheld, send
from omonat.flows.sign_in import SecondProofNeeded, SignedIn
from omonat.jobs import _sweep, ports_of
from omonat.mail.outbox import Outbox
from tests.adversary.conftest import PHONE, codes_waiting, ordered
from tests.flows.conftest import Shop

OTHER = "+998937654321"


async def asked(shop: Shop, phone: str = PHONE) -> str:
    shop.clock.forward(SECOND)
    return await shop.house.sign_in.ask(phone, language="uz", caller="192.0.2.7")


async def signed_in(shop: Shop, phone: str = PHONE) -> SignedIn | SecondProofNeeded:
    ticket = await asked(shop, phone)
    return await shop.house.sign_in.enter(ticket, (await codes_waiting(shop))[-1][1])


async def test_S6_who_moved_on_from_a_number_draws_its_codes_to_no_other_phone(shop: Shop) -> None:
    victim = await ordered(shop)
    shop.clock.forward(MINUTE)
    thief = await ordered(shop)  # gives the victim's number …
    shop.clock.forward(MINUTE)
    await ordered(shop, mobile=OTHER, person=thief.person)  # … and then their own
    await asked(shop)
    assert [person for person, _ in await codes_waiting(shop)] == [victim.person]


async def test_S6_a_code_is_sent_to_the_channel_that_was_typed_or_not_at_all(shop: Shop) -> None:
    order = await ordered(shop)
    await asked(shop)
    shop.clock.forward(MINUTE)
    await ordered(shop, mobile=OTHER, person=order.person)  # between asking and sending
    outbox = Outbox(shop.house.grounds.database)
    (message,) = await outbox.claim_due(most=10, now=shop.clock.now)
    answer = await send(message, ports_of(shop.house), now=shop.clock.now)
    assert isinstance(answer, Withheld)
    assert [reason.code for reason in answer.reasons] == ["message-channel-moved"]


async def test_S6_a_number_given_lately_and_never_proved_does_not_open_an_older_history(shop: Shop) -> None:
    order = await ordered(shop)
    shop.clock.forward(MINUTE)
    await ordered(shop, mobile=OTHER, person=order.person)  # for a friend
    friend = await signed_in(shop, OTHER)
    assert isinstance(friend, SecondProofNeeded)
    assert (await shop.house.sign_in.prove(friend.token, "41877")).person == order.person
    assert isinstance(await signed_in(shop, OTHER), SignedIn)


async def test_S6_order_numbers_are_not_guessed_by_asking_for_ever_new_codes(shop: Shop) -> None:
    await ordered(shop)
    await ordered(shop)
    tries = 0
    for _ in range(6):
        outcome = await signed_in(shop)
        assert isinstance(outcome, SecondProofNeeded)
        refusals = Counter[str]()
        for guess in range(5):
            with pytest.raises(Refused) as refusal:
                await shop.house.sign_in.prove(outcome.token, f"{50_000 + tries + guess}")
            refusals[refusal.value.code] += 1
        tries += refusals["proof-wrong"]
        shop.clock.forward(HOUR)
    assert tries <= 10
    shop.clock.forward(DAY)
    outcome = await signed_in(shop)
    assert isinstance(outcome, SecondProofNeeded)
    assert await shop.house.sign_in.prove(outcome.token, "41877")


async def test_S6_the_daily_count_outlives_the_sweep(shop: Shop) -> None:
    await ordered(shop)
    await ordered(shop)
    shop.clock.now = Instant(shop.clock.now - shop.clock.now % DAY + DAY)
    for _ in range(2):
        outcome = await signed_in(shop)
        assert isinstance(outcome, SecondProofNeeded)
        for _ in range(5):
            with pytest.raises(Refused):
                await shop.house.sign_in.prove(outcome.token, "1")
        shop.clock.forward(3 * HOUR)
        await _sweep(shop.house)
    outcome = await signed_in(shop)
    assert isinstance(outcome, SecondProofNeeded)
    with pytest.raises(Refused) as refusal:
        await shop.house.sign_in.prove(outcome.token, "41877")
    assert refusal.value.code == "code-wrong"


async def test_S6_twenty_strangers_on_ones_number_dont_lock_one_out(shop: Shop) -> None:
    mine = await ordered(shop)
    for _ in range(21):
        shop.clock.forward(MINUTE)
        await ordered(shop)
    outcome = await signed_in(shop)
    assert isinstance(outcome, SecondProofNeeded)
    assert (await shop.house.sign_in.prove(outcome.token, "41877")).person == mine.person


async def test_S6_the_time_of_the_answer_doesnt_tell_who_is_known(shop: Shop) -> None:
    await ordered(shop)
    for phone in (PHONE, OTHER):
        began = time.monotonic()
        await asked(shop, phone)
        assert time.monotonic() - began >= 0.2  # both far more than either needs


async def test_S6_a_number_unseen_for_three_months_may_be_somebody_elses_by_now(shop: Shop) -> None:
    await ordered(shop)
    shop.clock.forward(89 * DAY)
    assert isinstance(await signed_in(shop), SignedIn)  # seen today
    shop.clock.forward(91 * DAY)
    assert isinstance(await signed_in(shop), SecondProofNeeded)
