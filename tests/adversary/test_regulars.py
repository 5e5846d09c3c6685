"""Somebody who orders every week (U3, R3): what they gave once is still found behind what they gave since."""

from omonat.base.instants import DAY, Instant
from omonat.flows.cases import CaseEvent
from omonat.flows.staff import Registration
from omonat.flows.use import UseRequest
from tests.adversary.conftest import codes_waiting, ordered
from tests.flows.conftest import Shop


async def test_U5_an_address_given_before_many_orders_is_still_found(shop: Shop) -> None:
    given = {"contact.email": "a@example.uz", "contact.name": "Dilnoza Karimova"}
    consents = {"marketing-email": True}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents=consents)).person
    for _ in range(6):
        shop.clock.forward(DAY)
        await ordered(shop, person=person)
    answer = await shop.house.use(
        UseRequest(
            credential=shop.credentials["campaigns"],
            purpose="marketing-email",
            person=person,
            on_behalf_of="501",
            items=("contact.email",),
        )
    )
    assert answer.items == {"contact.email": "a@example.uz"}


async def test_R3_what_has_expired_since_doesnt_hide_what_is_still_kept(shop: Shop) -> None:
    given = {"contact.email": "a@example.uz", "contact.name": "Dilnoza Karimova"}
    consents = {"marketing-email": True}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents=consents)).person
    for _ in range(6):
        order = await ordered(shop, person=person)
        await shop.house.cases.event(
            CaseEvent(credential=shop.credentials["panel"], case=order.case or "", name="case-closed")
        )
    shop.clock.forward(500 * DAY)
    await shop.house.staff.put(
        Registration(ref="501", name="Xodim", role="marketing", trained_until=Instant(shop.clock.now + DAY)), by="test"
    )
    answer = await shop.house.use(
        UseRequest(
            credential=shop.credentials["campaigns"],
            purpose="marketing-email",
            person=person,
            on_behalf_of="501",
            items=("contact.email",),
        )
    )
    assert answer.items == {"contact.email": "a@example.uz"}
    await shop.house.sign_in.ask("a@example.uz", language="uz", caller="192.0.2.7")
    assert [whose for whose, _ in await codes_waiting(shop)] == [person]
