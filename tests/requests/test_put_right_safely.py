"""What a correction that was asked for can't be made to do: change somebody else, or say what isn't so (Q1, Q2)."""

from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.promises.requests.facts import Outcome
from tests.requests.conftest import Complaints
from tests.requests.test_put_right import OFFICER, customer, held, taken, wants

NEW = "+998 93 555 70 01"


async def proposed(desk: Complaints) -> tuple[Any, dict[str, Any], Any, str, str]:
    """Somebody asked for a new phone, staff put it in, the code went there: person, items, request, step, code."""
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.mobile", value=NEW)
    await taken(desk, asked.number)
    assert not await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.mobile")
    kept = await desk.house.put_right.send_code(asked.number, language="uz", code=asked.code)
    return account, items, asked, kept, str((await desk.message("new-channel-code"))["code"])


@pytest.mark.parametrize("ended", ["rejected", "released", "reopened", "taken-again"])
async def test_Q1_a_code_changes_nothing_once_the_request_is_out_of_the_hands_that_asked_for_it(
    desk: Complaints, ended: str
) -> None:
    account, items, asked, kept, code = await proposed(desk)
    right, answers, officer = desk.house.put_right, desk.house.answer_requests, desk.members[OFFICER]
    if ended in ("released", "taken-again"):
        await answers.release(officer, asked.number)
    else:
        await desk.answer(OFFICER, asked.number, Outcome.REJECTED, "not-proved")
    if ended == "reopened":
        await desk.house.follow_request.reopen(asked.number, asked.code, caller="")
    if ended in ("reopened", "taken-again"):
        await taken(desk, asked.number)
    for act in (
        right.enter_code(asked.number, kept, code, language="uz", code=asked.code),
        right.send_code(asked.number, language="uz", code=asked.code),
    ):
        with pytest.raises(Refused) as refused:
            await act
        assert refused.value.code == "request-not-now"
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]
    row = await desk.house.grounds.database.pool.fetchrow("select * from requests where number = $1", asked.number)
    assert row is not None
    assert row["proof_asked_at"] is None
    assert (row["proposed"] is None) == (ended in ("rejected", "reopened"))


async def test_Q1_a_refusal_that_comes_between_the_look_and_the_lock_stops_the_code(
    desk: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, items, asked, kept, code = await proposed(desk)
    confirm, entered = desk.house.put_right._correct._confirm, desk.house.put_right._correct._confirm.enter

    async def meanwhile(*told: Any) -> None:
        await entered(*told)
        await desk.answer(OFFICER, asked.number, Outcome.REJECTED, "not-proved")

    monkeypatch.setattr(confirm, "enter", meanwhile)
    with pytest.raises(Refused) as refused:
        await desk.house.put_right.enter_code(asked.number, kept, code, language="uz", code=asked.code)
    assert refused.value.code == "request-not-now"
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]
