"""A curious cashier with somebody's person id (S4): without a case it opens what members gave as members, no more."""

from typing import Any

from omonat.base.instants import DAY, SECOND, Instant
from omonat.flows.clients import parse_credential
from omonat.flows.staff import Registration
from omonat.flows.use import UseAnswer, UseRequest
from tests.adversary.conftest import ordered
from tests.flows.conftest import Shop

MEMBER = {"contact.name": "Aziz Rahimov", "contact.mobile": "+998935550101", "relationship.age-band": "35-44"}


async def curious(shop: Shop, person: str, purpose: str, ref: str = "301") -> UseAnswer:
    return await shop.house.use(
        UseRequest(credential=shop.credentials["panel"], purpose=purpose, person=person, on_behalf_of=ref)
    )


async def test_S4_counter_staff_see_nobodys_name_who_is_no_member(shop: Shop) -> None:
    guest = await ordered(shop)
    shop.clock.forward(SECOND)
    answer = await curious(shop, guest.person, "loyalty-rewards")
    assert answer.items == {}
    assert answer.records == ()
    assert answer.withheld["contact.name"].code == "no-relation"
    line = (await shop.house.my_data.who_looked(guest.person)).entries[0]
    assert line.act == "use:person:refused"
    assert "contact.name" in line.facts["withheld"]["no-relation"]


async def test_S4_a_member_is_known_by_what_they_gave_as_a_member_however_often_they_ordered_since(shop: Shop) -> None:
    member = await ordered(shop, service="loyalty-account", case=None, items=MEMBER)
    for _ in range(6):
        shop.clock.forward(DAY)
        await ordered(shop, person=member.person)
    answer = await curious(shop, member.person, "loyalty-rewards")
    assert answer.items["contact.name"] == "Aziz Rahimov"
    assert answer.records == (member.record,)


async def test_S4_the_call_centre_manages_accounts_of_those_who_have_one(shop: Shop) -> None:
    guest = await ordered(shop)
    assert (await curious(shop, guest.person, "account-management", "401")).items == {}
    registered = await ordered(shop, service="registration", case=None, items=MEMBER)
    assert "contact.name" in (await curious(shop, registered.person, "account-management", "401")).items


async def test_S4_finance_reports_what_was_paid_for_and_a_program_needs_no_relation(shop: Shop) -> None:
    order = await ordered(shop)
    shop.credentials["panel"] = parse_credential(
        await shop.house.clients.issue(name="books", source="counter", roles=["finance"])
    )
    trained: dict[str, Any] = {"trained_until": Instant(shop.clock.now + DAY)}
    await shop.house.staff.put(Registration(ref="801", name="Xodim", role="finance", **trained), by="test")
    assert set((await curious(shop, order.person, "tax-reporting", "801")).items) == {"transaction.amount"}
    program = UseRequest(credential=shop.credentials["site"], purpose="loyalty-rewards", person=order.person)
    assert "contact.name" in (await shop.house.use(program)).items
