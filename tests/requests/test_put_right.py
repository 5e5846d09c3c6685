"""A correction that is asked for ends in one, in an erasure, or in a reason, and never by an unproved word (Q2, Q1)."""

import itertools
from typing import Any

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.evidence.entry import decode
from omonat.flows.asked import RequestReceipt
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase import ErasureRequest
from omonat.promises.requests.facts import Kind, Outcome, Settled, State
from tests.erasure.stories import ordered
from tests.erasure.test_holds import officers, placed
from tests.requests.conftest import ANSWER, Complaints

OFFICER = "701"
_people = itertools.count(1_000_000)


async def customer(desk: Complaints, email: str | None = None) -> tuple[CollectAnswer, dict[str, Any]]:
    """Somebody with an open order and a newsletter that comes to an e-mail of theirs alone."""
    number = next(_people)
    email = email or f"nodira{number}@example.uz"
    order = await ordered(desk.shop, contact_name="Nodra Yusupova", contact_mobile=f"+99890{number}")
    letter = CollectRequest(
        credential=desk.shop.credentials["site"], service="newsletter", items={"contact.email": email}, version="1",
        consents={"marketing-email": True}, person=order.person,
    )  # fmt: skip
    await desk.house.collect(letter)
    return order, {"contact.name": "Nodra Yusupova", "contact.email": email, "contact.mobile": f"+99890{number}"}


async def wants(desk: Complaints, contact: str = "", **more: Any) -> RequestReceipt:
    """A correction, asked for and proved."""
    asked = await desk.ask(Kind.CORRECTION, contact=contact, **more)
    if asked.waits_for_proof:
        proof = str((await desk.message("request-code"))["code"])
        await desk.house.ask.confirm(asked.number, asked.code, proof)
    return asked


async def taken(desk: Complaints, number: str, ref: str = OFFICER) -> None:
    desk.clock.forward(SECOND)
    await desk.house.answer_requests.claim(desk.members[ref], number)


async def held(desk: Complaints, person: str) -> dict[str, Any]:
    return {item: each.value for item, each in (await desk.house.my_data(person)).newest().items()}


async def entries(desk: Complaints, act: str) -> list[Any]:
    rows = await desk.house.grounds.database.pool.fetch("select id, body from entries where act = $1 order by at", act)
    return [(row["id"], decode(row["body"]).facts) for row in rows]


async def test_Q2_a_correction_asked_for_without_an_account_is_made_at_the_desk_and_the_person_sees_it(
    desk: Complaints,
) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira Yusupova")
    officer, right = desk.members[OFFICER], desk.house.put_right
    await taken(desk, asked.number)
    offer = await right.offered(officer, asked.number)
    assert (offer.known, offer.item, offer.given, offer.settled) == (True, "contact.name", True, None)
    assert "contact.name" in offer.items
    with pytest.raises(Refused) as early:
        await desk.answer(OFFICER, asked.number, Outcome.DONE)
    assert early.value.code == "request-not-settled"
    assert await right.correct(officer, asked.number, "contact.name")  # sealed: nobody here read it
    assert (await held(desk, account.person))["contact.name"] == "Nodira Yusupova"
    with pytest.raises(Refused) as late:
        await desk.answer(OFFICER, asked.number, Outcome.REJECTED, "is-right")
    assert late.value.code == "request-already-settled"
    with pytest.raises(Refused):
        await right.correct(officer, asked.number, "contact.name", "Boshqa")  # it is settled
    await desk.answer(OFFICER, asked.number, Outcome.DONE)

    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.settled, seen.item, seen.answers) == (Settled.CORRECTED, "contact.name", (ANSWER,))
    told = {entry.act: entry for entry in (await desk.house.my_data.who_looked(account.person)).entries}
    made, done = (
        (await entries(desk, "correction:item:made"))[-1],
        (await entries(desk, "request:person:corrected"))[-1],
    )
    assert told["correction:item:made"].id == made[0] == done[1]["correction"]
    assert (made[1]["by"], made[1]["role"], done[1]["item"]) == ("staff", "privacy-officer", "contact.name")
    assert "request" in made[1]  # a commitment: the log names no case
    assert asked.number not in str(made) + str(done)
    row = await desk.house.grounds.database.pool.fetchrow("select * from requests where number = $1", asked.number)
    assert row is not None
    assert row["proposed"] is None
    (gone,) = await desk.house.erase.of_person(account.person)
    assert (gone.cause, gone.items) == ("inaccurate", ("contact.name",))


async def test_Q2_an_unproved_request_changes_nobody_and_can_be_neither_taken_nor_settled(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await desk.ask(Kind.CORRECTION, contact=items["contact.email"], item="contact.name", value="Oʻgʻri")
    officer = desk.members[OFFICER]
    for act in (
        desk.house.answer_requests.claim(officer, asked.number),
        desk.house.put_right.correct(officer, asked.number, "contact.name"),
        desk.house.put_right.erase(officer, asked.number, "contact.name"),
    ):
        with pytest.raises(Refused):
            await act
    assert (await held(desk, account.person))["contact.name"] == items["contact.name"]


async def test_Q2_a_channel_that_several_people_have_opens_nobodys_data(desk: Complaints) -> None:
    shared = f"oila{desk.clock.now}@example.uz"
    first, _ = await customer(desk, shared)
    desk.clock.forward(SECOND)
    await customer(desk, shared)
    asked = await wants(desk, shared, item="contact.name", value="Kimdir")
    await taken(desk, asked.number)
    officer = desk.members[OFFICER]
    offer = await desk.house.put_right.offered(officer, asked.number)
    assert (offer.known, offer.items) == (False, ())
    for act in (desk.house.put_right.correct, desk.house.put_right.erase):
        with pytest.raises(Refused) as refused:
            await act(officer, asked.number, "contact.name")
        assert refused.value.code == "correction-whose-unknown"
    assert (await held(desk, first.person))["contact.name"] == "Nodra Yusupova"
    await desk.answer(OFFICER, asked.number, Outcome.REJECTED, "not-proved")
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.outcome, seen.reason) == (Outcome.REJECTED, "not-proved")


async def test_Q1_a_number_that_went_to_somebody_else_since_it_was_proved_corrects_nothing(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira")
    await customer(desk, items["contact.email"])
    await taken(desk, asked.number)
    with pytest.raises(Refused) as refused:
        await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name")
    assert refused.value.code == "correction-whose-unknown"
    assert (await held(desk, account.person))["contact.name"] == "Nodra Yusupova"


async def test_Q1_a_new_phone_asked_for_counts_once_its_owner_typed_the_code(desk: Complaints) -> None:
    account, items = await customer(desk)
    new = "+998 93 555 01 02"
    asked = await wants(desk, items["contact.email"], item="contact.mobile", value=new)
    officer, right = desk.members[OFFICER], desk.house.put_right
    await taken(desk, asked.number)
    assert not await right.correct(officer, asked.number, "contact.mobile")
    assert (await desk.message("request-proof"))["request"] == asked.number
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]
    assert (await desk.house.follow_request.by_code(asked.number, asked.code, caller="")).proving
    with pytest.raises(Refused):
        await desk.answer(OFFICER, asked.number, Outcome.DONE)
    with pytest.raises(Refused):
        await right.send_code(asked.number, language="uz", code="A" * 16)
    kept = await right.send_code(asked.number, language="uz", code=asked.code)
    with pytest.raises(Refused) as wrong:
        await right.enter_code(asked.number, kept, "000000", language="uz", code=asked.code)
    assert wrong.value.code == "code-wrong"
    code = str((await desk.message("new-channel-code"))["code"])
    assert await right.enter_code(asked.number, kept, code, language="uz", code=asked.code) is None
    assert (await held(desk, account.person))["contact.mobile"] == "+998935550102"
    await desk.answer(OFFICER, asked.number, Outcome.DONE)


async def test_Q1_who_asked_signed_in_proves_the_new_phone_with_a_second_code(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.mobile", value="935550203")
    right = desk.house.put_right
    await taken(desk, asked.number)
    await right.correct(desk.members[OFFICER], asked.number, "contact.mobile")
    kept = await right.send_code(asked.number, language="uz", person=account.person)
    code = str((await desk.message("new-channel-code"))["code"])
    second = await right.enter_code(asked.number, kept, code, language="uz", person=account.person)
    assert second is not None
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]
    code = str((await desk.message("confirm-code"))["code"])
    assert await right.enter_code(asked.number, second, code, language="uz", person=account.person) is None
    assert (await held(desk, account.person))["contact.mobile"] == "+998935550203"


async def test_Q1_what_was_proved_is_what_is_asked_for_by_then(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.mobile", value="935550304")
    officer, right = desk.members[OFFICER], desk.house.put_right
    await taken(desk, asked.number)
    await right.correct(officer, asked.number, "contact.mobile")
    kept = await right.send_code(asked.number, language="uz", code=asked.code)
    code = str((await desk.message("new-channel-code"))["code"])
    await right.correct(officer, asked.number, "contact.mobile", "935550405")  # staff typed another one meanwhile
    with pytest.raises(Refused) as refused:
        await right.enter_code(asked.number, kept, code, language="uz", code=asked.code)
    assert refused.value.code == "request-not-now"
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]


async def test_Q2_the_item_is_erased_where_it_is_wrong_and_nobody_knows_better(desk: Complaints) -> None:
    account, _ = await customer(desk)
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.email")
    await taken(desk, asked.number)
    gone = await desk.house.put_right.erase(desk.members[OFFICER], asked.number, "contact.email")
    assert (gone.cause, gone.items) == ("inaccurate", ("contact.email",))
    assert "contact.email" not in await held(desk, account.person)
    await desk.answer(OFFICER, asked.number, Outcome.DONE)
    assert (await desk.house.follow_request.one_of_mine(account.person, asked.number)).settled is Settled.ERASED
    (_, facts) = (await entries(desk, "request:person:erased"))[-1]
    assert facts["correction"] == gone.entries["hidden"]


async def test_Q2_what_a_hold_keeps_is_refused_with_a_reason_the_person_is_told(desk: Complaints) -> None:
    account, items = await customer(desk)
    await officers(desk.shop)
    await placed(desk.shop, "person", account.person)
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira")
    await taken(desk, asked.number)
    officer, right = desk.members[OFFICER], desk.house.put_right
    for act in (right.correct, right.erase):
        with pytest.raises(Refused) as refused:
            await act(officer, asked.number, "contact.name")
        assert refused.value.code == "correction-must-stay"
    await desk.answer(OFFICER, asked.number, Outcome.REJECTED, "must-be-kept")
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.outcome, seen.reason, seen.settled) == (Outcome.REJECTED, "must-be-kept", None)


async def test_Q2_the_policy_and_the_items_own_rules_say_what_may_be_put_right(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"])
    right, officer = desk.house.put_right, desk.members[OFFICER]
    with pytest.raises(Refused):
        await right.correct(officer, asked.number, "contact.name", "Nodira")  # nobody has taken it
    await taken(desk, asked.number)
    for ref in ("702", "703", "704"):  # somebody else has it, and two of them may not at all
        with pytest.raises(Refused):
            await right.correct(desk.members[ref], asked.number, "contact.name", "Nodira")
    for item in ("transaction.amount", "relationship.birth-date", "transaction.password"):
        with pytest.raises(Refused) as refused:
            await right.correct(officer, asked.number, item, "1")
        assert refused.value.code == "correction-not-here"
    for typed in ("", "   ", "8600 4954 7331 6478"):
        with pytest.raises(BadInput):
            await right.correct(officer, asked.number, "contact.name", typed)
    with pytest.raises(Refused) as nothing:
        await right.correct(officer, asked.number, "contact.name")
    assert nothing.value.code == "correction-no-value"
    assert (await held(desk, account.person))["contact.name"] == "Nodra Yusupova"
    assert "request:person:refused" in await desk.acts()


@pytest.mark.parametrize(
    ("item", "value", "code"),
    [
        ("", "Nodira", "correction-item-needed"),
        ("transaction.amount", "5", "correction-not-here"),
        ("contact.email", "pochta emas", "value-malformed"),
        ("contact.name", "8600 4954 7331 6478", "value-malformed"),
    ],
)
async def test_Q2_what_is_asked_for_is_read_before_it_is_taken_in(
    desk: Complaints, item: str, value: str, code: str
) -> None:
    account, _ = await customer(desk)
    with pytest.raises((BadInput, Refused)) as refused:
        await wants(desk, person=account.person, door="privacy-center", item=item, value=value)
    assert refused.value.code.startswith(code)
    assert value not in str(refused.value) or not value


async def test_Q2_what_staff_find_wrong_opens_a_case_with_a_deadline_once_and_ends_in_one_of_three(
    desk: Complaints,
) -> None:
    account, _ = await customer(desk)
    assert account.case is not None
    right, counter = desk.house.put_right, desk.members["705"]
    credential = await desk.house.inner_credential("desk")
    words = "Mijoz ismini boshqacha aytdi."

    async def noted(item: str = "contact.name", case: str = account.case, who: str = "705") -> RequestReceipt | None:
        return await right.found(desk.members[who], case, item, words, credential=credential)

    for item, case, code in (
        ("contact.name", "order:1", "no-open-case"),
        ("transaction.amount", account.case, "correction-not-here"),
        ("contact.email", account.case, "item-not-needed"),
    ):
        with pytest.raises(Refused) as refused:
            await noted(item, case)
        assert refused.value.code == code
    found = await noted()
    assert found is not None
    assert desk.clock.now < found.due_at <= desk.clock.now + 5 * DAY
    assert await noted() is None  # once
    (mine,) = await desk.house.follow_request.mine(account.person)
    assert (mine.number, mine.found, mine.item, mine.state) == (found.number, True, "contact.name", State.CONFIRMED)
    assert "request:person:found" in {e.act for e in (await desk.house.my_data.who_looked(account.person)).entries}
    with pytest.raises(Refused):
        await desk.house.answer_requests.claim(counter, found.number)  # it isn't the counter's to decide
    await taken(desk, found.number)
    (line,) = [each for each in await desk.house.answer_requests.inbox(desk.members[OFFICER]) if each.mine and
               each.number == found.number]  # fmt: skip
    assert line.found
    with pytest.raises(Refused) as early:
        await desk.answer(OFFICER, found.number, Outcome.DONE)
    assert early.value.code == "request-not-settled"
    assert await right.correct(desk.members[OFFICER], found.number, "contact.name", "Nodira Yusupova")
    await desk.answer(OFFICER, found.number, Outcome.DONE)
    assert (await desk.message("finding-answered"))["request"] == found.number
    assert (await held(desk, account.person))["contact.name"] == "Nodira Yusupova"
    assert await noted() is not None  # found wrong again, it is a new case


async def test_Q2_taken_up_again_it_has_to_end_in_one_of_the_three_again(desk: Complaints) -> None:
    account, _ = await customer(desk)
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.name", value="Nodira")
    await taken(desk, asked.number)
    await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name")
    await desk.answer(OFFICER, asked.number, Outcome.DONE)
    await desk.house.follow_request.reopen_mine(account.person, asked.number)
    await taken(desk, asked.number)
    with pytest.raises(Refused) as early:
        await desk.answer(OFFICER, asked.number, Outcome.DONE)
    assert early.value.code == "request-not-settled"


async def test_R3_who_is_erased_meanwhile_is_taken_out_of_the_request(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira")
    await taken(desk, asked.number)
    await desk.house.erase(ErasureRequest(person=account.person))
    about = await desk.house.grounds.database.pool.fetchval(
        "select about from requests where number = $1", asked.number
    )
    assert about is None
    with pytest.raises(Refused) as refused:
        await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name")
    assert refused.value.code == "correction-whose-unknown"
