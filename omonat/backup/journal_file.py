"""The control journal as files: segments that are only appended to, each frame durable before anybody relies on it.

    journal/0000000000000001.omj    named by the number of its first frame; a new one is begun every few megabytes

    head    `omonat-journal/1\n` ‖ number of the first frame u64 ‖ digest before it 32 ‖ installation, 63 bytes
    frame   length of the box u32 ‖ box

A frame cut off at the very end is what a crash leaves, and is written again. Everything else that doesn't add up is an
alteration. A copy in another place is the same bytes, as far as it got.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

from omonat.backup.frames import BEGINNING, Place, after
from omonat.base.errors import Fault, Unavailable
from omonat.database.home import sync_folder

_MAGIC: Final = b"omonat-journal/1\n"
_HEAD: Final = Struct(">17sQ32s63s")
_LENGTH: Final = 4
_LARGEST: Final = 64 << 20  # of one frame; more could only come from altered bytes
_SEGMENT: Final = 4 << 20
_SUFFIX: Final = ".omj"


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a journal ends: its last whole frame, the segment it lies in, and the bytes of that which are whole."""

    place: Place
    segment: Path | None
    whole: int


class JournalFile:
    """One journal folder of one installation. One writer at a time; reading is safe beside it."""

    def __init__(self, folder: Path, installation: str) -> None:
        self.folder = folder
        self._installation = installation

    def boxes(self, start: Place = BEGINNING) -> Iterator[tuple[Place, bytes]]:
        """Every box after `start` with the place before it, in order. Raises Fault `journal-altered`,
        `journal-foreign`, `journal-forked`, `journal-rolled-back`."""
        place: Place | None = None
        for segment in self._segments_from(start.frames):
            first = self._first(segment)
            if first.frames > start.frames if place is None else first != place:
                raise Fault("journal-altered", frame=str(first.frames))
            place = first
            for box in self._in_segment(segment):
                if place.frames == start.frames and place != start:
                    raise Fault("journal-forked", frame=str(start.frames))
                if place.frames >= start.frames:
                    yield place, box
                place = after(place, box)
        place = place or BEGINNING
        if place.frames < start.frames:
            raise Fault("journal-rolled-back", found=str(place.frames), expected=str(start.frames))
        if place.frames == start.frames and place != start:
            raise Fault("journal-forked", frame=str(start.frames))

    def tail(self) -> Tail:
        """Where the journal ends; reads its newest segment."""
        segments = self.segments()
        if not segments:
            return Tail(BEGINNING, None, 0)
        place, whole = self._first(segments[-1]), _HEAD.size
        for box in self._in_segment(segments[-1]):
            place = after(place, box)
            whole += _LENGTH + len(box)
        return Tail(place, segments[-1], whole)

    def first(self) -> Place:
        """The place before the oldest frame that is still kept."""
        segments = self.segments()
        return self._first(segments[0]) if segments else BEGINNING

    def append(self, boxes: list[bytes], tail: Tail) -> Tail:
        """Write boxes behind `tail`; durable on return. Raises Unavailable `journal-unwritable`."""
        try:
            if tail.segment is None or tail.whole >= _SEGMENT:
                tail = self._begin(tail.place)
            assert tail.segment is not None
            raw = b"".join(len(box).to_bytes(_LENGTH, "big") + box for box in boxes)
            append_at(tail.segment, tail.whole, raw)
        except OSError as error:
            raise Unavailable("journal-unwritable", folder=str(self.folder)) from error
        place = tail.place
        for box in boxes:
            place = after(place, box)
        return Tail(place, tail.segment, tail.whole + len(raw))

    def mirror(self, target: Path) -> None:
        """Bring a copy in another folder up to this journal; durable on return. Nothing of a copy is ever cut off.

        Raises OSError; Fault `journal-rolled-back` when the copy got further than this journal.
        """
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        end = self.tail()
        theirs = {file.name: file.stat().st_size for file in target.glob(f"*{_SUFFIX}")}
        extent = self.extent(end)
        ours = {segment.name: size for segment, size in extent}
        newest = max(ours, default="")
        if any(has > ours.get(name, has) or name > newest for name, has in theirs.items()):
            self.compare(JournalFile(target, self._installation))
            raise Fault("journal-altered", frame=str(end.place.frames))
        for segment, size in extent:
            has = theirs.get(segment.name, 0)
            if has != size:
                with segment.open("rb") as file:
                    file.seek(min(has, size))
                    append_at(target / segment.name, min(has, size), file.read(size - min(has, size)))
                sync_folder(target)

    def compare(self, copy: "JournalFile") -> None:
        """Whether a copy is an earlier part of this very journal.

        Raises Fault `journal-rolled-back` when it got further, `journal-forked` when it is of another history,
        `journal-altered`, `journal-foreign`.
        """
        ours, theirs = self.tail().place, copy.tail().place
        if theirs.frames > ours.frames:
            raise Fault("journal-rolled-back", found=str(ours.frames), expected=str(theirs.frames))
        next(self.boxes(theirs), None)

    def extent(self, end: Tail) -> list[tuple[Path, int]]:
        """The segments up to `end`, each with its whole bytes: what a copy takes beside a writer."""
        if end.segment is None:
            return []
        found = [segment for segment in self.segments() if segment.name <= end.segment.name]
        return [(segment, end.whole if segment == end.segment else segment.stat().st_size) for segment in found]

    def _begin(self, place: Place) -> Tail:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        segment = self.folder / f"{place.frames + 1:016}{_SUFFIX}"
        append_at(segment, 0, _HEAD.pack(_MAGIC, place.frames + 1, place.digest, self._installation.encode()))
        sync_folder(self.folder)
        return Tail(place, segment, _HEAD.size)

    def segments(self) -> list[Path]:
        """The segment files, oldest first."""
        found = sorted(self.folder.glob(f"*{_SUFFIX}"))
        if found and found[-1].stat().st_size < _HEAD.size:  # cut off while it was begun
            found.pop()
        return found

    def _segments_from(self, frames: int) -> list[Path]:
        """The segments that hold what follows so many frames."""
        segments = self.segments()
        later = [i for i, segment in enumerate(segments) if int(segment.stem) - 1 > frames]
        return segments[max(0, (later[0] if later else len(segments)) - 1) :]

    def _first(self, segment: Path) -> Place:
        with segment.open("rb") as file:
            raw = file.read(_HEAD.size)
        if len(raw) < _HEAD.size or not raw.startswith(_MAGIC):
            raise Fault("journal-altered", frame=str(int(segment.stem)))
        _, first, digest, installation = _HEAD.unpack(raw)
        if installation.rstrip(b"\0").decode("ascii", "replace") != self._installation:
            raise Fault("journal-foreign")
        if first != int(segment.stem):
            raise Fault("journal-altered", frame=str(first))
        return Place(first - 1, digest)

    def _in_segment(self, segment: Path) -> Iterator[bytes]:
        with segment.open("rb") as file:
            file.seek(_HEAD.size)
            while len(raw := file.read(_LENGTH)) == _LENGTH:
                length = int.from_bytes(raw, "big")
                box = file.read(length) if length <= _LARGEST else b""
                if len(box) < length:
                    return
                yield box


def append_at(path: Path, offset: int, raw: bytes) -> None:
    """Write at an offset and cut the file behind it; durable on return. What a crash left there is written over."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, offset)
        view, at = memoryview(raw), offset
        while view:
            written = os.pwrite(descriptor, view, at)
            view, at = view[written:], at + written
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
