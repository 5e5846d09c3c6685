"""Rotating the root: everything it seals is sealed anew under another one, while uses go on (R3, S2, S6).

New files grow beside the old ones in short steps, each under the locks every change takes; readers notice nothing. Then
one last step catches up, and the switch is decided by one file (`switch`). Until then the old root counts and nothing
was risked: a rotation that is cut off is begun again over what it left. After it the old root opens nothing any more:
what it sealed was overwritten. Neither root is ever written down, not even sealed under the other.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.vault.cipher import SlotCipher
from omonat.vault.header import FIRST_SLOT, SLOT, Header, write_header
from omonat.vault.keyring import RingFile
from omonat.vault.root import RootKey
from omonat.vault.slots import level
from omonat.vault.storage import create_empty, locked, make_durable, open_closed, remove, write_all
from omonat.vault.switch import Phase, Rotation, next_of, note, scrub, settle, state, swap

STEP: Final = 1024  # slots sealed anew under one lock: some milliseconds
_PAUSE: Final = 0.001  # seconds in which those who wait for the lock get it
_DAMAGED: Final = b"D\x01"


def rotate(
    home: Path,
    old: RootKey,
    new: RootKey,
    *,
    other_copies: Sequence[Path] = (),
    before_switch: Callable[[], None] = lambda: None,
    step: int = STEP,
) -> Rotation:
    """Seal everything anew under `new`; the old root is worth nothing on return. Carries on where it was cut off.

    `before_switch` is called when all is ready, so that whoever must know the new root learns of it; when it raises,
    nothing has happened. Raises Refused root-wrong when `old` isn't the present root, root-same; Unavailable (no room).
    """
    paths = [home / "keys" / "slots", *other_copies]
    folder = paths[0].parent
    create_empty(folder / "rotating")
    with locked([folder / "rotating"]):  # two at once would write into each other's files
        return _rotate(paths, old, new, before_switch, step)


def _rotate(
    paths: Sequence[Path], old: RootKey, new: RootKey, before_switch: Callable[[], None], step: int
) -> Rotation:
    folder = paths[0].parent
    settle(paths)
    found = state(folder)
    if found is not None and found.phase is Phase.DONE and found.new == new.mark.hex():
        return found  # only its evidence was missing
    if old.mark == new.mark:
        raise Refused("root-same")
    builder = _Builder(paths, old, new)
    builder.begin(found)
    while not builder.almost():
        builder.advance(step)
        time.sleep(_PAUSE)
    before_switch()
    done = builder.switch()
    scrub(paths)
    return msgspec.structs.replace(done, phase=Phase.DONE)


def forget(home: Path) -> None:
    """The rotation has its evidence entry: nothing of it is left to do."""
    remove(home / "keys" / "rotation")


class _Builder:
    def __init__(self, paths: Sequence[Path], old: RootKey, new: RootKey) -> None:
        self._paths = paths
        self._folder = paths[0].parent
        self._old, self._new = old, new
        self._ring = RingFile(self._folder / "keyring", old, other_copies=paths[1:])
        self._cursor = 1
        self._damaged = 0

    def begin(self, found: Rotation | None) -> None:
        """Say that a rotation is under way, and make room for what it will write.

        What an earlier try left there, to whichever root, is overwritten from the first slot on.
        """
        with locked(self._paths) as descriptors:
            header = level(self._paths, descriptors, self._old)
            self._take_ciphers(header)
            fresh = Rotation(
                installation=header.installation,
                phase=Phase.BUILDING,
                old=self._old.mark.hex(),
                new=self._new.mark.hex(),
                epoch=header.root_epoch + 1,
                entry=new_id("ev"),
            )
            if found is None or (found.new, found.epoch, found.phase) != (fresh.new, fresh.epoch, Phase.BUILDING):
                note(self._folder, fresh)
            for path in self._paths:
                create_empty(next_of(path))

    def almost(self) -> bool:
        """Whether so little is left that the last step can do it."""
        with locked(self._paths) as descriptors:
            return level(self._paths, descriptors, self._old).made - self._cursor <= STEP

    def advance(self, count: int) -> None:
        """Seal the next slots anew."""
        with locked(self._paths) as descriptors, self._growing() as growing:
            header = level(self._paths, descriptors, self._old)
            end = min(self._cursor + count, header.made)
            self._seal(descriptors, growing, self._cursor, end)
            self._cursor = end

    def switch(self) -> Rotation:
        """Catch up with everything that changed, decide, and put the new files in place."""
        with locked([self._folder / "lock"]), locked(self._paths) as descriptors, self._growing() as growing:
            header = level(self._paths, descriptors, self._old)
            self._seal(descriptors, growing, self._cursor, header.made)
            self._catch_up(descriptors, growing, header.made)
            for descriptor, copy in zip(growing, range(len(growing)), strict=True):
                for sequence in (header.sequence + 1, header.sequence + 2):
                    mine = replace(header, sequence=sequence, root_epoch=header.root_epoch + 1, copy=copy)
                    write_header(descriptor, mine, self._new)
            make_durable(growing)
            self._ring.seal_anew(self._new)
            building = state(self._folder)
            if building is None or building.new != self._new.mark.hex() or building.phase is not Phase.BUILDING:
                raise Refused("root-rotating")  # somebody else rotates as well, and was faster
            decided = msgspec.structs.replace(
                building, phase=Phase.SWITCHING, slots=header.made - 1, damaged=self._damaged
            )
            note(self._folder, decided)
            swap(self._paths, decided)
        return decided

    def _take_ciphers(self, header: Header) -> None:
        self._from = SlotCipher(self._old, header.installation, header.root_epoch)
        self._to = SlotCipher(self._new, header.installation, header.root_epoch + 1)
        self._epoch = (header.root_epoch + 1).to_bytes(2, "big")

    def _seal(self, descriptors: Sequence[int], growing: Sequence[int], first: int, end: int) -> None:
        for start in range(first, end, STEP):
            count = min(STEP, end - start)
            pieces = [_slots(descriptor, start, count) for descriptor in descriptors]
            rows = zip(
                *([piece[at : at + SLOT] for at in range(0, SLOT * count, SLOT)] for piece in pieces), strict=True
            )
            moved = b"".join(self._moved(number, slots) for number, slots in enumerate(rows, start))
            for descriptor in growing:
                write_all(descriptor, moved, FIRST_SLOT + SLOT * start)

    def _catch_up(self, descriptors: Sequence[int], growing: Sequence[int], made: int) -> None:
        """Seal again what was destroyed after it had been sealed anew: there stands a tombstone of the old root."""
        for start in range(1, made, STEP):
            count = min(STEP, made - start)
            for descriptor in growing:
                piece = _slots(descriptor, start, count)
                if piece[2::SLOT] == self._epoch[:1] * count and piece[3::SLOT] == self._epoch[1:] * count:
                    continue
                for i in range(count):
                    if piece[SLOT * i + 2 : SLOT * i + 4] != self._epoch:
                        self._seal(descriptors, growing, start + i, start + i + 1)

    def _moved(self, number: int, candidates: Sequence[bytes]) -> bytes:
        """The slot under the new root. Copies are level; one that is damaged all the same yields to another, and a
        destruction on one would be one on all."""
        if any(candidate != candidates[0] for candidate in candidates):
            candidates = sorted(candidates, key=lambda slot: slot[:1] != b"X")
        for candidate in candidates:
            found = self._from.moved(number, candidate, self._to)
            if found is not None:
                return found
        self._damaged += 1
        return (_DAMAGED + self._epoch).ljust(SLOT, b"\0")

    @contextmanager
    def _growing(self) -> Iterator[list[int]]:
        with ExitStack() as stack:
            descriptors = [open_closed(next_of(path)) for path in self._paths]
            for descriptor in descriptors:
                stack.callback(os.close, descriptor)
            yield descriptors


def _slots(descriptor: int, first: int, count: int) -> bytes:
    return os.pread(descriptor, SLOT * count, FIRST_SLOT + SLOT * first).ljust(SLOT * count, b"\0")
