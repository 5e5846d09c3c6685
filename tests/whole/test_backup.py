"""Backup, restore and drill as an operator types them, beside a running service and after it is gone."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.lines import Line, ordered
from tests.whole.serving import ROOT, Installation, refused, serving, until


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
    """Backup while it runs, drills beside it, a choice after the backup, the host gone, a new home, served again."""
    second, site = place / "second", installation.credentials["site"]
    with serving(installation, JOURNAL_COPIES=str(second), WORKERS="1") as service:
        line = Line(service)
        person = ordered(line, installation, "order:1")
        stays = ordered(line, installation, "order:2")
        made = omonat(installation, "backup", place / "data", "--keys", place / "keys")
        assert made.returncode == 0, made.stderr
        drills_beside(installation, place)
        assert service.answers()
        line = Line(service)  # drills take a while
        restrict(line, installation, person)
        ordered(line, installation, "order:3")
        until(lambda: copied(installation, second), 20)
        service.kill("everything")
    shutil.rmtree(installation.home)

    home = installation.home.with_name(installation.home.name + "n")
    new = Installation(home, installation.root_key, installation.credentials, installation.keys)
    arguments = ("restore", place / "data", "--keys", place / "keys", "--copy", second)
    kill_when(new, arguments, home / "restoring.json")
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
    shutil.rmtree(home)


def drills_beside(of: Installation, place: Path) -> None:
    """One that is killed, one that passes."""
    own = of.home.with_name(f"{of.home.name}.drill")
    kill_when(of, ("drill", place / "data"), own / "postgres")
    drilled = omonat(of, "drill", place / "data", "--keys", place / "keys", "--json")
    assert drilled.returncode == 0, drilled.stderr
    assert not own.exists()
    report = json.loads(drilled.stdout)
    assert report["passed"]
    assert 0 < report["recovery_time"] < 60
    assert 0 < report["recovery_point"] < 600
    assert {one["what"] for one in report["restore"]["findings"]} == {
        "log", "journal", "withdrawn", "keys", "living", "verifier", "keys-part",
    }  # fmt: skip


def copied(of: Installation, second: Path) -> bool:
    """Whether the second place holds what the home's journal holds, and nothing waits any more."""

    def whole(folder: Path) -> bytes:
        return b"".join(file.read_bytes() for file in sorted(folder.glob("*.omj")))

    before = whole(of.home / "journal")
    time.sleep(1.5)  # three rounds of the shipper: what the recovery point promises
    return before == whole(of.home / "journal") == whole(second / "journal")


def kill_when(of: Installation, words: tuple[str | Path, ...], there: Path) -> None:
    """A command whose process is killed as soon as a file is there."""
    with subprocess.Popen(
        [sys.executable, "-m", "omonat", *map(str, words)],
        env=of.environment(1), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        until(lambda: there.exists() or process.poll() is not None, 60)
        process.kill()
    assert there.exists()


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
