"""Erasures at the same moment, more than one process has connections to the database."""

import asyncio

from omonat.flows.erase import ErasureRequest
from tests.erasure.test_erase import subscribed
from tests.flows.conftest import Shop


async def test_R3_more_people_than_there_are_connections_are_erased_at_once_and_nobody_waits_for_ever(
    shop: Shop,
) -> None:
    most = shop.house.grounds.database.pool.get_max_size()
    people = [(await subscribed(shop)).person for _ in range(3 * most)]
    async with asyncio.timeout(30):
        done = await asyncio.gather(*(shop.house.erase(ErasureRequest(person=person)) for person in people))
    assert {one.stage for one in done} == {"swept"}
