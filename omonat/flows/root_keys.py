"""What is done with the root key, as evidence: shares made, drills held, a new root (S2, S6).

It stands in the log whoever holds the keys at that moment, so these entries need the database and no key: they hold
counts, numbers of sets and epochs, and nobody's name.
"""

from collections.abc import Mapping
from typing import Any

from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.database.trouble import converted
from omonat.evidence.entry import Entry
from omonat.evidence.journal import WRITE, columns
from omonat.vault.shares import Gathering, ShareSet

MADE = "root:shares:made"
DRILLED = "root:shares:drilled"
SEALED = "root:sealed"
REBUILT = "rebuilt"


async def note(database: Database, act: str, facts: Mapping[str, Any], *, now: Instant) -> str:
    """Write one entry of its own; durable on return. Gives its id. Raises Unavailable."""
    entry = Entry(id=new_id("ev"), at=now, act=act, facts=facts)
    async with database.transaction() as connection:
        with converted():
            await connection.execute(WRITE, *columns([entry]))
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
