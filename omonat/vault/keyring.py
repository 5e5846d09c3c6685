"""The keyring: which slot holds the secret of which lasting key. It holds no secret itself.

Every lasting key (look-up epochs, signing keys, pseudonyms, sealed values) lives in a slot like a person's does, so it
can be destroyed like a person's, and a new root need only seal the slots again. The ring is sealed all the same: its
numbers must not be changed by anybody.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from omonat.base.errors import Fault, Refused, Unavailable
from omonat.vault.encoding import frame
from omonat.vault.root import RootKey
from omonat.vault.slots import RootOf, SlotFile
from omonat.vault.storage import locked, open_closed, write_new
from omonat.vault.switch import next_of, settle, state

_MAGIC = b"omonat-keyring/1"
_CONTEXT = frame("omonat/keyring/v1")
_LARGEST = 1 << 20
_NUMBERED = ("lookup/", "sealing/")
_Derived = TypeVar("_Derived")


class Ring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. `keys` maps a name to its slot; `slots_made` guards against starting anew over lost slots."""

    installation: str
    slots_made: bool = False
    lookup_epoch: int = 0
    keys: dict[str, int] = {}


class RingFile:
    """The sealed file. Changes replace the file as a whole; the lock lies in a file of its own, never replaced.

    Beside every registered copy of the slots lies one of the ring, so that the loss of the home's keys is no loss of
    what they were for. It is written first: a copy may know a key that nobody used yet, and never lacks one.
    """

    def __init__(
        self, path: Path, root: RootKey, *, root_of: RootOf | None = None, other_copies: Sequence[Path] = ()
    ) -> None:
        self.path = path
        self.lock_path = path.with_name("lock")
        self._root = root
        self._root_of = root_of
        self._slot_files = [path.with_name("slots"), *other_copies]
        self._files = [*(copy.with_name("keyring") for copy in other_copies), path]

    def create(self, installation: str) -> None:
        """Put the first ring in place, or leave the one that is there."""
        for path, data in ((self.lock_path, b""), (self.path, self._sealed(Ring(installation)))):
            with suppress(FileExistsError):
                write_new(path, data, replace=False)

    def read(self) -> tuple[Ring, tuple[int, int]]:
        """The ring, and what tells this state of the file from the next one."""
        return self._read(self.path, self._root_of)

    def _read(self, path: Path, root_of: RootOf | None = None) -> tuple[Ring, tuple[int, int]]:
        descriptor = open_closed(path, os.O_RDONLY)
        try:
            data, found = os.read(descriptor, _LARGEST), os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if data[:16] != _MAGIC:
            raise Fault("keys-changed", file=str(path))
        if data[16:32] != self._root.mark:
            newer = root_of(data[16:32]) if root_of is not None else None
            if newer is None:
                raise Refused("root-wrong")
            self._root = newer
        try:
            ring = msgspec.json.decode(self._root.open(_CONTEXT, data[32:]), type=Ring)
        except (ValueError, Refused, Fault):
            raise Fault("keys-changed", file=str(path)) from None
        return ring, (found.st_ino, found.st_mtime_ns)

    def state(self) -> tuple[int, int]:
        """What `read` would give as its second part, without reading. Raises Unavailable when the file is gone."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 - asked on every look-up, and half as dear
        except OSError:
            raise Unavailable("keys-missing", file=str(self.path)) from None
        return found.st_ino, found.st_mtime_ns

    def change(self, edit: Callable[[Ring], Ring]) -> None:
        """Apply `edit` to the newest ring, alone on this machine. `edit` giving the same ring writes nothing."""
        while True:
            with locked([self.lock_path]):
                rotation = state(self.path.parent)
                if rotation is None or not rotation.decided:  # else the ring that counts is not in its place yet
                    ring, _ = self.read()
                    edited = edit(ring)
                    if edited != ring:
                        self._write(edited)
                    return
            settle(self._slot_files)

    def level(self, installation: str) -> None:
        """Let all copies say what the fullest says: a key is added to a ring and never taken away.

        Raises Unavailable keys-missing when there is none, Refused root-wrong and Fault keys-changed for one of another
        root or installation. The caller has proved the slots, and seen to it that no switch is under way.
        """
        with locked([self.lock_path]):
            found = [self._found(file) for file in reversed(self._files)]  # the home's first: it follows a new root
            rings = [ring for ring in found if ring is not None]
            if not rings:
                raise Unavailable("keys-missing", file=str(self.path))
            if any(ring.installation != installation for ring in rings):
                raise Fault("keys-changed", file=str(self.path))
            fullest = max(rings, key=lambda ring: (ring.slots_made, len(ring.keys), ring.lookup_epoch))
            if any(ring != fullest for ring in found):
                self._write(fullest)

    def beside(self, copy: Path) -> None:
        """Keep the ring beside one more copy of the slots from now on."""
        self._slot_files.append(copy)
        self._files.insert(0, copy.with_name("keyring"))
        self.level(self.read()[0].installation)

    def _found(self, file: Path) -> Ring | None:
        """The ring in this file; None where there is none, or a damaged one."""
        try:
            return self._read(file)[0] if file != self.path else self.read()[0]
        except (Unavailable, Fault):
            return None

    def _write(self, ring: Ring) -> None:
        data = self._sealed(ring)
        for file in self._files:
            try:
                write_new(file, data, replace=True)
            except OSError as error:
                raise Unavailable("keys-not-written", errno=str(error.errno)) from error

    def seal_anew(self, root: RootKey) -> None:
        """Put the ring beside itself, sealed under another root, for every copy. The caller holds its lock."""
        ring, _ = self.read()
        data = sealed_ring(ring, root)
        for file in self._files:
            write_new(next_of(file), data, replace=True)

    def _sealed(self, ring: Ring) -> bytes:
        return sealed_ring(ring, self._root)


def sealed_ring(ring: Ring, root: RootKey) -> bytes:
    """The bytes of the file."""
    return _MAGIC + root.mark + root.seal(_CONTEXT, msgspec.json.encode(ring, order="deterministic"))


class Keyring:
    """Lasting keys by name, made on first use. What is derived from one is kept only beside the slot it came from."""

    def __init__(self, file: RingFile, slots: SlotFile) -> None:
        self._file = file
        self._slots = slots
        self._ring, self._state = file.read()
        self._kept: dict[str, tuple[int, bytes, object]] = {}

    def beside(self, copy: Path) -> None:
        """Keep the ring beside one more copy of the slots."""
        self._file.beside(copy)

    def ring(self) -> Ring:
        """The ring as it stands now; another process's change is seen at once."""
        state = self._file.state()
        if state != self._state:
            self._ring, self._state = self._file.read()
        return self._ring

    def use(self, name: str, derive: Callable[[bytes], _Derived]) -> _Derived:
        """What `derive` makes of the named key. Raises Refused key-destroyed when that key was destroyed."""
        kept = self._kept.get(name)
        if kept is not None and self._slots.slot(kept[0]) == kept[1]:
            return kept[2]  # type: ignore[return-value]  # one name is always derived by the same function
        number = self._ring.keys.get(name) or self._number(name)
        slot = self._slots.slot(number)
        try:
            derived = derive(self._slots.open_slot(number, slot))
        except Refused:
            self._kept.pop(name, None)
            raise
        self._kept[name] = (number, slot, derived)
        return derived

    def begin_lookup_epoch(self, after: int) -> int:
        """Start the look-up epoch that follows `after`, with a key of its own; the old key stays until it is ended.

        Gives the current epoch, also when another process was first.
        """

        def edit(ring: Ring) -> Ring:
            if ring.lookup_epoch != after:
                return ring
            epoch = after + 1
            keys = {**ring.keys, f"lookup/{epoch}": self._slots.reserve(1)[0]}
            return msgspec.structs.replace(ring, lookup_epoch=epoch, keys=keys)

        self._file.change(edit)
        return self.ring().lookup_epoch

    def end_lookup_epoch(self, epoch: int) -> None:
        """Destroy the key of an epoch that is no longer current. Raises Refused for the current one."""
        ring = self.ring()
        if epoch >= ring.lookup_epoch:
            raise Refused("lookup-epoch-current", epoch=str(epoch))
        number = ring.keys.get(f"lookup/{epoch}")
        if number is not None:
            self._slots.destroy([number])

    def oldest_lookup_epoch(self) -> int:
        """The oldest epoch whose key still exists; the current one at the latest."""
        ring = self.ring()
        for epoch in range(1, ring.lookup_epoch):
            number = ring.keys.get(f"lookup/{epoch}")
            if number is not None and not self._slots.is_destroyed(number):
                return epoch
        return ring.lookup_epoch

    def newest(self, kind: str) -> int:
        """The highest number of the keys `<kind>/1`, `<kind>/2` …; 0 when there is none yet."""
        numbered = (name.partition("/") for name in self.ring().keys)
        return max((int(number) for name, _, number in numbered if name == kind), default=0)

    def begin_next(self, kind: str, after: int) -> int:
        """Make the key that follows number `after`. Gives the newest number, also when another process was first."""

        def edit(ring: Ring) -> Ring:
            name = f"{kind}/{after + 1}"
            if name in ring.keys:
                return ring
            return msgspec.structs.replace(ring, keys={**ring.keys, name: self._slots.reserve(1)[0]})

        if self.newest(kind) == after:
            self._file.change(edit)
        return self.newest(kind)

    def end(self, name: str) -> None:
        """Destroy this key for good; doing it again is harmless."""
        number = self.ring().keys.get(name)
        if number is not None and not self._slots.is_destroyed(number):
            self._slots.destroy([number])

    def _number(self, name: str) -> int:
        """The slot of `name`, reserved under the file's lock so that all processes agree on one."""

        def edit(ring: Ring) -> Ring:
            if name in ring.keys:
                return ring
            return msgspec.structs.replace(ring, keys={**ring.keys, name: self._slots.reserve(1)[0]})

        if name not in self.ring().keys:
            if name.startswith(_NUMBERED):  # only beginning the next one makes its key
                raise Refused("key-destroyed", slot=name)
            self._file.change(edit)
        return self.ring().keys[name]
