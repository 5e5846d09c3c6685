"""The head of a slot file: which numbers were given out, which slots exist, which destructions reached this copy.

Two records, each in a page of its own, are written in turn; the newer one that is intact counts. A record that is not
intact was torn by a power cut or rotted: then every slot in the file is taken for given out, so that no number can come
back (`SlotFile` wastes at most one chunk).
"""

import hmac
import os
import struct
from dataclasses import dataclass, replace

from omonat.base.errors import Fault, Refused
from omonat.vault.encoding import frame
from omonat.vault.root import RootKey
from omonat.vault.storage import write_all

PAGE = 4096
FIRST_SLOT = 2 * PAGE
SLOT = 64
_MAGIC = b"omonat-slots/1\n\x00"
_LAYOUT = struct.Struct(">16s16sQQQQHHHH64p")
_MAC = 32
LENGTH = _LAYOUT.size + _MAC


@dataclass(frozen=True, slots=True)
class Header:
    """One state of one copy. Slot numbers begin at 1."""

    installation: str
    sequence: int  # of this record; decides which of the two counts
    high_water: int  # the first number never given out
    made: int  # the first number without a slot
    generation: int  # batches of destructions that reached this copy
    root_epoch: int  # which root the slots are sealed under
    copies: int  # how many copies are registered
    copy: int  # which of them this is, from 0
    destroying: bool  # a batch was begun and not ended on every copy


def header_key(root: RootKey, installation: str) -> bytes:
    """The key the records of this installation are authenticated with."""
    return root.subkey(frame("omonat/slot-header/v1", installation))


def encode_header(header: Header, root: RootKey) -> bytes:
    """The bytes of one record."""
    body = _LAYOUT.pack(
        _MAGIC,
        root.mark,
        header.sequence,
        header.high_water,
        header.made,
        header.generation,
        header.root_epoch,
        header.copies,
        header.copy,
        header.destroying,
        header.installation.encode(),
    )
    return body + hmac.digest(header_key(root, header.installation), body, "sha256")


def empty_file(header: Header, root: RootKey) -> bytes:
    """The bytes of a copy that has no slots yet, and so is behind every other: whoever opens them brings it level."""
    empty = replace(header, high_water=1, made=1, generation=0, destroying=False)
    return b"".join(encode_header(replace(empty, sequence=n), root).ljust(PAGE, b"\0") for n in (0, 1))


def decode_header(data: bytes, root: RootKey) -> Header | None:
    """The record in `data`; None when it is not intact. Raises Refused when it belongs to another root."""
    if len(data) != LENGTH:
        return None
    magic, mark, sequence, high_water, made, generation, root_epoch, copies, copy, flags, name = _LAYOUT.unpack(
        data[: _LAYOUT.size]
    )
    if magic != _MAGIC:
        return None
    if mark != root.mark:
        raise Refused("root-wrong")
    try:
        installation = name.decode()
    except UnicodeDecodeError:
        return None
    header = Header(
        installation, sequence, high_water, made, generation, root_epoch, copies, copy, destroying=bool(flags)
    )
    return header if hmac.compare_digest(encode_header(header, root), data) else None


def unproved(data: bytes) -> tuple[int, bytes, str] | None:
    """Sequence, mark of the root and installation that a record claims; None when it has not the form of one."""
    if len(data) != LENGTH or not data.startswith(_MAGIC):
        return None
    fields = _LAYOUT.unpack(data[: _LAYOUT.size])
    try:
        return fields[2], fields[1], fields[-1].decode()
    except UnicodeDecodeError:
        return None


def mark_of(descriptor: int) -> bytes | None:
    """The mark of the root that the newest record claims; None when neither has the form of one."""
    heads = [unproved(os.pread(descriptor, LENGTH, page)) for page in (0, PAGE)]
    newest = max((head for head in heads if head is not None), default=None, key=lambda head: head[0])
    return None if newest is None else newest[1]


def read_header(descriptor: int, root: RootKey, file: str) -> tuple[Header, bool]:
    """The record that counts, and whether both records are intact. Raises Refused root-wrong or Fault keys-changed."""
    found = []
    stranger: Refused | None = None
    for page in (0, PAGE):
        try:
            found.append(decode_header(os.pread(descriptor, LENGTH, page), root))
        except Refused as error:
            stranger = error
    intact = [header for header in found if header is not None]
    if not intact:
        raise stranger or Fault("keys-changed", file=file)
    return max(intact, key=lambda header: header.sequence), len(intact) == 2


def write_header(descriptor: int, header: Header, root: RootKey) -> None:
    """Write `header` over the older of the two records; not yet durable."""
    write_all(descriptor, encode_header(header, root), PAGE * (header.sequence % 2))
