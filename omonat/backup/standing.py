"""Whether database, log, control journal and keys are of one time (t18, a9). Any of them that is older than the others
is found at the start, alone or together with others; all four at once only by a checkpoint kept elsewhere.

                 is found older by
    database     the log (more entries than it placed), the journal (frames it has never heard of)
    log          the database (more was published)
    journal      the database and the pin beside the keys (more frames were written)
    keys         the database and the journal (more numbers given out, more batches destroyed)
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from omonat.backup.frames import BEGINNING, Frame, Place, after, unseal
from omonat.backup.journal_file import JournalFile
from omonat.backup.pin import Pin
from omonat.base.errors import Fault
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.evidence import placing, sequencer
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.publishing import EMPTY, read_checkpoint
from omonat.vault.vault import Vault

_queries = load(__package__, "control.sql")


@dataclass(frozen=True, slots=True)
class Stores:
    """The four stores of one installation. Reading them changes nothing; any process may."""

    database: Database
    vault: Vault
    log: LogFolder
    keys: LogKeys
    journal: JournalFile
    pin: Pin


@dataclass(frozen=True, slots=True)
class Ahead:
    """The journal's end, and the frames the database hasn't noted: at most the one a crash left."""

    end: Place
    frames: tuple[tuple[Place, Frame], ...]

    @property
    def changes(self) -> list[str]:
        """The ids of the changes in those frames."""
        return [change.id for _, frame in self.frames for deed in frame.deeds for change in deed.changes]


async def check(stores: Stores) -> None:
    """Compare the four. Raises Fault: `evidence-log-rolled-back`, `evidence-database-rolled-back`, `-forked`,
    `-foreign`, `-altered`; `journal-rolled-back`, `-forked`, `-foreign`, `-altered`; `database-rolled-back`;
    `keys-rolled-back`."""
    await _check_log(stores)
    noted = await _noted(stores.database)
    ahead = await asyncio.to_thread(look_ahead, stores, noted)
    await compare(stores, ahead)


async def _check_log(stores: Stores) -> None:
    # Read in this order, a log that grows meanwhile looks neither too short nor too long.
    before = await asyncio.to_thread(read_checkpoint, stores.log, stores.keys) or EMPTY
    async with stores.database.connection() as connection:
        state = await placing.state(connection)
    if state is None:
        if before.size:
            raise Fault("evidence-database-rolled-back", log=str(before.size), database="0")
        return
    after_it = await asyncio.to_thread(read_checkpoint, stores.log, stores.keys) or EMPTY
    sequencer.compare(before, state, stores.keys.origin, later=after_it)


async def _noted(database: Database) -> Place:
    async with database.connection() as connection:
        row = await _queries.head(connection)
    return BEGINNING if row is None else Place(row["frames"], row["digest"])


def look_ahead(stores: Stores, noted: Place) -> Ahead:
    """The frames behind `noted`, opened. Raises Fault `journal-rolled-back`, `journal-forked`, `journal-altered`."""
    pinned = stores.pin.read() or BEGINNING  # before the journal, which is written first
    reached = stores.journal.tail().place
    if reached.frames < pinned.frames:
        raise Fault("journal-rolled-back", found=str(reached.frames), expected=str(pinned.frames))
    frames, end = [], noted
    for place, box in stores.journal.boxes(noted):
        frames.append((place, unseal(stores.vault, box, place)))
        end = after(place, box)
    return Ahead(end, tuple(frames))


async def compare(stores: Stores, ahead: Ahead) -> None:
    """Whether the database knows what the journal says, and the keys are as new as both. Raises Fault."""
    async with stores.database.connection() as connection:
        row: Any = await _queries.head_and_waiting(connection, ids=ahead.changes)
    frames, high, generation = (row["frames"], row["high_water"], row["generation"]) if row else (0, 0, 0)
    unknown = [frame for _, frame in ahead.frames if frame.n > frames]
    changes = {change.id for frame in unknown for deed in frame.deeds for change in deed.changes}
    if len(unknown) > 1 or not changes.issubset(row["waiting"] if row else ()):
        raise Fault("database-rolled-back", journal=str(ahead.end.frames), database=str(frames))
    high = max([high, *(frame.keys.high_water for _, frame in ahead.frames)])
    generation = max([generation, *(frame.keys.generation for _, frame in ahead.frames)])
    found = await asyncio.to_thread(stores.vault.key_state)
    if found.high_water < high or found.generation < generation:
        have, want = f"{found.high_water}/{found.generation}", f"{high}/{generation}"
        raise Fault("keys-rolled-back", found=have, expected=want)
