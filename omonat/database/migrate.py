"""Forward-only migrations: numbered `.sql` files, each applied once, in order, in a transaction of its own.

What was applied is recorded with its SHA-256. A file changed afterwards is refused, so is a database that knows a
migration this program does not: an older program must not serve a newer schema.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

import asyncpg

from omonat.base.errors import BadInput, Fault, Unavailable
from omonat.base.progress import Tell, untold
from omonat.database.pool import SCHEMA
from omonat.database.trouble import converted, reached

_NAME: Final = re.compile(r"(?P<number>[0-9]{4})_(?P<name>[a-z0-9_]+)\.sql")
_LIMITS: Final = "set local lock_timeout = '15s'; set local statement_timeout = '10min'"
# Row 0 is nobody's migration: it is the row two starters queue on (a row lock works on every engine; the session
# locks of some are stubs).
_LEDGER: Final = f"""
create schema if not exists {SCHEMA};
create table if not exists {SCHEMA}.migrations (
    number     integer primary key,
    name       text not null,
    digest     text not null,
    applied_at timestamptz not null default now()
);
insert into {SCHEMA}.migrations (number, name, digest) values (0, 'gate', '') on conflict do nothing;
"""  # noqa: S608 — the schema's name is a constant


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text."""

    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex."""
        return sha256(self.text.encode()).hexdigest()


def shipped() -> tuple[Migration, ...]:
    """The migrations of this program in order. Raises Fault when a number is missing twice or a name is odd."""
    found = []
    for file in files("omonat.database").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            match = _NAME.fullmatch(file.name)
            if match is None:
                raise Fault("migration-misnamed", file=file.name)
            found.append(Migration(int(match["number"]), match["name"], file.read_text("utf-8")))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise Fault("migration-misnamed", file=", ".join(f"{number:04}" for number in numbers))
    return tuple(found)


async def migrate(
    dsn: str,
    migrations: Sequence[Migration] | None = None,
    *,
    tell: Tell = untold,
) -> int:
    """Bring the database up to this program; how many migrations were applied. Safe to run from two starters.

    `tell` hears one line per migration. Raises Fault `migration-changed`, BadInput `schema-newer`, Unavailable.
    """
    wanted = shipped() if migrations is None else tuple(migrations)
    with converted():
        with reached():
            connection = await asyncpg.connect(dsn, timeout=10, server_settings={"search_path": SCHEMA})
        try:
            await _open_ledger(connection)
            applied = 0
            for migration in wanted:
                if await _apply(connection, wanted, migration):
                    tell("migration %(number)s %(name)s", number=f"{migration.number:04}", name=migration.name)
                    applied += 1
            _compare(wanted, await _recorded(connection))
            return applied
        finally:
            await connection.close(timeout=5)


async def _open_ledger(connection: asyncpg.Connection) -> None:
    # `if not exists` still collides when two starters create at the same instant: the loser looks again.
    for _attempt in range(5):
        try:
            await connection.execute(_LEDGER)
        except (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.DuplicateTableError):
            continue
        else:
            return
    raise Unavailable("database-busy")


async def _apply(connection: asyncpg.Connection, wanted: Sequence[Migration], migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute(_LIMITS)
        await connection.fetchval("select number from migrations where number = 0 for update")
        recorded = await _recorded(connection)
        _compare(wanted, recorded)
        if migration.number in recorded:
            return False
        if recorded and migration.number < max(recorded):
            raise Fault("migration-late", file=f"{migration.number:04}_{migration.name}")
        await connection.execute(migration.text)
        await connection.execute(
            "insert into migrations (number, name, digest) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.digest,
        )
        return True


async def _recorded(connection: asyncpg.Connection) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("select number, name, digest from migrations where number > 0")
    return {row["number"]: (row["name"], row["digest"]) for row in rows}


def _compare(wanted: Sequence[Migration], recorded: dict[int, tuple[str, str]]) -> None:
    known = {migration.number: migration for migration in wanted}
    for number, (name, digest) in recorded.items():
        if number not in known:
            raise BadInput("schema-newer", file=f"{number:04}_{name}")
        if known[number].digest != digest:
            raise Fault("migration-changed", file=f"{number:04}_{name}")
