"""The proof: log, journal, keys and rows compared, after a restore and in a drill. Each finding counts what was looked
at; one that does not hold names how many, and the restore is not proved.

    log         every entry in the database is the one the log has at that index, and none is missing
    journal     every row is what the journal said of it last
    keys        every key the journal says was destroyed is destroyed, and no byte is kept under a destroyed one
    living      every section of people who were not erased opens
    withdrawn   no consent stands that the journal's last word took back
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct

from omonat.backup.frames import Place, image
from omonat.backup.replay import frames_after, opens
from omonat.backup.standing import Stores
from omonat.base.errors import Fault
from omonat.database.statements import load
from omonat.evidence import placing, publishing
from omonat.evidence.publishing import EMPTY

_queries = load(__package__, "replay.sql")
_STEP: Final = 8_192
_PAGE: Final = 1_000
_BATCH: Final = 500


class Finding(Struct, frozen=True):
    """One comparison: what was compared, how many, how many of them are wrong."""

    what: str
    looked_at: int
    wrong: int


async def prove(
    connection: asyncpg.Connection, stores: Stores, start: Place, *, touched: Sequence[str] = (), generation: int
) -> list[Finding]:
    """Compare everything, in the caller's transaction. `start` is where the copy's own knowledge of the journal ended;
    `touched` are people on whom a gap was acted; keys destroyed after `generation`, by a service that runs beside a
    drill, are left out. Raises Fault only for stores that can't be read at all."""
    log = await _log(connection, stores)
    journal, withdrawn, destroyed = await _journal(connection, stores, start, set(touched))
    late = {number for number, _ in await asyncio.to_thread(stores.vault.destroyed_since, generation)}
    keys = await _keys(connection, stores, destroyed, late)
    return [log, journal, withdrawn, keys, await _living(connection, stores, late)]


async def _log(connection: asyncpg.Connection, stores: Stores) -> Finding:
    head = await asyncio.to_thread(publishing.read_checkpoint, stores.log, stores.keys) or EMPTY
    state = await placing.state(connection)
    placed = 0 if state is None else state.placed
    wrong = max(0, head.size - placed)
    for first in range(0, min(placed, head.size), _STEP):
        until = min(first + _STEP, placed, head.size)
        try:
            rows = await placing.to_publish(connection, first, until)
            leaves = publishing.checked_leaves(rows, first)
            await asyncio.to_thread(publishing.compare_leaves, stores.log, first, leaves, head.size)
        except Fault:
            wrong += until - first
    return Finding("log", max(head.size, placed), wrong)


async def _journal(
    connection: asyncpg.Connection, stores: Stores, start: Place, touched: set[str]
) -> tuple[Finding, Finding, set[int]]:
    """The last word on each row, and what became of it."""
    keys = {row["name"]: row["columns"] async for row in _queries.primary_keys(connection)}
    last: dict[tuple[Any, ...], tuple[str, str, dict[str, Any]]] = {}
    destroyed: set[int] = set()
    for _, frame in frames_after(stores, start):
        destroyed.update(number for number, _ in frame.destroyed)
        for change in (change for deed in frame.deeds for change in deed.changes):
            row = image(stores.vault, change)
            if row is not None and change.person not in touched:
                key = (change.source, *(row.get(column) for column in keys.get(change.source, ())))
                last[key] = (change.source, change.op, row)
    people = {row["id"]: row["erased"] async for row in _queries.people(connection)}
    told = [one for one in last.values() if _is_here(one[0], one[2], people)]
    wrong = withdrawn = looked = 0
    for first in range(0, len(told), _BATCH):
        part = told[first : first + _BATCH]
        rows = _queries.same(
            connection, sources=[s for s, _, _ in part], ops=[o for _, o, _ in part], images=[r for _, _, r in part]
        )
        async for row in rows:
            source = part[row["n"] - 1][0]
            looked += source == "persons"
            wrong += not row["same"]
            withdrawn += source == "persons" and not row["same"]
    return Finding("journal", len(told), wrong), Finding("withdrawn", looked, withdrawn), destroyed


def _is_here(source: str, row: dict[str, Any], people: dict[str, bool]) -> bool:
    """Whether the row concerns nobody, or somebody whom this copy holds and who was not erased."""
    person = row.get("id") if source == "persons" else row.get("person")
    return person is None or people.get(person) is False


async def _keys(connection: asyncpg.Connection, stores: Stores, destroyed: set[int], late: set[int]) -> Finding:
    """Destroyed is destroyed, and whoever's key is gone is erased here, whatever the copy said."""
    people = [row["slot"] async for row in _queries.people(connection) if not row["erased"]]
    records = [row["slot"] async for row in _queries.record_slots(connection)]

    def wrong() -> int:
        back = len(stores.vault.living_of(destroyed))
        return back + sum(n not in late and stores.vault.is_destroyed(n) for n in (*people, *records))

    return Finding("keys", len(destroyed) + len(people) + len(records), await asyncio.to_thread(wrong))


async def _living(connection: asyncpg.Connection, stores: Stores, late: set[int]) -> Finding:
    looked = wrong = 0
    at = {"record": "", "category": ""}
    while page := [row async for row in _queries.sections_to_open(connection, most=_PAGE, **at)]:
        at = {"record": page[-1]["record"], "category": page[-1]["category"]}
        page = [row for row in page if not late & {row["person_slot"], row["slot"]}]
        looked += len(page)
        wrong += await asyncio.to_thread(_closed, stores, page)
    return Finding("living", looked, wrong)


def _closed(stores: Stores, page: Sequence[Any]) -> int:
    return sum(not opens(stores, row) for row in page)
