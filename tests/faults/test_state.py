"""The checker of keys finds what it is there for, and nothing else (I6, I8)."""

from typing import Any

import asyncpg
import pytest

from omonat.flows.erase import ErasureRequest
from tests.erasure.stories import ordered, swept
from tests.faults.state import unnamed_ends, wrong_keys
from tests.flows.conftest import Shop, clock, house, settings, shop

__all__ = ["clock", "house", "settings", "shop"]


class Between:
    """A connection that lets something due be swept between one look at the rows and the next."""

    def __init__(self, owner: Any, shop: Shop, person: str) -> None:
        self.owner = owner
        self.shop = shop
        self.person = person
        self.looks = 0

    async def fetchval(self, statement: str) -> Any:
        return await self.owner.fetchval(statement)

    async def fetch(self, statement: str) -> Any:
        rows = await self.owner.fetch(statement)
        self.looks += 1
        if self.looks == 1:
            await self.shop.house.erase(ErasureRequest(person=self.person))
            await swept(self.shop)
        return rows


@pytest.fixture
def database(shop: Shop) -> asyncpg.Pool:
    return shop.house.grounds.database.pool


async def test_what_is_swept_while_the_checker_looks_is_no_key_that_was_lost(
    shop: Shop, database: asyncpg.Pool
) -> None:
    order = await ordered(shop)
    between: Any = Between(database, shop, order.person)
    assert await wrong_keys(between, shop.house.grounds.vault) == []
    assert between.looks == 2
    assert await database.fetchval("select count(*) from erasures where destroyed_at is not null") == 1


@pytest.mark.parametrize("of", ["person", "evidence", "record"])
async def test_the_lost_key_of_somebody_who_is_held_is_found(shop: Shop, database: asyncpg.Pool, of: str) -> None:
    order = await ordered(shop)
    vault = shop.house.grounds.vault
    assert await wrong_keys(database, vault) == []
    asked = {"person": "slot from persons", "evidence": "evidence_slot from persons", "record": "slot from records"}
    slot = await database.fetchval(f"select {asked[of]} limit 1")
    vault.destroy_slots([slot])
    assert await wrong_keys(database, vault) == [f"{of} {slot} has no key"]
    assert order.person not in str(await wrong_keys(database, vault))


async def test_a_key_that_was_said_to_be_destroyed_and_is_not_is_found(shop: Shop, database: asyncpg.Pool) -> None:
    gone, stays = await ordered(shop), await ordered(shop)
    await shop.house.erase(ErasureRequest(person=gone.person))
    await swept(shop)
    vault = shop.house.grounds.vault
    assert await wrong_keys(database, vault) == []
    slot = await database.fetchval("select slot from persons where id = $1", stays.person)
    await database.execute("update erasures set slots = slots || $1::bigint", slot)
    assert await wrong_keys(database, vault) == [f"slot {slot} was said to be destroyed"]


async def test_a_key_that_was_destroyed_without_an_entry_is_found(shop: Shop, database: asyncpg.Pool) -> None:
    gone, stays = await ordered(shop), await ordered(shop)
    await shop.house.erase(ErasureRequest(person=gone.person))
    await swept(shop)
    vault = shop.house.grounds.vault
    assert vault.destroyed_since(0)
    assert await unnamed_ends(database, vault) == []
    slot = await database.fetchval("select slot from persons where id = $1", stays.person)
    vault.destroy_slots([slot])
    assert await unnamed_ends(database, vault) == [f"slot {slot} was destroyed, and no entry names it"]
