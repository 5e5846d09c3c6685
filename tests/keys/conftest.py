"""An installation as its operator has it at the command line: a home, a database, settings in the environment."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from omonat.cli import build

Omonat = Callable[..., Result]
KEY = bytes(range(32))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "home"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return written(tmp_path / "root.key", KEY)


@pytest.fixture
def omonat(home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch) -> Omonat:
    """The command line, in this process. `typed` is what stands on standard input; an OmonatError is in `exception`."""
    for name in [name for name in os.environ if name.startswith("OMONAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMONAT_HOME", str(home))
    monkeypatch.setenv("OMONAT_DATABASE", dsn)
    app = build()

    def run(*arguments: str, typed: str = "") -> Result:
        with ThreadPoolExecutor(1) as apart:  # a command runs a loop of its own
            return apart.submit(CliRunner().invoke, app, list(arguments), input=typed).result()

    return run


def written(path: Path, data: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path
