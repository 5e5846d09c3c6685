"""Requests are kept and deleted like everything else: by the policy's retention, at an erasure, and in who looked."""

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.asked import RequestReceipt
from omonat.flows.erase import ErasureRequest
from omonat.flows.reconcile import Reconcile
from omonat.promises.requests.facts import Kind, Outcome, State
from tests.erasure.stories import swept as sweep
from tests.requests.conftest import ANSWER, Complaints


async def answered(desk: Complaints, kind: Kind = Kind.COMPLAINT) -> RequestReceipt:
    asked = await desk.ask(kind, contact="sevara@example.uz", name="Sevara")
    await desk.house.answer_requests.claim(desk.members["701"], asked.number)
    desk.clock.forward(SECOND)
    await desk.answer("701", asked.number)
    await desk.sent()
    desk.clock.forward(SECOND)
    await desk.house.answer_requests.close(desk.members["701"], asked.number)
    return asked


async def person_of(desk: Complaints, asked: RequestReceipt) -> str:
    sql = "select k.person from requests r join cases k on k.id = r.case_id where r.number = $1"
    return str(await desk.house.grounds.database.pool.fetchval(sql, asked.number))


async def swept(desk: Complaints) -> None:
    """Everything due is gone, and tidied up after."""
    await sweep(desk.shop)
    await desk.house.answer_requests.lapse()


async def held(desk: Complaints, person: str) -> set[str]:
    return {each.item for each in (await desk.house.my_data(person)).held}


@pytest.mark.parametrize(("kind", "contact_for"), [(Kind.QUESTION, 0), (Kind.COMPLAINT, 184)])
async def test_R1_the_contact_goes_first_and_in_the_end_the_request_itself(
    desk: Complaints, kind: Kind, contact_for: int
) -> None:
    asked = await answered(desk, kind)
    person = await person_of(desk, asked)
    if contact_for:  # a dispute may follow a complaint for six months
        assert "contact.email" in await held(desk, person)
        desk.clock.forward(contact_for * DAY)
    assert await held(desk, person) == {"contact.name", "transaction.inquiry", "transaction.answer"}
    await swept(desk)
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.state, seen.answers) == (State.CLOSED, (ANSWER,))
    desk.clock.forward(3 * 366 * DAY)
    await swept(desk)
    with pytest.raises(Refused, match="no request"):
        await desk.house.follow_request.by_code(asked.number, asked.code, caller="")


async def test_R3_when_whoever_asked_is_erased_the_request_ends_and_nobody_works_on_it(desk: Complaints) -> None:
    asked = await desk.ask(contact="kamola@example.uz")
    person = await person_of(desk, asked)
    await desk.house.erase(ErasureRequest(person=person))
    with pytest.raises(Refused):
        await desk.house.answer_requests.claim(desk.members["701"], asked.number)
    await desk.house.answer_requests.lapse()
    seen = await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    assert (seen.state, seen.outcome, seen.answers) == (State.CLOSED, Outcome.ERASED, None)
    assert asked.number not in [line.number for line in await desk.house.answer_requests.inbox(desk.members["701"])]
    await swept(desk)
    desk.clock.forward(4 * 366 * DAY)
    await swept(desk)
    with pytest.raises(Refused, match="no request"):
        await desk.house.follow_request.by_code(asked.number, asked.code, caller="")


async def test_B3_whoever_asked_sees_each_step_and_the_role_that_took_it(desk: Complaints) -> None:
    asked = await answered(desk)
    person = await person_of(desk, asked)
    page = await desk.house.my_data.who_looked(person)
    acts = [entry.act for entry in page.entries]
    for act in ("received", "claimed", "answered", "closed"):
        assert f"request:person:{act}" in acts
    claimed = next(entry for entry in page.entries if entry.act == "request:person:claimed")
    assert claimed.facts["role"] == "privacy-officer"
    assert asked.number not in str([entry.facts for entry in page.entries])


async def test_A1_rows_and_openings_account_for_each_other(desk: Complaints) -> None:
    asked = await answered(desk)
    await desk.house.follow_request.by_code(asked.number, asked.code, caller="")
    reconcile = Reconcile(desk.house.grounds)
    assert list(await reconcile.rows()) == []
    assert list((await reconcile.openings()).unexplained) == []
