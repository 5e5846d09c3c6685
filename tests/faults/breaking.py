"""The faults: what is broken, how, and how one tells that it happened."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.whole.serving import Installation, Service

FULL = 4 * 1024
"""Bytes into any file, behind which nothing more can be written: PostgreSQL's own log of changes is longer."""


@dataclass
class Failpoints:
    """The control file of one installation (`omonat.base.failpoints`)."""

    control: Path
    _tokens: Iterator[int] = field(default_factory=count)
    _armed: list[str] = field(default_factory=list)

    def arm(self, point: str, action: str) -> str:
        """One fault at a point; its token."""
        token = f"t{next(self._tokens)}"
        self._armed = [line for line in self._armed if not self.happened(line.split()[2])]
        self._armed.append(f"{point} {action} {token}")
        self._write()
        return token

    def disarm(self) -> None:
        """Nothing is to fail any more."""
        self._armed.clear()
        self._write()

    def happened(self, token: str) -> bool:
        """Whether some process came by."""
        return (self.control.with_name(f"{self.control.name}.taken") / token).exists()

    def hit(self) -> set[str]:
        """Every point some process ever reached."""
        try:
            return set(self.control.with_name(f"{self.control.name}.hit").read_text().split())
        except FileNotFoundError:
            return set()

    def _write(self) -> None:
        draft = self.control.with_name("draft")
        draft.write_text("".join(f"{line}\n" for line in self._armed))
        draft.replace(self.control)


@dataclass
class Clock:
    """The installation's clock, moved by a file (setting `test_clock`)."""

    file: Path
    offset: int = 0

    def step(self, microseconds: int) -> None:
        """Move it, both ways."""
        self.offset += microseconds
        with self.file.open("r+b" if self.file.exists() else "w+b") as file:
            file.write(self.offset.to_bytes(8, "little", signed=True))


def database_processes(service: Service) -> list[int]:
    """The server and its helpers, the server first."""
    return [pid for pid in service.everything() if _is_postgres(pid)]


def kill(pid: int) -> None:
    """SIGKILL; harmless to one that has ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def full_disk(service: Service) -> Iterator[None]:
    """No file of the database grows beyond `FULL` bytes: writing its log fails as on a full disk, for any user."""
    _limit(service, str(FULL))
    try:
        yield
    finally:
        _limit(service, "unlimited")


def _limit(service: Service, size: str) -> None:
    """By util-linux's prlimit, under the account the database runs as: only its own may limit it."""
    for pid in database_processes(service):
        with suppress(FileNotFoundError):  # it has ended
            of = Path(f"/proc/{pid}").stat()
            ours = of.st_uid == os.geteuid()
            account = {} if ours else {"user": of.st_uid, "group": of.st_gid, "extra_groups": ()}
            words = ["prlimit", "--pid", str(pid), f"--fsize={size}:"]
            subprocess.run(words, check=False, capture_output=True, **account)  # type: ignore[call-overload]


@contextmanager
def unwritable_log(of: Installation) -> Iterator[None]:
    """The log can't be written, whoever we are: a folder that isn't empty stands where its checkpoint is made."""
    obstacle = of.home / "log" / "checkpoint.new"
    with suppress(FileNotFoundError):
        obstacle.unlink()  # a draft of a process that died
    obstacle.mkdir()
    (obstacle / "here").touch()
    try:
        yield
    finally:
        (obstacle / "here").unlink()
        obstacle.rmdir()


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/exe").readlink().name == "postgres" or Path(
            f"/proc/{pid}/comm"
        ).read_text().startswith("postgres")
    except OSError:
        return False


def one_of(chance: random.Random, weights: dict[str, int]) -> str:
    """A kind of fault, as often as its weight says."""
    return chance.choices(list(weights), list(weights.values()))[0]
