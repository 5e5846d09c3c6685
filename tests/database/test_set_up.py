"""The two commands: set-up by hash, quick the second time, and one plain sentence when the system lacks something."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")


def pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_lock_names_a_host_or_an_option(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for block in re.split(r"\n(?=[a-z])", text.partition("\n")[2]):
        assert re.match(r"[a-z0-9-]+==", block), block[:80]
        assert "--hash=sha256:" in block, block[:80]
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_the_locks_hold_everything_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"]
    names = {re.match(r"[A-Za-z0-9.-]+", line)[0].lower().replace(".", "-") for line in wanted}  # type: ignore[index]
    assert names <= set(pinned("requirements.txt"))
    development = {re.match(r"[a-z0-9-]+", line)[0] for line in project["dependency-groups"]["dev"]}  # type: ignore[index]
    assert development | names <= set(pinned("requirements-dev.txt"))
    assert pinned("requirements.txt").items() <= pinned("requirements-dev.txt").items()


def test_no_file_names_a_package_registry() -> None:
    hosts = [f"{name}.{end}" for name, end in (("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"))]
    skipped = {".git", ".venv", "build", "node_modules", "__pycache__", ".hypothesis", ".mypy_cache", ".ruff_cache"}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in skipped]
        for name in names:
            text = (Path(folder) / name).read_bytes()
            found = [host for host in hosts if host.encode() in text]
            assert not found, f"{Path(folder) / name} names {found}"


class Machine:
    """A clone with an empty lock on a machine whose system commands are ours to choose."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self.commands = folder / "commands"
        self.commands.mkdir()
        (self.clone / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup", self.clone / "scripts" / "setup")
        for lock in LOCKS:
            (self.clone / lock).write_text("# nothing is needed\n")
        for name in ("sh", "dirname", "cksum", "sed", "rm", "mktemp", "tail", "cat", "id"):
            found = shutil.which(name)
            assert found
            (self.commands / name).symlink_to(found)

    def offer(self, name: str, script: str) -> None:
        """Put a command on this machine."""
        path = self.commands / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def offer_python(self, *, without: str = "") -> None:
        """Python as on this machine, or one that lacks a module."""
        real = Path(sys.executable).resolve()
        refusal = f'case "$*" in *"import {without}"*) exit 1;; esac' if without else ""
        self.offer("python3", f'{refusal}\nexec {real} "$@"')
        uv = shutil.which("uv")
        if not without and find_spec("ensurepip") is None and uv:  # a machine that was set up with uv alone
            (self.commands / "uv").symlink_to(uv)

    def set_up(self, kind: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.clone / "scripts" / "setup", kind],
            env={"PATH": str(self.commands), "HOME": str(self.clone)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_set_up_makes_the_environment_once_and_is_silent_afterwards(machine: Machine) -> None:
    machine.offer_python()
    first = machine.set_up("run")
    assert first.returncode == 0, first.stderr
    assert "installing" in first.stderr
    assert (machine.clone / ".venv" / "bin" / "omonat").exists()
    again = machine.set_up("run")
    assert (again.returncode, again.stderr) == (0, "")
    (machine.clone / "requirements.txt").write_text("# nothing is needed still\n")
    assert "installing" in machine.set_up("run").stderr


def test_an_ordinary_user_without_venv_is_told_the_one_command(machine: Machine) -> None:
    machine.offer_python(without="ensurepip")
    machine.offer("id", "echo 1000")
    refused = machine.set_up("run")
    assert refused.returncode == 1
    assert "Type: sudo apt-get update && sudo apt-get install -y python3-venv" in refused.stderr


def test_root_without_venv_gets_it_installed_and_is_shown_why_when_that_fails(machine: Machine) -> None:
    machine.offer_python(without="ensurepip")
    machine.offer("id", "echo 0")
    machine.offer(
        "apt-get", f'echo "$@" >> {machine.clone}/asked; case $1 in install) echo no room left; exit 100;; esac'
    )
    refused = machine.set_up("run")
    assert refused.returncode == 1
    update, install = (machine.clone / "asked").read_text().splitlines()
    assert update.startswith("update")
    assert install.startswith("install -y")
    assert "python3-venv" in install
    assert "no room left" in refused.stderr
    assert "Type: apt-get update && apt-get install -y python3-venv" in refused.stderr


def test_tests_without_chromium_are_not_skipped_but_ask_for_it(machine: Machine) -> None:
    machine.offer_python()
    machine.offer("id", "echo 1000")
    refused = machine.set_up("dev")
    assert refused.returncode == 1
    assert "apt-get install -y chromium" in refused.stderr
    machine.offer("chromium", "exit 0")
    assert machine.set_up("dev").returncode == 0
    assert machine.set_up("run").stderr == "", "what the tests need includes what the service needs"


def test_an_old_python_is_refused_with_the_version_that_is_needed(machine: Machine) -> None:
    machine.offer("python3", "exit 1")
    machine.offer("id", "echo 1000")
    refused = machine.set_up("run")
    assert refused.returncode == 1
    assert "Python 3.11" in refused.stderr
