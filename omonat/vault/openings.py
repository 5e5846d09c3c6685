"""The register of openings: which entry each section was opened for, written before it is opened (A1, S4, S6).

A flow proves what it did by its entry; this proves that no flow forgot to. Every process has a register of its own
below `openings/`: before a section is opened, the id of the entry that will speak of it goes into a shared mapping of a
file, which outlives the process however it ends. Whoever opens a section without an entry, a mistake of ours or a
person with the vault in a Python shell, leaves a line that no entry answers; `omonat.flows.reconcile` finds it.

    <run>.<n>      `omonat-opened/1\\n`, then records of 32 bytes: the entry's 26 letters, a state, seconds since 1970

It holds no personal data. A power cut may lose the newest seconds of it, never more than the openings themselves lost.
It does not stop somebody who rewrites the vault's code or deletes the file; no code in the same process can.
"""

import fcntl
import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import Final
from weakref import WeakSet

from omonat.base.errors import Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import SECOND, Instant

_MAGIC: Final = b"omonat-opened/1\n".ljust(32, b"\0")
_RECORD: Final = Struct(">26sBxI")
_SIZE: Final = _RECORD.size
_FILE: Final = 8192 * _SIZE
_STATE: Final = 26
_UNNAMED: Final = b"?" * 26

OPENED, WITHHELD, SETTLED = 0, 1, 2
"""Opened for an entry · opened, and nothing was released: the entry couldn't be written · told of by an entry since."""


_all: "WeakSet[Openings]" = WeakSet()


def _in_a_fork() -> None:
    for openings in _all:
        openings._begin()


os.register_at_fork(after_in_child=_in_a_fork)


class Openings:
    """The register of one process. Safe among threads; a forked child begins its own.

    `clock` is the house's, so that times here and in entries are of one kind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock: Callable[[], int] = lambda: time.time_ns() // 1000
        self._lock = Lock()
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._lock = Lock()
        self._run = new_id("run")[4:]
        self._number = 0
        self._map: mmap.mmap | None = None
        self._at = _FILE
        self._descriptor = -1

    def note(self, entry: str) -> None:
        """A section is about to be opened for this entry; an empty id names none, and will be found.

        Raises Unavailable `openings-unwritable`: then open nothing.
        """
        with self._lock:
            at = self._at
            if at == _FILE:
                at = self._turn_over()
            self._at = at + _SIZE
            _RECORD.pack_into(self._map, at, entry[3:].encode() or _UNNAMED, OPENED, self.clock() // SECOND)  # type: ignore[arg-type]

    def withhold(self, entry: str) -> None:
        """What was opened for this entry was thrown away: the entry couldn't be written, or nobody waits any more."""
        wanted = entry[3:].encode()
        with self._lock:
            if self._map is None:
                return
            for at in range(self._at - _SIZE, 0, -_SIZE):
                name, _, seconds = _RECORD.unpack_from(self._map, at)
                if name == wanted:
                    self._map[at + _STATE] = WITHHELD
                elif seconds < self.clock() // SECOND - 120:
                    return

    @contextmanager
    def for_an_entry(self) -> Iterator[str]:
        """The id of an entry to open sections for, that is written within: where it isn't, nothing was released."""
        entry = new_id("ev")
        try:
            yield entry
        except BaseException:
            self.withhold(entry)
            raise

    def _turn_over(self) -> int:
        """The next file, its space taken now: a full disk is an error here, not a signal in the middle of a use."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.folder / f"{self._run}.{self._number}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _FILE)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                mapped = mmap.mmap(descriptor, _FILE)
            except BaseException:
                os.close(descriptor)
                path.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Unavailable("openings-unwritable") from error
        mapped[: len(_MAGIC)] = _MAGIC
        self._leave()
        self._map, self._descriptor = mapped, descriptor
        self._number += 1
        return len(_MAGIC)

    def _leave(self) -> None:
        if self._map is not None:
            self._map.close()
            os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of a register. `entry` is empty when none was named; `at` is a whole second."""

    entry: str
    state: int
    at: Instant
    place: int


@dataclass(frozen=True, slots=True)
class Register:
    """One file, read by whoever reconciles, also while its process writes on."""

    path: Path

    @property
    def run(self) -> str:
        """The process whose register it is, by a random name."""
        return self.path.name.partition(".")[0]

    @property
    def is_alive(self) -> bool:
        """Whether the process that writes it still runs; false for a file it has filled and left."""
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
            return False

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        with self.path.open("rb") as file:
            file.seek(_FILE - _SIZE)
            return file.read(_SIZE) != bytes(_SIZE)

    def read(self, start: int = 0) -> Iterator[Opening]:
        """Its lines from a place on, in order."""
        with self.path.open("rb") as file:
            file.seek(start or len(_MAGIC))
            place = file.tell()
            while len(raw := file.read(_SIZE)) == _SIZE and raw != bytes(_SIZE):
                name, state, seconds = _RECORD.unpack(raw)
                entry = "" if name == _UNNAMED else f"ev_{name.decode('ascii', 'replace')}"
                yield Opening(entry, state, Instant(seconds * SECOND), place)
                place += _SIZE

    def settle(self, opening: Opening) -> None:
        """An entry speaks of this line now."""
        with self.path.open("r+b") as file:
            file.seek(opening.place + _STATE)
            file.write(bytes([SETTLED]))


def registers(folder: Path) -> list[Register]:
    """Every register there is, in no order."""
    return [Register(path) for path in sorted(folder.glob("*.*"))] if folder.is_dir() else []
