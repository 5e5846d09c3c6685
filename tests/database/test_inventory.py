"""S2, R3: every column and file that is kept has a room, a purpose, an end; one that is missing fails (bar a1)."""

from pathlib import Path

import asyncpg
import pytest

from omonat.database.inventory import FORMS, columns_without_statistics, inventory, read
from omonat.database.pool import Database
from scripts.inventory import main

FILE = Path(__file__).parents[2] / "omonat" / "database" / "inventory.toml"
_CATALOG = """
select c.relname || '.' || a.attname as name, coalesce(a.attstattarget, -1) as target, t.typname as type
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
 where n.nspname = 'omonat' and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
"""


async def catalog(database: Database) -> dict[str, asyncpg.Record]:
    return {row["name"]: row for row in await database.pool.fetch(_CATALOG)}


async def test_S2_every_column_of_the_database_is_in_the_inventory_and_nothing_else(database: Database) -> None:
    assert set(await catalog(database)) == set(inventory().columns())


@pytest.mark.parametrize(
    "planted",
    [
        "create table omonat.notes (id text primary key)",
        "alter table omonat.persons add column nickname text",
        "alter table omonat.outbox add column address text",
        "create unlogged table omonat.cache (key bytea, value jsonb)",
        "alter table omonat.staff rename column profile to name",
    ],
)
async def test_S2_a_column_nobody_wrote_down_is_found(database: Database, planted: str) -> None:
    await database.pool.execute(planted)
    assert set(await catalog(database)) - set(inventory().columns())


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('erase = "rows removed with the person"', 'erase = ""'),
        ('kept = "two days"\n', ""),
        ('digest = {form = "keyed-digest", statistics = "off"}', 'digest = "keyed-digest"'),
        ('profile = {form = "sealed", statistics = "off"}', 'profile = "plaintext"'),
        ('where = "postgres/pg_wal"', 'where = ""'),
    ],
)
def test_S2_an_inventory_with_something_left_out_is_no_inventory(line: str, instead: str) -> None:
    text = FILE.read_text("utf-8")
    assert line in text
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own is one too
        read(text.replace(line, instead, 1))


async def test_S2_what_is_sealed_or_digested_has_no_statistics_and_bytes_are_nothing_else(database: Database) -> None:
    columns, found = inventory().columns(), await catalog(database)
    assert {name for name, row in found.items() if row["target"] == 0} == columns_without_statistics()
    opaque = {"sealed", "keyed-digest", "secret-digest", "commitment-hash", "entry"}
    assert {name for name, row in found.items() if row["type"] == "bytea"} <= {
        name for name, column in columns.items() if column.form in opaque
    }
    assert {column.form for column in columns.values()} == FORMS


async def test_S2_no_text_column_is_of_a_form_that_holds_free_words(database: Database) -> None:
    columns, found = inventory().columns(), await catalog(database)
    texts = {name for name, row in found.items() if row["type"] in ("text", "_text", "jsonb")}
    allowed = {"id", "reference", "name", "names", "public", "commitment-hash"}
    assert {columns[name].form for name in texts} <= allowed


def test_S2_the_page_of_the_inventory_is_up_to_date() -> None:
    assert main(["--check"]) == 0
