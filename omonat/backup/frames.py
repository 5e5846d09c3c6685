"""Frames of the control journal: what one round of the shipper writes, sealed and chained to all before it.

A change that concerns a person is sealed once more under that person's slot, so that their erasure reaches the journal
and every copy of it. What stays readable with the installation's keys is who was concerned, never what they chose.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from omonat.base.errors import Fault, OmonatError, Refused
from omonat.base.instants import Instant
from omonat.vault.history import KeyState
from omonat.vault.vault import Vault

START: Final = bytes(32)
"""The digest before the first frame."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the journal: so many frames, and the digest that stands for all of them."""

    frames: int
    digest: bytes


BEGINNING: Final = Place(0, START)


class Change(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One row as it was after a change; for `gone`, its key. `row` in the clear, or `sealed` under the person's `slot`;
    neither when that slot was destroyed before the frame was written."""

    id: str
    source: str
    op: str
    person: str | None = None
    row: dict[str, Any] | None = None
    slot: int = 0
    sealed: bytes | None = None


class Noted(Struct, frozen=True, gc=False):
    """An evidence entry of the same transaction: its bytes, and whom of the people concerned it names."""

    id: str
    act: str
    body: bytes
    persons: tuple[str, ...]


class Deed(Struct, frozen=True, gc=False):
    """One transaction: what it changed, and the entries it wrote about it."""

    txid: int
    changes: tuple[Change, ...]
    entries: tuple[Noted, ...]


class Frame(Struct, frozen=True, kw_only=True, gc=False):
    """One round: when it was written, how far the key file had come, what was destroyed since the frame before."""

    n: int
    at: Instant
    keys: KeyState
    destroyed: tuple[tuple[int, int], ...] = ()
    deeds: tuple[Deed, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Frame).decode
_row = msgspec.json.Decoder(dict[str, Any]).decode


def change(
    vault: Vault, *, id: str, source: str, op: str, row: dict[str, Any], slot: int | None, personal: bool
) -> Change:
    """A change as it goes into a frame; `slot` is that of the person concerned, None where there is none. A `personal`
    row lives and dies with the person; others (what was erased, say) outlive them."""
    person = row.get("id") if source == "persons" else row.get("person")
    if person is None or slot is None or op == "gone" or not personal:
        return Change(id=id, source=source, op=op, person=person, row=row)
    try:
        sealed = vault.seal_value(f"control-change:{id}", _encode(row), slot=slot)
    except Refused:  # erased meanwhile: that they are is all there is to keep
        sealed = None
    return Change(id=id, source=source, op=op, person=person, slot=slot, sealed=sealed)


def image(vault: Vault, found: Change) -> dict[str, Any] | None:
    """The row of a change, or None when the person it concerns has been erased. Raises Fault for altered bytes."""
    if found.sealed is None:
        return found.row
    try:
        return _row(vault.open_value(f"control-change:{found.id}", found.sealed, slot=found.slot))
    except Refused:
        return None


def seal(vault: Vault, frame: Frame, before: Place) -> bytes:
    """The frame's box, bound to its number and to all frames before it."""
    return vault.seal_value(_context(before), _encode(frame))


def unseal(vault: Vault, box: bytes, before: Place) -> Frame:
    """The frame that follows `before`. Raises Fault `journal-altered`: other bytes, another place, another history."""
    try:
        frame = _decode(vault.open_value(_context(before), box))
    except (OmonatError, msgspec.MsgspecError) as error:
        raise Fault("journal-altered", frame=str(before.frames + 1)) from error
    if frame.n != before.frames + 1:
        raise Fault("journal-altered", frame=str(before.frames + 1))
    return frame


def after(before: Place, box: bytes) -> Place:
    """The place behind this box."""
    return Place(before.frames + 1, sha256(before.digest + box).digest())


def _context(before: Place) -> str:
    return f"control-journal:{before.frames + 1}:{before.digest.hex()}"
