"""A source system that lies, or that isn't one (S4, R1): about another's order, about when it closed, about itself."""

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY, HOUR, Instant
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.clients import parse_credential
from tests.adversary.conftest import acts, ordered
from tests.flows.conftest import Shop


def event(shop: Shop, name: str, *, by: str = "panel", at: Instant | None = None) -> CaseEvent:
    return CaseEvent(credential=shop.credentials[by], case="order:41877", name=name, at=at)


async def anchors(shop: Shop) -> dict[str, int]:
    row = await shop.house.grounds.database.pool.fetchrow("select anchors, opened_at, closed_at from cases")
    assert row is not None
    return {**row["anchors"], "opened": row["opened_at"], "closed": row["closed_at"]}


async def test_R1_a_system_that_is_no_source_of_orders_cant_prolong_a_closed_one(shop: Shop) -> None:
    await ordered(shop)
    shop.credentials["camera"] = parse_credential(
        await shop.house.clients.issue(name="camera", source="camera", roles=["security"])
    )
    await shop.house.cases.event(event(shop, "case-closed"))
    with pytest.raises(Refused) as refusal:
        await shop.house.cases.event(event(shop, "last-complaint", by="camera"))
    assert refusal.value.code == "source-not-named"
    assert "last-complaint" not in await anchors(shop)
    await shop.house.cases.event(event(shop, "last-complaint"))  # a complaint may come after the order was closed
    assert "last-complaint" in await anchors(shop)


async def test_R1_an_older_complaint_doesnt_shorten_what_a_newer_one_prolonged(shop: Shop) -> None:
    await ordered(shop)
    shop.clock.forward(10 * DAY)
    await shop.house.cases.event(event(shop, "last-complaint"))
    latest = (await anchors(shop))["last-complaint"]
    await shop.house.cases.event(event(shop, "last-complaint", at=Instant(shop.clock.now - 5 * DAY)))
    assert (await anchors(shop))["last-complaint"] == latest


async def test_R1_an_order_is_not_closed_before_it_was_opened(shop: Shop) -> None:
    await ordered(shop)
    shop.clock.forward(HOUR)
    await shop.house.cases.event(event(shop, "dispute-opened", at=Instant(0)))
    await shop.house.cases.event(event(shop, "case-closed", at=Instant(0)))
    found = await anchors(shop)
    assert found["closed"] == found["dispute-opened"] == found["opened"]


async def test_S4_a_refused_act_on_a_case_is_in_evidence(shop: Shop) -> None:
    one = await ordered(shop)
    two = await ordered(shop)
    for wanted in (
        PutCase(credential=shop.credentials["panel"], case=one.case or "", person=two.person),
        PutCase(credential=shop.credentials["panel"], case="incident:7", person="per_nobody"),
    ):
        with pytest.raises(Refused):
            await shop.house.cases.put(wanted)
    assert (await acts(shop)).count("case:work:refused") == 2


async def test_S6_a_wrong_credential_writes_no_evidence(shop: Shop) -> None:
    known = len(await acts(shop))
    stranger = parse_credential("omk_" + "a" * 26 + "_" + "x" * 43)
    with pytest.raises(Refused) as refusal:
        await shop.house.cases.put(PutCase(credential=stranger, case="order:1"))
    assert refusal.value.code == "credential-refused"
    assert len(await acts(shop)) == known


async def test_R3_work_on_an_erased_persons_case_adds_nothing_to_their_ledger(shop: Shop) -> None:
    order = await ordered(shop)
    pool = shop.house.grounds.database.pool
    await pool.execute("update persons set erased_at = $1", shop.clock.now)
    await pool.execute("delete from ledger")
    await shop.house.cases.event(event(shop, "case-closed"))
    assert await pool.fetchval("select count(*) from ledger where person = $1", order.person) == 0
