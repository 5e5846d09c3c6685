"""What is done with the root key, as evidence: shares made, drills held, a new root, copies (S2, S6).

It stands in the log whoever holds the keys at that moment, so these entries need the database and no key: they hold
counts, numbers of sets and epochs, and nobody's name.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.database.trouble import converted
from omonat.evidence.entry import Entry
from omonat.evidence.journal import WRITE, columns
from omonat.vault import unsealings
from omonat.vault.rotation import forget
from omonat.vault.shares import Gathering, ShareSet
from omonat.vault.switch import Phase, state
from omonat.vault.unsealings import waiting

_queries = load("omonat.flows", "root_keys.sql")

MADE = "root:shares:made"
DRILLED = "root:shares:drilled"
SEALED = "root:sealed"
UNSEALED = "root:unsealed"
ROTATED = "root:rotated"
COPIES = "root:copies:changed"
REBUILT = "rebuilt"


async def note(database: Database, act: str, facts: Mapping[str, Any], *, now: Instant) -> str:
    """Write one entry of its own; durable on return. Gives its id. Raises Unavailable."""
    entry = Entry(id=new_id("ev"), at=now, act=act, facts=facts)
    async with database.transaction() as connection:
        await _write(connection, entry)
        reach("root-key.noted")
    return entry.id


async def note_set(database: Database, made: ShareSet, *, now: Instant) -> str:
    """That a set of shares was made, and which one it ended."""
    ended = made.ended[-1] if made.ended else None
    facts = {"set": made.set_id, "threshold": made.threshold, "holders": made.count, "ended": ended}
    return await note(database, MADE, facts, now=now)


async def note_drill(database: Database, held: Gathering, result: str, *, now: Instant) -> str:
    """That holders came together and what came of it: `rebuilt`, or the code of what went wrong."""
    facts = {
        "set": held.set_id,
        "threshold": held.threshold,
        "given": list(held.numbers),
        "result": result,
    }
    return await note(database, DRILLED, facts, now=now)


async def note_rotation(database: Database, home: Path, *, now: Instant) -> str | None:
    """That everything was sealed anew under another root: once, whoever finishes the rotation and however often.

    Gives the entry's id; None when no rotation waits for its entry.
    """
    done = state(home / "keys")
    if done is None or done.phase is not Phase.DONE:
        return None
    facts = {"epoch": done.epoch, "slots": done.slots, "damaged": done.damaged}
    async with database.transaction() as connection:
        if await _queries.rotated(connection, epoch=done.epoch, entry=done.entry, at=now):
            await _write(connection, Entry(id=done.entry, at=now, act=ROTATED, facts=facts))
            reach("root-key.rotation-noted")
    reach("root-key.rotation-committed")
    forget(home)
    return done.entry


async def note_unsealings(database: Database, home: Path, *, now: Instant) -> int:
    """That the house was opened, how, and by which shares: once each, whoever is first. How many were written."""
    written = 0
    for done in waiting(home):
        facts: dict[str, Any] = {"by": done.by}
        if done.by == "shares":
            facts |= {"set": done.set, "given": list(done.given)}
        async with database.transaction() as connection:
            if await _queries.unsealed(connection, entry=done.entry, at=now):
                await _write(connection, Entry(id=done.entry, at=now, act=UNSEALED, facts=facts))
                reach("root-key.unsealing-noted")
                written += 1
        reach("root-key.unsealing-committed")
        unsealings.forget(home, done)
    return written


async def _write(connection: asyncpg.Connection, entry: Entry) -> None:
    with converted():
        await connection.execute(WRITE, *columns([entry]))
