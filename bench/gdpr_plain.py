"""GDPRbench's operations on plain PostgreSQL: one table with the metadata in columns, as its own client keeps them.

Indexed is what the operations look for and nothing else; an operation is one statement and one commit. `logged`: each
operation on personal data writes one row of an audit log in that statement, as the published benchmark asks of its
stores; without it nobody can answer the regulator, and reads need no flush. `noted` counts those rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import asyncpg

from bench.gdpr_work import Operation, Record
from omonat.base.instants import DAY, Instant

_FIELDS = tuple(each.name for each in fields(Record) if each.name != "term")
_COLUMNS = (*_FIELDS, "collected_at", "expires_at")
_TABLE = """
create table {table} (
    key text primary key, purpose text not null, "user" integer not null, objected boolean not null,
    decided boolean not null, roles text not null, recipient text not null, source text not null,
    category text not null, data text not null, collected_at timestamptz not null, expires_at timestamptz not null
);
create index {table}_by_purpose on {table} (purpose);
create index {table}_by_user on {table} ("user");
create index {table}_by_expiry on {table} (expires_at)
"""
LOG = """
create table gdpr_log (
    id bigint generated always as identity primary key, at timestamptz not null default now(), act text not null,
    subject text not null
)
"""
_MARKS = ", ".join(f"${n}" for n in range(2, len(_COLUMNS) + 2))
_INSERT = "insert into {table} (" + ", ".join(f'"{column}"' for column in _COLUMNS) + f") values ({_MARKS})"
_SET = {
    "term": "update {table} set expires_at = collected_at + $3 * interval '1 day' where purpose = $2",
    "roles": "update {table} set roles = $3 where purpose = $2",
    "recipient": "update {table} set recipient = $3 where purpose = $2",
}
_LIVE = "expires_at > $3"
_READ = {
    "own-record": f"select * from {{table}} where key = $2 and {_LIVE}",
    "own-purpose": f'select * from {{table}} where "user" = $2 and purpose = $4 and {_LIVE}',
    "own-records": f'select * from {{table}} where "user" = $2 and {_LIVE}',
    "use-record": f"select key, data from {{table}} where key = $2 and {_LIVE} and not objected",
    "use-purpose": f"select key, data from {{table}} where purpose = $2 and {_LIVE} and not objected",
    "use-user": f'select key, data from {{table}} where "user" = $2 and {_LIVE} and not objected',
    "metadata": f'select * from {{table}} where "user" = $2 and {_LIVE}',
}
_EXPIRE = "delete from {table} where expires_at <= $1 returning key"
_NOTED = "insert into gdpr_log (act, subject) values ('{act}', $1)"
_ALL_NOTED = "insert into gdpr_log (act, subject) select 'expired', key from gone"


class Plain:
    """One such table."""

    def __init__(self, pool: asyncpg.Pool, clock: Any, table: str, *, logged: bool) -> None:
        self._pool, self._clock, self._table, self._logged = pool, clock, table, logged
        self.noted = 0

    async def settle(self, records: Sequence[Record], collected_at: Instant) -> None:
        """Make the table, and fill it."""
        await self._pool.execute(_TABLE.format(table=self._table))
        await self.plant(records, [collected_at] * len(records))

    async def plant(self, records: Sequence[Record], collected: Sequence[Instant]) -> None:
        """More records, written at once and not as an operation."""
        rows = [_row(record, at) for record, at in zip(records, collected, strict=True)]
        async with self._pool.acquire() as connection:
            await connection.copy_records_to_table(self._table, records=rows, columns=_COLUMNS)

    async def run(self, operation: Operation) -> Mapping[str, str] | int | None:
        """Do one; what a read brings by key, or how many entries of the log, or nothing."""
        subject = operation.records[0] if operation.records else None
        match operation.kind:
            case "create":
                assert subject is not None
                await self._write("create", _INSERT, subject.key, *_row(subject, self._clock()))
            case "delete":
                assert subject is not None
                await self._write("delete", "delete from {table} where key = $2", subject.key, subject.key)
            case "rewrite":
                assert subject is not None
                await self._write(
                    "rewrite", "update {table} set data = $3, collected_at = $4, expires_at = $5 where key = $2",
                    subject.key, subject.key, subject.data, *_row(subject, self._clock())[-2:],
                )  # fmt: skip
            case "set-purpose":
                name = f"study-{operation.purpose}"
                value = getattr(operation.terms, operation.changed)
                await self._write("set-purpose", _SET[operation.changed], name, name, value)
            case "object":
                await self._write(
                    "object", 'update {table} set objected = $3 where "user" = $2 and purpose = $4',
                    str(operation.user), operation.user, operation.answer, f"study-{operation.purpose}",
                )  # fmt: skip
            case "consent":
                await self._write(
                    "consent", 'update {table} set decided = $3 where "user" = $2', str(operation.user),
                    operation.user, operation.answer,
                )  # fmt: skip
            case "log":
                return len(await self._pool.fetch("select * from gdpr_log order by id desc limit $1", operation.length))
            case "verify-deletion":
                assert subject is not None
                statement = f"select count(*) from {self._table} where key = $1"
                assert await self._pool.fetchval(statement, subject.key) == 0
            case _:
                return await self._read(operation)
        return None

    async def expire(self) -> int:
        """Delete what is due; how many that were."""
        gone = _EXPIRE.format(table=self._table)
        if not self._logged:
            return len(await self._pool.fetch(gone, self._clock()))
        done = await self._pool.execute(f"with gone as ({gone}) {_ALL_NOTED}", self._clock())
        expired = int(done.rpartition(" ")[2])
        self.noted += expired
        return expired

    async def state(self) -> dict[str, Record]:
        """Every record by its key."""
        rows = await self._pool.fetch(f"select * from {self._table}")
        found = {}
        for row in rows:
            days, rest = divmod(row["expires_at"] - row["collected_at"], DAY)
            assert rest == 0
            found[row["key"]] = Record(term=days, **{name: row[name] for name in _FIELDS})
        return found

    async def _read(self, operation: Operation) -> Mapping[str, str]:
        kind, named = operation.kind, f"study-{operation.purpose}"
        by: Any = operation.user
        if kind.endswith("-record"):
            by = operation.records[0].key
        elif kind == "use-purpose":
            by = named
        more = [named] if kind == "own-purpose" else []
        statement = _READ[kind].format(table=self._table)
        if self._logged:
            self.noted += 1
            statement = f"with noted as ({_NOTED.format(act=kind)}) {statement}"
        else:
            statement = statement + " and $1::text is not null"
        rows = await self._pool.fetch(statement, str(by), by, self._clock(), *more)
        return {row["key"]: row["data"] for row in rows}

    async def _write(self, act: str, statement: str, subject: str, *values: Any) -> None:
        statement = statement.format(table=self._table)
        if self._logged:
            self.noted += 1
            statement = f"with noted as ({_NOTED.format(act=act)}) {statement}"
        elif statement.startswith("insert"):
            statement = f"with asked as (select $1::text) {statement}"
        else:
            statement = f"{statement} and $1::text is not null"
        await self._pool.execute(statement, subject, *values)


def _row(record: Record, collected_at: Instant) -> tuple[Any, ...]:
    values = tuple(getattr(record, name) for name in _FIELDS)
    return (*values, collected_at, Instant(collected_at + record.term * DAY))
