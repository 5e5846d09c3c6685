"""The register of business clients as it is read: whom to tell, what each was given, what is owed (N1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.client_procedures import procedure_of
from omonat.promises.notice.clients import Given, Occasion, Owed, Step, owed

_queries = load("omonat.promises.notice", "clients.sql")
_AT_ONCE: Final = 500

Cursor = tuple[Instant, str]
"""When a client was registered, and its id."""
NEWEST: Final[Cursor] = (Instant(0), "")
"""The cursor before the newest client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody at a client, and which part of the procedure is theirs."""

    person: str
    part: str
    since: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenNotice:
    """A notice that was given, with the receipt of its entry; `acknowledgement` is the entry that they confirmed it."""

    person: str
    procedure: int
    step: str
    version: int
    channel: str
    at: Instant
    entry: str
    receipt: str
    acknowledged_at: Instant | None = None
    acknowledgement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessClient:
    """A client: a company by its `name`, or a sole trader by their person; what it was given and what is owed to it."""

    id: str
    name: str | None
    trader: str | None
    registered_at: Instant
    ended_at: Instant | None
    contacts: tuple[Contact, ...]
    given: tuple[GivenNotice, ...]
    owed: tuple[Owed, ...]
    entries: Mapping[str, str]


async def read_client(connection: asyncpg.Connection, client: str) -> BusinessClient | None:
    """One client."""
    row = await _queries.client(connection, id=client)
    return None if row is None else (await _read(connection, [row]))[0]


@dataclass(frozen=True, slots=True)
class ClientPage:
    """Some clients, the newest first, and the cursor of the next page; None at the end."""

    clients: tuple[BusinessClient, ...]
    next: Cursor | None


async def read_client_page(connection: asyncpg.Connection, before: Cursor, most: int) -> ClientPage:
    """The clients that were registered before this one, the newest first."""
    rows = [r async for r in _queries.clients(connection, before=before[0], after=before[1], most=most + 1)]
    clients = tuple(await _read(connection, rows[:most]))
    last = clients[-1] if len(rows) > most else None
    return ClientPage(clients, None if last is None else (last.registered_at, last.id))


async def read_owing_clients(connection: asyncpg.Connection, rule: str, most: int) -> list[BusinessClient]:
    """Clients something is owed to, those who have waited longest first."""
    return await _read(connection, [r async for r in _queries.owing_clients(connection, rule=rule, most=most)])


async def read_every_client(connection: asyncpg.Connection) -> list[BusinessClient]:
    """Every client, the newest first, however many: whether everybody was told is asked of all of them."""
    found: list[BusinessClient] = []
    before, after = NEWEST
    while rows := [r async for r in _queries.clients(connection, before=before, after=after, most=_AT_ONCE)]:
        found += await _read(connection, rows)
        before, after = rows[-1]["registered_at"], rows[-1]["id"]
    return found


async def _read(connection: asyncpg.Connection, rows: Sequence[Any]) -> list[BusinessClient]:
    ids = [row["id"] for row in rows]
    contacts = by_client([row async for row in _queries.contacts_of(connection, clients=ids)])
    given = by_client([row async for row in _queries.given_to(connection, clients=ids)])
    happened, steps = await occasions(connection), await steps_in_force(connection)
    return [_client(row, contacts.get(row["id"], ()), given.get(row["id"], ()), happened, steps) for row in rows]


async def occasions(connection: asyncpg.Connection) -> list[Occasion]:
    """What clients are told of, whoever they are."""
    return [
        Occasion(kind=row["kind"], about=row["about"], at=row["at"]) async for row in _queries.occasions(connection)
    ]


async def steps_in_force(connection: asyncpg.Connection) -> tuple[Step, ...]:
    """The steps of the procedure in force; none before the first was approved."""
    row = await _queries.procedure_in_force(connection)
    return () if row is None else procedure_of(row).steps


def by_client(rows: Sequence[Any]) -> Mapping[str, Sequence[Any]]:
    """Rows under the client they belong to."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["client"], []).append(row)
    return found


def owed_to(
    row: Any, contacts: Sequence[Any], given: Sequence[Any], happened: Sequence[Occasion], steps: Sequence[Step]
) -> tuple[Owed, ...]:
    """What is owed to a client. `given` holds at least the newest notice of each person and step."""
    if row["ended_at"] is not None:
        return ()
    engaged = Occasion(kind="engaged", about=row["id"], at=row["registered_at"])
    since = [one for one in happened if one.at >= row["registered_at"]]
    return owed(
        steps,
        [engaged, *since],
        [(one["person"], one["part"], one["since"]) for one in contacts],
        [Given(person=one["person"], step=one["step"], at=one["given_at"]) for one in given],
    )


def _client(
    row: Any, contacts: Sequence[Any], given: Sequence[Any], happened: Sequence[Occasion], steps: Sequence[Step]
) -> BusinessClient:
    return BusinessClient(
        id=row["id"],
        name=row["name"],
        trader=row["trader"],
        registered_at=row["registered_at"],
        ended_at=row["ended_at"],
        contacts=tuple(Contact(person=one["person"], part=one["part"], since=one["since"]) for one in contacts),
        given=tuple(
            GivenNotice(
                person=one["person"], procedure=one["procedure"], step=one["step"], version=one["version"],
                channel=one["channel"], at=one["given_at"], entry=one["entry"], receipt=one["receipt"],
                acknowledged_at=one["acknowledged_at"], acknowledgement=one["acknowledgement"],
            )
            for one in given
        ),
        owed=owed_to(row, contacts, given, happened, steps),
        entries=row["entries"],
    )  # fmt: skip
