"""A guardian sees and limits a child's data while the consent stands and the child is one; nobody else does (K3)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase_mine import Wanted
from omonat.flows.locking import Lock
from omonat.promises.children.guardian import Guarded, decide_guardian
from tests.erasure.stories import acts, closed, delivered, one, ordered
from tests.flows.conftest import Shop
from tests.flows.test_children import officer, refused, signed

BORN = date(2016, 3, 1)
MINE, OTHERS = "+998901112233", "+998904445566"


@dataclass
class Family:
    """A parent, their child, and a neighbour who has an account as well."""

    parent: str
    child: CollectAnswer
    neighbour: str


async def family(shop: Shop, *, born: date = BORN, childs_phone: str = "+998907778899") -> Family:
    parent = await ordered(shop, contact_mobile=MINE)
    child = await ordered(shop, contact_mobile=childs_phone)
    neighbour = await ordered(shop, contact_mobile=OTHERS)
    by = await officer(shop)
    await shop.house.children.signal(child.person, "parent", by="test")
    shop.clock.forward(SECOND)
    await shop.house.children.agree(signed(child.person, guardian="90 111 22 33", born=born), by=by)
    shop.clock.forward(SECOND)
    return Family(parent.person, child, neighbour.person)


def form(shop: Shop, person: str, **consents: bool) -> CollectRequest:
    items = {"contact.name": "Dilnoza Karimova", "contact.mobile": "+998907778899", "relationship.age-band": "under-14"}
    return CollectRequest(
        credential=shop.credentials["site"], service="registration", version="1", person=person, items=items,
        consents={name.replace("_", "-"): yes for name, yes in consents.items()},
    )  # fmt: skip


async def test_K3_a_guardian_sees_what_is_held_and_the_evidence_says_that_it_was_they(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians
    (ward,) = await guardians.wards(here.parent)
    assert (ward.person, ward.method, ward.restricted, ward.images) == (here.child.person, "signed-form", False, False)
    seen = await guardians.data(here.parent, here.child.person)
    assert seen.newest()["contact.name"].value == "Dilnoza Karimova"
    assert await acts(shop, "access:") == ["access:guardian:viewed"]
    entry = (await shop.house.my_data.who_looked(here.child.person)).entries[0]
    assert entry.act == "access:guardian:viewed"
    assert here.parent not in str(entry.facts)
    sealed = await one(shop, "select born from guardian_consents")
    assert b"2016" not in bytes(sealed)


async def test_K3_nobody_else_reaches_a_childs_data(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians
    child, nobody = here.child.person, "per_" + "a" * 26
    for who, whom in (
        (here.neighbour, child), (child, child), (here.parent, here.neighbour), (here.parent, here.parent),
        (here.neighbour, here.parent), (here.parent, nobody), (nobody, child), (here.parent, "' or true --"),
    ):  # fmt: skip
        tried = (
            guardians.ward(who, whom),
            guardians.data(who, whom),
            guardians.standing(who, whom),
            guardians.choose(who, whom, kind="restriction", state="given"),
            guardians.plan(who, whom, Wanted()),
            guardians.ask(who, whom, Wanted(), "contact.mobile", language="en"),
            guardians.erase(who, whom, Wanted(), ticket="cod_x", code="000000", token="t" * 43),
            guardians.withdraw(who, whom),
        )
        for each in tried:
            with pytest.raises(Refused) as told:
                await each
            assert told.value.code == "not-the-guardian"
    assert await acts(shop, "access:") == []
    assert (await delivered(shop, here.child)).items, "nothing of what strangers tried had an effect"


async def test_K3_a_guardian_limits_and_allows_again_and_the_child_alone_does_not(shop: Shop) -> None:
    here, guardians, choose = await family(shop), shop.house.guardians, shop.house.choose
    child = here.child.person
    await guardians.choose(here.parent, child, kind="restriction", state="given")
    assert await refused(shop, here.child) == "person-restricted"
    shop.clock.forward(SECOND)
    with pytest.raises(Refused) as alone:
        await choose(Choosing(person=child, kind="restriction", state="withdrawn", door="me"))
    assert alone.value.code == "guardian-decides"
    await guardians.choose(here.parent, child, kind="restriction", state="withdrawn")
    assert (await delivered(shop, here.child)).items
    mail = Choosing(person=child, kind="consent", purpose="marketing-email", state="given", door="me")
    with pytest.raises(Refused) as told:
        await choose(mail)
    assert told.value.code == "guardian-decides"
    await guardians.choose(here.parent, child, kind="consent", purpose="marketing-email", state="given")
    assert "marketing-email" in (await guardians.standing(here.parent, child)).consents
    shop.clock.forward(SECOND)
    await choose(Choosing(person=child, kind="consent", purpose="marketing-email", state="withdrawn", door="me"))
    (last, *_) = await shop.house.my_data.choices(child)
    assert (last.state, last.door) == ("withdrawn", "me"), "a child may always refuse"


async def test_K3_a_childs_forms_are_taken_while_the_consent_stands(shop: Shop) -> None:
    here = await family(shop)
    child = here.child.person
    taken = await shop.house.collect(form(shop, child))
    assert taken.person == child
    with pytest.raises(Refused) as agreed:
        await shop.house.collect(form(shop, child, marketing_email=True))
    assert agreed.value.code == "guardian-decides"
    with pytest.raises(Refused) as other:
        await shop.house.collect(form(shop, here.neighbour))
    assert other.value.code == "child", "one child's consent is no other's"
    shop.clock.forward(SECOND)
    await shop.house.guardians.withdraw(here.parent, child)
    with pytest.raises(Refused) as after:
        await shop.house.collect(form(shop, child))
    assert after.value.code == "person-quarantined"


async def test_K3_a_guardian_who_takes_it_back_closes_everything_at_once(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians
    shut = await guardians.withdraw(here.parent, here.child.person)
    assert shut.until == shop.clock.now + 3 * DAY
    assert await refused(shop, here.child) == "person-quarantined"
    assert await guardians.wards(here.parent) == ()
    with pytest.raises(Refused):
        await guardians.data(here.parent, here.child.person)
    assert await acts(shop, "guardian:") == ["guardian:consent:given", "guardian:consent:withdrawn"]
    assert await one(shop, "select count(*) from work_items where rule = 'child' and closed_at is null") == 1


async def test_K3_access_ends_by_itself_when_the_child_comes_of_age(shop: Shop) -> None:
    day_before = shop.house.grounds.law
    policy = await day_before.current()
    today = policy.today(shop.clock.now)
    born = date(today.year - policy.child_under, today.month, today.day + 1 if today.day < 28 else today.day)
    if today.day >= 28:
        born = date(today.year - policy.child_under, today.month % 12 + 1, 1)
    here, guardians = await family(shop, born=born), shop.house.guardians
    assert await guardians.wards(here.parent)
    assert await guardians.let_grown_go() == 0
    shop.clock.forward(8 * DAY)
    assert await guardians.wards(here.parent) == ()
    with pytest.raises(Refused) as told:
        await guardians.data(here.parent, here.child.person)
    assert told.value.code == "not-the-guardian"
    assert await guardians.let_grown_go() == 1
    assert await guardians.let_grown_go() == 0
    assert (await acts(shop, "guardian:"))[-1] == "guardian:consent:ended"
    await shop.house.choose(
        Choosing(person=here.child.person, kind="consent", purpose="marketing-email", state="given", door="me")
    )
    assert (await delivered(shop, here.child)).items, "the data stays: it is the young person's own now"


async def test_K3_a_consent_names_one_person_who_can_sign_in_or_nobody(shop: Shop) -> None:
    parent, child = await ordered(shop, contact_mobile=MINE), await ordered(shop, contact_mobile="+998907778899")
    await ordered(shop, contact_mobile=MINE)
    by, agree = await officer(shop), shop.house.children.agree
    await shop.house.children.signal(child.person, "staff", by="test")
    own = "+998907778899"
    for typed, code in ((MINE, "guardian-several"), (OTHERS, "guardian-unknown"), (own, "guardian-unknown")):
        with pytest.raises(Refused) as told:
            await agree(signed(child.person, guardian=typed, born=BORN), by=by)
        assert told.value.code == code
    with pytest.raises(BadInput) as ageless:
        await agree(signed(child.person, guardian=MINE), by=by)
    assert ageless.value.code == "birth-date-needed"
    with pytest.raises(BadInput) as unborn:
        await agree(signed(child.person, born=date(2090, 1, 1)), by=by)
    assert unborn.value.code == "birth-date-needed"
    with pytest.raises(Refused) as grown:
        await agree(signed(child.person, born=date(1990, 1, 1)), by=by)
    assert grown.value.code == "child-of-age"
    with pytest.raises(BadInput):
        await agree(signed(child.person, guardian="nobody", born=BORN), by=by)
    assert await refused(shop, child) == "person-quarantined"
    await agree(signed(child.person), by=by)
    assert await shop.house.guardians.wards(parent.person) == (), "without a name the consent stands and opens no page"


async def test_K3_who_shares_a_phone_with_the_child_signs_in_as_themself(shop: Shop) -> None:
    here = await family(shop, childs_phone=MINE)
    ticket = await shop.house.sign_in.ask(MINE, language="en", caller="test")
    assert ticket
    waiting = await shop.house.grounds.database.pool.fetch("select person from outbox")
    assert [row["person"] for row in waiting] == [here.parent]
    await shop.house.guardians.withdraw(here.parent, here.child.person)


async def test_K3_a_guardian_deletes_with_a_code_of_their_own(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians
    await closed(shop, here.child)
    plan = await guardians.plan(here.parent, here.child.person, Wanted())
    assert plan.goes
    ticket = await guardians.ask(here.parent, here.child.person, Wanted(), "contact.mobile", language="en")
    assert await one(shop, "select person from outbox order by created_at desc limit 1") == here.parent
    with pytest.raises(Refused) as wrong:
        await guardians.erase(here.parent, here.child.person, Wanted(), ticket=ticket, code="no", token="t" * 43)
    assert wrong.value.code == "code-wrong"


def test_K3_an_age_nobody_can_tell_opens_nothing() -> None:
    today = date(2026, 12, 1)
    for consent, verdict in (
        (None, "Deny"), (Guarded(born=None), "CannotTell"), (Guarded(born=date(2013, 12, 2)), "Allow"),
        (Guarded(born=date(2013, 12, 1)), "Deny"),
    ):  # fmt: skip
        assert type(decide_guardian(consent, under=13, today=today)).__name__ == verdict


async def test_K3_a_guardian_puts_one_value_right_and_takes_a_copy_but_no_age_and_nothing_to_sign_in_with(
    shop: Shop,
) -> None:
    here, guardians = await family(shop), shop.house.guardians
    parent, child, record = here.parent, here.child.person, here.child.record
    await guardians.look_at(parent, child, record, "contact.name")
    await guardians.correct(parent, child, record, "contact.name", "Dilnoza Aliyeva")
    assert (await guardians.data(parent, child)).newest()["contact.name"].value == "Dilnoza Aliyeva"
    assert await one(shop, "select asked_by from erasures") == "guardian"
    for item, value in (
        ("contact.mobile", MINE),
        ("contact.email", "a@b.uz"),
        ("relationship.birth-date", "2010-01-01"),
    ):
        for doing in (
            guardians.look_at(parent, child, record, item),
            guardians.correct(parent, child, record, item, value),
        ):
            with pytest.raises(Refused) as told:
                await doing
            assert told.value.code == "correction-not-a-guardians"
    shop.clock.forward(SECOND)
    copy = await guardians.copy(parent, child, form="json", lock=Lock())
    assert copy.mine.person == child
    entry = (await shop.house.my_data.who_looked(child)).entries[0]
    assert (entry.act, entry.facts["form"]) == ("access:guardian:copied", "json")
    assert parent not in str(entry.facts)
    for stranger in (here.neighbour, child):
        for doing in (
            guardians.look_at(stranger, child, record, "contact.name"),
            guardians.correct(stranger, child, record, "contact.name", "X"),
            guardians.copy(stranger, child, form="json", lock=Lock()),
        ):
            with pytest.raises(Refused) as told:
                await doing
            assert told.value.code == "not-the-guardian"


@pytest.mark.parametrize("first", [True, False])
async def test_K3_a_consent_taken_back_while_the_data_is_read_lets_nothing_out(shop: Shop, first: bool) -> None:
    here, guardians = await family(shop), shop.house.guardians
    parent, child = here.parent, here.child.person

    def withdrawing(read: Any) -> Any:
        async def reading(*given: Any, **more: Any) -> Any:
            if first:
                await guardians.withdraw(parent, child)
                return await read(*given, **more)
            found = await read(*given, **more)
            await guardians.withdraw(parent, child)
            return found

        return reading

    guardians._take_away = withdrawing(guardians._take_away)
    with pytest.raises(Refused) as told:
        await guardians.copy(parent, child, form="json", lock=Lock())
    assert told.value.code in ("not-the-guardian", "person-unknown")


async def test_K3_a_page_of_a_childs_data_is_not_shown_once_the_consent_is_taken_back(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians
    read = guardians._my_data

    async def reading(*given: Any, **more: Any) -> Any:
        found = await read(*given, **more)
        await guardians.withdraw(here.parent, here.child.person)
        return found

    guardians._my_data = reading  # type: ignore[assignment]
    with pytest.raises(Refused) as told:
        await guardians.data(here.parent, here.child.person)
    assert told.value.code == "not-the-guardian"


async def test_K3_who_stops_being_the_guardian_meanwhile_corrects_nothing(shop: Shop) -> None:
    here, guardians = await family(shop), shop.house.guardians

    async def still(connection: object) -> None:
        await guardians._still(connection, here.neighbour, here.child.person)

    with pytest.raises(Refused) as told:
        await shop.house.correct.by_guardian(here.child.person, here.child.record, "contact.name", "X", still)
    assert told.value.code == "not-the-guardian"
    assert (await guardians.data(here.parent, here.child.person)).newest()["contact.name"].value == "Dilnoza Karimova"
