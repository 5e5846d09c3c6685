"""Backup, restore and drill as an operator types them, beside a running service and after it is gone."""
# ruff: noqa: F401, F811 - fixtures

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole.conftest import first, installation
from tests.whole.lines import Line, ordered
from tests.whole.serving import ROOT, Installation, Service, refused, serving, until


def omonat(of: Installation, *words: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "omonat", *map(str, words)],
        env=of.environment(1, **settings), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def place(short_folder: Path, installation: Installation) -> Iterator[Path]:
    folder = short_folder / f"{installation.home.name}-place"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def restrict(line: Line, of: Installation, person: str) -> None:
    done = line.post("/v1/restrictions", {"person": person, "state": "given"}, of.credentials["site"])
    assert done.status in (200, 201), done.body


def test_S6_the_host_is_lost_and_the_service_comes_back_elsewhere(installation: Installation, place: Path) -> None:
    """Backup while it runs, a drill beside it, a choice after the backup, the host gone, a new home, served again."""
    second, site = place / "second", installation.credentials["site"]
    with serving(installation, JOURNAL_COPIES=str(second), WORKERS="1") as service:
        line = Line(service)
        person = ordered(line, installation, "order:1")
        stays = ordered(line, installation, "order:2")
        made = omonat(installation, "backup", place / "data", "--keys", place / "keys")
        assert made.returncode == 0, made.stderr
        drilled = omonat(installation, "drill", place / "data", "--keys", place / "keys", "--json")
        assert drilled.returncode == 0, drilled.stderr
        report = json.loads(drilled.stdout)
        assert report["passed"]
        assert 0 < report["recovery_time"] < 60
        assert report["recovery_point"] < 60
        assert {one["what"] for one in report["restore"]["findings"]} == {
            "log", "journal", "withdrawn", "keys", "living", "verifier", "keys-part",
        }  # fmt: skip
        assert not list(installation.home.parent.glob(f"{installation.home.name}.drill*"))
        assert omonat(installation, "drill", "--standing").returncode == 0
        restrict(line, installation, person)
        ordered(line, installation, "order:3")
        journal = second / "journal"
        size = sum(file.stat().st_size for file in journal.iterdir())
        until(lambda: service.answers() and sum(f.stat().st_size for f in journal.iterdir()) >= size, 20)
        time.sleep(1.5)  # what the recovery point promises: the copies are that far behind, and no further
        service.kill("everything")
    shutil.rmtree(installation.home)

    new = Installation(installation.home.with_name(installation.home.name + "n"), installation.root_key,
                       installation.credentials, installation.keys)  # fmt: skip
    arguments = ("restore", place / "data", "--keys", place / "keys", "--copy", second)
    with killed_restore(new, arguments):
        status, said = refused(new)
        assert status == 8, said
        assert "omonat restore" in said
    done = omonat(new, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "proved" in done.stdout
    assert "collect:record:accepted" in done.stdout  # order 3 is lost, and said to be
    with serving(new, WORKERS="1") as service:
        line = Line(service)
        assert line.use(site, purpose="deliver-order", case="order:2").body["person"] == stays
        assert line.use(site, purpose="deliver-order", case="order:1").code == "person-restricted"
        assert line.use(site, purpose="deliver-order", case="order:3").code == "no-open-case"
        verified = omonat(new, "evidence", "verify", new.home / "log", "--keys", new.home / "log" / "keys")
        assert verified.returncode == 0, verified.stdout
    shutil.rmtree(new.home, ignore_errors=True)


@contextmanager
def killed_restore(of: Installation, arguments: tuple[str | Path, ...]) -> Iterator[None]:
    """A restore whose process is killed as soon as its marker lies in the home."""
    with subprocess.Popen(
        [sys.executable, "-m", "omonat", *map(str, arguments)],
        env=of.environment(1), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        until(lambda: (of.home / "restoring.json").exists() or process.poll() is not None, 60)
        process.kill()
    assert (of.home / "restoring.json").exists()
    yield


def test_S6_a_service_whose_database_was_put_back_does_not_start(installation: Installation, place: Path) -> None:
    old = installation.copy(place / "old")
    with serving(installation, WORKERS="1") as service:
        line = Line(service)
        restrict(line, installation, ordered(line, installation, "order:1"))
        service.stop()
    shutil.rmtree(installation.home / "postgres")
    shutil.copytree(old.home / "postgres", installation.home / "postgres", copy_function=shutil.copy2)
    subprocess.run(
        ["cp", "-a", "--no-target-directory", old.home / "postgres", installation.home / "postgres"], check=True
    )
    status, said = refused(installation, WORKERS="1")
    assert status == 8, said
    assert "rolled back" in said
    assert "omonat restore" in said or "Restore" in said


def test_S6_a_drill_that_was_killed_leaves_nothing_to_the_next(installation: Installation, place: Path) -> None:
    with serving(installation, WORKERS="1") as service:
        ordered(Line(service), installation, "order:1")
        assert omonat(installation, "backup", place / "data").returncode == 0
        own = installation.home.with_name(f"{installation.home.name}.drill")
        with subprocess.Popen(
            [sys.executable, "-m", "omonat", "drill", str(place / "data")],
            env=installation.environment(1), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            until(lambda: (own / "postgres").exists() or process.poll() is not None, 60)
            process.send_signal(signal.SIGKILL)
        assert own.exists()
        again = omonat(installation, "drill", place / "data")
        assert again.returncode == 0, again.stderr
        assert "recovery time" in again.stdout
        assert not own.exists()
        assert service.answers()


def test_S6_a_drill_of_an_altered_backup_fails_with_its_own_exit_code(installation: Installation, place: Path) -> None:
    with serving(installation, WORKERS="1") as service:
        ordered(Line(service), installation, "order:1")
        assert omonat(installation, "drill", place / "none").returncode == 6
        assert omonat(installation, "backup", place / "data").returncode == 0
        (data,) = (place / "data").glob("*/data.tar")
        raw = bytearray(data.read_bytes())
        raw[len(raw) // 2] ^= 1
        data.write_bytes(raw)
        failed = omonat(installation, "drill", place / "data")
        assert failed.returncode == 9, failed.stderr
        assert service.answers()
