"""Whoever asks for what is not theirs leaves a trace (S4, B3), even when the very first check turns them away."""

import pytest

from omonat.base.errors import OmonatError, Refused
from omonat.flows.choose import Choosing, Telling
from omonat.flows.clients import parse_credential
from omonat.flows.lookup import LookupRequest
from omonat.flows.notify import Notification, Notify
from omonat.flows.staff import Registration
from omonat.flows.use import Credential, UseRequest
from omonat.promises.messages import Channel
from tests.adversary.conftest import PHONE, acts, ordered
from tests.flows.conftest import Shop


async def turned_away(shop: Shop, person: str, system: str, purpose: str, ref: str | None) -> str:
    with pytest.raises(Refused) as refusal:
        await shop.house.use(
            UseRequest(credential=shop.credentials[system], purpose=purpose, person=person, on_behalf_of=ref)
        )
    return refusal.value.code


async def test_S4_a_use_in_a_role_one_doesnt_have_is_in_evidence_and_the_person_sees_it(shop: Shop) -> None:
    order = await ordered(shop)
    assert await turned_away(shop, order.person, "courier-app", "marketing-email", "204") == "role-may-not"
    assert await turned_away(shop, order.person, "courier-app", "deliver-order", "999") == "staff-unknown"
    assert await turned_away(shop, order.person, "courier-app", "deliver-order", "301") == "role-unclear"
    assert await turned_away(shop, order.person, "panel", "deliver-order", None) == "staff-needed"
    assert (await acts(shop)).count("use:person:refused") == 4
    page = await shop.house.my_data.who_looked(order.person)
    codes = sorted(entry.facts["code"] for entry in page.entries if entry.act == "use:person:refused")
    assert codes == ["role-may-not", "role-unclear", "staff-needed", "staff-unknown"]
    assert "204" not in str(page.entries)


async def test_S4_a_system_with_the_courier_apps_secret_is_no_courier(shop: Shop) -> None:
    order = await ordered(shop)
    assert await turned_away(shop, order.person, "courier-app", "deliver-order", None) == "staff-needed"
    assert await turned_away(shop, order.person, "campaigns", "marketing-sms", None) == "staff-needed"
    used = "select count(*) from staff_usage"
    assert await shop.house.grounds.database.pool.fetchval(used) == 0
    assert (await acts(shop)).count("use:person:refused") == 2
    with pytest.raises(Refused) as refusal:
        await shop.house.lookup(
            LookupRequest(
                credential=shop.credentials["panel"], purpose="loyalty-rewards", item="contact.mobile", value=PHONE
            )
        )
    assert (refusal.value.code, refusal.value.about["role"]) == ("staff-needed", "counter")


async def test_B2_who_was_never_trained_cant_hide_behind_the_systems_credential(shop: Shop) -> None:
    order = await ordered(shop)
    lapsed = Registration(ref="502", name="Xodim", role="marketing", trained_until=shop.clock.now)
    await shop.house.staff.put(lapsed, by="test")
    await shop.house.choose(Choosing(person=order.person, kind="consent", purpose="marketing-sms", state="given"))
    assert await turned_away(shop, order.person, "campaigns", "marketing-sms", "502") == "training-lapsed"
    assert await turned_away(shop, order.person, "campaigns", "marketing-sms", None) == "staff-needed"


async def test_S4_whoever_asks_for_a_message_that_is_not_theirs_to_send_leaves_a_trace(shop: Shop) -> None:
    order = await ordered(shop)
    notify = Notify(shop.house.grounds)
    known = len(await acts(shop))

    async def asked(system: str, person: str) -> str:
        wanted = Notification(
            credential=shop.credentials[system], person=person, template="order-confirmation",
            purpose="order-messages", channel=Channel.SMS, params={"order": "1", "delivery": 0, "total": 1},
        )  # fmt: skip
        with pytest.raises(Refused) as refusal:
            await notify(wanted)
        return refusal.value.code

    assert await asked("campaigns", order.person) == "role-unclear"
    assert await asked("site", "per_nobody") == "person-unknown"
    shop.credentials["stranger"] = parse_credential("omk_" + "a" * 26 + "_" + "x" * 43)
    assert await asked("stranger", order.person) == "credential-refused"
    assert (await acts(shop))[known:] == ["message:person:refused"] * 2


async def test_S4_a_systems_report_that_is_refused_leaves_a_trace(shop: Shop) -> None:
    order = await ordered(shop)
    site = {"by": shop.credentials["site"].client, "roles": frozenset({"system"})}
    known = len(await acts(shop))
    reports = (
        Choosing(person=order.person, kind="consent", purpose="deliver-order", state="given", **site),
        Choosing(person="per_nobody", kind="restriction", state="given", **site),
    )
    for report in reports:
        with pytest.raises(Refused):
            await shop.house.choose(report)
    with pytest.raises(Refused):
        await shop.house.choose.tell(Telling(person="per_nobody", version="1", channel="email", **site))
    registration = Registration(ref="666", name="Xodim", role="courier", trained_until=shop.clock.now)
    with pytest.raises(Refused):
        await shop.house.staff.put_by(shop.credentials["campaigns"], registration)
    assert (await acts(shop))[known:] == ["choice:person:refused"] * 3 + ["staff:role:refused"]


async def test_S4_a_look_up_in_a_role_one_doesnt_have_is_in_evidence(shop: Shop) -> None:
    await ordered(shop)
    for system, ref in (("courier-app", "301"), ("courier-app", "999"), ("panel", None)):
        with pytest.raises(Refused):
            await shop.house.lookup(
                LookupRequest(
                    credential=shop.credentials[system],
                    purpose="take-order",
                    item="contact.mobile",
                    value=PHONE,
                    on_behalf_of=ref,
                )
            )
    assert (await acts(shop)).count("lookup:person:refused") == 3


async def test_S6_a_stranger_without_a_credential_fills_no_log(shop: Shop) -> None:
    order = await ordered(shop)
    known = len(await acts(shop))
    stranger = parse_credential("omk_" + "a" * 26 + "_" + "x" * 43)
    guesser = Credential(client=shop.credentials["site"].client, secret_digest=b"x" * 32)
    for credential in (stranger, guesser):
        with pytest.raises(OmonatError) as use:
            await shop.house.use(UseRequest(credential=credential, purpose="deliver-order", person=order.person))
        shop.credentials["stranger"] = credential
        with pytest.raises(OmonatError) as collect:
            await ordered(shop, system="stranger")
        assert (use.value.code, collect.value.code) == ("credential-refused", "credential-refused")
    assert len(await acts(shop)) == known
