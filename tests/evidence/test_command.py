"""`omonat evidence …` as an operator types it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from omonat.database.pool import Database
from omonat.evidence import verifier
from omonat.evidence.entry import Entry
from omonat.evidence.folder import LogFolder
from omonat.evidence.journal import Journal
from omonat.evidence.keys import LogKeys
from omonat.evidence.sequencer import Sequencer
from tests.evidence.conftest import Clock
from tests.evidence.logs import pinned

ROOT = Path(__file__).parents[2]


async def omonat(database: Database, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMONAT_HOME": str(home),
        "OMONAT_DATABASE": database.dsn,
        "OMONAT_LANGUAGE": "en",
    }
    command = [sys.executable, "-m", "omonat", "evidence", *words]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, cwd=home, capture_output=True, text=True, check=False
    )


async def test_A1_proof_checkpoint_and_bundle_from_the_command_line(  # noqa: PLR0917 - fixtures, by name
    database: Database, journal: Journal, tmp_path: Path, keys: LogKeys, clock: Clock, make_entry: Callable[..., Entry]
) -> None:
    early = await omonat(database, tmp_path, "checkpoint")
    assert (early.returncode, "not yet under a signed checkpoint" in early.stderr) == (3, True)

    entry = make_entry()
    await journal.submit(entry)
    sequencer = Sequencer(database, LogFolder(tmp_path / "log"), keys, clock=clock)
    assert await sequencer.open()
    await sequencer.advance()

    shown = await omonat(database, tmp_path, "checkpoint")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.encode() == (tmp_path / "log/checkpoint").read_bytes()
    assert keys.log.verifier.vkey in shown.stderr
    LogFolder(tmp_path / "log").write_conflict("w-9", b"a note under our own signature\n")
    loud = await omonat(database, tmp_path, "checkpoint")
    assert (loud.returncode, "CONFLICT" in loud.stderr) == (8, True)

    proved = await omonat(database, tmp_path, "proof", entry.id)
    assert proved.returncode == 0, proved.stderr
    raw = (tmp_path / f"{entry.id}.tlog-proof").read_bytes()
    assert verifier.verify_proof(raw, pinned(keys)).code == verifier.INTACT
    alone = await omonat(database, tmp_path, "verify", f"{entry.id}.tlog-proof", "--keys", "log/keys")
    assert (alone.returncode, entry.id in alone.stdout) == (0, True)

    missing = await omonat(database, tmp_path, "proof", "ev_" + "a" * 26)
    assert (missing.returncode, "no evidence entry" in missing.stderr) == (6, True)

    bundle = await omonat(database, tmp_path, "export", "bundle")
    assert bundle.returncode == 0, bundle.stderr
    whole = await omonat(database, tmp_path, "verify", "bundle/log", "--keys", "bundle/keys")
    assert (whole.returncode, "INTACT" in whole.stdout) == (0, True)
    again = await omonat(database, tmp_path, "export", "bundle")
    assert again.returncode == 2
