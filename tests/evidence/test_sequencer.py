"""The sequencer: committed entries get their place, once, under a signed checkpoint."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.errors import Fault, Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, MINUTE, SECOND, Instant
from omonat.database.pool import Database
from omonat.evidence import publishing, verifier
from omonat.evidence.entry import Entry, decode
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.publishing import Head
from omonat.evidence.sequencer import HEARTBEAT, Sequencer
from omonat.evidence.tiles import ENTRIES, TileName, leaves_of, unbundle
from omonat.evidence.tree import root_of
from tests.evidence.conftest import Clock, fixed_key
from tests.evidence.logs import honest, verify, write

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


async def submit(journal: Journal, make_entry: MakeEntry, count: int) -> None:
    await asyncio.gather(*(journal.submit(make_entry()) for _ in range(count)))


async def test_design_an_entry_that_commits_late_is_placed_late_and_nobody_waits_for_it(
    database: Database, journal: Journal, sequencer: Sequencer, make_entry: MakeEntry, clock: Clock
) -> None:
    """A transaction stays open while later ones commit; it gets its place after it commits, once."""
    late = make_entry()
    async with database.transaction() as connection:
        await journal.append(connection, [late], now=clock())
        await submit(journal, make_entry, 5)
        first = await sequencer.advance()
        await submit(journal, make_entry, 5)
        second = await sequencer.advance()
        assert (first.size, second.size) == (6, 11)  # one clock mark, five and five uses
    assert (await sequencer.advance()).size == 12
    assert (await sequencer.advance()).size == 12
    assert await database.pool.fetchval("select index from placements where entry = $1", late.id) == 11


async def test_design_a_rolled_back_entry_gets_no_place(
    database: Database, journal: Journal, sequencer: Sequencer, make_entry: MakeEntry, clock: Clock
) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await journal.append(connection, [make_entry()], now=clock())
            raise RuntimeError
    await submit(journal, make_entry, 1)
    assert (await sequencer.advance()).size == 2


async def test_design_many_transactions_in_any_order_are_all_placed_once(
    database: Database, journal: Journal, sequencer: Sequencer, make_entry: MakeEntry, clock: Clock
) -> None:
    async def change(number: int) -> None:
        async with database.transaction() as connection:
            await journal.append(connection, [make_entry()], now=clock())
            await asyncio.sleep(0.001 * (number % 7))

    working = [asyncio.create_task(change(number)) for number in range(200)]
    while not all(task.done() for task in working):
        await sequencer.advance()
    await asyncio.gather(*working)
    head = await sequencer.advance()
    assert await database.pool.fetchval("select count(*) from entries") == head.size
    assert await database.pool.fetchval("select count(*) from placements") == head.size
    assert await database.pool.fetchval("select max(index) from placements") == head.size - 1


async def test_S6_after_a_restore_on_another_server_every_entry_is_found_by_comparing(
    database: Database, journal: Journal, sequencer: Sequencer, make_entry: MakeEntry
) -> None:
    """Transaction numbers begin anew there: the note of what was seen must not hide what is new."""
    await submit(journal, make_entry, 3)
    await sequencer.advance()
    await database.pool.execute("update evidence_log set cluster = 'elsewhere', seen = '9000000000:9000000000:'")
    await submit(journal, make_entry, 3)
    assert (await sequencer.advance()).size == 7
    await submit(journal, make_entry, 3)
    assert (await sequencer.advance()).size == 10


async def test_design_a_heartbeat_is_signed_while_nothing_happens(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    await submit(journal, make_entry, 1)
    await sequencer.advance()
    before = folder.read_checkpoint()
    clock.pass_(HEARTBEAT)
    await sequencer.advance()
    after = folder.read_checkpoint()
    assert before != after
    note = Note.parse(after or b"")
    assert note.check(keys.pinned[:2])[keys.clock.verifier] == clock() // SECOND * SECOND


async def test_design_a_clock_that_steps_back_is_an_entry(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    await submit(journal, make_entry, 1)
    await sequencer.advance()
    seen = clock()
    clock.pass_(-5 * MINUTE)
    await submit(journal, make_entry, 1)
    await sequencer.advance()
    _, entries = published(folder, keys)
    acts = [(decode(entry).act, decode(entry).facts) for entry in entries]
    assert ("clock:regress", {"seen": seen}) in acts
    assert verify(folder.path, keys).code == verifier.INTACT


async def test_S6_a_backdated_entry_is_placed_under_doubt(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, keys: LogKeys, clock: Clock
) -> None:
    await journal.submit(Entry(new_id("ev"), clock(), "use:person:authorised", {}))
    await sequencer.advance()
    await journal.submit(Entry(new_id("ev"), Instant(clock() - HOUR), "consent:purpose:given", {}))
    await sequencer.advance()
    _, entries = published(folder, keys)
    assert [decode(entry).act for entry in entries[-2:]] == ["clock:doubt", "consent:purpose:given"]
    assert verify(folder.path, keys).code == verifier.INTACT


# -- two at once ---------------------------------------------------------------------------------------------------


async def test_S6_only_one_sequences_and_a_fenced_one_neither_places_nor_signs(
    database: Database, journal: Journal, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    first = Sequencer(database, folder, keys, clock=clock)
    second = Sequencer(database, folder, keys, clock=clock)
    assert await first.open()
    assert not await second.open()
    await submit(journal, make_entry, 2)
    await first.advance()

    clock.pass_(MINUTE)  # the first one sleeps through its lease
    assert await second.open()
    await submit(journal, make_entry, 2)
    head = await second.advance()
    signed = folder.read_checkpoint()
    clock.pass_(-MINUTE)  # it wakes up and still believes its lease
    with pytest.raises(Unavailable) as lost:
        await first.advance()
    assert lost.value.code == "lease-lost"
    assert folder.read_checkpoint() == signed
    assert await database.pool.fetchval("select placed from evidence_log") == head.size


async def test_S6_a_sequencer_fenced_between_placing_and_signing_cannot_sign(
    database: Database, journal: Journal, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    async def take_over() -> None:
        await database.pool.execute("update leases set fence = fence + 1, holder = 'another'")

    loop = asyncio.get_running_loop()

    def reached(step: str) -> None:
        if step == "flushed":  # called from the writing thread
            asyncio.run_coroutine_threadsafe(take_over(), loop).result()

    fenced = Sequencer(database, folder, keys, clock=clock, reached=reached)
    assert await fenced.open()
    await submit(journal, make_entry, 2)
    with pytest.raises(Unavailable) as lost:
        await fenced.advance()
    assert lost.value.code == "lease-lost"
    assert folder.read_checkpoint() is None


async def test_S6_a_checkpoint_that_moved_meanwhile_is_not_replaced(
    database: Database, journal: Journal, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    """The last guard, when even the database connection that held the fence has died unnoticed."""
    sequencer = Sequencer(database, folder, keys, clock=clock)
    assert await sequencer.open()
    await submit(journal, make_entry, 2)
    await sequencer.advance()
    newer = publishing.sign(Head(99, bytes(32)), keys, now=clock())
    folder.write_checkpoint(newer)
    await submit(journal, make_entry, 2)
    with pytest.raises(Unavailable):
        await sequencer.advance()
    assert folder.read_checkpoint() == newer


# -- altered before it was signed ----------------------------------------------------------------------------------


async def alter(database: Database, statement: str) -> None:
    """What only the owner of the tables can do: switch the trigger off."""
    async with database.transaction() as connection:
        for table in ("entries", "placements"):
            await connection.execute(f"alter table {table} disable trigger append_only")
        await connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update entries set body = set_byte(body, 20, get_byte(body, 20) # 1) where id = '{}'",
        "update entries set leaf = set_byte(leaf, 0, get_byte(leaf, 0) # 1) where id = '{}'",
    ],
)
async def test_S6_an_entry_altered_before_it_was_signed_is_named_and_never_signed(
    database: Database, journal: Journal, sequencer: Sequencer, folder: LogFolder, make_entry: MakeEntry, statement: str
) -> None:
    await submit(journal, make_entry, 4)
    await sequencer.advance()
    signed = folder.read_checkpoint()
    victim = make_entry()
    await journal.submit(victim)
    await alter(database, statement.format(victim.id))
    with pytest.raises(Fault) as fault:
        await sequencer.advance()
    assert (fault.value.code, fault.value.about["index"]) == ("evidence-altered", "5")
    assert folder.read_checkpoint() == signed


async def test_S6_an_entry_deleted_after_it_was_placed_stops_the_signing(
    database: Database, journal: Journal, folder: LogFolder, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> None:
    def stop(step: str) -> None:
        if step == "placed":
            raise RuntimeError("dies")

    dying = Sequencer(database, folder, keys, clock=clock, reached=stop, holder="seq_one")
    assert await dying.open()
    await submit(journal, make_entry, 3)
    with pytest.raises(RuntimeError):
        await dying.advance()
    await alter(database, "delete from entries where id = (select entry from placements where index = 1)")
    sequencer = Sequencer(database, folder, keys, clock=clock, holder="seq_one")
    assert await sequencer.open()
    with pytest.raises(Fault) as fault:
        await sequencer.advance()
    assert fault.value.about["index"] == "1"
    assert folder.read_checkpoint() is None


async def test_S6_no_checkpoint_is_signed_over_a_flipped_bit_on_the_disk(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, make_entry: MakeEntry
) -> None:
    """Right-edge tiles, the begun bundle, the checkpoint: a hundred bits, each found before the next signature."""
    await submit(journal, make_entry, 299)
    await sequencer.advance()
    signed = folder.read_checkpoint()
    await submit(journal, make_entry, 1)
    edge = [*folder.path.glob("tile/**/*.p/*"), folder.path / "checkpoint"]
    chance = random.Random(7)
    for _ in range(100):
        file = chance.choice(edge)
        original = file.read_bytes()
        bit = chance.randrange(len(original) * 8)
        spoiled = bytearray(original)
        spoiled[bit // 8] ^= 1 << bit % 8
        file.write_bytes(spoiled)
        with pytest.raises((Fault, Unavailable)):
            await sequencer.advance()
        if file.name != "checkpoint":
            assert folder.read_checkpoint() == signed
        file.write_bytes(original)
    await sequencer.advance()
    assert folder.read_checkpoint() != signed


# -- log and database disagree -------------------------------------------------------------------------------------


async def reopen(database: Database, folder: LogFolder, keys: LogKeys, clock: Clock) -> str:
    """The code with which a fresh sequencer refuses to begin."""
    clock.pass_(MINUTE)
    with pytest.raises(Fault) as fault:
        await Sequencer(database, folder, keys, clock=clock).open()
    return fault.value.code


async def test_S6_a_rolled_back_or_missing_log_is_refused_at_start(
    database: Database,
    journal: Journal,
    sequencer: Sequencer,
    folder: LogFolder,
    keys: LogKeys,
    clock: Clock,
    make_entry: MakeEntry,
    tmp_path: Path,
) -> None:
    await submit(journal, make_entry, 3)
    await sequencer.advance()
    shutil.copytree(folder.path, tmp_path / "older")
    await submit(journal, make_entry, 3)
    await sequencer.advance()
    assert await reopen(database, LogFolder(tmp_path / "older"), keys, clock) == "evidence-log-rolled-back"
    assert await reopen(database, LogFolder(tmp_path / "nowhere"), keys, clock) == "evidence-log-rolled-back"


async def test_S6_a_rolled_back_database_is_refused_at_start(
    database: Database, folder: LogFolder, keys: LogKeys, clock: Clock
) -> None:
    """As after an older backup of the data: the log is newer than all the database knows."""
    write(folder.path, honest(40), keys)
    assert await reopen(database, folder, keys, clock) == "evidence-database-rolled-back"


async def test_S6_a_forked_foreign_or_damaged_log_is_refused_at_start(
    database: Database,
    journal: Journal,
    sequencer: Sequencer,
    folder: LogFolder,
    keys: LogKeys,
    clock: Clock,
    make_entry: MakeEntry,
    tmp_path: Path,
) -> None:
    await submit(journal, make_entry, 3)
    head = await sequencer.advance()
    forked = write(tmp_path / "forked", honest(head.size), keys)
    assert await reopen(database, forked, keys, clock) == "evidence-log-forked"
    other = LogKeys.of("other.example/log", log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(3))
    foreign = write(tmp_path / "foreign", honest(head.size), other)
    assert await reopen(database, foreign, keys, clock) == "evidence-log-foreign"
    (folder.path / "tile/0/000.p/4").write_bytes(bytes(128))
    assert await reopen(database, folder, keys, clock) == "evidence-altered"


async def test_A1_an_unwritable_folder_loses_nothing_and_heals_by_itself(
    journal: Journal, sequencer: Sequencer, folder: LogFolder, keys: LogKeys, make_entry: MakeEntry
) -> None:
    """A file lies where a folder must be: writing fails for root too. Uses are still acknowledged."""
    (folder.path / "tile").parent.mkdir(parents=True)
    (folder.path / "tile").write_text("in the way")
    await submit(journal, make_entry, 3)
    with pytest.raises(Unavailable) as refused:
        await sequencer.advance()
    assert refused.value.code == "evidence-log-unwritable"
    await submit(journal, make_entry, 3)
    (folder.path / "tile").unlink()
    assert (await sequencer.advance()).size == 7
    assert verify(folder.path, keys).code == verifier.INTACT
