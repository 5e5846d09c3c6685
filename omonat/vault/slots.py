"""Slots: 64 bytes each, one random secret each, and the only place on the machine where a key can be destroyed.

Secrets are made in chunks and durable on every registered copy before their numbers are given out; a number is never
given out twice, whatever becomes of the database. Destroying overwrites a slot in place and flushes it. Readers look
through a shared map of the file, so a destruction by another process is seen by the very next look (R3, S2).
"""

import mmap
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hmac import compare_digest
from itertools import groupby
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omonat.base.errors import Fault, OmonatError, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.vault.encoding import derive, frame
from omonat.vault.header import FIRST_SLOT, PAGE, SLOT, Header, encode_header, read_header, write_header
from omonat.vault.reconcile import reconcile
from omonat.vault.root import RootKey
from omonat.vault.storage import locked, make_durable, open_closed, write_all, write_new

CHUNK = 4096  # slots made at a time
MOST = 1 << 31  # slots under one root, well inside the 2^32 random nonces AES-GCM allows a key
_SMALLEST_BLOCK, _LARGEST_BLOCK = 64, 4096  # numbers a process takes at a time; doubled with each block
_DENSE = 32  # destructions within one chunk's stretch, from which on the stretch is written as a whole
_SEALED, _DESTROYED, _SUITE = b"S", b"X", b"\x01"


class SlotCipher:
    """Turns secrets into slots and back, for one installation under one root."""

    def __init__(self, root: RootKey, installation: str, root_epoch: int) -> None:
        epoch = root_epoch.to_bytes(2, "big")
        self._sealed_head = _SEALED + _SUITE + epoch
        self._destroyed_head = _DESTROYED + _SUITE + epoch
        self._aead = AESGCM(root.subkey(frame("omonat/slot-key/v1", installation, epoch)))
        self._tombstone_key = root.subkey(frame("omonat/tombstone-key/v1", installation, epoch))
        self._context = frame("omonat/slot/v1", installation, epoch)

    def make(self, first: int, count: int) -> bytes:
        """`count` fresh slots from number `first`, each a random secret bound to its number.

        Secrets and nonces come from the operating system now and are used at once, never kept for later.
        """
        head, encrypt, context, random = self._sealed_head, self._aead.encrypt, self._context, os.urandom(44 * count)
        slots: list[bytes] = []
        for number, at in enumerate(range(0, 44 * count, 44), first):
            nonce, secret = random[at : at + 12], random[at + 12 : at + 44]
            slots += (head, nonce, encrypt(nonce, secret, context + number.to_bytes(8, "big")))
        return b"".join(slots)

    def open(self, number: int, slot: bytes) -> bytes:
        """The secret. Raises Refused for a destroyed slot, Fault for anything that is not this number's slot."""
        if slot[:4] == self._sealed_head:
            try:
                return self._aead.decrypt(slot[4:16], slot[16:], self._context + number.to_bytes(8, "big"))
            except InvalidTag:
                raise Fault("slot-changed", slot=str(number)) from None
        if self.is_tombstone(number, slot):
            raise Refused("key-destroyed", slot=str(number))
        raise Fault("slot-changed", slot=str(number))

    def tombstones(self, numbers: Iterable[int], generation: int) -> list[bytes]:
        """What stands in these slots after their secrets were destroyed by the batch `generation`."""
        stamp, key, context, rest = generation.to_bytes(8, "big"), self._tombstone_key, self._context, bytes(20)
        head = self._destroyed_head + stamp
        return [b"".join((head, derive(key, context + number.to_bytes(8, "big") + stamp), rest)) for number in numbers]

    def is_tombstone(self, number: int, slot: bytes) -> bool:
        """Whether `slot` is a true tombstone of this number and not merely damaged."""
        if slot[:4] != self._destroyed_head:
            return False
        return compare_digest(slot, self.tombstones([number], int.from_bytes(slot[4:12], "big"))[0])

    def is_sealed(self, number: int, slot: bytes) -> bool:
        """Whether `slot` opens as this number's."""
        try:
            self.open(number, slot)
        except OmonatError:
            return False
        return True


class SlotFile:
    """All copies of the slots of one installation, as one process uses them. Safe among threads and across forks."""

    def __init__(self, paths: Sequence[Path], root: RootKey, header: Header) -> None:
        self.installation = header.installation
        self._paths = list(paths)
        self._root = root
        self._cipher = SlotCipher(root, header.installation, header.root_epoch)
        self.open_slot = self._cipher.open
        """`open_slot(number, slot)`: the secret in bytes that `slot` gave. Raises Refused key-destroyed, Fault
        slot-changed."""
        self._block = _SMALLEST_BLOCK
        self._failed = False
        self._process = os.getpid()
        self._lock = threading.Lock()
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
    def open(cls, paths: Sequence[Path], root: RootKey, installation: str) -> "SlotFile":
        """Open all registered copies and bring them level: what one has destroyed is destroyed on the others first.

        Raises Refused root-wrong or key-file-open, Unavailable keys-missing or key-copies-missing, Fault keys-changed.
        """
        with locked(paths) as descriptors:
            header = _level(paths, descriptors, root)
        if header.installation != installation:
            raise Fault("keys-changed", file=str(paths[0]))
        return cls(paths, root, header)

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
        with locked(self._paths) as descriptors:
            header = self._level(descriptors)
            if header.made - header.high_water < spare:
                self._make(descriptors, header, header.high_water + spare)

    def slot(self, number: int) -> bytes:
        """The 64 bytes of a slot as they stand this instant: what caches compare. Raises Fault for an unmade number."""
        at = FIRST_SLOT + SLOT * number
        found = self._map[at : at + SLOT]
        if len(found) != SLOT:
            self._map = self._mapped()
            found = self._map[at : at + SLOT]
        if len(found) != SLOT or number < 1:
            raise Fault("slot-unknown", slot=str(number))
        return found

    def secret(self, number: int) -> bytes:
        """The 32 bytes of a slot. Raises Refused key-destroyed, Fault slot-changed or slot-unknown."""
        return self._cipher.open(number, self.slot(number))

    def is_destroyed(self, number: int) -> bool:
        """Whether the slot holds a true tombstone. False for a damaged slot: damage is not destruction."""
        return self._cipher.is_tombstone(number, self.slot(number))

    def destroy(self, numbers: Iterable[int]) -> None:
        """Overwrite these slots in place on every registered copy and flush; done once and for all on return.

        Doing it again is harmless and does it again. Raises Fault keys-not-durable when a flush failed: the process
        must then end, because nothing it reads back proves what the disk holds.
        """
        doomed = sorted(set(numbers))
        if not doomed:
            return
        with locked(self._paths) as descriptors:
            header = self._level(descriptors)
            if doomed[0] < 1 or doomed[-1] >= header.high_water:
                raise Fault("slot-unknown", slot=str(doomed[-1]))
            if len(descriptors) > 1:
                header = self._write_headers(descriptors, replace(header, destroying=True))
            reach("slots.to-destroy")
            generation = header.generation + 1
            tombstones = self._cipher.tombstones(doomed, generation)
            for descriptor in descriptors:
                _overwrite(descriptor, doomed, tombstones, self._paths[0])
                reach("slots.overwritten")
            if len(descriptors) > 1:
                self._flush(descriptors)
            self._write_headers(descriptors, replace(header, generation=generation, destroying=False))
        reach("slots.destroyed")

    def register(self, path: Path) -> None:
        """Add an empty copy and bring it level. Other processes must be restarted with the longer list."""
        with locked(self._paths) as descriptors:
            header = self._level(descriptors)
            newcomer = replace(
                header, sequence=0, high_water=1, made=1, generation=0, copies=header.copies + 1, copy=header.copies
            )
            pages = [encode_header(replace(newcomer, sequence=n), self._root).ljust(PAGE, b"\0") for n in (0, 1)]
            write_new(path, b"".join(pages), replace=False)
            self._write_headers(descriptors, replace(header, copies=newcomer.copies))
        self._paths.append(path)
        with locked(self._paths) as descriptors:
            self._level(descriptors)

    def _take(self, count: int) -> tuple[int, int]:
        with locked(self._paths) as descriptors:
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
        return _level(self._paths, descriptors, self._root)

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
            self._lock = threading.Lock()
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


def _level(paths: Sequence[Path], descriptors: list[int], root: RootKey) -> Header:
    """The one state of all copies, after bringing them level where a crash or an absence left them apart."""
    found = [read_header(d, root, str(p)) for p, d in zip(paths, descriptors, strict=True)]
    expected = max(header.copies for header, _ in found)
    if expected != len(paths) or [header.copy for header, _ in found] != list(range(len(paths))):
        raise Unavailable("key-copies-missing", expected=str(expected), found=str(len(paths)))
    first = found[0][0]
    if all(intact and not h.destroying and replace(h, copy=0) == first for h, intact in found):
        return first
    cipher = SlotCipher(root, first.installation, first.root_epoch)
    return reconcile(descriptors, found, root, cipher)
