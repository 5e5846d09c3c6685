"""Starting, stopping and being killed: nothing acknowledged is ever lost, and the next start always works."""

import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from omonat.base.errors import BadInput
from omonat.database import processes
from omonat.database.embedded import Server
from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def until(reached: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


class House:
    """One running parent with the tiny house, and the ways to treat it badly."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        paths = f"{HERE}{os.pathsep}{ROOT}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "tiny_house.py")],
            env={**clean, "OMONAT_HOME": str(home), "OMONAT_PORT": str(self.port), "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line == "ready\n":
                return
        log = self.home / "postgres.log"
        raise AssertionError("".join(lines) + (log.read_text()[-3000:] if log.exists() else ""))

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=5) as answer:
            return int(answer.read())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(15)


@contextmanager
def running(home: Path) -> Iterator[House]:
    house = House(home)
    try:
        house.wait_until_ready()
        yield house
    finally:
        if house.process.poll() is None:
            house.stop()


@pytest.fixture
def home(short_folder: Path, request: pytest.FixtureRequest) -> Path:
    return short_folder / f"h{abs(hash(request.node.name)) % 10**6}"


def test_it_stops_cleanly_and_finds_its_data_again(home: Path) -> None:
    with running(home) as house:
        acknowledged = [house.get("add") for _ in range(5)]
        began = time.monotonic()
        assert house.stop() == 0
        assert time.monotonic() - began < 5
    assert not processes.working_in(home / "postgres", "postgres")
    with running(home) as again:
        assert again.get("count") == len(acknowledged)


def test_it_stops_when_it_is_told_so_while_it_reads_the_house(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_IS_READ_SLOWLY", "yes")
    house = House(home)
    assert house.process.stdout is not None
    while house.process.stdout.readline() != "reading\n":
        assert house.process.poll() is None
    assert house.stop() == 0
    assert "is lost" not in house.process.stdout.read()


def test_after_kill_9_of_the_parent_nothing_is_left_running_and_nothing_acknowledged_is_lost(home: Path) -> None:
    with running(home) as house:
        for number in range(1, 21):
            assert house.get("add") == number
        house.process.kill()
        house.process.wait()
    with running(home) as again:
        assert again.get("count") == 20


def test_after_kill_9_of_everything_at_once_the_next_start_recovers(home: Path) -> None:
    with running(home) as house:
        for _ in range(20):
            house.get("add")
        victims = [house.process.pid, house.get("pid")]
        victims += [seen.pid for seen in processes.working_in(home / "postgres", "postgres")]
        for pid in victims:
            with suppress(ProcessLookupError):  # a helper that ended by itself
                os.kill(pid, signal.SIGKILL)
        house.process.wait()
    with running(home) as again:
        assert again.get("count") == 20


def test_a_worker_and_a_database_that_die_are_started_again(home: Path) -> None:
    with running(home) as house:
        house.get("add")
        first = house.get("pid")
        os.kill(first, signal.SIGKILL)
        until(lambda: house.get("pid") != first)
        (data,) = [seen for seen in processes.working_in(home / "postgres", "postgres") if _is_head(seen.pid, home)]
        os.kill(data.pid, signal.SIGKILL)
        until(lambda: _counts(house, 1))


def test_a_database_that_cannot_start_is_tried_again_until_it_can(home: Path) -> None:
    with running(home) as house:
        house.get("add")
        control, away = home / "postgres" / "global" / "pg_control", home / "pg_control"
        control.rename(away)
        (data,) = [seen for seen in processes.working_in(home / "postgres", "postgres") if _is_head(seen.pid, home)]
        os.kill(data.pid, signal.SIGKILL)
        until(lambda: (home / "postgres.log").read_text().count("could not find the database system") > 2)
        assert house.process.poll() is None
        assert not _counts(house, 1)
        away.rename(control)
        until(lambda: _counts(house, 1))


def _counts(house: House, rows: int) -> bool:
    try:
        return house.get("count") == rows
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _is_head(pid: int, home: Path) -> bool:
    return (home / "postgres" / "postmaster.pid").read_text().splitlines()[0] == str(pid)


def test_S2_a_framework_that_sets_up_its_own_logging_does_not_get_past_the_allow_list(home: Path) -> None:
    with running(home) as house:
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/log", timeout=5) as answer:
            assert answer.status == 200
        house.stop()
        assert house.process.stdout is not None
        said = house.process.stdout.read()
    assert '"logger": "framework"' in said
    assert "Nilufar" not in said


def test_a_second_start_on_the_same_home_is_refused_and_harms_nothing(home: Path) -> None:
    with running(home) as house:
        house.get("add")
        second = House(home)
        output, _ = second.process.communicate(timeout=15)
        assert second.process.returncode != 0
        assert "home-in-use" in output or "already runs" in output
        assert house.get("count") == 1


def test_a_house_that_refuses_to_start_is_not_tried_again_and_its_reason_and_exit_code_come_through(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_IS_UNSAFE", "1")
    house = House(home)
    output, _ = house.process.communicate(timeout=30)
    assert house.process.returncode == 8, output
    assert "umask 022" in output
    assert not processes.working_in(home / "postgres", "postgres")


def test_a_process_that_is_ending_counts_until_it_has_let_go_of_everything(tmp_path: Path) -> None:
    """A database's helper loses its memory before its locks: a server that starts in between finds them taken."""
    script = (
        "import fcntl, time; kept = open('lock', 'w'); fcntl.flock(kept, fcntl.LOCK_EX)\n"
        "much = b'x' * 2**29; print('there', flush=True); time.sleep(60)"
    )
    for _ in range(3):
        helper = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        assert helper.stdout is not None
        helper.stdout.readline()
        assert [seen.pid for seen in processes.working_in(tmp_path, "python")] == [helper.pid]
        helper.kill()
        until(lambda: not processes.working_in(tmp_path, "python"))
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        helper.wait()


class TestEmbedded:
    """The server under our own supervision, without a house on top."""

    def test_an_orphan_is_stopped_and_its_data_taken_over(self, home: Path) -> None:
        script = (
            "import os, sys; from pathlib import Path; from omonat.database.embedded import Server\n"
            "s = Server.start(Path(sys.argv[1])); print(s.pid, flush=True)\n"
            "import ctypes, time; time.sleep(60)"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert parent.stdout is not None
        orphan = processes.look(int(parent.stdout.readline()))
        assert orphan is not None
        os.kill(orphan.pid, signal.SIGSTOP)  # cannot react to the parent's death: a true orphan
        parent.kill()
        parent.wait()
        os.kill(orphan.pid, signal.SIGSTOP)
        said: list[str] = []
        resume = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; kill -CONT {orphan.pid}"])
        server = Server.start(home, tell=lambda line, **_: said.append(line))
        resume.wait()
        assert said == ["stopping a database server that an earlier run left behind"]
        assert not orphan.still_runs()
        assert server.alive()
        server.stop(at_once=True)

    def test_a_lock_file_that_names_a_stranger_or_a_zombie_does_not_stop_the_start(self, home: Path) -> None:
        server = Server.start(home)
        server.kill()
        zombie = subprocess.Popen(["/bin/true"])
        until(lambda: processes.look(zombie.pid) is None)
        for stranger in (os.getppid(), zombie.pid):
            lines = (home / "postgres" / "postmaster.pid").read_text().splitlines()
            (home / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger), *lines[1:]]) + "\n")
            server.restart()
            assert server.alive()
            server.kill()
        zombie.wait()
        server.stop(at_once=True)

    def test_a_start_that_was_cut_off_while_making_the_database_begins_afresh(self, home: Path) -> None:
        (home / "postgres.new" / "base").mkdir(parents=True)
        server = Server.start(home)
        assert server.alive()
        assert not (home / "postgres.new").exists()
        server.stop(at_once=True)

    def test_data_of_another_major_version_is_refused_before_anything_touches_it(self, home: Path) -> None:
        Server.start(home).stop(at_once=True)
        (home / "postgres" / "PG_VERSION").write_text("17\n")
        with pytest.raises(BadInput) as refused:
            Server.start(home)
        assert refused.value.code == "postgres-other-version"
        assert "PostgreSQL 17" in str(refused.value)

    def test_nobody_else_may_read_the_home_or_reach_the_socket(self, home: Path) -> None:
        server = Server.start(home)
        assert server.address.socket.stat().st_mode & 0o077 == 0
        assert home.stat().st_mode & 0o007 == 0
        for secret in ("postgres.pass", "postgres.log"):
            assert (home / secret).stat().st_mode & 0o077 == 0
        assert "pass=" not in server.dsn.replace("passfile=", "")
        assert len(os.fsencode(server.address.socket / ".s.PGSQL.5432")) < 107
        server.stop(at_once=True)
