"""What the stories of erasure have in common: orders, cases, sweeping, and looking at what is left."""

import asyncio
from collections.abc import Sequence
from typing import Any

from omonat.base.instants import DAY, Instant
from omonat.flows.cases import CaseEvent, PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.staff import Registration
from omonat.flows.use import UseAnswer, UseRequest
from tests.flows.conftest import Shop


async def ordered(shop: Shop, *, person: str | None = None, **items: object) -> CollectAnswer:
    """One order; `items` change what is given (`contact_mobile=…`; None leaves it out)."""
    shop.orders += 1
    changed = {name.replace("_", ".", 1).replace("_", "-"): value for name, value in items.items()}
    return await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="order",
            items=shop.order_items(**changed),
            version="1",
            consents={},
            case=f"order:{41876 + shop.orders}",
            person=person,
        )
    )


async def closed(shop: Shop, *orders: CollectAnswer) -> None:
    for order in orders:
        await event(shop, order, "case-closed")


async def event(shop: Shop, order: CollectAnswer, name: str) -> None:
    assert order.case is not None
    await shop.house.cases.event(CaseEvent(credential=shop.credentials["panel"], case=order.case, name=name))


async def swept(shop: Shop, *, believed: bool = True) -> int:
    """Sweep until nothing is left to do; how many records were looked at. `believed`: the time is confirmed first."""
    if believed:
        await shop.house.sweeper.confirm_clock(by="test")
    looked = 0
    for _ in range(200):
        done = await shop.house.sweeper.round()
        looked += done.records
        if not done.more:
            return looked
    raise AssertionError("the sweeper never comes to an end")


async def waits_or_is_done(shop: Shop, task: asyncio.Task[Any]) -> None:
    """Come back when the task waits for somebody's lock, or has ended."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    for _ in range(500):
        if task.done() or await shop.house.grounds.database.pool.fetchval(waiting):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it neither waits nor ends")


async def delivered(shop: Shop, order: CollectAnswer) -> UseAnswer:
    """What the courier sees."""
    assert order.case is not None
    await shop.house.cases.put(PutCase(credential=shop.credentials["panel"], case=order.case, assigned=("204",)))
    return await shop.house.use(
        UseRequest(
            credential=shop.credentials["courier-app"], purpose="deliver-order", case=order.case, on_behalf_of="204"
        )
    )


async def hired(shop: Shop, ref: str, role: str) -> str:
    """Somebody on the staff, trained for a year; their number comes back."""
    trained = Instant(shop.clock() + 365 * DAY)
    await shop.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="test")
    return ref


async def for_tax(shop: Shop, person: str) -> UseAnswer:
    """What the books see."""
    if "tax" not in shop.credentials:
        issued = await shop.house.clients.issue(name="tax", source="counter", roles=["finance"])
        shop.credentials["tax"] = parse_credential(issued)
    await hired(shop, "601", "finance")
    return await shop.house.use(
        UseRequest(credential=shop.credentials["tax"], purpose=TAX, person=person, on_behalf_of="601")
    )


TAX = "tax-reporting"


async def held(shop: Shop, person: str) -> dict[str, list[str]]:
    """What the tables hold of a person: records with the categories of their sections."""
    rows = await shop.house.grounds.database.pool.fetch(
        "select record, category from sections where person = $1 order by record, category", person
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["record"], []).append(row["category"])
    return found


async def acts(shop: Shop, prefix: str) -> Sequence[str]:
    rows: list[Any] = await shop.house.grounds.database.pool.fetch(
        "select act from entries where act like $1 order by at, txid, id", prefix + "%"
    )
    return [row["act"] for row in rows]


async def one(shop: Shop, statement: str, *values: object) -> Any:
    return await shop.house.grounds.database.pool.fetchval(statement, *values)


def later(instant: int, by: int) -> Instant:
    return Instant(instant + by)
