"""What a person is told is said once, and is true: a deletion's plan, and why something wasn't shown (A3, S4)."""

from dataclasses import replace

from omonat.base.instants import DAY
from omonat.center.delete import Staying, together
from omonat.center.looked import _REASONS
from tests.center.conftest import Center

ORDER = Staying(
    labels=("Name",),
    service="Order with delivery",
    reason="because the order or request is still open",
    until=DAY,  # type: ignore[arg-type]  # any instant
    waits=True,
    count=1,
)


def test_A3_what_stays_for_one_reason_until_one_day_is_said_once() -> None:
    tax = replace(ORDER, labels=("Amount",), reason="because a law asks for it", waits=False)
    said = together([ORDER, replace(ORDER, labels=("E-mail",)), tax, replace(ORDER, labels=("Amount",)), ORDER])
    assert [stay.labels for stay in said] == [("Name", "e-mail", "amount"), ("Amount",)]
    assert [stay.reason for stay in said] == [ORDER.reason, tax.reason]
    assert len(together([ORDER, replace(ORDER, count=2), replace(ORDER, service="Return")])) == 3


def test_S4_what_an_order_never_had_is_not_said_to_be_gone() -> None:
    assert _REASONS["only-in-an-older-record"] != _REASONS["no-longer-kept"]


async def test_R3_the_plan_of_an_open_order_says_its_reason_once(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/delete")
        plan = await reader.text()
        assert "name" in plan.lower()
        assert plan.count("because the order or request is still open") == 1
