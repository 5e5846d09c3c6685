"""What a start looks at is looked at again while the service runs; what is no longer so is a doubt (S5, S6)."""

import subprocess
from collections.abc import Collection

import asyncpg
import pytest

from omonat.base.codes import registry
from omonat.base.errors import BadInput
from omonat.database.pool import Database
from tests.flows.conftest import Shop, at_the_command_line


async def doubts(
    shop: Shop, copies: Collection[str] | None = None, witnesses: Collection[str] | None = None
) -> set[str]:
    """What stands after one more round."""
    await shop.house.watching.look(copies=copies, witnesses=witnesses)
    return {f"{doubt.kind} {doubt.about}" for doubt in await shop.house.doubts.standing()}


async def acts(shop: Shop) -> list[str]:
    async with shop.house.grounds.database.connection() as connection:
        rows = await connection.fetch("select act from entries where act like 'house:doubt:%' order by at, id")
    return [row["act"] for row in rows]


@pytest.mark.parametrize(
    ("unsafe", "safe", "about"),
    [
        ("set synchronous_commit = off", "reset synchronous_commit", "synchronous_commit"),
        ("set log_min_messages = 'debug1'", "reset log_min_messages", "log_min_messages"),
    ],
)
async def test_S5_a_setting_changed_while_the_service_runs_is_a_doubt_until_it_is_mended(
    shop: Shop, owner: asyncpg.Connection, unsafe: str, safe: str, about: str
) -> None:
    name = shop.house.grounds.database.dsn.partition("@/")[2].partition("?")[0]
    assert await doubts(shop) == set()
    await owner.execute(f"alter database {name} {unsafe}")
    assert await doubts(shop) == await doubts(shop) == {f"server {about}"}
    assert await acts(shop) == ["house:doubt:begun"]  # said once, however often it is looked at
    await owner.execute(f"alter database {name} {safe}")
    assert await doubts(shop) == set()
    assert sorted(await acts(shop)) == ["house:doubt:begun", "house:doubt:ended"]


async def test_S5_a_column_put_into_the_statistics_again_is_a_doubt(shop: Shop) -> None:
    database = shop.house.grounds.database
    await database.pool.execute("alter table staff alter column profile set statistics 100")
    assert await doubts(shop) == {"server staff.profile"}
    await database.pool.execute("alter table staff alter column profile set statistics 0")
    assert await doubts(shop) == set()


async def test_S6_who_couldnt_be_read_is_a_doubt_told_by_whoever_asked_alone(shop: Shop) -> None:
    assert await doubts(shop, copies={"2"}, witnesses={"witness.example/w1"}) == {
        "copy 2",
        "witness witness.example/w1",
    }
    assert len(await doubts(shop)) == 2  # another process, which asked nobody, ends nothing
    assert await doubts(shop, copies=(), witnesses={"witness.example/w1"}) == {"witness witness.example/w1"}
    assert await doubts(shop, copies=(), witnesses=()) == set()


async def test_S6_officers_see_it_and_others_do_not(shop: Shop) -> None:
    await doubts(shop, copies={"1"})
    shown = shop.house.doubts.shown_to
    assert [doubt.code for doubt in await shown("privacy-officer")] == ["doubt-copy"]
    assert [doubt.code for doubt in await shown("management")] == ["doubt-copy"]
    assert await shown("courier") == ()


async def test_S5_a_server_that_is_unsafe_gets_no_schema(empty_dsn: str, owner: asyncpg.Connection, shop: Shop) -> None:
    """Before the first migration: a table in a server that logs what it holds would be too late."""
    from omonat.cli._ground import make_ready  # noqa: PLC0415

    name = empty_dsn.partition("@/")[2].partition("?")[0]
    await owner.execute(f"alter database {name} set log_min_messages = 'debug1'")
    with pytest.raises(BadInput) as unsafe:
        await make_ready(empty_dsn, shop.house.settings, lambda *_a, **_k: None)
    assert unsafe.value.code == "unsafe-start"
    database = await Database.connect(empty_dsn, size=1)
    assert await database.pool.fetchval("select to_regnamespace('omonat')") is None
    await database.close()


async def test_S6_an_operator_reads_what_is_in_doubt_and_says_that_somebody_has_looked(shop: Shop) -> None:
    async def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return await at_the_command_line(shop, "doubts", *words)

    await shop.house.doubts.begin("openings", "2027-03-14", withheld=201)
    told = await typed("list")
    assert (told.returncode, "openings 2027-03-14" in told.stdout, "omonat doubts settle" in told.stdout) == (
        3,
        True,
        True,
    )
    assert (await typed("settle", "openings", "2027-03-14", "--by", "nobody")).returncode == registry()[
        "staff-unknown"
    ].exit
    assert (await typed("settle", "openings", "2027-03-15", "--by", "204")).returncode == 6
    assert (await typed("settle", "openings", "2027-03-14", "--by", "204")).returncode == 0
    assert (await typed("list")).returncode == 0
    assert await acts(shop) == ["house:doubt:begun", "house:doubt:ended"]
