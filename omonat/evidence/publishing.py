"""From placed entries to a signed checkpoint: the checks before a signature, without a database.

INVARIANT: nothing here signs over a hash it was told; every leaf is recomputed from the bytes that are published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.errors import BadInput, Fault
from omonat.base.instants import Instant
from omonat.evidence.entry import leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.keys import LogKeys
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.tiles import (
    ENTRIES,
    WIDTH,
    GrowingTree,
    TileName,
    bundle,
    edge_root,
    leaves_of,
    split_hashes,
    unbundle,
    widths,
)
from omonat.evidence.tree import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Head:
    """So many entries, this root."""

    size: int
    root: bytes


EMPTY: Final = Head(0, EMPTY_ROOT)


def _altered(what: str, index: int) -> Fault:
    return Fault("evidence-altered", what=what, index=str(index))


def sign(head: Head, keys: LogKeys, *, now: Instant, over: bytes | None = None) -> bytes:
    """The signed checkpoint: the log's signature, then the clock's cosignature with the time.

    `over` is the checkpoint it replaces: others' lines under the very same text stay true, and stay.
    """
    text = str(Checkpoint(keys.origin, head.size, head.root))
    note = Note.sign(text, (keys.log, keys.clock), now=now)
    earlier = None if over is None else Note.parse(over)
    if earlier is not None and earlier.text == text:
        own = {line[:2] for line in note.signatures}
        note = Note(text, (*note.signatures, *(line for line in earlier.signatures if line[:2] not in own)))
    return str(note).encode()


def read_checkpoint(folder: LogFolder, keys: LogKeys) -> Head | None:
    """The head our own log and clock keys signed last, or None in an empty folder.

    Raises Fault `evidence-log-foreign` or `evidence-altered`.
    """
    raw = folder.read_checkpoint()
    if raw is None:
        return None
    try:
        note = Note.parse(raw)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != keys.origin:
            raise Fault("evidence-log-foreign", found=checkpoint.origin, expected=keys.origin)
        signers = note.check([keys.log.verifier, keys.clock.verifier])
    except BadInput as error:
        raise _altered("checkpoint", 0) from error
    if len(signers) != 2:
        raise _altered("checkpoint", 0)
    return Head(checkpoint.size, checkpoint.root)


def load_edge(folder: LogFolder, head: Head) -> GrowingTree:
    """The tree of `head`, ready to grow, from the tiles on the disk. Raises Fault unless they lead to its root."""
    tails: list[list[bytes]] = []
    for level, width in enumerate(widths(head.size)):
        name = TileName(level, (head.size >> 8 * level) // WIDTH, width)
        raw = (folder.read(name) if width else b"") or b""
        if len(raw) != width * 32:
            raise _altered(f"tile {name.path}", name.number * WIDTH << 8 * level)
        tails.append(split_hashes(raw))
    if edge_root(tails) != head.root:
        raise _altered("tiles", head.size - head.size % WIDTH)
    return GrowingTree(head.size, tails)


def checked_leaves(rows: Sequence[Any], start: int) -> list[bytes]:
    """Leaf hashes recomputed from the bodies, each equal to the one noted when the entry came in."""
    leaves = []
    for index, row in enumerate(rows, start):
        body = row["body"]
        if body is None or leaf_hash(body) != row["leaf"]:
            raise _altered(f"entry {row['entry']}", index)
        leaves.append(row["leaf"])
    return leaves


def grow(
    folder: LogFolder, before: Head, bodies: Sequence[bytes], leaves: Sequence[bytes]
) -> tuple[GrowingTree, Mapping[TileName, bytes]]:
    """The tree of `before` with these entries added, and every file that differs."""
    tree = load_edge(folder, before)
    first = before.size // WIDTH
    begun = before.size % WIDTH
    entries = _begun_bundle(folder, TileName(ENTRIES, first, begun), tree.tails[0]) if begun else []
    entries.extend(bodies)
    files: dict[TileName, bytes] = {}
    for at in range(0, len(entries), WIDTH):
        part = entries[at : at + WIDTH]
        files[TileName(ENTRIES, first + at // WIDTH, len(part))] = bundle(part)
    tree.add(leaves)
    files.update(tree.changed)
    return tree, files


def _begun_bundle(folder: LogFolder, name: TileName, hashes: Sequence[bytes]) -> list[bytes]:
    """The rightmost bundle, whose entries must hash to the tile beside it."""
    raw = folder.read(name)
    try:
        entries = unbundle(raw or b"", name.width)
    except ValueError as error:
        raise _altered(f"bundle {name.path}", name.number * WIDTH) from error
    leaves = leaves_of(entries)
    if leaves != list(hashes):
        wrong = next((i for i, (a, b) in enumerate(zip(leaves, hashes, strict=False)) if a != b), len(leaves))
        raise _altered(f"bundle {name.path}", name.number * WIDTH + wrong)
    return entries


def read_back(folder: LogFolder, files: Mapping[TileName, bytes], after: Head) -> None:
    """What lies in the folder is what was meant, entry by entry, and leads to the root about to be signed."""
    for name, raw in files.items():
        if folder.read(name) != raw:
            raise _altered(f"file {name.path}", name.number * WIDTH)
        if name.level == ENTRIES:
            hashes = folder.read(TileName(0, name.number, name.width)) or b""
            if b"".join(leaves_of(unbundle(raw))) != hashes:
                raise _altered(f"bundle {name.path}", name.number * WIDTH)
    load_edge(folder, after)


def compare_leaves(folder: LogFolder, start: int, leaves: Sequence[bytes], size: int) -> None:
    """The tiles of the tree of `size` hold exactly these leaves from `start` on. Raises Fault `evidence-log-forked`."""
    for number in range(start // WIDTH, -(-(start + len(leaves)) // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        hashes = split_hashes(folder.read(TileName(0, number, width)) or b"")
        for position, found in enumerate(hashes):
            index = number * WIDTH + position - start
            if 0 <= index < len(leaves) and found != leaves[index]:
                raise Fault("evidence-log-forked", size=str(size))
        if len(hashes) != width:
            raise _altered(f"tile {TileName(0, number, width).path}", number * WIDTH)
