"""Slots: 64 bytes each, one random secret each, and the only place on the machine where a key can be destroyed.

Secrets are made in chunks and durable on every registered copy before their numbers are given out; a number is never
given out twice, whatever becomes of the database. Destroying overwrites a slot in place and flushes it. Readers look
through a shared map of the file, so a destruction by another process is seen by the very next look (R3, S2).
"""

import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.vault import history
from omonat.vault.cipher import SlotCipher
from omonat.vault.header import (
    FIRST_SLOT,
    PAGE,
    SLOT,
    Header,
    empty_file,
    encode_header,
    mark_of,
    read_header,
    write_header,
)
from omonat.vault.reconcile import reconcile
from omonat.vault.root import RootKey
from omonat.vault.storage import locked, make_durable, open_closed, write_all, write_new
from omonat.vault.switch import next_of, settle, state

RootOf = Callable[[bytes], RootKey | None]
"""Gives the root of a mark to a process that meets a newer root than its own; None when it may not have it."""
CHUNK = 4096  # slots made at a time
MOST = 1 << 31  # slots under one root, well inside the 2^32 random nonces AES-GCM allows a key
_SMALLEST_BLOCK, _LARGEST_BLOCK = 64, 4096  # numbers a process takes at a time; doubled with each block
_DENSE = 32  # destructions within one chunk's stretch, from which on the stretch is written as a whole


class SlotFile:
    """All copies of the slots of one installation, as one process uses them. Safe among threads and across forks."""

    def __init__(self, paths: Sequence[Path], root: RootKey, header: Header, root_of: RootOf | None = None) -> None:
        self.installation = header.installation
        self._paths = list(paths)
        self._root = root
        self._root_of = root_of
        self._cipher = SlotCipher(root, header.installation, header.root_epoch)
        self._block = _SMALLEST_BLOCK
        self._failed = False
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._next = self._end = 0
        self._map = self._mapped()

    @classmethod
    def create(cls, paths: Sequence[Path], root: RootKey, installation: str) -> "SlotFile":
        """Make all copies, empty. Carries on a creation that was cut short; raises Refused where slots were used."""
        for copy, path in enumerate(paths):
            first = Header(installation, 1, 1, 1, 0, 1, len(paths), copy, destroying=False)
            page = encode_header(first, root).ljust(PAGE, b"\0")
            second = encode_header(replace(first, sequence=0), root).ljust(PAGE, b"\0")
            try:
                write_new(path, second + page, replace=False)
            except FileExistsError:
                with locked([path]) as (descriptor,):
                    found, _ = read_header(descriptor, root, str(path))
                if replace(found, sequence=1) != first:
                    raise Refused("keys-exist", file=str(path)) from None
        return cls.open(paths, root, installation)

    @classmethod
    def open(
        cls, paths: Sequence[Path], root: RootKey, installation: str, *, root_of: RootOf | None = None
    ) -> "SlotFile":
        """Open all registered copies and bring them level: what one has destroyed is destroyed on the others first.

        With `root_of` the file is followed when its root is rotated meanwhile. Raises Refused root-wrong or
        key-file-open, Unavailable keys-missing or key-copies-missing, Fault keys-changed.
        """
        with locked(paths) as descriptors:
            header = level(paths, descriptors, root)
        if header.installation != installation:
            raise Fault("keys-changed", file=str(paths[0]))
        return cls(paths, root, header, root_of)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The registered copies, in their order; the first is the home's."""
        return tuple(self._paths)

    @property
    def copies(self) -> int:
        """How many registered copies there are."""
        return len(self._paths)

    def reserve(self, count: int) -> list[int]:
        """`count` numbers nobody ever had. Their secrets are already durable; usually touches no file."""
        if count < 1:
            return []
        self._check_process()
        with self._lock:
            if self._next + count > self._end:
                self._next, self._end = self._take(max(count, self._block))
                self._block = min(2 * self._block, _LARGEST_BLOCK)
            first = self._next
            self._next += count
        return list(range(first, first + count))

    def prepare(self, spare: int) -> None:
        """Make slots ahead until `spare` are waiting, so that `reserve` needn't; for quiet moments."""
        with self._held() as descriptors:
            header = self._level(descriptors)
            if header.made - header.high_water < spare:
                self._make(descriptors, header, header.high_water + spare)

    def slot(self, number: int) -> bytes:
        """The 64 bytes of a slot as they stand this instant: what caches compare. Raises Fault for an unmade number."""
        at = FIRST_SLOT + SLOT * number
        found = self._map[at : at + SLOT]
        if not self._map[0]:  # a file that counts no more is overwritten, its head first
            self._follow()
            found = self._map[at : at + SLOT]
        if len(found) != SLOT:
            self._map = self._mapped()
            found = self._map[at : at + SLOT]
        if len(found) != SLOT or number < 1:
            raise Fault("slot-unknown", slot=str(number))
        return found

    def secret(self, number: int) -> bytes:
        """The 32 bytes of a slot. Raises Refused key-destroyed, Fault slot-changed or slot-unknown."""
        return self.open_slot(number, self.slot(number))

    def open_slot(self, number: int, slot: bytes) -> bytes:
        """The secret in bytes that `slot` gave, or in those that stand there now that the root was rotated. Raises
        Refused key-destroyed, Fault slot-changed."""
        try:
            return self._cipher.open(number, slot)
        except Fault:
            now = self.slot(number)
            if now == slot:
                raise
        return self._cipher.open(number, now)

    def is_destroyed(self, number: int) -> bool:
        """Whether the slot holds a true tombstone. False for a damaged slot: damage is not destruction."""
        while True:
            cipher, slot = self._cipher, self.slot(number)
            if cipher is self._cipher:
                return cipher.is_tombstone(number, slot)

    def living_of(self, numbers: Iterable[int]) -> list[int]:
        """Those of these slots that hold no true tombstone on some registered copy; a damaged one is among them."""
        with self._held() as descriptors:
            return self._living(descriptors, numbers)

    def _living(self, descriptors: list[int], numbers: Iterable[int]) -> list[int]:
        def lives(number: int) -> bool:
            at = FIRST_SLOT + SLOT * number
            return not all(self._cipher.is_tombstone(number, os.pread(d, SLOT, at)) for d in descriptors)

        return [number for number in numbers if lives(number)]

    def destroy(self, numbers: Iterable[int]) -> None:
        """Overwrite these slots in place on every registered copy and flush; done once and for all on return.

        Doing it again is harmless and does it again. Raises Fault keys-not-durable when a flush failed: the process
        must then end, because nothing it reads back proves what the disk holds.
        """
        doomed = sorted(set(numbers))
        if not doomed:
            return
        with self._held() as descriptors:
            header = self._level(descriptors)
            if doomed[0] < 1 or doomed[-1] >= header.high_water:
                raise Fault("slot-unknown", slot=str(doomed[-1]))
            if len(descriptors) > 1:
                header = self._write_headers(descriptors, replace(header, destroying=True))
            reach("slots.to-destroy")
            generation = header.generation + 1
            tombstones = self._cipher.tombstones(doomed, generation)
            self._destroy_in_the_making(doomed, tombstones)
            for descriptor in descriptors:
                _overwrite(descriptor, doomed, tombstones, self._paths[0])
                reach("slots.overwritten")
            if len(descriptors) > 1:
                self._flush(descriptors)
            self._write_headers(descriptors, replace(header, generation=generation, destroying=False))
        reach("slots.destroyed")

    def state(self) -> Header:
        """What the copies say of themselves now: numbers given out, slots made, batches of destructions."""
        with locked(self._paths) as descriptors:
            return self._level(descriptors)

    def destroyed_since(self, generation: int) -> list[tuple[int, int]]:
        """Number and batch of every true tombstone of a batch after `generation`, by number. Reads the whole file."""
        with locked(self._paths[:1]) as (descriptor,):
            return history.tombstones(descriptor, self._cipher.is_tombstone, generation)

    def catch_up(self, high_water: int, generation: int, destroyed: Iterable[int]) -> int:
        """Bring an older file up to what a journal knows: destroy again, and never give out a number twice.

        Slots this file has never seen are lost: they read as destroyed. Gives how many. Doing it again is harmless.
        """
        with locked(self._paths) as descriptors:
            header = self._level(descriptors)
            older = header.high_water < high_water
            end = max(header.made, high_water + history.MARGIN) if older else header.made
            lost = range(header.made, end)
            known = [number for number in destroyed if 0 < number < header.made]
            doomed = sorted({*self._living(descriptors, known), *lost})
            if not older and not doomed and header.generation >= generation:
                return 0
            batch = max(header.generation + 1, generation)
            if len(descriptors) > 1:  # a crash between two copies leaves them to be brought level
                header = self._write_headers(descriptors, replace(header, destroying=True))
            reach("slots.to-bury")
            for first in range(0, len(doomed), CHUNK):
                part = doomed[first : first + CHUNK]
                for descriptor in descriptors:
                    history.bury(descriptor, part, self._cipher.tombstones(part, batch))
                    reach("slots.buried")
            self._flush(descriptors)
            high = max(header.high_water, end) if older else header.high_water
            caught_up = replace(header, generation=batch, high_water=high, made=end, destroying=False)
            self._write_headers(descriptors, caught_up)
        self._map = self._mapped()
        return max(0, high_water - header.made) if older else 0

    def compare_copy(self, raw: bytes) -> tuple[int, int, int]:
        """Slots given out that a copy holds as we do, that were destroyed here since, and that are anything else."""
        same = destroyed = other = 0
        for number in range(1, min(self.state().high_water, (len(raw) - FIRST_SLOT) // SLOT)):
            at = FIRST_SLOT + SLOT * number
            ours = self.slot(number)
            if raw[at : at + SLOT] == ours:
                same += 1
            elif self._cipher.is_tombstone(number, ours):
                destroyed += 1
            else:
                other += 1
        return same, destroyed, other

    def register(self, path: Path) -> None:
        """Add an empty copy and bring it level. Other processes must be restarted with the longer list."""
        with self._held() as descriptors:
            if state(self._paths[0].parent) is not None:
                raise Refused("root-rotating")
            header = self._level(descriptors)
            newcomer = replace(header, copies=header.copies + 1, copy=header.copies)
            write_new(path, empty_file(newcomer, self._root), replace=False)
            self._write_headers(descriptors, replace(header, copies=newcomer.copies))
        self._paths.append(path)
        with self._held() as descriptors:
            self._level(descriptors)

    def _take(self, count: int) -> tuple[int, int]:
        with self._held() as descriptors:
            header = self._level(descriptors)
            first, end = header.high_water, header.high_water + count
            if end > header.made:
                header = self._make(descriptors, header, end)
            reach("slots.to-give")
            self._write_headers(descriptors, replace(header, high_water=end))
        reach("slots.given")
        return first, end

    def _make(self, descriptors: list[int], header: Header, least: int) -> Header:
        """Make whole chunks until slots up to `least` exist and are durable; only then does the header say so."""
        end = header.made + -(-(least - header.made) // CHUNK) * CHUNK
        if end > MOST:
            raise Unavailable("slots-used-up")
        for first in range(header.made, end, CHUNK):
            slots = self._cipher.make(first, CHUNK)
            for descriptor in descriptors:
                write_all(descriptor, slots, FIRST_SLOT + SLOT * first)
                reach("slots.made")
        self._flush(descriptors)
        reach("slots.flushed")
        return self._write_headers(descriptors, replace(header, made=end))

    def _level(self, descriptors: list[int]) -> Header:
        if self._failed:
            raise Fault("keys-not-durable", errno="earlier")
        return level(self._paths, descriptors, self._root)

    def _write_headers(self, descriptors: list[int], header: Header) -> Header:
        header = replace(header, sequence=header.sequence + 1)
        for copy, descriptor in enumerate(descriptors):
            write_header(descriptor, replace(header, copy=copy), self._root)
        self._flush(descriptors)
        return header

    def _flush(self, descriptors: list[int]) -> None:
        try:
            make_durable(descriptors)
        except Fault:
            self._failed = True
            raise

    @contextmanager
    def _held(self) -> Iterator[list[int]]:
        """Descriptors of all copies under their locks, and under the root this process knows."""
        while True:
            with locked(self._paths) as descriptors:
                rotation = state(self._paths[0].parent)
                if not (rotation and rotation.decided) and mark_of(descriptors[0]) in (self._root.mark, None):
                    yield descriptors
                    return
            self._follow()

    def _follow(self) -> None:
        """Go over to the root the files are sealed under now. Raises Refused root-replaced when this process may not.

        A file whose head is merely damaged stays the one we know: opening it anew is what mends it.
        """
        settle(self._paths)
        with self._lock, locked(self._paths) as descriptors:
            mark = mark_of(descriptors[0])
            if mark is None:
                return
            if mark != self._root.mark:
                root = self._root_of(mark) if self._root_of is not None else None
                if root is None:
                    raise Refused("root-replaced")
                header, _ = read_header(descriptors[0], root, str(self._paths[0]))
                self._cipher, self._root = SlotCipher(root, header.installation, header.root_epoch), root
            self._map = self._mapped()

    def _destroy_in_the_making(self, doomed: Sequence[int], tombstones: Sequence[bytes]) -> None:
        """Overwrite these slots also where a rotation has sealed them anew already, before anything is acknowledged."""
        for path in self._paths:
            if not next_of(path).exists():
                continue
            descriptor = open_closed(next_of(path))
            try:
                size = os.fstat(descriptor).st_size
                for number, tombstone in zip(doomed, tombstones, strict=True):
                    at = FIRST_SLOT + SLOT * number
                    if at < size:
                        write_all(descriptor, tombstone, at)
                self._flush([descriptor])
            finally:
                os.close(descriptor)

    def _mapped(self) -> mmap.mmap:
        descriptor = open_closed(self._paths[0], os.O_RDONLY)
        try:
            return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)

    def _check_process(self) -> None:
        """A forked child shares no numbers with its parent, nor a lock a thread of the parent held."""
        if os.getpid() != self._process:
            self._process = os.getpid()
            self._lock = threading.RLock()
            self._next = self._end = 0


def _overwrite(descriptor: int, numbers: Sequence[int], tombstones: Sequence[bytes], file: Path) -> None:
    """Put the tombstones in place; not yet durable. Where many lie close together, their stretch is one write.

    A stretch is read from the very copy it is written to, so that damage on one copy never spreads to another.
    """
    for _, near in groupby(zip(numbers, tombstones, strict=True), key=lambda pair: pair[0] // CHUNK):
        batch = list(near)
        first, length = batch[0][0], SLOT * (batch[-1][0] - batch[0][0] + 1)
        if len(batch) < _DENSE:
            for number, tombstone in batch:
                write_all(descriptor, tombstone, FIRST_SLOT + SLOT * number)
            continue
        stretch = bytearray(os.pread(descriptor, length, FIRST_SLOT + SLOT * first))
        if len(stretch) != length:
            raise Fault("keys-changed", file=str(file))
        for number, tombstone in batch:
            stretch[SLOT * (number - first) : SLOT * (number - first + 1)] = tombstone
        write_all(descriptor, bytes(stretch), FIRST_SLOT + SLOT * first)


def in_their_places(paths: Sequence[Path], descriptors: Sequence[int], root: RootKey) -> list[tuple[Header, bool]]:
    """What all copies say of themselves, and whether both records are intact. Changes nothing.

    Raises Unavailable key-copies-missing, Refused root-wrong, Fault keys-changed.
    """
    found = [read_header(d, root, str(p)) for p, d in zip(paths, descriptors, strict=True)]
    expected = max(header.copies for header, _ in found)
    if expected != len(paths) or [header.copy for header, _ in found] != list(range(len(paths))):
        raise Unavailable("key-copies-missing", expected=str(expected), found=str(len(paths)))
    if len({header.installation for header, _ in found}) != 1:
        raise Fault("keys-changed", file=str(paths[0]))
    return found


def level(paths: Sequence[Path], descriptors: list[int], root: RootKey) -> Header:
    """The one state of all copies, after bringing them level where a crash or an absence left them apart."""
    found = in_their_places(paths, descriptors, root)
    first = found[0][0]
    if all(intact and not h.destroying and replace(h, copy=0) == first for h, intact in found):
        return first
    cipher = SlotCipher(root, first.installation, first.root_epoch)
    return reconcile(descriptors, found, root, cipher)
