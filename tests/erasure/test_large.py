"""People with very many records: hiding them reads no more than hiding anybody, and asks each of their services. And
very many erased people: the sweeper doesn't ask each of them every round."""

from itertools import combinations

import asyncpg
import pytest

from omonat.database.migrate import migrate, shipped
from omonat.database.statements import load
from omonat.flows.erase import Erasure, ErasureRequest
from tests.erasure.stories import one
from tests.erasure.test_erase import subscribed
from tests.flows.conftest import Shop

MANY = 4_000
SERVICES = ("a-service-of-before", "newsletter", "order", "site-visit", "zz-of-before")
"""In the order of the index: those that no policy has any more stand before and behind the others."""
READ = """
select sum(pg_stat_get_xact_tuples_returned(c.oid)) from pg_class c left join pg_index i on i.indexrelid = c.oid
 where '{}'::regclass in (c.oid, i.indrelid)
"""


class _TakenBackError(Exception):
    """The hiding is rolled back: the person is there for the next look."""


async def given(shop: Shop, person: str, service: str, many: int) -> None:
    """So many records more, without sections; none is ever opened here."""
    await shop.house.grounds.database.pool.execute(
        """insert into records (id, person, service, version, slot, source, collected_at)
           select 'rec_' || $2 || n || $1, $1, $2, 1, b.last + n, 'site', now()
             from generate_series(1, $3::int) n, (select max(slot) + 1000000 as last from records) b""",
        person,
        service,
        many,
    )
    await shop.house.grounds.database.pool.execute("vacuum analyze records")


async def hidden(shop: Shop, person: str) -> tuple[bool, int]:
    """Whether hiding the person found that something may stay, and how many rows of records and their indices it read;
    taken back."""
    found: tuple[bool, int] | None = None

    async def also(connection: asyncpg.Connection, erasure: Erasure) -> None:
        nonlocal found
        stays = await connection.fetchval("select sealed_at is null from erasures where id = $1", erasure.id)
        found = stays, await connection.fetchval(READ.format("records"))
        raise _TakenBackError

    with pytest.raises(_TakenBackError):
        await shop.house.erase(ErasureRequest(person=person), also)
    assert found is not None
    return found


async def test_R3_hiding_somebody_with_very_many_records_reads_no_more_than_hiding_anybody(shop: Shop) -> None:
    little, large = (await subscribed(shop)).person, (await subscribed(shop)).person
    await given(shop, large, "newsletter", MANY)
    await given(shop, large, "site-visit", MANY)
    _, few = await hidden(shop, little)
    stays, many = await hidden(shop, large)
    assert not stays
    assert 0 < many <= few + 5, "fewer is no fault: which plan is taken may differ by a vacuum"
    assert await one(shop, "select count(*) from records where person = $1", large) == 2 * MANY + 1
    done = await shop.house.erase(ErasureRequest(person=large))
    assert done.stage == "swept"
    assert await one(shop, "select count(*) from records where person = $1", large) == 0
    assert (await shop.house.my_data(little)).newest()["contact.email"].value == "d@example.com"


async def test_R2_whatever_services_somebody_has_records_of_one_that_keeps_something_is_never_missed(
    shop: Shop,
) -> None:
    law = await shop.house.grounds.law.current()
    free = {service for service in SERVICES if service in law.services and not law.outlives_a_request(service)}
    assert free == {"newsletter", "site-visit"}
    for number in range(1, len(SERVICES) + 1):
        for services in combinations(SERVICES, number):
            person = (await subscribed(shop)).person  # a record of the newsletter
            for service in services:
                await given(shop, person, service, 2)
            stays, _ = await hidden(shop, person)
            assert stays == bool({*services} - free), services


async def test_R3_records_of_the_release_before_are_in_the_index_after_the_migration(empty_dsn: str) -> None:
    await migrate(empty_dsn, [one for one in shipped() if one.number < 41])
    connection = await asyncpg.connect(empty_dsn, server_settings={"search_path": "omonat"})
    try:
        await connection.execute(
            """insert into persons (id, slot, evidence_slot, language, created_at)
               select 'per_' || n, n, 100 + n, 'uz', now() from generate_series(1, 20) n;
               insert into records (id, person, service, version, slot, source, collected_at)
               select 'rec_' || n, 'per_' || (1 + n % 20), 'service-' || n % 3, 1, 1000 + n, 'site', now()
                 from generate_series(1, 3000) n"""
        )
        await migrate(empty_dsn, shipped())
        await connection.execute("vacuum analyze records")
        await connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        asked = "select service, count(*) from records where person = 'per_7' group by service order by service"
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {asked}"))
        assert "Index Only Scan using records_by_service" in plan
        assert [tuple(row) for row in await connection.fetch(asked)] == [(f"service-{n}", 50) for n in range(3)]
    finally:
        await connection.close()


async def test_R3_however_many_erasures_wait_for_the_look_up_key_a_round_reads_the_oldest_alone(shop: Shop) -> None:
    pool, waiting = shop.house.grounds.database.pool, load("omonat.promises.retention", "erasures.sql")
    await shop.house.erase(ErasureRequest(person=(await subscribed(shop)).person))
    (written,) = await pool.fetch("select swept_at from erasures where final_at is null")
    await pool.execute(
        """insert into erasures (id, scope, cause, asked_by, policy, slots, seal, lookup_epoch, hidden_at, swept_at,
                                 entries)
           select 'ers_' || n, 'person', 'asked', 'person', 1, '{}', '', 1, e.at, e.at, '{}'
             from generate_series(1, $2::int) n, lateral (select $1::timestamptz + n * interval '1 second' as at) e""",
        written["swept_at"],
        MANY,
    )
    await pool.execute("vacuum analyze erasures")
    async with shop.house.grounds.database.transaction() as connection:
        before = await connection.fetchval(READ.format("erasures"))  # of what this connection did a moment ago
        assert await waiting.waiting_since(connection) == written["swept_at"]
        read = await connection.fetchval(READ.format("erasures")) - before
    assert read <= 2, "its entry in the index, and its row"
