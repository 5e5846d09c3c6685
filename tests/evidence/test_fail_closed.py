"""No evidence, no data: what happens to uses when the journal or the log can't be written (bar c3, A1, S4)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from omonat.base.errors import Unavailable
from omonat.base.instants import SECOND
from omonat.database.home import OWNER
from omonat.database.pool import Database
from omonat.evidence import journal as journal_module
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.overdue import BOUND, Overdue
from omonat.evidence.sequencer import Sequencer
from tests.evidence.conftest import ORIGIN, Clock
from tests.evidence.logs import verify

MakeEntry = Callable[..., Entry]


@pytest_asyncio.fixture(loop_scope="session")
async def admin(database: Database, server: object) -> AsyncIterator[asyncpg.Connection]:
    name = await database.pool.fetchval("select current_database()")
    connection = await asyncpg.connect(server.address.dsn(name, user=OWNER))  # type: ignore[attr-defined]
    await connection.execute("set search_path = omonat")
    yield connection
    await connection.close()


async def refused(journal: Journal, entry: Entry) -> tuple[str, float]:
    """The code of the refusal, and how long it took."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as refusal:
        await journal.submit(entry)
    return refusal.value.code, time.monotonic() - began


@pytest.mark.parametrize("state", ["53100", "25006", "XX000", "XX001", "58030", "40001", "42501", "22P02"])
async def test_S4_whatever_the_database_says_nothing_is_acknowledged_and_it_mends_itself(
    database: Database, journal: Journal, admin: asyncpg.Connection, make_entry: MakeEntry, state: str
) -> None:
    """Full, read-only, internal error, corrupt, I/O error, conflict, forbidden, nonsense: as PostgreSQL raises them."""
    await journal.submit(make_entry())
    await admin.execute(
        f"create function fails() returns trigger language plpgsql as $$ begin raise sqlstate '{state}'; end $$;"
        "create trigger fails before insert on entries for each row execute function fails()"
    )
    outcomes = await asyncio.gather(*(refused(journal, make_entry()) for _ in range(20)))
    assert {code for code, _ in outcomes} == {"evidence-unavailable"}
    assert max(took for _, took in outcomes) < 2.5
    assert await database.pool.fetchval("select count(*) from entries") == 1
    await admin.execute("drop trigger fails on entries")
    await journal.submit(make_entry())


async def test_S4_whoever_waits_behind_a_stalled_disk_is_told_in_time_too(
    database: Database, journal: Journal, admin: asyncpg.Connection, make_entry: MakeEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Many more than one flush takes: each is refused within its own patience, not after all those before it."""
    monkeypatch.setattr(journal_module, "_PATIENCE", 0.5)
    monkeypatch.setattr(journal_module, "_MOST", 8)
    async with admin.transaction():
        await admin.execute("lock table entries in access exclusive mode")
        first = [asyncio.create_task(refused(journal, make_entry())) for _ in range(100)]
        await asyncio.sleep(0.3)
        later = [asyncio.create_task(refused(journal, make_entry())) for _ in range(100)]
        outcomes = await asyncio.gather(*first, *later)
    assert {code for code, _ in outcomes} == {"evidence-unavailable"}
    assert max(took for _, took in outcomes) < 1.0
    await journal.submit(make_entry())
    assert await database.pool.fetchval("select count(*) from entries") == 1


async def test_S4_a_panic_inside_the_journal_leaves_nobody_waiting_and_the_next_use_goes_on(
    journal: Journal, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PanicError(BaseException):
        """What no handler expects."""

    def panic(*_: object) -> list[object]:
        raise PanicError

    with monkeypatch.context() as broken:
        broken.setattr(journal_module, "columns", panic)
        outcomes = await asyncio.wait_for(
            asyncio.gather(*(refused(journal, make_entry()) for _ in range(50))), timeout=5
        )
        assert {code for code, _ in outcomes} == {"evidence-unavailable"}
    await asyncio.wait_for(journal.submit(make_entry()), timeout=5)


class Stage:
    """A journal that awaits proofs, a sequencer whose folder can be barred, and a clock for waiting."""

    def __init__(self, database: Database, keys: LogKeys, clock: Clock, folder: Path) -> None:
        self.database, self.clock = database, clock
        self.waited = 0.0
        self.overdue = Overdue(database, monotonic=lambda: self.waited)
        self.journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=clock, overdue=self.overdue)
        self.folder = LogFolder(folder)
        self.sequencer = Sequencer(database, self.folder, keys, clock=clock, holder="one")

    async def sequence(self) -> None:
        await self.sequencer.open()
        await self.sequencer.advance()
        await self.overdue.look()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(database: Database, keys: LogKeys, clock: Clock, tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(database, keys, clock, tmp_path / "log")
    await made.journal.start()
    yield made
    await made.journal.stop()


async def test_A1_a_log_that_stays_unwritable_stops_uses_after_a_minute_and_they_go_on_by_themselves(
    stage: Stage, make_entry: MakeEntry, keys: LogKeys
) -> None:
    await stage.journal.submit(make_entry())
    await stage.sequence()
    obstacle = stage.folder.path / "checkpoint.new"  # nobody can write the draft, whoever they are
    obstacle.mkdir()
    (obstacle / "here").touch()

    await stage.journal.submit(make_entry())
    with pytest.raises(Unavailable, match="log folder"):
        await stage.sequence()
    for waited in (10.0, 30.0, BOUND):  # proofs are late, entries are durable: uses go on
        stage.waited = waited
        await stage.journal.submit(make_entry())
        await stage.overdue.look()
    stage.waited = BOUND + 0.1
    code, took = await refused(stage.journal, make_entry())
    assert (code, took < 0.5) == ("evidence-overdue", True)
    async with stage.database.transaction() as connection:  # what people ask for is still written
        await stage.journal.append(connection, [make_entry()], now=stage.clock())

    (obstacle / "here").unlink()
    obstacle.rmdir()
    stage.clock.pass_(SECOND)
    await stage.sequence()
    await stage.journal.submit(make_entry())
    stage.waited += 2
    await stage.sequence()
    assert verify(stage.folder.path, keys).code == verifier.INTACT


async def test_A1_nobody_who_sequences_is_noticed_however_the_clock_of_the_wall_is_turned(
    stage: Stage, make_entry: MakeEntry
) -> None:
    await stage.journal.submit(make_entry())
    stage.clock.pass_(-3600 * SECOND)
    stage.waited = BOUND + 1
    assert (await refused(stage.journal, make_entry()))[0] == "evidence-overdue"
    stage.clock.pass_(7200 * SECOND)
    await stage.overdue.look()
    assert (await refused(stage.journal, make_entry()))[0] == "evidence-overdue"
    await stage.sequence()
    await stage.journal.submit(make_entry())


async def test_A1_without_uses_nothing_is_overdue_and_a_new_one_starts_afresh(
    stage: Stage, make_entry: MakeEntry
) -> None:
    await stage.journal.submit(make_entry())
    await stage.sequence()
    stage.waited += 24 * 3600
    await stage.journal.submit(make_entry())
    assert not stage.overdue.is_over


async def test_A1_the_watch_looks_by_itself(
    stage: Stage, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omonat.evidence.overdue.LOOK_EVERY", 0.01)
    await stage.journal.submit(make_entry())
    stage.waited = BOUND + 1
    assert stage.overdue.is_over
    await stage.sequencer.open()
    await stage.sequencer.advance()
    async with asyncio.timeout(5):
        while stage.overdue.is_over:  # noqa: ASYNC110 - the watch tells nobody
            await asyncio.sleep(0.01)
    await stage.journal.submit(make_entry())
