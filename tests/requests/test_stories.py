"""A complaint from its form to its outcome, and what the nosy, the hurried and the angry try on the way."""

import asyncio

import pytest

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.instants import DAY, HOUR, SECOND, Instant
from omonat.base.verdict import CannotTell
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.requesting import code_of
from omonat.flows.use import UseRequest
from omonat.promises.requests.facts import Kind, Outcome, State
from omonat.promises.requests.rule import due_at
from tests.requests.conftest import ANSWER, TEXT, Complaints

MOBILE = "+998 90 765 43 21"


async def test_A2_anyone_complains_without_an_account_and_reads_the_answer_with_number_and_code(
    desk: Complaints,
) -> None:
    asked = await desk.ask(contact="gulnora@example.uz", name="Gulnora", language="uz")
    assert asked.due_at == desk.clock.now + 10 * DAY  # uz pack: answer-request, P10D
    assert not asked.waits_for_proof
    told = await desk.message("request-received")
    assert (told["request"], told["code"], told["channel"]) == (asked.number, asked.code, "email")
    follow, inbox = desk.house.follow_request, desk.house.answer_requests
    seen = await follow.by_code(asked.number.lower(), f"{asked.code[:4]} {asked.code[4:]}", caller="203.0.113.9")
    assert (seen.state, seen.answers) == (State.RECEIVED, None)

    manager = desk.members["703"]
    (line,) = [each for each in await inbox.inbox(manager) if each.number == asked.number]
    assert (line.kind, line.mine, line.taken, line.overdue) == (Kind.COMPLAINT, False, False, False)
    desk.clock.forward(SECOND)
    await inbox.claim(manager, asked.number)
    (purpose,) = await inbox.purposes(manager, line)
    shown = await desk.house.use(
        UseRequest(
            credential=await desk.house.inner_credential("desk"), purpose=purpose, case=line.case, on_behalf_of="703"
        )
    )
    assert shown.items["transaction.inquiry"] == TEXT
    assert "contact.email" not in shown.items  # management reads what it is about, and needs no address
    desk.clock.forward(SECOND)
    await desk.answer("703", asked.number)
    assert (await desk.message("request-answered"))["request"] == asked.number
    read = await follow.by_code(asked.number, asked.code, caller="203.0.113.9")
    assert (read.state, read.answers, read.outcome, read.asked) == (State.ANSWERED, (ANSWER,), Outcome.UPHELD, TEXT)

    with pytest.raises(Refused, match="has not left"):
        await inbox.close(manager, asked.number)
    await desk.sent()
    desk.clock.forward(SECOND)
    await inbox.close(manager, asked.number)
    read = await follow.by_code(asked.number, asked.code, caller="203.0.113.9")
    assert (read.state, read.answers) == (State.CLOSED, (ANSWER,))
    assert [act for act in await desk.acts() if not act.endswith("refused")][-4:] == [
        "request:person:received", "request:person:claimed", "request:person:answered", "request:person:closed",
    ]  # fmt: skip


async def test_A2_no_name_and_no_address_are_needed(desk: Complaints) -> None:
    asked = await desk.ask()
    row = await desk.house.grounds.database.pool.fetchrow("select * from requests where number = $1", asked.number)
    assert row["channel"] is None
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert seen.channel is None


async def test_Q2_what_concerns_data_waits_for_the_code_and_nothing_follows_before(desk: Complaints) -> None:
    with pytest.raises(BadInput, match="needs a phone or an e-mail"):
        await desk.ask(Kind.DELETION)
    pool = desk.house.grounds.database.pool
    lookups = await pool.fetchval("select count(*) from lookups")
    asked = await desk.ask(Kind.CORRECTION, contact=MOBILE)
    assert await pool.fetchval("select count(*) from lookups") == lookups  # who has that phone notices nothing
    assert asked.waits_for_proof
    officer, inbox = desk.members["701"], desk.house.answer_requests
    assert asked.number not in [line.number for line in await inbox.inbox(officer)]
    with pytest.raises(Refused, match="has not proved"):
        await inbox.claim(officer, asked.number)
    sent = await desk.message("request-code")
    wrong = "000000" if sent["code"] != "000000" else "111111"
    for _ in range(4):
        with pytest.raises(Refused, match="code"):
            await desk.house.ask.confirm(asked.number, asked.code, wrong)
    await desk.house.ask.confirm(asked.number, asked.code, str(sent["code"]))
    assert asked.number in [line.number for line in await inbox.inbox(officer)]
    with pytest.raises(Refused, match="code"):  # it works once
        await desk.house.ask.confirm(asked.number, asked.code, str(sent["code"]))
    assert (await desk.message("request-received"))["code"] == asked.code


async def test_Q2_after_five_wrong_codes_or_an_hour_a_new_one_is_needed(desk: Complaints) -> None:
    asked = await desk.ask(Kind.ACCESS, contact="shoira@example.uz")
    code = str((await desk.message("request-code"))["code"])
    for guess in range(5):
        with pytest.raises(Refused):
            await desk.house.ask.confirm(asked.number, asked.code, f"{(int(code) + guess + 1) % 1_000_000:06d}")
    with pytest.raises(Refused):
        await desk.house.ask.confirm(asked.number, asked.code, code)
    desk.clock.forward(SECOND)
    await desk.house.ask.send_again(asked.number, asked.code)
    fresh = str((await desk.message("request-code"))["code"])
    desk.clock.forward(HOUR)
    with pytest.raises(Refused):
        await desk.house.ask.confirm(asked.number, asked.code, fresh)
    await desk.house.ask.send_again(asked.number, asked.code)
    await desk.house.ask.confirm(asked.number, asked.code, str((await desk.message("request-code"))["code"]))


async def test_Q2_never_confirmed_it_is_closed_after_three_days_and_its_contact_goes(desk: Complaints) -> None:
    asked = await desk.ask(Kind.OBJECTION, contact="nodira@example.uz")
    desk.clock.forward(3 * DAY)
    await desk.house.answer_requests.lapse()
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.state, seen.outcome) == (State.CLOSED, Outcome.NEVER_CONFIRMED)
    with pytest.raises(Refused):
        await desk.house.ask.confirm(asked.number, asked.code, str((await desk.message("request-code"))["code"]))


@pytest.mark.parametrize("at_once", [False, True])
async def test_A2_two_officers_never_have_the_same_request(desk: Complaints, at_once: bool) -> None:
    asked = await desk.ask()
    inbox = desk.house.answer_requests
    if at_once:
        claims = [inbox.claim(desk.members[ref], asked.number) for ref in ("701", "702", "703") for _ in range(3)]
        done = await asyncio.gather(*claims, return_exceptions=True)
        assert sum(not isinstance(each, BaseException) for each in done) == 1
        assert {each.code for each in done if isinstance(each, OmonatError)} == {"request-taken"}
        return
    await inbox.claim(desk.members["701"], asked.number)
    for ref in ("701", "702"):  # nor twice by the same one
        with pytest.raises(Refused, match="Somebody else"):
            await inbox.claim(desk.members[ref], asked.number)
    with pytest.raises(Refused, match="Somebody else"):
        await desk.answer("702", asked.number)
    await inbox.release(desk.members["701"], asked.number)
    await inbox.claim(desk.members["702"], asked.number)
    await desk.answer("702", asked.number)


async def test_A2_nobody_closes_without_an_answer_nor_rejects_without_a_reason(desk: Complaints) -> None:
    asked = await desk.ask()
    inbox, officer = desk.house.answer_requests, desk.members["701"]
    with pytest.raises(Refused, match="Nobody has"):
        await desk.answer("701", asked.number)
    await inbox.claim(officer, asked.number)
    with pytest.raises(Refused, match="moved on"):
        await inbox.close(officer, asked.number)
    for outcome, reason in (
        (Outcome.REJECTED, None),
        (Outcome.REJECTED, "because"),
        (Outcome.UPHELD, "not-founded"),
        (Outcome.NEVER_CONFIRMED, None),
    ):
        with pytest.raises(Refused, match="rejection"):
            await desk.answer("701", asked.number, outcome, reason)
    await desk.answer("701", asked.number, Outcome.REJECTED, "not-founded")


async def test_A2_the_policy_says_who_may_answer(desk: Complaints) -> None:
    complaint, question = await desk.ask(), await desk.ask(Kind.QUESTION)
    inbox = desk.house.answer_requests
    numbers = {ref: {line.number for line in await inbox.inbox(desk.members[ref])} for ref in desk.members}
    assert {complaint.number, question.number} <= numbers["701"]
    assert complaint.number in numbers["703"]
    assert question.number not in numbers["703"]
    assert not numbers["704"]
    for number in (complaint.number, question.number):
        with pytest.raises(Refused):
            await inbox.claim(desk.members["704"], number)
        with pytest.raises(Refused):
            await inbox.one(desk.members["704"], number)
    assert "request:person:refused" in await desk.acts()


async def test_A2_the_earliest_deadline_stands_first_and_overdue_is_said(desk: Complaints) -> None:
    early = await desk.ask()
    desk.clock.forward(11 * DAY)
    late = await desk.ask()
    lines = await desk.house.answer_requests.inbox(desk.members["701"])
    open_ones = [line for line in lines if line.state is not State.ANSWERED]
    assert [line.due_at for line in open_ones] == sorted(line.due_at for line in open_ones)
    by_number = {line.number: line for line in lines}
    assert by_number[early.number].overdue
    assert not by_number[late.number].overdue


async def test_Q2_a_correction_is_due_after_three_working_days(desk: Complaints) -> None:
    """Beyond the years the pack lists every day counts; `tests/policy/test_working_days.py` has the listed ones."""
    asked = await desk.ask(Kind.CORRECTION, contact="lola@example.uz")
    deadline = (await desk.house.grounds.law.current()).deadline("correct")
    assert not isinstance(deadline, CannotTell)
    end = deadline.end(desk.clock.now, (await desk.house.grounds.law.current()).zone)
    assert not isinstance(end, CannotTell)
    assert asked.due_at == end.at >= desk.clock.now + 3 * DAY
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert seen.due_at == asked.due_at  # whoever asked is shown the very date


async def test_A2_an_unsettled_answer_is_taken_up_again_with_a_new_deadline(desk: Complaints) -> None:
    asked = await desk.ask()
    inbox, follow = desk.house.answer_requests, desk.house.follow_request
    with pytest.raises(Refused):
        await follow.reopen(asked.number, asked.code, caller="")
    await inbox.claim(desk.members["701"], asked.number)
    await desk.answer("701", asked.number)
    await inbox.close(desk.members["701"], asked.number)
    desk.clock.forward(DAY)
    with pytest.raises(Refused):
        await follow.reopen(asked.number, "A" * 16, caller="")
    await follow.reopen(asked.number, asked.code, caller="")
    seen = await follow.by_code(asked.number, asked.code, caller="")
    assert (seen.state, seen.due_at, seen.outcome) == (State.REOPENED, Instant(desk.clock.now + 10 * DAY), None)
    await inbox.claim(desk.members["702"], asked.number)
    desk.clock.forward(SECOND)
    await desk.answer("702", asked.number, Outcome.REJECTED, "repeated")
    seen = await follow.by_code(asked.number, asked.code, caller="")
    assert seen.answers == (ANSWER, ANSWER)
    desk.clock.forward(30 * DAY)
    await desk.sent()
    with pytest.raises(Refused, match="30 days"):
        await follow.reopen(asked.number, asked.code, caller="")
    await inbox.lapse()
    assert (await follow.by_code(asked.number, asked.code, caller="")).state is State.CLOSED


async def test_S6_a_number_opens_nothing_without_its_code_and_a_wrong_one_reads_alike(desk: Complaints) -> None:
    mine, yours = await desk.ask(), await desk.ask()
    follow = desk.house.follow_request
    refused = []
    for number, code in ((mine.number, yours.code), (mine.number, ""), ("ABCDEFGHJK", mine.code), ("", "")):
        with pytest.raises(Refused) as caught:
            await follow.by_code(number, code, caller="")
        refused.append(caught.value.code)
    made_up = "ABCDEFGHJK"  # even the right code of a number nobody was given
    with pytest.raises(Refused) as caught:
        await follow.by_code(made_up, code_of(desk.house.grounds.vault, made_up), caller="")
    assert {*refused, caught.value.code} == {"request-unknown"}
    for _ in range(120):
        with pytest.raises(Refused, match="no request"):
            await follow.by_code("ABCDEFGHJK", "A", caller="198.51.100.4")
    with pytest.raises(Refused, match="Too many"):
        await follow.by_code(mine.number, mine.code, caller="198.51.100.4")


@pytest.mark.parametrize("text", ["Kartam 8600 4954 7331 6478, pulni qaytaring", "CVV 123 ni soʻradi", "", "   "])
async def test_D2_a_card_in_the_text_is_refused_and_nothing_is_kept(desk: Complaints, text: str) -> None:
    pool = desk.house.grounds.database.pool
    before = await pool.fetchrow("select (select count(*) from requests), (select count(*) from records)")
    with pytest.raises(BadInput) as caught:
        await desk.ask(text=text)
    assert text.strip() == "" or text not in str(caught.value)
    assert await pool.fetchrow("select (select count(*) from requests), (select count(*) from records)") == before
    asked = await desk.ask()
    await desk.house.answer_requests.claim(desk.members["701"], asked.number)
    with pytest.raises(BadInput):
        await desk.house.answer_requests.answer(
            desk.members["701"], asked.number, text=text, outcome=Outcome.DONE, reason=None,
            credential=await desk.house.inner_credential("desk"),
        )  # fmt: skip
    assert (await desk.house.answer_requests.one(desk.members["701"], asked.number)).state is State.CLAIMED


async def test_S6_a_flood_ends_at_its_limit(desk: Complaints) -> None:
    for n in range(5):
        await desk.ask(contact="aziza@example.uz", caller=f"203.0.113.{n}")
    with pytest.raises(Refused, match="Too many"):
        await desk.ask(contact="AZIZA@example.uz", caller="203.0.113.99")
    for _ in range(20):
        await desk.ask(caller="198.51.100.1")
    with pytest.raises(Refused, match="Too many"):
        await desk.ask(caller="198.51.100.1")
    desk.clock.forward(HOUR)
    await desk.ask(contact="aziza@example.uz", caller="198.51.100.1")


async def test_P5_a_deadline_that_the_packs_dont_know_is_nobodys_guess(desk: Complaints) -> None:
    policy = await desk.house.grounds.law.current()
    unknown = policy.deadline("no-such-deadline")
    assert isinstance(unknown, CannotTell)
    assert isinstance(due_at(unknown, desk.clock.now, policy.zone), CannotTell)


async def test_A2_no_system_closes_or_moves_the_case_of_a_request(desk: Complaints) -> None:
    asked = await desk.ask()
    site = desk.shop.credentials["site"]
    case = f"complaint:{asked.number}"
    with pytest.raises(Refused):
        await desk.house.cases.event(CaseEvent(credential=site, case=case, name="case-closed"))
    with pytest.raises(Refused):
        await desk.house.cases.put(PutCase(credential=site, case=case, assigned=("204",)))
    await desk.house.answer_requests.claim(desk.members["701"], asked.number)
