"""What nobody answers goes up to management by itself: once per step, seen by staff and by whoever asked (A2)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from examples.catcher import Catcher, listen
from omonat.base import failpoints
from omonat.base.failpoints import Tripped
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND
from omonat.evidence.entry import decode
from omonat.flows.erase import ErasureRequest
from omonat.flows.escalate import Escalate
from omonat.jobs import role_letters
from omonat.mail.role_letters import RoleLetters
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.promises.requests.escalation import Step
from omonat.promises.requests.facts import Kind, Outcome
from tests.faults.breaking import Failpoints
from tests.requests.conftest import TEXT, Complaints

NAME = "Gulnora Yoʻldosheva"
MAILBOX = "rahbariyat@beshqozon.uz"


async def rows(desk: Complaints, sql: str, *values: Any) -> list[Any]:
    return list(await desk.house.grounds.database.pool.fetch(sql, *values))


async def steps(desk: Complaints, number: str) -> list[str]:
    found = await rows(desk, "select step from escalations where number = $1 order by at, step", number)
    return [row["step"] for row in found]


async def work(desk: Complaints, number: str) -> list[str]:
    found = await rows(
        desk, "select missing from work_items where rule = 'escalated' and closed_at is null order by missing"
    )
    return [row["missing"] for row in found if row["missing"].startswith(number)]


async def entries(desk: Complaints) -> list[Any]:
    found = await rows(desk, "select body from entries where act = 'request:person:escalated' order by at, txid")
    return [decode(row["body"]) for row in found]


@pytest_asyncio.fixture(loop_scope="session")
async def post(desk: Complaints) -> AsyncIterator[tuple[Catcher, RoleLetters]]:
    """A real mail server, and who writes to it what went up."""
    catcher = Catcher(clock=desk.clock)
    server = await listen(catcher, port=0)
    port = server.sockets[0].getsockname()[1]
    carrier = SmtpCarrier(Relay(host="127.0.0.1", port=port, security="none"))
    yield catcher, role_letters(desk.house, carrier, await desk.house.grounds.law.current())
    server.close()
    await server.wait_closed()


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[Failpoints]:
    """This very process obeys a control file, until the test ends."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o700)
    (marked / failpoints.MARK).touch()
    control = Failpoints(tmp_path / "faults")
    failpoints.arm(control.control, marked)
    yield control
    failpoints.arm(None, marked)


async def test_A2_near_its_deadline_and_past_it_a_complaint_goes_up_once_each(desk: Complaints) -> None:
    asked = await desk.ask(contact="gulnora@example.uz", name=NAME)
    look, before = desk.house.escalate.look_after, len(await entries(desk))
    desk.clock.forward(7 * DAY + 11 * HOUR)
    await look()
    assert await steps(desk, asked.number) == []

    desk.clock.forward(HOUR)  # seven and a half of ten days: three quarters
    for _ in range(3):
        await look()
    assert await steps(desk, asked.number) == ["near"]
    assert await work(desk, asked.number) == [f"{asked.number} near"]
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.escalated, seen.escalated_to, seen.escalated_at) == (Step.NEAR, "management", desk.clock.now)

    desk.clock.forward(2 * DAY + 12 * HOUR)
    second = Escalate(desk.house.grounds)
    await asyncio.gather(*(each() for _ in range(4) for each in (look, second.look_after)))  # two workers, many rounds
    assert await steps(desk, asked.number) == ["near", "overdue"]
    assert await work(desk, asked.number) == [f"{asked.number} overdue"]
    told = [one for one in await entries(desk) if one.facts["due"] == asked.due_at]
    assert [(one.facts["step"], one.facts["role"]) for one in told] == [
        ("near", "management"),
        ("overdue", "management"),
    ]
    assert len(await entries(desk)) >= before + 2
    assert NAME not in str(told)
    assert asked.number not in str(told)  # the case is a commitment

    first = (await desk.house.answer_requests.inbox(desk.members["701"]))[0]
    assert (first.escalated, first.overdue) == (Step.OVERDUE, True)
    await desk.house.answer_requests.claim(desk.members["703"], asked.number)
    desk.clock.forward(SECOND)
    await desk.answer("703", asked.number)
    assert await work(desk, asked.number) == []
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert seen.escalated is None


async def test_A2_what_went_up_stands_first_whatever_its_deadline(desk: Complaints) -> None:
    late = await desk.ask(Kind.COMPLAINT)
    desk.clock.forward(9 * DAY)
    fresh = await desk.ask(Kind.CORRECTION, contact="lola@example.uz", proved=True)  # due in a few days
    await desk.house.escalate.look_after()
    desk.clock.forward(fresh.due_at - desk.clock.now - MINUTE)
    await desk.house.escalate.look_after()
    numbers = [line.number for line in await desk.house.answer_requests.inbox(desk.members["701"])]
    lines = {line.number: line for line in await desk.house.answer_requests.inbox(desk.members["701"])}
    assert numbers.index(late.number) < numbers.index(fresh.number)
    assert (lines[late.number].escalated, lines[fresh.number].escalated) == (Step.OVERDUE, Step.NEAR)
    gone_up = [line.number for line in await desk.house.answer_requests.gone_up(desk.members["703"])]
    assert fresh.number in gone_up  # of a kind that management may not read: it sees that it waits, and no more
    assert fresh.number not in [one.number for one in await desk.house.answer_requests.inbox(desk.members["703"])]
    assert not await desk.house.answer_requests.gone_up(desk.members["704"])

    # by the time it is read, another role was the owner when it went up
    await rows(desk, "update escalations set role = 'quality' where number = $1", fresh.number)
    assert fresh.number in [one.number for one in await desk.house.answer_requests.gone_up(desk.members["703"])]
    assert not await desk.house.answer_requests.gone_up(desk.members["704"])


async def test_A2_what_waits_for_its_code_does_not_go_up(desk: Complaints) -> None:
    asked = await desk.ask(Kind.DELETION, contact="nargiza@example.uz")
    desk.clock.forward(12 * DAY)
    await desk.house.escalate.look_after()
    assert await steps(desk, asked.number) == []


async def test_A2_taken_up_again_it_has_two_steps_of_its_own(desk: Complaints) -> None:
    asked = await desk.ask()
    desk.clock.forward(11 * DAY)
    await desk.house.escalate.look_after()
    assert await steps(desk, asked.number) == ["overdue"]  # nobody looked while it was near
    await desk.house.answer_requests.claim(desk.members["701"], asked.number)
    desk.clock.forward(SECOND)
    await desk.answer("701", asked.number, Outcome.REJECTED, "repeated")
    await desk.house.follow_request.reopen(asked.number, asked.code, caller="")
    await desk.house.escalate.look_after()
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert seen.escalated is None  # a new deadline runs, from now
    assert len(await steps(desk, asked.number)) == 1
    desk.clock.forward(8 * DAY)
    await desk.house.escalate.look_after()
    desk.clock.forward(3 * DAY)
    await desk.house.escalate.look_after()
    assert sorted(await steps(desk, asked.number)) == ["near", "overdue", "overdue"]
    assert await work(desk, asked.number) == [f"{asked.number} overdue"]


@pytest.mark.parametrize("point", ["escalate.written", "escalate.recorded", "escalate.committed"])
async def test_A2_cut_off_between_two_writes_it_still_goes_up_once(
    desk: Complaints, armed: Failpoints, point: str
) -> None:
    asked = await desk.ask()
    desk.clock.forward(10 * DAY)
    token = armed.arm(point, "raise")
    before = len(await entries(desk))
    with pytest.raises(Tripped):
        await desk.house.escalate.look_after()
    assert armed.happened(token)
    assert len(await entries(desk)) - before == len(
        await rows(desk, "select 1 from escalations where at = $1", desk.clock.now)
    )
    await desk.house.escalate.look_after()
    assert await steps(desk, asked.number) == ["overdue"]
    assert await work(desk, asked.number) == [f"{asked.number} overdue"]
    assert len([one for one in await entries(desk) if one.facts["due"] == asked.due_at]) == 1


async def test_A2_the_role_gets_a_letter_that_says_nothing_of_anybody(
    desk: Complaints, post: tuple[Catcher, RoleLetters]
) -> None:
    catcher, letters = post
    await rows(desk, "update escalations set letter = 'sent'")
    asked = await desk.ask(contact="gulnora@example.uz", name=NAME)
    desk.clock.forward(10 * DAY)
    await desk.house.escalate.look_after()
    sent = 0
    while await letters.once():
        sent += 1
    mine = [each for each in catcher.newest() if asked.number in each.text]
    assert len(mine) == 1
    assert mine[0].to == MAILBOX
    for value in (NAME, "gulnora", TEXT, asked.code):
        assert value not in mine[0].text
    assert "/desk/requests" in mine[0].text
    assert not await letters.once()
    assert sent == len(catcher.newest())


async def test_A2_a_letter_whose_worker_died_goes_again_and_is_recognisably_the_same(
    desk: Complaints, post: tuple[Catcher, RoleLetters], armed: Failpoints
) -> None:
    catcher, letters = post
    await rows(desk, "update escalations set letter = 'sent'")
    asked = await desk.ask()
    desk.clock.forward(10 * DAY)
    await desk.house.escalate.look_after()
    await rows(desk, "update escalations set letter = 'sent' where number <> $1", asked.number)
    token = armed.arm("escalate.handed-over", "raise")
    with pytest.raises(Tripped):
        await letters.once()
    assert armed.happened(token)
    assert not await letters.once()  # while it may still be under way, nobody else takes it
    desk.clock.forward(6 * MINUTE)
    assert await letters.once()
    assert len({dict(each.headers)["Message-ID"] for each in catcher.newest()}) == 1
    assert len(catcher.newest()) == 2
    (row,) = await rows(desk, "select letter, attempts from escalations where number = $1", asked.number)
    assert (row["letter"], row["attempts"]) == ("sent", 2)


async def test_A2_without_a_relay_the_letter_waits_and_the_step_stands(
    desk: Complaints,
) -> None:
    await rows(desk, "update escalations set letter = 'sent'")
    asked = await desk.ask()
    desk.clock.forward(10 * DAY)
    await desk.house.escalate.look_after()
    await rows(desk, "update escalations set letter = 'sent' where number <> $1", asked.number)
    carrier = SmtpCarrier(Relay(host="127.0.0.1", port=1, security="none"))
    letters = role_letters(desk.house, carrier, await desk.house.grounds.law.current())
    for _ in range(9):
        assert await letters.once()
        desk.clock.forward(3 * HOUR)
    (row,) = await rows(desk, "select letter, step from escalations where number = $1", asked.number)
    assert (row["letter"], row["step"]) == ("failed", "overdue")


async def test_A2_once_it_is_answered_nobody_is_written_that_nobody_answered(
    desk: Complaints, post: tuple[Catcher, RoleLetters]
) -> None:
    catcher, letters = post
    await rows(desk, "update escalations set letter = 'sent'")
    answered, again, open_ = [await desk.ask(contact=f"{name}@example.uz") for name in ("a", "b", "c")]
    desk.clock.forward(10 * DAY)
    await desk.house.escalate.look_after()
    mine = [one.number for one in (answered, again, open_)]
    await rows(desk, "update escalations set letter = 'sent' where not number = any($1)", mine)
    for one in (answered, again):
        await desk.house.answer_requests.claim(desk.members["701"], one.number)
        desk.clock.forward(SECOND)
        await desk.answer("701", one.number, Outcome.REJECTED, "repeated")
    ended = await rows(desk, "select number from escalations where letter = 'none' and number = any($1)", mine)
    assert {row["number"] for row in ended} == {answered.number, again.number}

    # a letter that was with a worker that died in that moment, and one whose request runs with another deadline
    await rows(desk, "update escalations set letter = 'handing-over' where number = any($1)", mine[:2])
    await desk.house.follow_request.reopen(again.number, again.code, caller="")
    assert await letters.once()
    assert not await letters.once()
    assert [one.number in catcher.newest()[0].text for one in (answered, again, open_)] == [False, False, True]
    left = await rows(desk, "select number, letter from escalations where number = any($1)", mine)
    assert {row["number"]: row["letter"] for row in left} == {
        answered.number: "none",
        again.number: "none",
        open_.number: "sent",
    }


async def test_A2_a_letter_that_a_deadline_is_near_is_not_sent_once_it_is_over(
    desk: Complaints, post: tuple[Catcher, RoleLetters]
) -> None:
    catcher, letters = post
    asked = await desk.ask()
    desk.clock.forward(8 * DAY)
    await desk.house.escalate.look_after()
    await rows(desk, "update escalations set letter = 'sent' where number <> $1", asked.number)
    desk.clock.forward(3 * DAY)
    assert await steps(desk, asked.number) == ["near"]
    assert not await letters.once()
    assert catcher.newest() == []
    (row,) = await rows(desk, "select letter from escalations where number = $1", asked.number)
    assert row["letter"] == "none"


async def test_A2_erased_with_its_person_it_is_no_work_any_more(desk: Complaints) -> None:
    asked = await desk.ask(contact="zilola@example.uz")
    desk.clock.forward(11 * DAY)
    await desk.house.escalate.look_after()
    assert await work(desk, asked.number) == [f"{asked.number} overdue"]
    (row,) = await rows(
        desk, "select k.person from requests r join cases k on k.id = r.case_id where r.number = $1", asked.number
    )
    await desk.house.erase(ErasureRequest(person=row["person"]))
    # the last of the person goes before anybody tidied requests
    await rows(desk, "update cases set person = null where person = $1", row["person"])
    await desk.house.answer_requests.lapse()
    assert await rows(desk, "select 1 from requests where number = $1", asked.number) == []
    assert await work(desk, asked.number) == []
