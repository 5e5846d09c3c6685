"""The data part: every table as COPY text, all of one snapshot, out of a running service and into an empty database.

No tool of PostgreSQL is needed and no version is fixed: the embedded server's wheel brings none, and a copy taken on
one major version is loaded into another (docs/decisions/0009).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Final

import asyncpg

from omonat.backup.manifest import Table
from omonat.backup.parts import PartWriter
from omonat.base.errors import Fault
from omonat.database.pool import SCHEMA
from omonat.database.statements import load
from omonat.database.trouble import converted

_CHUNK: Final = 4 << 20
_NO_LIMITS: Final = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0"
_queries = load(__package__, "tables.sql")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a data part was taken of."""

    state: Mapping[str, Any]
    schema: int
    tables: tuple[Table, ...]


async def write_tables(connection: asyncpg.Connection, part: PartWriter) -> Snapshot:
    """Copy every kept table into `part`. The transaction must be repeatable read and read only."""
    with converted():
        await connection.execute(_NO_LIMITS)
        state = await _queries.state(connection)
        if state is None:
            raise Fault("backup-nothing")
        schema = await _queries.schema_number(connection)
        found = {row["name"]: row async for row in _queries.kept_tables(connection)}
        order = TopologicalSorter({name: [n for n in row["needs"] if n in found] for name, row in found.items()})
        tables = []
        for name in order.static_order():
            columns = tuple(found[name]["columns"])
            tables.append(Table(name, await _write_table(connection, part, name, columns), columns))
    return Snapshot(dict(state), schema, tuple(tables))


async def _write_table(connection: asyncpg.Connection, part: PartWriter, name: str, columns: Sequence[str]) -> int:
    waiting, number = bytearray(), 0

    async def keep(*, all_of_it: bool) -> None:
        nonlocal number
        while len(waiting) >= _CHUNK or (all_of_it and waiting):
            piece = bytes(waiting[:_CHUNK])
            del waiting[:_CHUNK]
            number += 1
            await asyncio.to_thread(part.add, f"{name}/{number:08}", piece)

    async def take(data: bytes) -> None:
        waiting.extend(data)
        await keep(all_of_it=False)

    done: str = await connection.copy_from_table(name, schema_name=SCHEMA, columns=list(columns), output=take)
    await keep(all_of_it=True)
    return int(done.removeprefix("COPY "))


async def load_tables(
    connection: asyncpg.Connection,
    tables: Sequence[Table],
    members: Iterator[tuple[str, bytes]],
    *,
    reached: Callable[[str], None] = lambda _step: None,
) -> None:
    """Load a data part into the empty tables of the same schema, in the caller's transaction.

    Raises Fault `backup-part-altered` when rows or tables differ from what the manifest says.
    """
    source = _Members(members)
    with converted():
        await connection.execute(_NO_LIMITS)
        try:
            for table in tables:
                done = await connection.copy_to_table(
                    table.name, schema_name=SCHEMA, columns=list(table.columns), source=source.of(table.name)
                )
                if int(done.removeprefix("COPY ")) != table.rows:
                    raise Fault("backup-part-altered", part=f"data: {table.name}")
                reached(f"loaded {table.name}")
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.UndefinedTableError) as error:
            raise Fault("backup-part-altered", part="data") from error
    if await source.left():
        raise Fault("backup-part-altered", part="data")


class _Members:
    """The members of a data part, table after table."""

    def __init__(self, members: Iterator[tuple[str, bytes]]) -> None:
        self._members = members
        self._next: tuple[str, bytes] | None = None
        self._begun = False

    async def of(self, table: str) -> AsyncIterator[bytes]:
        """The pieces of one table, in order."""
        await self._begin()
        while self._next is not None and self._next[0].partition("/")[0] == table:
            yield self._next[1]
            self._next = await asyncio.to_thread(next, self._members, None)

    async def left(self) -> bool:
        """Whether anything is left that belongs to no table."""
        await self._begin()
        return self._next is not None

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._next = await asyncio.to_thread(next, self._members, None)
