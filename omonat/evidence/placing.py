"""The sequencer's steps inside the database: which entries are new, which index they get, what is to be published.

Every function runs in its caller's transaction, after the lease was confirmed there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from omonat.base.errors import Fault
from omonat.base.instants import Instant
from omonat.database import statements
from omonat.evidence import clock, journal
from omonat.evidence.publishing import Head
from omonat.evidence.tree import EMPTY_ROOT

MOST_PLACED: Final = 50_000
"""Entries that get their place in one round: what one transaction and one list hold comfortably, within a lease."""

_queries = statements.load(__package__, "sequencer.sql")


@dataclass(frozen=True, slots=True)
class State:
    """The row `evidence_log`: entries visible in the snapshot `seen` of `cluster` have their place."""

    origin: str
    seen: str
    cluster: str
    placed: int
    published: Head
    marked: Instant


@dataclass(frozen=True, slots=True)
class Here:
    """What this transaction sees, on which server; transactions numbered `ahead` and above have yet to begin."""

    seen: str
    cluster: str
    ahead: int


async def look_around(connection: asyncpg.Connection) -> Here:
    """The snapshot of the caller's transaction; under repeatable read it is that of all its statements."""
    row = await _queries.snapshot(connection)
    return Here(row["seen"], row["cluster"], row["ahead"])


async def begin(connection: asyncpg.Connection, origin: str, here: Here) -> None:
    """Make the row of a log that has none; does nothing for one that has."""
    await _queries.begin_log(connection, origin=origin, cluster=here.cluster, root=EMPTY_ROOT)


async def state(connection: asyncpg.Connection) -> State | None:
    """How far the log has come, or None before `begin`."""
    row = await _queries.state(connection)
    if row is None:
        return None
    head = Head(row["published"], row["root"])
    return State(row["origin"], row["seen"], row["cluster"], row["placed"], head, row["marked"])


async def place(connection: asyncpg.Connection, before: State, *, now: Instant) -> tuple[State, bool]:
    """Give what is new its indexes, the clock's own entries around it; the state then, and whether more waits.

    The transaction must be repeatable read: the snapshot noted and the entries read are one and the same. Raises
    Fault `evidence-altered` when an id comes a second time.
    """
    fresh = await _fresh(connection, before, await look_around(connection))
    planned = clock.plan([(row["id"], row["at"]) for row in fresh.rows], marked=before.marked, now=now, more=fresh.more)
    if not planned.order and not fresh.more:
        return before, False
    if planned.own:
        await connection.execute(journal.WRITE, *journal.columns(planned.own))
    mine, written = await _queries.own_txid(connection), {row["id"]: row["txid"] for row in fresh.rows}
    order = [(one, written[one]) if isinstance(one, str) else (one.id, mine) for one in planned.order]
    await _give_indexes(connection, before.placed, order)
    after = replace(
        before, placed=before.placed + len(order), marked=planned.marked, seen=fresh.seen, cluster=fresh.cluster
    )
    await _queries.placed(connection, seen=after.seen, cluster=after.cluster, placed=after.placed, marked=after.marked)
    return after, fresh.more


@dataclass(frozen=True, slots=True)
class _Fresh:
    """Entries without a place, earliest first; whether more wait; the snapshot that sees these and nothing of those."""

    rows: list[Any]
    more: bool
    seen: str
    cluster: str


async def _fresh(connection: asyncpg.Connection, before: State, here: Here) -> _Fresh:
    """What one round takes of what is new: all of it, or, after an outage, the earliest transactions' part.

    A round costs what it takes, however much waits behind it.
    """
    unseen, running = _not_seen(before.seen)
    if here.cluster != before.cluster or here.ahead < unseen:  # restored elsewhere: those numbers mean nothing here
        rows = [row async for row in _queries.unplaced(connection, most=MOST_PLACED)]
        if len(rows) == MOST_PLACED:
            return _Fresh(rows, True, before.seen, before.cluster)
        return _Fresh(rows, False, here.seen, here.cluster)
    border = await _queries.border(connection, unseen=unseen, ahead=here.ahead, most=MOST_PLACED)
    until = here.ahead if border is None else max(border, unseen + 1)  # one transaction isn't divided
    rows = [row async for row in _queries.fresh(connection, running=running, unseen=unseen, until=until)]
    if border is None:
        return _Fresh(rows, False, here.seen, here.cluster)
    return _Fresh(rows, True, _as_of(here.seen, until), here.cluster)


async def _give_indexes(connection: asyncpg.Connection, start: int, order: Sequence[tuple[str, int]]) -> None:
    names, txids = [name for name, _ in order], [txid for _, txid in order]
    indexes = range(start, start + len(order))
    try:
        await _queries.place(connection, indexes=indexes, entries=names, txids=txids)
    except asyncpg.UniqueViolationError as error:  # ids are 128 random bits: somebody wrote one a second time
        raise Fault("evidence-altered", what="a repeated entry id", index=str(start)) from error


async def to_publish(connection: asyncpg.Connection, start: int, until: int) -> list[Any]:
    """The placed entries of a range in index order, with `entry`, `body`, `leaf`; body None for one that is gone.

    Raises Fault `evidence-altered` when placements have a gap.
    """
    bounds = {"start": start, "until": until}
    in_order = [bounds[name] for name in statements.order(_queries, "to_publish")]
    rows: list[Any] = await connection.fetch(_queries.to_publish.sql, *in_order)
    if [row["index"] for row in rows] != list(range(start, until)):
        raise Fault("evidence-altered", what="placements", index=str(start))
    return rows


async def note_published(connection: asyncpg.Connection, before: Head, after: Head) -> None:
    """Note what is under a checkpoint now. Raises Fault `evidence-log-forked` when something else was noted."""
    noted = await _queries.published(connection, size=after.size, root=after.root, before=before.size)
    if noted != "UPDATE 1":
        raise Fault("evidence-log-forked", size=str(after.size))


def _not_seen(snapshot: str) -> tuple[int, list[int]]:
    """What a snapshot (`xmin:xmax:running,running`) couldn't see: transactions from xmax on, and the running ones."""
    _, xmax, running = snapshot.split(":")
    return int(xmax), [int(number) for number in running.split(",") if number]


def _as_of(snapshot: str, until: int) -> str:
    """The part of a snapshot that concerns transactions below `until`: to it, all later ones have yet to begin."""
    _, running = _not_seen(snapshot)
    earlier = sorted(number for number in running if number < until)
    return f"{earlier[0] if earlier else until}:{until}:{','.join(map(str, earlier))}"
