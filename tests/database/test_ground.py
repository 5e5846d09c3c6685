"""The ground: types, transactions, statements, migrations and leases on a real PostgreSQL."""

import asyncio
import errno
from dataclasses import replace

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.instants import DAY, MINUTE, SECOND, Instant, from_rfc3339
from omonat.database import leases, statements
from omonat.database.codecs import FOREVER, NEVER
from omonat.database.migrate import Migration, migrate, shipped
from omonat.database.pool import Database

NOON = from_rfc3339("2026-12-01T12:00:00+05:00")


async def test_an_instant_goes_in_and_comes_out_to_the_microsecond(database: Database) -> None:
    odd = Instant(NOON + 1)
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select $1::timestamptz as one, $2::timestamptz[] as many, $1::timestamptz::text as text",
            odd,
            [NEVER, Instant(0), odd, FOREVER],
        )
        assert row["one"] == odd
        assert row["many"] == [NEVER, 0, odd, FOREVER]
        assert row["text"] == "2026-12-01 07:00:00.000001+00"
        endless = await connection.fetchrow("select 'infinity'::timestamptz as late, '-infinity'::timestamptz as early")
        assert (endless["late"], endless["early"]) == (FOREVER, NEVER)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcʼoʻў", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_json)
async def test_json_goes_in_and_comes_out_unchanged(module_database: Database, value: object) -> None:
    async with module_database.connection() as connection:
        assert await connection.fetchval("select $1::jsonb", value) == value


async def test_c3_nobody_waits_for_a_connection_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omonat.database.pool._PATIENCE", 0.2)
    taken, free = asyncio.Event(), asyncio.Event()

    async def holds() -> None:
        async with database.connection():
            taken.set()
            await free.wait()

    holding = [asyncio.create_task(holds()) for _ in range(database.pool.get_max_size())]
    await taken.wait()
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable) as busy:
        async with database.connection():
            pass
    assert busy.value.code == "database-busy"
    free.set()
    await asyncio.gather(*holding)
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_whoever_holds_two_connections_gets_no_third(database: Database) -> None:
    async with database.connection(), database.connection():
        with pytest.raises(RuntimeError, match="third"):
            async with database.connection():
                pass


async def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    async def change_my_mind() -> None:
        async with database.transaction() as connection:
            await leases.acquire(connection, "sweep", holder="one", now=NOON, lasting=MINUTE)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_my_mind()
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from leases") == 0


def noticed_as_lost(connection: asyncpg.Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken it away already
        return True


async def lost(owner: asyncpg.Connection, connection: asyncpg.Connection) -> None:
    """The server ends this connection, and the driver has noticed."""
    await owner.execute("select pg_terminate_backend($1)", connection.get_server_pid())
    async with asyncio.timeout(20):
        while not noticed_as_lost(connection):  # noqa: ASYNC110 - the driver tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", ["transaction", "connection"])
@pytest.mark.parametrize("noticed", [False, True])
async def test_a_database_that_is_gone_is_unavailable_and_not_a_crash(
    database: Database, owner: asyncpg.Connection, noticed: bool, way: str
) -> None:
    async def lose_the_connection() -> None:
        async with getattr(database, way)() as connection:
            if noticed:
                await lost(owner, connection)
            else:
                await owner.execute("select pg_terminate_backend($1)", connection.get_server_pid())
            await connection.fetchval("select 1")

    with pytest.raises(Unavailable) as refused:
        await lose_the_connection()
    assert refused.value.code == "database-unavailable"
    async with database.transaction() as connection:
        assert await connection.fetchval("select 1") == 1


@pytest.mark.parametrize("way", ["transaction", "connection"])
async def test_A1_who_is_cancelled_while_the_database_goes_is_cancelled_all_the_same(
    database: Database, owner: asyncpg.Connection, way: str
) -> None:
    """Whoever took the loss for an answer would go on with work that everybody else has stopped."""
    inside, on = asyncio.Event(), True

    async def work_for_ever() -> None:
        while on:
            try:
                async with getattr(database, way)() as connection:
                    await lost(owner, connection)
                    inside.set()
                    await asyncio.sleep(5)
            except Unavailable:
                await asyncio.sleep(0.01)

    task = asyncio.create_task(work_for_ever())
    async with asyncio.timeout(30):
        await inside.wait()
    task.cancel()
    await asyncio.wait([task], timeout=1)
    on = False
    assert task.cancelled()


async def test_a_wrong_password_or_name_is_unavailable_at_once(dsn: str) -> None:
    for wrong in (dsn.replace("passfile=", "passfile=/nowhere"), dsn.replace("/test_", "/nobody_")):
        with pytest.raises(Unavailable):
            await Database.connect(wrong)


async def test_a_mistake_of_ours_is_not_disguised_as_a_lost_database(database: Database) -> None:
    async def with_a_wrong_parameter() -> None:
        async with database.transaction() as connection:
            await connection.fetchval("select $1::int", "seven")

    async def with_a_full_disk_elsewhere() -> None:
        async with database.transaction():
            raise OSError(errno.ENOSPC, "no space for keys")

    with pytest.raises(asyncpg.DataError):
        await with_a_wrong_parameter()
    with pytest.raises(OSError, match="no space for keys"):
        await with_a_full_disk_elsewhere()


async def test_statements_are_called_by_name_and_read_by_name(database: Database) -> None:
    queries = statements.load("omonat.database", "leases.sql")
    assert statements.order(queries, "release") == ("name", "holder", "fence")
    assert "$3" in queries.release.sql
    assert any(file.name == "leases.sql" for file in statements.every_file())


class TestLeases:
    """One holder at a time, and a fence that only grows."""

    async def test_a_second_process_waits_until_the_lease_is_over_and_gets_a_higher_fence(
        self, database: Database
    ) -> None:
        async with database.connection() as connection:
            first = await leases.acquire(connection, "sequencer", holder="a", now=NOON, lasting=MINUTE)
            assert first is not None
            during = Instant(NOON + MINUTE - 1)
            assert await leases.acquire(connection, "sequencer", holder="b", now=during, lasting=MINUTE) is None
            second = await leases.acquire(connection, "sequencer", holder="b", now=first.until, lasting=MINUTE)
            assert second is not None
            assert second.fence > first.fence
            assert await leases.renew(connection, first, now=first.until, lasting=MINUTE) is None
            async with connection.transaction():
                await leases.confirm(connection, second)
                with pytest.raises(Unavailable) as lost:
                    await leases.confirm(connection, first)
            assert lost.value.code == "lease-lost"

    async def test_the_holder_renews_in_time_but_not_too_late(self, database: Database) -> None:
        async with database.connection() as connection:
            lease = await leases.acquire(connection, "sweep", holder="a", now=NOON, lasting=10 * SECOND)
            assert lease is not None
            longer = await leases.renew(connection, lease, now=Instant(NOON + 9 * SECOND), lasting=10 * SECOND)
            assert longer == replace(lease, until=NOON + 19 * SECOND)
            assert await leases.renew(connection, longer, now=longer.until, lasting=10 * SECOND) is None

    async def test_a_lease_taken_before_the_clock_was_set_back_is_nobodys_and_its_holder_writes_nothing_more(
        self, database: Database
    ) -> None:
        async with database.connection() as connection:
            before = await leases.acquire(connection, "sweep", holder="a", now=Instant(NOON + DAY), lasting=MINUTE)
            assert before is not None
            close = Instant(NOON + DAY - MINUTE)  # as another host's clock may be
            assert await leases.acquire(connection, "sweep", holder="b", now=close, lasting=MINUTE) is None
            after = await leases.acquire(connection, "sweep", holder="b", now=NOON, lasting=MINUTE)
            assert after is not None
            async with connection.transaction():
                with pytest.raises(Unavailable, match="taken over"):
                    await leases.confirm(connection, before)
            assert await leases.renew(connection, before, now=NOON, lasting=MINUTE) is None

    async def test_a_lease_given_back_is_free_at_once_and_its_fence_never_returns(self, database: Database) -> None:
        async with database.connection() as connection:
            lease = await leases.acquire(connection, "sweep", holder="a", now=NOON, lasting=DAY)
            assert lease is not None
            await leases.release(connection, lease)
            again = await leases.acquire(connection, "sweep", holder="a", now=NOON, lasting=DAY)
            assert again is not None
            assert again.fence == lease.fence + 1

    async def test_of_many_processes_exactly_one_gets_it(self, database: Database) -> None:
        async def attempt(holder: str) -> leases.Lease | None:
            async with database.connection() as connection:
                return await leases.acquire(connection, "sweep", holder=holder, now=NOON, lasting=MINUTE)

        won = [lease for lease in await asyncio.gather(*(attempt(f"p{n}") for n in range(16))) if lease]
        assert len(won) == 1

    async def test_a_writer_that_confirmed_keeps_takers_waiting_until_it_has_committed(
        self, database: Database
    ) -> None:
        async with database.connection() as connection:
            lease = await leases.acquire(connection, "sweep", holder="a", now=NOON, lasting=SECOND)
        assert lease is not None
        async with database.transaction() as writer:
            await leases.confirm(writer, lease)
            async with database.connection() as other:
                await other.execute("set lock_timeout = '50ms'")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await leases.acquire(other, "sweep", holder="b", now=lease.until, lasting=SECOND)
                await other.execute("reset lock_timeout")


class TestMigrations:
    """Forward only, each once, unchanged for ever."""

    base = (Migration(1, "one", "create table one (id int)"), Migration(2, "two", "create table two (id int)"))

    async def test_every_shipped_migration_is_applied_once(self, empty_dsn: str) -> None:
        migrations = shipped()
        assert await migrate(empty_dsn, migrations) == len(migrations)
        assert await migrate(empty_dsn, migrations) == 0

    async def test_A1_who_looked_outlives_the_day_its_rows_never_had(self, empty_dsn: str) -> None:
        """0047, over what the release before left behind."""
        await migrate(empty_dsn, [each for each in shipped() if each.number < 47])
        connection = await asyncpg.connect(empty_dsn)
        columns = "select array_agg(attname::text) from pg_attribute where attrelid = 'omonat.ledger'::regclass"
        try:
            await connection.execute("insert into omonat.ledger values ('per_1', now(), 'ev_1', 7, null)")
            assert "due_at" in await connection.fetchval(columns)
            await migrate(empty_dsn, shipped())
            assert "due_at" not in await connection.fetchval(columns)
            left = await connection.fetchrow("select person, entry, txid from omonat.ledger")
            assert tuple(left) == ("per_1", "ev_1", 7)
            assert await connection.fetchval("select to_regclass('omonat.ledger_by_due')") is None
        finally:
            await connection.close()

    async def test_two_starters_at_once_apply_each_migration_once(self, empty_dsn: str) -> None:
        applied = await asyncio.gather(*(migrate(empty_dsn, self.base) for _ in range(6)))
        assert sum(applied) == 2

    async def test_a_file_changed_after_it_was_applied_is_refused(self, empty_dsn: str) -> None:
        await migrate(empty_dsn, self.base)
        tampered = (self.base[0], replace(self.base[1], text="create table two (id bigint)"))
        with pytest.raises(Fault) as refused:
            await migrate(empty_dsn, tampered)
        assert refused.value.code == "migration-changed"
        assert "0002_two" in str(refused.value)

    async def test_a_schema_from_a_newer_program_is_refused(self, empty_dsn: str) -> None:
        await migrate(empty_dsn, self.base)
        with pytest.raises(BadInput) as refused:
            await migrate(empty_dsn, self.base[:1])
        assert refused.value.code == "schema-newer"

    async def test_a_number_below_an_applied_one_is_refused(self, empty_dsn: str) -> None:
        await migrate(empty_dsn, self.base[1:])
        with pytest.raises(Fault) as refused:
            await migrate(empty_dsn, self.base)
        assert refused.value.code == "migration-late"

    async def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(self, empty_dsn: str) -> None:
        broken = (self.base[0], replace(self.base[1], text="create table two (id int); select 1 / 0"))
        with pytest.raises(asyncpg.DivisionByZeroError):
            await migrate(empty_dsn, broken)
        assert await migrate(empty_dsn, self.base) == 1
