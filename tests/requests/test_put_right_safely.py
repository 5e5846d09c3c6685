"""What a correction that was asked for can't be made to do: change somebody else, or say what isn't so (Q1, Q2)."""

import asyncio
from typing import Any

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import MINUTE, SECOND
from omonat.flows.asked import RequestReceipt
from omonat.flows.collect import CollectRequest
from omonat.flows.correcting import AGES, Asked
from omonat.flows.erase import ErasureRequest
from omonat.flows.rightable import items_of_role
from omonat.promises.requests.facts import Outcome, Settled
from tests.erasure.stories import ordered, swept
from tests.erasure.test_holds import officers, placed
from tests.requests.conftest import Complaints
from tests.requests.test_put_right import OFFICER, customer, entries, held, taken, wants

BORN = "relationship.birth-date"
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


async def other_email(desk: Complaints, person: str) -> None:
    """The person gave another e-mail since."""
    desk.clock.forward(SECOND)
    letter = CollectRequest(
        credential=desk.shop.credentials["site"], service="newsletter", version="1", consents={"marketing-email": True},
        items={"contact.email": f"yangi{desk.clock.now}@example.uz"}, person=person,
    )  # fmt: skip
    await desk.house.collect(letter)


@pytest.mark.parametrize("since", ["changed", "erased"])
async def test_Q1_a_channel_that_is_no_longer_the_persons_puts_nothing_right_for_them(
    desk: Complaints, since: str
) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.mobile", value=NEW)
    if since == "changed":
        await other_email(desk, account.person)
    else:
        await desk.house.erase(ErasureRequest(person=account.person, items=("contact.email",)))
    await taken(desk, asked.number)
    right, officer = desk.house.put_right, desk.members[OFFICER]
    assert not (await right.offered(officer, asked.number)).known
    for act in (right.correct, right.erase):
        with pytest.raises(Refused) as refused:
            await act(officer, asked.number, "contact.mobile")
        assert refused.value.code == "correction-whose-unknown"
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]


async def test_Q1_a_channel_given_up_while_the_code_was_on_its_way_lets_nobody_in(desk: Complaints) -> None:
    account, items, asked, kept, code = await proposed(desk)
    await other_email(desk, account.person)
    with pytest.raises(Refused) as refused:
        await desk.house.put_right.enter_code(asked.number, kept, code, language="uz", code=asked.code)
    assert refused.value.code == "request-not-now"
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]


async def test_Q1_a_child_whose_phone_is_its_guardians_takes_nothing_from_the_guardian(desk: Complaints) -> None:
    parent, items = await customer(desk)
    child, _ = await customer(desk, items["contact.email"])
    await desk.house.grounds.database.pool.execute(
        "insert into guardian_consents (id, person, guardian, scope, method, reference, given_at, checked_by, entries)"
        " values ('gc_' || $1, $1, $2, 'data', 'test', '', $3, 'test', '{}')",
        child.person, parent.person, desk.clock.now,
    )  # fmt: skip
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira Yusupova")
    await taken(desk, asked.number)
    assert await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name")
    assert (await held(desk, parent.person))["contact.name"] == "Nodira Yusupova"
    assert (await held(desk, child.person))["contact.name"] == "Nodra Yusupova"


async def test_Q1_what_was_proved_counts_under_the_look_up_keys_there_are_by_then_and_goes_when_it_is_closed(
    desk: Complaints,
) -> None:
    (theirs, items), (left, other) = await customer(desk), await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.name", value="Nodira Yusupova")
    desk.clock.forward(SECOND)
    late = await wants(desk, other["contact.email"], item="contact.name", value="Nodira Yusupova")
    vault, keys = desk.house.grounds.vault, desk.house.sweeper.lookup_key
    before = vault.lookup_epoch
    await keys.begin(by="operator")
    await taken(desk, asked.number)
    await taken(desk, late.number)
    right, officer = desk.house.put_right, desk.members[OFFICER]
    assert (await right.offered(officer, asked.number)).known  # under the old key, and under both
    await desk.house.sweeper.round()
    assert (await right.offered(officer, asked.number)).known
    for _ in range(3):
        desk.clock.forward(2 * MINUTE)
        await swept(desk.shop)
    assert vault.oldest_lookup_epoch == before + 1
    await other_email(desk, left.person)
    with pytest.raises(Refused) as refused:
        await right.correct(officer, late.number, "contact.name")
    assert refused.value.code == "correction-whose-unknown"
    assert await right.correct(officer, asked.number, "contact.name")
    assert (await held(desk, theirs.person))["contact.name"] == "Nodira Yusupova"
    pool, kept = desk.house.grounds.database.pool, "select proved_channel is null from requests where number = $1"
    assert not await pool.fetchval(kept, asked.number)
    await desk.answer(OFFICER, asked.number, Outcome.DONE)
    await desk.sent()
    await desk.house.answer_requests.close(officer, asked.number)
    assert await pool.fetchval(kept, asked.number)


async def test_Q2_where_the_newest_value_must_stay_no_older_one_is_changed_in_its_place(desk: Complaints) -> None:
    account, items = await customer(desk)
    desk.clock.forward(SECOND)
    newest = await ordered(
        desk.shop, person=account.person, contact_name="Nodra Y.", contact_mobile=items["contact.mobile"]
    )
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.name", value="Nodira")
    await taken(desk, asked.number)
    await officers(desk.shop)
    hold = await placed(desk.shop, "record", newest.record)
    right, officer = desk.house.put_right, desk.members[OFFICER]
    with pytest.raises(Refused) as refused:
        await right.correct(officer, asked.number, "contact.name")
    assert refused.value.code == "correction-must-stay"
    await desk.house.holds.end(hold.id, by="901")
    await desk.house.holds.approve(hold.id, by="902")
    names = {each.record: each.value for each in (await desk.house.my_data(account.person)).held
             if each.item == "contact.name"}  # fmt: skip
    assert names == {account.record: items["contact.name"], newest.record: "Nodra Y."}
    assert await right.correct(officer, asked.number, "contact.name")
    names = {each.record: each.value for each in (await desk.house.my_data(account.person)).held
             if each.item == "contact.name"}  # fmt: skip
    assert names == {account.record: items["contact.name"], newest.record: "Nodira"}


async def test_K2_a_birth_date_is_nobodys_word_but_the_persons_own(
    desk: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, _ = await customer(desk)
    with pytest.raises(Refused) as asked:
        await wants(desk, person=account.person, door="privacy-center", item=BORN, value="2020-01-31")
    assert asked.value.code == "correction-not-here"

    async def never(*_told: Any) -> None:
        raise AssertionError("nothing is made")

    behind = Asked(number="A", by="person", facts={}, before=never, after=never)
    with pytest.raises(Refused) as typed:
        await desk.house.correct.by_request(account.person, BORN, "2020-01-31", behind)
    assert typed.value.code == "correction-not-here"
    policy = await desk.house.grounds.law.current()
    monkeypatch.setattr("omonat.flows.rightable.correctable", lambda policy, _role: tuple(policy.items))
    assert "contact.name" in items_of_role(policy, "privacy-officer")
    assert not [item for item in items_of_role(policy, "privacy-officer") if policy.item(item).kind in AGES]
    standing = "select quarantined_at is null from persons where id = $1"
    assert await desk.house.grounds.database.pool.fetchval(standing, account.person)


async def test_Q2_nothing_is_called_deleted_that_a_hold_keeps_since_it_was_looked_at(
    desk: Complaints, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, _ = await customer(desk)
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.email")
    await taken(desk, asked.number)
    await officers(desk.shop)
    planned = desk.house.erase.plan

    async def and_held(wanted: ErasureRequest) -> Any:
        plan = await planned(wanted)
        await placed(desk.shop, "person", account.person)
        return plan

    monkeypatch.setattr(desk.house.erase, "plan", and_held)
    with pytest.raises(Refused) as refused:
        await desk.house.put_right.erase(desk.members[OFFICER], asked.number, "contact.email")
    assert refused.value.code == "correction-must-stay"
    assert (await desk.house.follow_request.one_of_mine(account.person, asked.number)).settled is None
    assert not await desk.house.erase.of_person(account.person)
    assert await desk.house.grounds.database.pool.fetchval(
        "select count(*) from lookups where person = $1 and item = 'contact.email'", account.person
    )


async def partly_held(desk: Complaints) -> tuple[str, RequestReceipt]:
    """Somebody whose e-mail stands in two records, one of them under a hold, and who asks to have it put right."""
    account, items = await customer(desk)
    desk.clock.forward(SECOND)
    letter = CollectRequest(
        credential=desk.shop.credentials["site"], service="newsletter", version="1", consents={"marketing-email": True},
        items={"contact.email": items["contact.email"]}, person=account.person,
    )  # fmt: skip
    second = await desk.house.collect(letter)
    await officers(desk.shop)
    await placed(desk.shop, "record", second.record)
    return account.person, await wants(desk, person=account.person, door="privacy-center", item="contact.email")


async def test_Q2_what_is_deleted_in_part_is_told_and_answered_as_in_part(desk: Complaints) -> None:
    person, asked = await partly_held(desk)
    await taken(desk, asked.number)
    right, officer = desk.house.put_right, desk.members[OFFICER]
    gone = await right.erase(officer, asked.number, "contact.email")
    assert {stay.item for stay in gone.stays} == {"contact.email"}
    seen = await desk.house.follow_request.one_of_mine(person, asked.number)
    assert seen.settled is (await right.offered(officer, asked.number)).settled is Settled.ERASED_PARTLY
    with pytest.raises(Refused) as whole:
        await desk.answer(OFFICER, asked.number, Outcome.DONE)
    assert whole.value.code == "request-settled-partly"
    await desk.answer(OFFICER, asked.number, Outcome.PARTLY)
    (_, facts) = (await entries(desk, "request:person:erased"))[-1]
    assert (facts["partly"], facts["correction"]) == (True, gone.entries["hidden"])


async def corrected_by_themselves(desk: Complaints, person: str, name: str) -> None:
    """The person put their name right in the privacy center."""
    desk.clock.forward(SECOND)
    view = (await desk.house.my_data(person)).newest()["contact.name"]
    await desk.house.correct.begin(person, view.record, "contact.name", name, language="uz")


@pytest.mark.parametrize("typed", [None, "Nodira Yusupova"])
async def test_Q2_what_the_person_put_right_meanwhile_is_answered_as_done(desk: Complaints, typed: str | None) -> None:
    account, _ = await customer(desk)
    value = "" if typed else "Nodira Yusupova"
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.name", value=value)
    await taken(desk, asked.number)
    await corrected_by_themselves(desk, account.person, "Nodira Yusupova")
    assert await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name", typed)
    await desk.answer(OFFICER, asked.number, Outcome.DONE)
    seen = await desk.house.follow_request.one_of_mine(account.person, asked.number)
    assert (seen.settled, seen.outcome) == (Settled.CORRECTED, Outcome.DONE)
    (entry, facts) = (await entries(desk, "request:person:corrected"))[-1]
    assert facts["already"] is True
    row = await desk.house.grounds.database.pool.fetchrow("select * from requests where number = $1", asked.number)
    assert row is not None
    assert row["settled_by"] == entry


async def test_Q2_what_stands_there_unchanged_is_not_called_corrected_because_staff_typed_it(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.name")
    await taken(desk, asked.number)
    with pytest.raises(BadInput) as same:
        await desk.house.put_right.correct(desk.members[OFFICER], asked.number, "contact.name", items["contact.name"])
    assert same.value.code == "correction-same"
    assert (await desk.house.follow_request.one_of_mine(account.person, asked.number)).settled is None


async def test_Q1_a_new_phone_that_stands_there_by_then_is_done_once_its_code_is_typed(desk: Complaints) -> None:
    account, items = await customer(desk)
    asked = await wants(desk, items["contact.email"], item="contact.mobile", value=items["contact.mobile"])
    right = desk.house.put_right
    await taken(desk, asked.number)
    await right.correct(desk.members[OFFICER], asked.number, "contact.mobile")
    kept = await right.send_code(asked.number, language="uz", code=asked.code)
    code = str((await desk.message("new-channel-code"))["code"])
    assert await right.enter_code(asked.number, kept, code, language="uz", code=asked.code) is None
    await desk.answer(OFFICER, asked.number, Outcome.DONE)
    assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]


async def test_Q2_two_who_find_the_same_wrong_at_once_open_one_request(desk: Complaints) -> None:
    account, _ = await customer(desk)
    assert account.case is not None
    credential = await desk.house.inner_credential("desk")
    case, words = account.case, "Mijoz ismini boshqacha aytdi."
    right, counter = desk.house.put_right, desk.members["705"]
    seen = await asyncio.gather(
        *(right.found(counter, case, "contact.name", words, credential=credential) for _ in range(4))
    )
    assert len([each for each in seen if each is not None]) == 1
    assert len(await desk.house.follow_request.mine(account.person)) == 1


@pytest.mark.parametrize("act", ["answered", "released", "proposed", "reopened", "right-already"])
async def test_Q1_an_act_on_a_request_takes_its_person_first_as_erasing_and_correcting_do(
    desk: Complaints, act: str
) -> None:
    account, items = await customer(desk)
    value = items["contact.mobile"] if act == "right-already" else NEW
    asked = await wants(desk, person=account.person, door="privacy-center", item="contact.mobile", value=value)
    await taken(desk, asked.number)
    officer, number, right = desk.members[OFFICER], asked.number, desk.house.put_right
    if act == "reopened":
        await desk.answer(OFFICER, number, Outcome.REJECTED, "not-proved")
    kept = code = ""
    if act == "right-already":
        await right.correct(officer, number, "contact.mobile")
        kept = await right.send_code(number, language="uz", person=account.person)
        code = str((await desk.message("new-channel-code"))["code"])
    pool = desk.house.grounds.database.pool
    async with pool.acquire() as erasing, erasing.transaction():
        await erasing.execute("select from persons where id = $1 for update", account.person)
        acting = asyncio.create_task(
            {
                "answered": lambda: desk.answer(OFFICER, number, Outcome.REJECTED, "not-proved"),
                "released": lambda: desk.house.answer_requests.release(officer, number),
                "proposed": lambda: right.correct(officer, number, "contact.mobile"),
                "reopened": lambda: desk.house.follow_request.reopen_mine(account.person, number),
                "right-already": lambda: right.enter_code(number, kept, code, language="uz", person=account.person),
            }[act]()
        )
        behind = "select count(*) from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
        while not await erasing.fetchval(behind):
            assert not acting.done()
            await asyncio.sleep(0.01)
        await erasing.execute("select from requests where number = $1 for update nowait", number)  # it's still free
    await acting
