"""The register of openings: which entry each section was opened for, written before it is opened (A1, S4, S6).

A flow proves what it did by its entry; this proves that no flow forgot to. Every process has a register of its own
below `openings/`: before a section is opened, the id of the entry that will speak of it goes into a shared mapping of a
file, which outlives the process however it ends. Whoever opens a section without an entry, a mistake of ours or a
person with the vault in a Python shell, leaves a line that no entry answers; `omonat.flows.reconcile` finds it.

    <run>.<n>      `omonat-opened/1\\n`, then records of 32 bytes: the entry's 26 letters, a state, seconds since 1970

It holds no personal data. A power cut may lose the newest seconds of it, never more than the openings themselves lost.
It does not stop somebody who rewrites the vault's code or deletes the file; no code in the same process can.
"""

import asyncio
import fcntl
import mmap
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
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
_LONGEST_USE: Final = 120
_LOOK_AGAIN: Final = 0.1
PATIENCE: Final = 60.0
"""Seconds to wait for whoever reconciles; one that takes longer may be stopped, and will not end by itself."""
_UNFINISHED: Final = 60
"""Seconds after which a file that never became a register is nobody's: its process ended while it made it."""

OPENED, WITHHELD, SETTLED = 0, 1, 2
"""Opened for an entry · opened, and nothing was released: the entry couldn't be written · told of by an entry since."""


_all: "WeakSet[Openings]" = WeakSet()


def _in_a_fork() -> None:
    for openings in _all:
        openings._begin_anew()


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
        self._left: list[tuple[Path, int]] = []
        self._map: mmap.mmap | None = None
        self._at = _FILE
        self._descriptor = -1

    def _begin_anew(self) -> None:
        """In a forked child, what is open is its parent's. Closing our copies unlocks nothing of the parent's; keeping
        them would keep its register alive after its end."""
        try:
            self._leave()
        finally:
            self._begin()

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
        """What was opened for this entry was thrown away: the entry couldn't be written, or nobody waits any more.

        Also what stands in files this process has filled since. A line that can't be marked stays one to be explained.
        """
        wanted = entry[3:].encode()
        with self._lock, suppress(OSError):
            since = self._long_ago()
            if self._map is None or not _withhold(self._map, self._at, wanted, since):
                return
            for path, _ in reversed(self._left):
                with suppress(FileNotFoundError), path.open("r+b") as file, mmap.mmap(file.fileno(), _FILE) as left:
                    if not _withhold(left, _FILE, wanted, since):
                        return

    def _long_ago(self) -> int:
        """In seconds: no use that is still under way opened anything before."""
        return self.clock() // SECOND - _LONGEST_USE

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
        """The next file, its space taken now: a full disk is an error here, not a signal in the middle of a use.

        It is locked before it gets a register's name: whoever reconciles never takes it for one that was left.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path, being_made = self.folder / f"{self._run}.{self._number}", self.folder / f"{self._run}-{self._number}"
            descriptor = os.open(being_made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _FILE)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                mapped = mmap.mmap(descriptor, _FILE)
                mapped[: len(_MAGIC)] = _MAGIC
                being_made.rename(path)
            except BaseException:
                os.close(descriptor)
                being_made.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Unavailable("openings-unwritable") from error
        since = self._long_ago()
        self._left = [left for left in self._left if left[1] >= since]
        if self._number:
            self._left.append((self.folder / f"{self._run}.{self._number - 1}", self.clock() // SECOND))
        self._leave()
        self._map, self._descriptor = mapped, descriptor
        self._number += 1
        return len(_MAGIC)

    def _leave(self) -> None:
        mapped, descriptor = self._map, self._descriptor
        self._map, self._descriptor = None, -1
        if mapped is not None:
            mapped.close()
            os.close(descriptor)


def _withhold(lines: mmap.mmap, end: int, wanted: bytes, since: int) -> bool:
    """Mark the lines of this entry, the newest first; false when the first one older than `since` was reached."""
    for at in range(end - _SIZE, 0, -_SIZE):
        name, _, seconds = _RECORD.unpack_from(lines, at)
        if name == wanted:
            lines[at + _STATE] = WITHHELD
        elif seconds < since:
            return False
    return True


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of a register. `entry` is empty when none was named; `at` is a whole second."""

    entry: str
    state: int
    at: Instant
    place: int


@dataclass(frozen=True, slots=True)
class Register:
    """One file, read by whoever reconciles, also while its process writes on. One that is gone has nothing to compare:
    somebody else has.
    """

    path: Path

    @property
    def run(self) -> str:
        """The process whose register it is, by a random name."""
        return self.path.name.partition(".")[0]

    @property
    def number(self) -> int:
        """Which of its process's files it is."""
        number = self.path.name.partition(".")[2]
        return int(number) if number.isdecimal() else 0

    @property
    def is_alive(self) -> bool:
        """Whether the process that writes it still runs; false for a file it has filled and left."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(_FILE - _SIZE)
            return file.read(_SIZE) != bytes(_SIZE)
        return True

    def read(self, start: int = 0) -> Iterator[Opening]:
        """Its lines from a place on, in order."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(start or len(_MAGIC))
            place = file.tell()
            while len(raw := file.read(_SIZE)) == _SIZE and raw != bytes(_SIZE):
                name, state, seconds = _RECORD.unpack(raw)
                entry = "" if name == _UNNAMED else f"ev_{name.decode('ascii', 'replace')}"
                yield Opening(entry, state, Instant(seconds * SECOND), place)
                place += _SIZE

    def settle(self, opening: Opening) -> None:
        """An entry speaks of this line now."""
        with suppress(FileNotFoundError), self.path.open("r+b") as file:
            file.seek(opening.place + _STATE)
            file.write(bytes([SETTLED]))


def registers(folder: Path) -> list[Register]:
    """Every register there is, those of one process in the order they were written."""
    found = [Register(path) for path in folder.glob("*.*")] if folder.is_dir() else []
    return sorted(found, key=lambda register: (register.run, register.number))


def drop_unfinished(folder: Path) -> None:
    """Remove what processes left that ended while they made a register; one that lives on notices, opens nothing."""
    for path in folder.glob("*-*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _UNFINISHED:
                path.unlink()


@asynccontextmanager
async def one_at_a_time(folder: Path, *, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Wait until nobody else reconciles these registers, and keep them from it; the kernel ends it with the process.

    Raises Unavailable `openings-busy` after `patience` seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        until = time.monotonic() + patience
        while not _locked(descriptor):  # another process's lock, no event of ours
            if time.monotonic() >= until:
                raise Unavailable("openings-busy")
            await asyncio.sleep(_LOOK_AGAIN)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
