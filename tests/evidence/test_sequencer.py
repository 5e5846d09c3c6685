"""The sequencer: committed entries get their place, once, under a signed checkpoint."""

import asyncio
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.errors import Fault, Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, MINUTE, SECOND, Instant
from omonat.database.pool import Database
from omonat.evidence import placing, publishing, verifier
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


@dataclass
class Stage:
    """Everything a sequencer works on."""

    database: Database
    journal: Journal
    folder: LogFolder
    keys: LogKeys
    clock: Clock
    make_entry: MakeEntry

    def hire(self, *, reached: Callable[[str], None] = lambda _step: None, holder: str | None = None) -> Sequencer:
        """A sequencer that hasn't begun."""
        return Sequencer(self.database, self.folder, self.keys, clock=self.clock, holder=holder, reached=reached)

    async def submit(self, count: int) -> None:
        await asyncio.gather(*(self.journal.submit(self.make_entry()) for _ in range(count)))

    async def append_and_fail(self) -> None:
        with suppress(RuntimeError):
            async with self.database.transaction() as connection:
                await self.journal.append(connection, [self.make_entry()], now=self.clock())
                raise RuntimeError("the change fails")


@pytest.fixture
def stage(  # noqa: PLR0917 - pytest passes fixtures by name
    database: Database, journal: Journal, tmp_path: Path, keys: LogKeys, clock: Clock, make_entry: MakeEntry
) -> Stage:
    return Stage(database, journal, LogFolder(tmp_path / "log"), keys, clock, make_entry)


@pytest_asyncio.fixture(loop_scope="session")
async def sequencer(stage: Stage) -> Sequencer:
    sequencer = stage.hire()
    assert await sequencer.open()
    return sequencer


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


async def test_A1_submitted_entries_come_under_a_signed_checkpoint(stage: Stage, sequencer: Sequencer) -> None:
    wanted = set()
    for count in (1, 3, 252, 1, 300):
        receipts = await asyncio.gather(*(stage.journal.submit(stage.make_entry()) for _ in range(count)))
        wanted |= {receipt.id for receipt in receipts}
        head = await sequencer.advance()
        checkpoint, entries = published(stage.folder, stage.keys)
        assert (checkpoint.size, checkpoint.root) == (head.size, head.root)
        assert checkpoint.root == root_of(leaves_of(entries))
        ids = [decode(entry).id for entry in entries]
        assert wanted <= set(ids)
        assert len(set(ids)) == len(ids)


async def test_design_an_entry_that_commits_late_is_placed_late_and_nobody_waits_for_it(
    stage: Stage, sequencer: Sequencer
) -> None:
    """A transaction stays open while later ones commit; it gets its place after it commits, once."""
    late = stage.make_entry()
    async with stage.database.transaction() as connection:
        await stage.journal.append(connection, [late], now=stage.clock())
        await stage.submit(5)
        first = await sequencer.advance()
        await stage.submit(5)
        second = await sequencer.advance()
        assert (first.size, second.size) == (6, 11)  # one stage.clock mark, five and five uses
    assert (await sequencer.advance()).size == 12
    assert (await sequencer.advance()).size == 12
    assert await stage.database.pool.fetchval("select index from placements where entry = $1", late.id) == 11


async def test_design_a_rolled_back_entry_gets_no_place(stage: Stage, sequencer: Sequencer) -> None:
    await stage.append_and_fail()
    await stage.submit(1)
    assert (await sequencer.advance()).size == 2


async def test_design_many_transactions_in_any_order_are_all_placed_once(stage: Stage, sequencer: Sequencer) -> None:
    async def change(number: int) -> None:
        async with stage.database.transaction() as connection:
            await stage.journal.append(connection, [stage.make_entry()], now=stage.clock())
            await asyncio.sleep(0.001 * (number % 7))

    working = [asyncio.create_task(change(number)) for number in range(200)]
    while not all(task.done() for task in working):
        await sequencer.advance()
    await asyncio.gather(*working)
    head = await sequencer.advance()
    assert await stage.database.pool.fetchval("select count(*) from entries") == head.size
    assert await stage.database.pool.fetchval("select count(*) from placements") == head.size
    assert await stage.database.pool.fetchval("select max(index) from placements") == head.size - 1


async def test_S6_after_a_restore_on_another_server_every_entry_is_found_by_comparing(
    stage: Stage, sequencer: Sequencer
) -> None:
    """Transaction numbers begin anew there: the note of what was seen must not hide what is new."""
    await stage.submit(3)
    await sequencer.advance()
    await stage.database.pool.execute("update evidence_log set cluster = 'elsewhere', seen = '9000000000:9000000000:'")
    await stage.submit(3)
    assert (await sequencer.advance()).size == 7
    await stage.submit(3)
    assert (await sequencer.advance()).size == 10


async def test_design_a_heartbeat_is_signed_while_nothing_happens(stage: Stage, sequencer: Sequencer) -> None:
    await stage.submit(1)
    await sequencer.advance()
    before = stage.folder.read_checkpoint()
    stage.clock.pass_(HEARTBEAT)
    await sequencer.advance()
    after = stage.folder.read_checkpoint()
    assert before != after
    note = Note.parse(after or b"")
    assert note.check(stage.keys.pinned[:2])[stage.keys.clock.verifier] == stage.clock() // SECOND * SECOND


async def test_design_a_clock_that_steps_back_is_an_entry(stage: Stage, sequencer: Sequencer) -> None:
    await stage.submit(1)
    await sequencer.advance()
    seen = stage.clock()
    stage.clock.pass_(-5 * MINUTE)
    await stage.submit(1)
    await sequencer.advance()
    _, entries = published(stage.folder, stage.keys)
    acts = [(decode(entry).act, decode(entry).facts) for entry in entries]
    assert ("clock:regress", {"seen": seen}) in acts
    assert verify(stage.folder.path, stage.keys).code == verifier.INTACT


async def test_S6_a_backdated_entry_is_placed_under_doubt(stage: Stage, sequencer: Sequencer) -> None:
    await stage.journal.submit(Entry(new_id("ev"), stage.clock(), "use:person:authorised", {}))
    await sequencer.advance()
    await stage.journal.submit(Entry(new_id("ev"), Instant(stage.clock() - HOUR), "consent:purpose:given", {}))
    await sequencer.advance()
    _, entries = published(stage.folder, stage.keys)
    assert [decode(entry).act for entry in entries[-2:]] == ["clock:doubt", "consent:purpose:given"]
    assert verify(stage.folder.path, stage.keys).code == verifier.INTACT


async def test_S6_what_waited_through_an_outage_is_placed_in_parts_and_none_of_it_is_doubted(
    stage: Stage, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four hundred transactions in three hours, one longer than a part; another still open when they are taken."""
    monkeypatch.setattr(placing, "MOST_PLACED", 30)
    await stage.submit(1)
    before = await sequencer.advance()
    async with stage.database.transaction() as connection:
        late = Entry(new_id("ev"), Instant(stage.clock() + 3 * HOUR), "consent:purpose:given", {})
        await stage.journal.append(connection, [late], now=late.at)
        for _ in range(400):
            stage.clock.pass_(27 * SECOND)
            await stage.submit(1)
        async with stage.database.transaction() as long:
            many = [Entry(new_id("ev"), stage.clock(), "use:person:authorised", {}) for _ in range(70)]
            await stage.journal.append(long, many, now=stage.clock())

        assert await sequencer.open()  # its lease has long run out
        heads, placed = [], await _placed_once(stage)
        while (head := await sequencer.advance()) and (not heads or head.size > heads[-1].size):
            assert verify(stage.folder.path, stage.keys).code == verifier.INTACT
            now_placed = await _placed_once(stage)
            assert now_placed - placed <= 71 + 70  # its part and its marks; the long transaction stays whole
            heads, placed = [*heads, head], now_placed
        assert len(heads) > 400 // 30
    last = await sequencer.advance()
    assert verify(stage.folder.path, stage.keys).code == verifier.INTACT
    assert await stage.database.pool.fetchval("select count(*) from entries") == last.size
    _, entries = published(stage.folder, stage.keys)
    told = [decode(entry) for entry in entries[before.size :]]
    assert len([entry for entry in told if entry.act == "use:person:authorised"]) == 470
    assert told[-1].id == late.id
    assert not [entry for entry in told if entry.act == "clock:doubt"]
    waited = [entry for entry in told if entry.act == "clock:mark" and entry.facts]
    assert waited
    assert all(entry.at <= entry.facts["placed"] == stage.clock() for entry in waited)


async def _placed_once(stage: Stage) -> int:
    rows = await stage.database.pool.fetchrow("select count(*) as many, count(distinct entry) as ids from placements")
    assert rows["many"] == rows["ids"]
    return int(rows["many"])


# -- two at once ---------------------------------------------------------------------------------------------------


async def test_S6_only_one_sequences_and_a_fenced_one_neither_places_nor_signs(stage: Stage) -> None:
    first = stage.hire()
    second = stage.hire()
    assert await first.open()
    assert not await second.open()
    await stage.submit(2)
    await first.advance()

    stage.clock.pass_(MINUTE)  # the first one sleeps through its lease
    assert await second.open()
    await stage.submit(2)
    head = await second.advance()
    signed = stage.folder.read_checkpoint()
    stage.clock.pass_(-MINUTE)  # it wakes up and still believes its lease
    with pytest.raises(Unavailable) as lost:
        await first.advance()
    assert lost.value.code == "lease-lost"
    assert stage.folder.read_checkpoint() == signed
    assert await stage.database.pool.fetchval("select placed from evidence_log") == head.size


async def test_S6_a_sequencer_fenced_between_placing_and_signing_cannot_sign(stage: Stage) -> None:
    async def take_over() -> None:
        await stage.database.pool.execute("update leases set fence = fence + 1, holder = 'another'")

    loop = asyncio.get_running_loop()

    def reached(step: str) -> None:
        if step == "flushed":  # called from the writing thread
            asyncio.run_coroutine_threadsafe(take_over(), loop).result()

    fenced = stage.hire(reached=reached)
    assert await fenced.open()
    await stage.submit(2)
    with pytest.raises(Unavailable) as lost:
        await fenced.advance()
    assert lost.value.code == "lease-lost"
    assert stage.folder.read_checkpoint() is None


async def test_S6_a_checkpoint_that_moved_meanwhile_is_not_replaced(stage: Stage) -> None:
    """The last guard, when even the stage.database connection that held the fence has died unnoticed."""
    sequencer = stage.hire()
    assert await sequencer.open()
    await stage.submit(2)
    await sequencer.advance()
    newer = publishing.sign(Head(99, bytes(32)), stage.keys, now=stage.clock())
    stage.folder.write_checkpoint(newer)
    await stage.submit(2)
    with pytest.raises(Unavailable):
        await sequencer.advance()
    assert stage.folder.read_checkpoint() == newer


# -- altered before it was signed ----------------------------------------------------------------------------------


async def alter(stage: Stage, statement: str) -> None:
    """What only the owner of the tables can do: switch the trigger off."""
    async with stage.database.transaction() as connection:
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
    stage: Stage, sequencer: Sequencer, statement: str
) -> None:
    await stage.submit(4)
    await sequencer.advance()
    signed = stage.folder.read_checkpoint()
    victim = stage.make_entry()
    await stage.journal.submit(victim)
    await alter(stage, statement.format(victim.id))
    with pytest.raises(Fault) as fault:
        await sequencer.advance()
    assert (fault.value.code, fault.value.about["index"]) == ("evidence-altered", "5")
    assert stage.folder.read_checkpoint() == signed


async def test_S6_an_entry_deleted_after_it_was_placed_stops_the_signing(stage: Stage) -> None:
    def stop(step: str) -> None:
        if step == "placed":
            raise RuntimeError("dies")

    dying = stage.hire(reached=stop, holder="seq_one")
    assert await dying.open()
    await stage.submit(3)
    with pytest.raises(RuntimeError):
        await dying.advance()
    await alter(stage, "delete from entries where id = (select entry from placements where index = 1)")
    sequencer = stage.hire(holder="seq_one")
    assert await sequencer.open()
    with pytest.raises(Fault) as fault:
        await sequencer.advance()
    assert fault.value.about["index"] == "1"
    assert stage.folder.read_checkpoint() is None


async def test_S6_no_checkpoint_is_signed_over_a_flipped_bit_on_the_disk(stage: Stage, sequencer: Sequencer) -> None:
    """Right-edge tiles, the begun bundle, the checkpoint: a hundred bits, each found before the next signature."""
    await stage.submit(299)
    await sequencer.advance()
    signed = stage.folder.read_checkpoint()
    await stage.submit(1)
    edge = [*stage.folder.path.glob("tile/**/*.p/*"), stage.folder.path / "checkpoint"]
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
            assert stage.folder.read_checkpoint() == signed
        file.write_bytes(original)
    await sequencer.advance()
    assert stage.folder.read_checkpoint() != signed


# -- log and database disagree -------------------------------------------------------------------------------------


async def reopened(stage: Stage, folder: LogFolder) -> str:
    """The code with which a fresh sequencer refuses to begin on this folder."""
    stage.clock.pass_(MINUTE)
    with pytest.raises(Fault) as fault:
        await Sequencer(stage.database, folder, stage.keys, clock=stage.clock).open()
    return fault.value.code


async def test_S6_a_rolled_back_or_missing_log_is_refused_at_start(
    stage: Stage, sequencer: Sequencer, tmp_path: Path
) -> None:
    await stage.submit(3)
    await sequencer.advance()
    shutil.copytree(stage.folder.path, tmp_path / "older")
    await stage.submit(3)
    await sequencer.advance()
    assert await reopened(stage, LogFolder(tmp_path / "older")) == "evidence-log-rolled-back"
    assert await reopened(stage, LogFolder(tmp_path / "nowhere")) == "evidence-log-rolled-back"


async def test_S6_a_rolled_back_database_is_refused_at_start(stage: Stage) -> None:
    """As after an older backup of the data: the log is newer than all the stage.database knows."""
    write(stage.folder.path, honest(40), stage.keys)
    assert await reopened(stage, stage.folder) == "evidence-database-rolled-back"


async def test_S6_a_forked_foreign_or_damaged_log_is_refused_at_start(
    stage: Stage, sequencer: Sequencer, tmp_path: Path
) -> None:
    await stage.submit(3)
    head = await sequencer.advance()
    forked = write(tmp_path / "forked", honest(head.size), stage.keys)
    assert await reopened(stage, forked) == "evidence-log-forked"
    other = LogKeys.of("other.example/log", log=fixed_key(1), clock=fixed_key(2), receipts=fixed_key(3))
    foreign = write(tmp_path / "foreign", honest(head.size), other)
    assert await reopened(stage, foreign) == "evidence-log-foreign"
    (stage.folder.path / "tile/0/000.p/4").write_bytes(bytes(128))
    assert await reopened(stage, stage.folder) == "evidence-altered"


async def test_A1_an_unwritable_folder_loses_nothing_and_heals_by_itself(stage: Stage, sequencer: Sequencer) -> None:
    """A file lies where a stage.folder must be: writing fails for root too. Uses are still acknowledged."""
    (stage.folder.path / "tile").write_text("in the way")
    await stage.submit(3)
    with pytest.raises(Unavailable) as refused:
        await sequencer.advance()
    assert refused.value.code == "evidence-log-unwritable"
    await stage.submit(3)
    (stage.folder.path / "tile").unlink()
    assert (await sequencer.advance()).size == 7
    assert verify(stage.folder.path, stage.keys).code == verifier.INTACT
