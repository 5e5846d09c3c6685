"""A child that is a fork begins like a program of its own, but for what was read already."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omonat.database import processes
from tests.database import forking
from tests.whole.serving import until

ROOT = Path(__file__).parents[2]


def said_by(what: str, *more: str) -> list[str]:
    """What a process of its own printed, one thread and no more, that forks a child for one of the stories."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOLD_TO_THE_PARENT": "yes"}
    command = [sys.executable, "-m", "tests.database.forking", what, *more]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("how", "status"), [("returns", 7), ("exits", 5), ("exits-well", 0), ("says-why", 1), ("fails", 1), ("killed", -9)]
)
def test_the_exit_status_is_what_the_work_came_to(how: str, status: int) -> None:
    said = said_by("status", how)
    assert said[-1] == str(status)
    assert ("ZeroDivisionError" in "".join(said)) is (how == "fails")
    assert said.count("the parent goes on") == 1, "a child never gets back into what its parent was doing"


def test_it_has_the_environment_it_was_given_and_no_other() -> None:
    assert said_by("environment") == ["{'TOLD_TO_THE_CHILD': 'yes'}"]


def test_of_what_is_open_it_has_the_sockets_it_keeps() -> None:
    kept, left, lock, standard_input = said_by("open")
    assert (kept, left, lock) == ("open", "closed", "closed")
    assert standard_input == os.devnull


def test_signals_are_those_of_a_new_program() -> None:
    assert said_by("signals") == ["set()", str(signal.SIG_DFL), "True"]


def test_a_program_stops_when_told_to_though_its_parent_runs_in_the_background() -> None:
    assert said_by("background") == ["True"]


def test_it_leads_a_group_of_its_own_under_a_name_of_its_own() -> None:
    assert said_by("name") == ["True", "a child"]


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent_whatever_it_is_doing(by: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.database.forking", "forever"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = processes.look(int(parent.stdout.readline()))
        assert child is not None
        parent.send_signal(by)
        parent.wait()
        until(lambda: not child.still_runs(), 15)


def test_whoever_waits_is_told_when_it_takes_too_long() -> None:
    assert said_by("patience") == ["too long", "-15"]


def test_the_stories_are_all_told() -> None:
    told = set(Path(__file__).read_text("utf-8").split('"'))
    assert forking.STORIES.keys() <= told
