"""Starting and stopping as an operator does it: what is wrong is said, with what to do, and nothing is left running."""

import random
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from omonat.base.ids import new_id
from omonat.database import processes
from omonat.vault.keyring import RingFile
from omonat.vault.root import RootKey
from tests.whole.conftest import new_key
from tests.whole.lines import Line, ordered
from tests.whole.serving import Installation, Service, contention, refused, serving, still_running, until


def test_it_stops_within_seconds_leaves_nobody_behind_and_finds_its_data_again(
    installation: Installation,
) -> None:
    with serving(installation) as service:
        line = Line(service)  # somebody who keeps a connection open doesn't hold the stop up
        ordered(line, installation, "order:kept")
        everybody = service.everything()
        began = time.monotonic()
        assert service.press_ctrl_c() == 0
        took = time.monotonic() - began
        assert took <= 5 or took / contention() <= 5
    gone(everybody)
    assert "error" not in service.said()
    assert "Traceback" not in service.said()
    assert not processes.working_in(installation.home / "postgres", "postgres")
    with serving(installation) as again:
        found = Line(again).use(installation.credentials["site"], purpose="deliver-order", case="order:kept")
        assert found.body["items"]["contact.name"] == "Zilola Rahimova"
        assert again.stop(signal.SIGTERM) == 0


def test_workers_are_forks_of_a_parent_that_runs_one_thread(installation: Installation) -> None:
    with serving(installation) as service:
        parent = service.process.pid
        assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1, "a fork inherits what other threads lock"
        workers = [*service.children("web"), *service.children("jobs")]
        assert len(workers) == 3
        for worker in workers:
            shared = [
                line for line in Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines() if "Shared" in line
            ]
            assert sum(int(line.split()[1]) for line in shared) > 20_000, "kB that are shared"
            opened = {str(each.readlink()) for each in Path(f"/proc/{worker}/fd").iterdir()}
            assert str(installation.home / "lock") not in opened


def test_S6_without_a_root_key_it_stays_sealed_and_says_so(installation: Installation) -> None:
    service = Service(installation, ROOT_KEY="", WORKERS="1")
    try:
        until(lambda: "OMONAT_ROOT_KEY" in service.said() or service.process.poll() is not None, 60, service.said)
        line = Line(service)
        assert line.get("/v1/health").body["sealed"] is True
        closed = line.use(installation.credentials["site"], purpose="deliver-order", case="order:any")
        assert (closed.status, closed.code) == (503, "sealed")
    finally:
        service.end()


def test_S6_with_another_root_key_or_a_lost_one_it_refuses_and_says_what_to_do(installation: Installation) -> None:
    gone = Installation(installation.home, installation.root_key.with_name("nowhere.key"))
    status, said = refused(gone)
    assert status == 8, said
    assert str(gone.root_key) in said
    wrong = Installation(installation.home, new_key(installation.home.with_suffix(".wrong")))
    status, said = refused(wrong)
    assert status == 8, said
    assert "This is not the root key the vault was sealed with" in said
    assert said.count("Traceback") == 0


def test_S6_keys_of_another_installation_are_refused(installation: Installation, first: Installation) -> None:
    """The same root key, another vault: what the database holds was never sealed with these."""
    shutil.rmtree(installation.home / "keys")
    status, said = refused(installation)
    assert status == 8, said
    assert "Traceback" not in said
    shutil.rmtree(installation.home / "keys")
    shutil.copytree(first.home / "keys", installation.home / "keys")
    with serving(installation):
        pass


def test_a_port_or_a_home_that_is_taken_is_named_and_nothing_is_left_running(
    installation: Installation, first: Installation
) -> None:
    other = first.copy(installation.home.with_name("w-other"))
    with serving(installation) as running:
        status, said = refused(other, PORT=str(running.port))
        assert status == 7, said
        assert str(running.port) in said
        assert not processes.working_in(other.home / "postgres", "postgres")
        status, said = refused(installation, PORT=str(running.port + 1))
        assert status == 7, said
        assert "already runs" in said
        assert running.answers()


def test_a_first_start_that_was_cut_off_while_making_the_keys_is_carried_on_by_the_next(
    short_folder: Path,
) -> None:
    home = short_folder / "w-first"
    (home / "keys").mkdir(mode=0o700, parents=True)
    key = new_key(short_folder / "w-first.key")
    RingFile(home / "keys" / "keyring", RootKey.from_file(key)).create(new_id("ins"))
    service = Service(Installation(home, key), WORKERS="3")
    try:
        until(lambda: "answers at" in service.said() or service.process.poll() is not None, 60, service.said)
        assert service.process.poll() is None, service.said()
        assert len(service.children("web")) == 3
        until(lambda: service.health() != "", 20, service.said)
        assert "worker-ended" not in service.said()
    finally:
        service.end()


def test_a_first_start_that_is_killed_or_stopped_again_and_again_ends_well(short_folder: Path) -> None:
    """Making the database, its schema and the keys is cut off wherever it happens to be; nobody is locked out."""
    key = new_key(short_folder / "w-again.key")
    made = Installation(short_folder / "w-again", key)
    chance = random.Random()
    for way in ("kill", "stop"):
        service = Service(made)
        time.sleep(chance.uniform(0.3, 4.0))
        everybody = service.everything()
        if way == "kill":
            service.kill("everything")
        elif service.process.poll() is None:
            assert service.stop() in (0, 130, -signal.SIGINT), service.said()  # the latter while Python itself starts
        gone(everybody)
    service = Service(made)
    try:
        until(lambda: "answers at" in service.said() or service.process.poll() is not None, 60, service.said)
        assert service.process.poll() is None, service.said()
        assert service.health() == "unavailable"  # there is no policy yet, and all else is well
        assert service.stop() == 0
    finally:
        service.end()


def gone(everybody: Sequence[int]) -> None:
    """Nobody of these is left."""
    until(lambda: not still_running(everybody), 5)
