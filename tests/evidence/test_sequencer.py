"""The sequencer: committed entries get their place, once, under a signed checkpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.errors import Fault, Unavailable
from omonat.base.instants import SECOND, Instant
from omonat.database.pool import Database
from omonat.evidence.entry import Entry, decode
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.sequencer import HEARTBEAT, Sequencer
from omonat.evidence.tiles import ENTRIES, TileName, unbundle, leaves_of
from omonat.evidence.tree import root_of
from tests.evidence.conftest import Clock

MakeEntry = Callable[..., Entry]


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "log")


@pytest_asyncio.fixture(loop_scope="session")
async def sequencer(database: Database, folder: LogFolder, keys: LogKeys, clock: Clock) -> AsyncIterator[Sequencer]:
    sequencer = Sequencer(database, folder, keys, clock=clock)
    assert await sequencer.open()
    yield sequencer


def published(folder: LogFolder, keys: LogKeys) -> tuple[Checkpoint, list[bytes]]:
    """The checkpoint, its signatures checked, and all entries it covers."""
    raw = folder.read_checkpoint()
    assert raw is not None
    note = Note.parse(raw)
    assert set(note.check(keys.pinned[:2])) == set(keys.pinned[:2])
    checkpoint = Checkpoint.parse(note.text)
    entries: list[bytes] = []
    while len(entries) < checkpoint.size:
        width = min(256, checkpoint.size - len(entries))
        entries += unbundle(folder.read(TileName(ENTRIES, len(entries) // 256, width)) or b"")
    return checkpoint, entries


async def test_A1_submitted_entries_come_under_a_signed_checkpoint(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, keys: LogKeys, make_entry: MakeEntry
) -> None:
    wanted = set()
    for count in (1, 3, 252, 1, 300):
        receipts = await asyncio.gather(*(journal.submit(make_entry()) for _ in range(count)))
        wanted |= {receipt.id for receipt in receipts}
        head = await sequencer.advance()
        checkpoint, entries = published(folder, keys)
        assert (checkpoint.size, checkpoint.root) == (head.size, head.root)
        assert checkpoint.root == root_of(leaves_of(entries))
        ids = [decode(entry).id for entry in entries]
        assert wanted <= set(ids)
        assert len(set(ids)) == len(ids)
