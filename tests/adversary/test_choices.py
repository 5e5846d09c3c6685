"""A marketer in a hurry (C1, C2, P2): whoever uses data by a permission doesn't report the permission."""

import pytest

from omonat.base.errors import Refused
from omonat.flows.choose import Choosing, Telling
from tests.adversary.conftest import acts, ordered
from tests.flows.conftest import Shop

HURRIED, HONEST = frozenset({"marketing"}), frozenset({"system"})


@pytest.mark.parametrize(
    ("kind", "state", "purpose"),
    [
        ("consent", "given", "marketing-sms"),
        ("agreement", "given", "marketing-sms"),
        ("objection", "withdrawn", "marketing-sms"),
        ("restriction", "withdrawn", ""),
    ],
)
async def test_C1_a_marketing_system_widens_nothing_for_itself(shop: Shop, kind: str, state: str, purpose: str) -> None:
    order = await ordered(shop)
    wanted = {"person": order.person, "kind": kind, "state": state, "purpose": purpose, "by": "omk_campaigns"}
    with pytest.raises(Refused) as refusal:
        await shop.house.choose(Choosing(**wanted, roles=HURRIED))  # type: ignore[arg-type]
    assert refusal.value.code == "permission-not-yours"
    assert (await acts(shop))[-1] == "choice:person:refused"
    assert await shop.house.choose(Choosing(**wanted, roles=HONEST))  # type: ignore[arg-type]
    assert await shop.house.choose(Choosing(**wanted))  # type: ignore[arg-type]  # the person themself


async def test_C3_a_marketing_system_may_always_report_that_somebody_said_no(shop: Shop) -> None:
    order = await ordered(shop)
    for kind, state, purpose in (
        ("consent", "withdrawn", "marketing-sms"),
        ("objection", "given", "marketing-sms"),
        ("restriction", "given", ""),
    ):
        assert await shop.house.choose(
            Choosing(person=order.person, kind=kind, state=state, purpose=purpose, roles=HURRIED)  # type: ignore[arg-type]
        )


async def test_P2_who_is_told_is_not_reported_by_who_waits_for_it_but_by_who_answers_for_it(shop: Shop) -> None:
    order = await ordered(shop)
    telling = {"person": order.person, "version": "1", "channel": "email"}
    with pytest.raises(Refused) as refusal:
        await shop.house.choose.tell(Telling(**telling, roles=HURRIED))  # type: ignore[arg-type]
    assert refusal.value.code == "permission-not-yours"
    policy = await shop.house.grounds.law.current()
    owner = policy.policy.promises["P2"].owner
    for roles in (HONEST, frozenset({owner})):
        assert await shop.house.choose.tell(Telling(**telling, roles=roles))  # type: ignore[arg-type]


async def test_C1_a_marketing_system_gives_itself_no_consent_by_a_form_either(shop: Shop) -> None:
    order = await ordered(shop)
    form = {
        "service": "newsletter", "case": None, "items": {"contact.email": "a@example.uz"}, "person": order.person,
        "consents": {"marketing-email": True},
    }  # fmt: skip
    with pytest.raises(Refused) as refusal:
        await ordered(shop, system="campaigns", **form)
    assert refusal.value.code == "permission-not-yours"
    assert await ordered(shop, system="site", **form)


async def test_C1_the_counter_writes_down_what_a_guest_said_at_the_counter(shop: Shop) -> None:
    order = await ordered(shop)
    said = {"person": order.person, "kind": "consent", "state": "given", "purpose": "marketing-call"}
    at_the_counter = {"roles": frozenset({"counter", "call-centre"}), "by": "omk_panel"}
    assert await shop.house.choose(Choosing(**said, **at_the_counter, source="counter"))  # type: ignore[arg-type]
    with pytest.raises(Refused):  # a camera offers nothing
        await shop.house.choose(Choosing(**said, **at_the_counter, source="camera"))  # type: ignore[arg-type]
