"""Processes die between any two steps; what was acknowledged is in the log afterwards."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omonat.base.errors import Unavailable
from omonat.base.instants import MINUTE
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.sequencer import Sequencer
from tests.evidence.conftest import ORIGIN, Clock
from tests.evidence.logs import verify

ROOT = Path(__file__).parents[2]
STEPS = ["placed", "grown", "flushed", "written", "confirmed", "signed", "replaced", "noted", "published", "tidied"]


def words(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.evidence.crashing", *map(str, arguments)]


@pytest.mark.parametrize("step", STEPS)
async def test_A1_a_crash_after_any_step_heals(
    database: Database, tmp_path: Path, keys: LogKeys, clock: Clock, step: str
) -> None:
    folder = LogFolder(tmp_path / "log")
    tokens: list[str] = []
    for _ in range(2):  # on an empty log, then on one that ends inside a tile
        done = await asyncio.to_thread(
            subprocess.run,
            words(database.dsn, folder.path, step),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 9, done.stderr
        tokens += done.stdout.split()
        sequencer = Sequencer(database, folder, keys, clock=clock, holder="seq_crashing")
        assert await sequencer.open()
        await sequencer.advance()
        report = verify(folder.path, keys, receipts=tokens)
        assert (report.code, report.findings) == (verifier.INTACT, [])
        assert report.size == await database.pool.fetchval("select published from evidence_log")
    assert await database.pool.fetchval("select count(*) from entries") == report.size
    assert len(tokens) == 6
    assert not list(folder.path.rglob("*.new"))


async def test_A1_whatever_was_acknowledged_before_a_kill_is_in_the_log(
    database: Database, tmp_path: Path, keys: LogKeys, clock: Clock
) -> None:
    worker = await asyncio.create_subprocess_exec(
        *words(database.dsn, tmp_path / "log", "submit"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    tokens = [(await worker.stdout.readline()).decode().strip() for _ in range(100)]
    worker.kill()
    tokens += [line for line in (await worker.stdout.read()).decode().splitlines(keepends=True) if line.endswith("\n")]
    await worker.wait()
    tokens = [token.strip() for token in tokens]

    sequencer = Sequencer(database, LogFolder(tmp_path / "log"), keys, clock=clock)
    assert await sequencer.open()
    await sequencer.advance()
    report = verify(tmp_path / "log", keys, receipts=tokens)
    assert (report.code, len(report.notices)) == (verifier.INTACT, len(tokens))


async def test_A1_a_killed_database_refuses_uses_and_everything_recovers_by_itself(
    short_folder: Path, tmp_path: Path, keys: LogKeys, clock: Clock, make_entry: Callable[..., Entry]
) -> None:
    """PostgreSQL itself dies and comes back; journal and sequencer are the same objects throughout."""
    server = await asyncio.to_thread(Server.start, short_folder / "mortal")
    try:
        await migrate(server.dsn)
        database = await Database.connect(server.dsn, size=3)
        journal = Journal(database, origin=ORIGIN, receipts=keys.receipts, clock=clock)
        await journal.start()
        sequencer = Sequencer(database, LogFolder(tmp_path / "log"), keys, clock=clock)
        running = asyncio.create_task(sequencer.run())
        receipts = [await journal.submit(make_entry())]

        server.kill()
        with pytest.raises(Unavailable) as refused:
            await journal.submit(make_entry())
        assert refused.value.code == "evidence-unavailable"
        clock.pass_(MINUTE)

        await asyncio.to_thread(server.restart)
        receipts.append(await journal.submit(make_entry()))
        tokens = [receipt.token for receipt in receipts]
        async with asyncio.timeout(20):
            while not _all_in(tmp_path / "log", keys, tokens):
                clock.pass_(MINUTE // 60)
                await asyncio.sleep(0.1)
        sequencer.stop()
        await running
        await journal.stop()
        await database.close()
    finally:
        await asyncio.to_thread(server.stop)


def _all_in(folder: Path, keys: LogKeys, tokens: list[str]) -> bool:
    report = verify(folder, keys, receipts=tokens)
    return report.code == verifier.INTACT and len(report.notices) >= len(tokens)
