"""Erasures at the same moment, more than one process has connections to the database."""

import asyncio

from omonat.base.settings import Settings
from omonat.flows.erase import ErasureRequest
from omonat.flows.publish_policy import Publication
from omonat.house import open_house
from tests.erasure.test_erase import subscribed
from tests.flows.conftest import Shop, document, packs


async def test_R3_more_people_than_there_are_connections_are_erased_at_once_and_nobody_waits_for_ever(
    shop: Shop, settings: Settings
) -> None:
    most = shop.house.grounds.database.pool.get_max_size()
    people = [(await subscribed(shop)).person for _ in range(6 * most)]
    await erased_at_once(shop, people[: 3 * most])
    async with open_house(settings, clock=shop.clock) as other:
        law = document(**{'version: "1"': 'version: "2"'})
        await other.publish(Publication(document=law, packs=packs(), author="staff:1", approver="staff:2"))
    await erased_at_once(shop, people[3 * most :])  # all of them meet a version that nobody here has read


async def erased_at_once(shop: Shop, people: list[str]) -> None:
    async with asyncio.timeout(30):
        done = await asyncio.gather(*(shop.house.erase(ErasureRequest(person=person)) for person in people))
    assert {one.stage for one in done} == {"swept"}
