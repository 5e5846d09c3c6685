"""Named statements: every SQL text lives in a `.sql` file beside the room that uses it, and is called by name.

A file holds blocks in aiosql's form, with parameters as `:name` and never a value pasted in:

    -- name: person_by_id^
    -- One person, or nothing.
    select * from persons where id = :id;

The mark after the name says what comes back: `^` one row or None, `$` one value, `!` a status text, `<!` one row or
value of a change, `*!` many parameter sets, none: rows, to be read with `async for`. Statements are called as
`queries.person_by_id(connection, id=…)`; a hot path reads the text (with `$1 …`) as `queries.person_by_id.sql` and
the order of its parameters with `order`.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.asyncpg import AsyncPGAdapter


class _Adapter(AsyncPGAdapter):
    """The library's own without its search through all names of a connection, to see whether it is a pool: that cost
    some sixty microseconds in each call, and a pool answers the same questions."""

    async def select(self, conn: Any, query_name: str, sql: str, parameters: Any, _class: Any = None) -> Any:
        for row in await conn.fetch(sql, *self._in_order(query_name, parameters)):
            yield row

    async def select_one(self, conn: Any, query_name: str, sql: str, parameters: Any, _class: Any = None) -> Any:
        return await conn.fetchrow(sql, *self._in_order(query_name, parameters))

    async def select_value(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        return await conn.fetchval(sql, *self._in_order(query_name, parameters))

    async def insert_update_delete(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        return await conn.execute(sql, *self._in_order(query_name, parameters))

    def _in_order(self, query_name: str, parameters: Any) -> Sequence[Any]:
        ordered: Sequence[Any] = self.maybe_order_params(query_name, parameters)  # type: ignore[no-untyped-call]
        return ordered


@cache
def load(package: str, name: str = "queries.sql") -> Any:
    """The statements of `name` inside `package` (usually `__package__` or `__name__`), read once per process."""
    return aiosql.from_str(files(package).joinpath(name).read_text("utf-8"), _Adapter, mandatory_parameters=False)


def order(queries: Any, name: str) -> tuple[str, ...]:
    """The parameter names of a statement in the order of `$1, $2 …`."""
    return tuple(queries.driver_adapter.var_sorted[name])


def every_file() -> tuple[Path, ...]:
    """Every `.sql` file with statements (not migrations), for the tests that read them all."""
    root = Path(str(files("omonat")))
    return tuple(sorted(p for p in root.rglob("*.sql") if p.parent.name != "migrations"))
