"""The switch to a new root: one moment, decided by one small file, after which the new keys count and the old are gone.

`rotation` beside the keys says how far a rotation has come. While it says *building*, the old files count and new ones
(`slots.next`, `keyring.next`) grow beside them. Once it says *switching*, the new ones count, whatever happens: whoever
comes next, rotating or not, puts them in place, and needs no key for it. *Scrubbing*: what the old files held is being
overwritten. *Done*: only the evidence entry is missing.
"""

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec

from omonat.base.errors import Fault
from omonat.vault.storage import (
    keep_also_as,
    locked,
    make_durable,
    open_closed,
    put_in_place,
    remove,
    write_all,
    write_new,
)

_STEP: Final = 1 << 20


class Phase(Enum):
    """How far a rotation has come."""

    BUILDING = "building"
    SWITCHING = "switching"
    SCRUBBING = "scrubbing"
    DONE = "done"


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. `old` and `new` are marks of roots; `entry` is the evidence entry this rotation will have."""

    installation: str
    phase: Phase
    old: str
    new: str
    epoch: int
    entry: str
    slots: int = 0
    damaged: int = 0  # slots that opened on no copy before, and so can't be sealed anew

    @property
    def decided(self) -> bool:
        """Whether the new files count, though not all may be in place."""
        return self.phase in (Phase.SWITCHING, Phase.SCRUBBING)


def next_of(path: Path) -> Path:
    """Where the new form of a file grows."""
    return path.with_name(f"{path.name}.next")


def old_of(path: Path) -> Path:
    """Where the old form waits to be overwritten."""
    return path.with_name(f"{path.name}.old")


def state(folder: Path) -> Rotation | None:
    """The rotation under way in this folder of keys; None when there is none. Raises Fault keys-changed."""
    file = folder / "rotation"
    try:
        descriptor = open_closed(file, os.O_RDONLY) if os.path.lexists(file) else None
    except OSError:
        descriptor = None
    if descriptor is None:
        return None
    try:
        return msgspec.json.decode(os.read(descriptor, 4096), type=Rotation)
    except ValueError:
        raise Fault("keys-changed", file=str(file)) from None
    finally:
        os.close(descriptor)


def note(folder: Path, rotation: Rotation) -> None:
    """Make this the state; durable on return."""
    write_new(folder / "rotation", msgspec.json.format(msgspec.json.encode(rotation)), replace=True)


def settle(paths: Sequence[Path]) -> None:
    """Finish a switch that was decided and not finished, whoever decided it. Otherwise does nothing.

    The caller holds no lock of the keys.
    """
    folder = paths[0].parent
    found = state(folder)
    if found is None or not found.decided:
        return
    with locked([folder / "lock"]), locked(paths):
        found = state(folder)
        if found is None or not found.decided:
            return
        swap(paths, found)
    scrub(paths)


def swap(paths: Sequence[Path], rotation: Rotation) -> None:
    """Put the new files in place. The caller holds the locks of the keyring and of all copies."""
    folder = paths[0].parent
    for path in paths:
        if not next_of(path).exists():
            continue  # it is in place since an earlier try
        if not old_of(path).exists():
            keep_also_as(path, old_of(path))
        put_in_place(next_of(path), path)
    for ring in [path.with_name("keyring") for path in paths]:
        if next_of(ring).exists():
            put_in_place(next_of(ring), ring)
    note(folder, msgspec.structs.replace(rotation, phase=Phase.SCRUBBING))


def scrub(paths: Sequence[Path]) -> None:
    """Overwrite what the old files held, from the head on, and remove them.

    Whoever still has one open sees by its head that it counts no more. Until that is done nobody changes anything: so
    nothing is destroyed that somebody could still read here.
    """
    folder = paths[0].parent
    with locked([folder / "lock"]):
        for path in paths:
            erase(old_of(path))
        found = state(folder)
        if found is not None and found.phase is Phase.SCRUBBING:
            note(folder, msgspec.structs.replace(found, phase=Phase.DONE))


def erase(path: Path) -> None:
    """Overwrite a file in place, flush, remove it; nothing when it is not there."""
    if not path.exists():
        return
    descriptor = open_closed(path)
    try:
        size = os.fstat(descriptor).st_size
        for at in range(0, size, _STEP):
            write_all(descriptor, bytes(min(_STEP, size - at)), at)
        make_durable([descriptor])
    finally:
        os.close(descriptor)
    remove(path)
