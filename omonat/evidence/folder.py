"""The log's folder: C2SP's paths as files, written so that a power cut leaves either the old or the new, never half.

    keys                     the public keys, one a line: a convenience, not a reason to trust them
    checkpoint               the newest signed checkpoint; replaced last, when everything it commits to is on the disk
    checkpoint.witnessed     the newest one that enough witnesses have cosigned
    conflicts/               what a witness saw under our signature and isn't part of this log; nobody serves it
    tile/<level>/…           hashes; tile/entries/… the entries themselves
    .lock                    held for the moment in which the checkpoint is replaced

A file is written under another name, flushed, renamed, and its folder flushed. A flush that fails ends the attempt: the
next one writes new files from the database and never trusts what the failed one left behind.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from omonat.base.errors import Fault, Unavailable
from omonat.base.failpoints import reach
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName, edge, holds_exactly, unbundle

_CHECKPOINT: Final = "checkpoint"
_KEYS: Final = "keys"
_WITNESSED: Final = "checkpoint.witnessed"
_CONFLICTS: Final = "conflicts"
_NEW: Final = ".new"


class LogFolder:
    """Reads and writes one log's files. Reading is safe beside a writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_checkpoint(self) -> bytes | None:
        """The signed checkpoint's bytes, or None in a folder that has none."""
        try:
            return (self.path / _CHECKPOINT).read_bytes()
        except FileNotFoundError:
            return None

    def read_witnessed(self) -> bytes | None:
        """The newest checkpoint that enough witnesses have cosigned, or None."""
        return self._read_file(_WITNESSED)

    def conflicts(self) -> list[Path]:
        """Notes under our own signature that aren't part of this log."""
        return sorted((self.path / _CONFLICTS).glob("*.note"))

    def read_keys(self) -> list[str]:
        """The vkeys written beside the log; none in a folder that has none."""
        try:
            return (self.path / _KEYS).read_text("utf-8").split()
        except FileNotFoundError:
            return []

    def write_keys(self, vkeys: Sequence[str]) -> None:
        """Write them when they differ. Raises Unavailable `evidence-log-unwritable`."""
        if self.read_keys() != list(vkeys):
            with _disk_trouble():
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._replace(_KEYS, "".join(f"{vkey}\n" for vkey in vkeys).encode())

    def read(self, name: TileName) -> bytes | None:
        """A tile's or bundle's bytes, or None when the log doesn't reach that far.

        A narrower tile is a prefix of a wider one, so one that has since grown still answers for the narrower. Raises
        Fault `evidence-altered` for a file that isn't exactly what its name says: too little, or something behind it.
        """
        for one in self._wide_enough(name):
            raw = self._read_file(one.path)
            if raw is not None:
                if not holds_exactly(one, raw):
                    level = 0 if one.level == ENTRIES else int(one.level)
                    raise Fault("evidence-altered", what=f"file {one.path}", index=str(one.number * WIDTH << 8 * level))
                return raw if one is name else _cut(raw, name)
        return None

    def _read_file(self, path: str) -> bytes | None:
        try:
            return (self.path / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _wide_enough(self, name: TileName) -> Iterator[TileName]:
        """The name itself, then wider ones, narrowest first."""
        yield name
        if name.width == WIDTH:
            return
        partial = self.path / f"{name.full.path}.p"
        try:
            present = [int(file.name) for file in partial.iterdir() if file.name.isdigit()]
        except FileNotFoundError:
            present = []
        yield from (TileName(name.level, name.number, width) for width in sorted(present) if name.width < width < WIDTH)
        yield name.full

    def write_tiles(self, tiles: Mapping[TileName, bytes]) -> None:
        """Write tiles and bundles; on the disk when it returns. Raises Unavailable `evidence-log-unwritable`."""
        with _disk_trouble():
            files = [(self.path / name.path, raw) for name, raw in tiles.items()]
            folders = self._make_folders({file.parent for file, _ in files})
            _write_flushed(files)
            for file, _ in files:
                file.with_name(file.name + _NEW).rename(file)
            reach("log.tiles-named")
            for folder in folders:
                _flush(folder)

    def _make_folders(self, wanted: set[Path]) -> list[Path]:
        """Make the folders; returns every folder whose listing changes, deepest first."""
        changed = set(wanted)
        for folder in wanted:
            missing = folder
            while not missing.exists():
                missing = missing.parent
                changed.add(missing)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sorted(changed, key=lambda folder: len(folder.parts), reverse=True)

    @contextmanager
    def replacing_checkpoint(self) -> Iterator[None]:
        """Nobody else on this machine replaces the checkpoint meanwhile."""
        with _disk_trouble():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def write_checkpoint(self, signed: bytes) -> None:
        """Replace the checkpoint; on the disk when it returns. Raises Unavailable `evidence-log-unwritable`."""
        with _disk_trouble():
            self._replace(_CHECKPOINT, signed)

    def write_witnessed(self, signed: bytes) -> None:
        """Replace the witnessed checkpoint. Raises Unavailable `evidence-log-unwritable`."""
        with _disk_trouble():
            self._replace(_WITNESSED, signed)

    def write_conflict(self, name: str, note: bytes) -> None:
        """Keep a note that convicts us. Raises Unavailable `evidence-log-unwritable`."""
        with _disk_trouble():
            (self.path / _CONFLICTS).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._replace(f"{_CONFLICTS}/{name}.note", note)

    def _replace(self, name: str, raw: bytes) -> None:
        file = self.path / name
        _write_flushed([(file, raw)])
        file.with_name(file.name + _NEW).rename(file)
        reach("log.checkpoint-named")
        _flush(file.parent)

    def drop_superseded(self, before: int, now: int) -> None:
        """Remove partial tiles of the tree of `before` that the tree of `now` holds wider; `read` cuts those."""
        kept = {name.path for name in _partials(now)}
        with _disk_trouble():
            for name in _partials(before):
                if name.path not in kept:
                    file = self.path / name.path
                    file.unlink(missing_ok=True)
                    if not any(file.parent.iterdir()):
                        file.parent.rmdir()


def _partials(size: int) -> list[TileName]:
    found = edge(size)
    if size % WIDTH:
        found.append(TileName(ENTRIES, size // WIDTH, size % WIDTH))
    return found


def _cut(raw: bytes, name: TileName) -> bytes:
    if name.level != ENTRIES:
        return raw[: name.width * 32]
    return raw[: sum(2 + len(entry) for entry in unbundle(raw, name.width))]


def _write_flushed(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write all, then flush all: the disk sees one burst. The descriptors stay open, so no write error gets lost."""
    with ExitStack() as opened:
        descriptors = []
        for file, raw in files:
            # A new file each time, never an old one opened again: what a failed flush lost can't hide in it.
            new = file.with_name(file.name + _NEW)
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            opened.callback(os.close, descriptor)
            descriptors.append(descriptor)
            view = memoryview(raw)
            while view:
                view = view[os.write(descriptor, view) :]
        reach("log.written")
        for descriptor in descriptors:
            os.fsync(descriptor)
        reach("log.flushed")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_trouble() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("evidence-log-unwritable") from error
