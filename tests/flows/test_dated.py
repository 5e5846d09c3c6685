"""The demo dates what it takes in; everywhere else the clock does, and a stated time is refused."""

from dataclasses import replace

import pytest

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, Instant
from omonat.flows.collect import Collect, CollectRequest
from tests.flows.conftest import Shop


def order(shop: Shop) -> CollectRequest:
    return CollectRequest(
        credential=shop.credentials["site"],
        service="order",
        items=shop.order_items(),
        version="1",
        consents={},
        case="order:long-ago",
    )


async def test_R1_outside_the_demo_a_stated_time_is_refused_and_nothing_is_kept(shop: Shop) -> None:
    production = Collect(shop.house.grounds)
    with pytest.raises(BadInput) as refused:
        await production(replace(order(shop), at=Instant(shop.clock.now - 90 * DAY)))
    assert refused.value.code == "time-not-taken"
    async with shop.house.grounds.database.connection() as connection:
        assert await connection.fetchval("select count(*) from records") == 0


async def test_R1_in_the_demo_record_case_and_due_follow_the_stated_time_and_the_entry_says_so(shop: Shop) -> None:
    then = Instant(shop.clock.now - 90 * DAY)
    today = await shop.house.collect(replace(order(shop), case="order:today"))
    stated = await shop.house.collect(replace(order(shop), at=then))
    async with shop.house.grounds.database.connection() as connection:
        rows = {
            row["id"]: row
            for row in await connection.fetch(
                "select r.id, r.collected_at, r.due_at, k.opened_at from records r join cases k on k.id = r.case_id"
            )
        }
    old, new = rows[stated.record], rows[today.record]
    assert (old["collected_at"], old["opened_at"]) == (then, then)
    assert (new["collected_at"], new["opened_at"]) == (shop.clock.now, shop.clock.now)
    assert (old["due_at"] is None) == (new["due_at"] is None)
    if old["due_at"] is not None:
        assert old["due_at"] < new["due_at"]


async def test_R1_a_time_to_come_is_now(shop: Shop) -> None:
    stated = await shop.house.collect(replace(order(shop), at=Instant(shop.clock.now + DAY)))
    async with shop.house.grounds.database.connection() as connection:
        at = await connection.fetchval("select collected_at from records where id = $1", stated.record)
    assert at == shop.clock.now
