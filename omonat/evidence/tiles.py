"""Tiles and entry bundles of C2SP tlog-tiles, pure: names, bytes, and the tree that grows at its right edge.

A tile of level l holds up to 256 hashes, each the root of 256^l leaves; a full tile's root is one hash of level l+1.
A bundle holds up to 256 entries, each behind its length. A narrower tile or bundle is a prefix of a wider one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from omonat.base.errors import BadInput
from omonat.evidence.tree import EMPTY_ROOT, HASH, node_hash, pair_up

WIDTH: Final = 256
ENTRIES: Final = "entries"


@dataclass(frozen=True, slots=True)
class TileName:
    """Level (or `entries`), number within the level, width 1–256."""

    level: int | str
    number: int
    width: int

    @property
    def path(self) -> str:
        """`tile/0/x001/x234/067.p/12`, below the log's folder or address."""
        full = f"tile/{self.level}/{_grouped(self.number)}"
        return full if self.width == WIDTH else f"{full}.p/{self.width}"

    @property
    def full(self) -> Self:
        """The same tile once it is full."""
        return type(self)(self.level, self.number, WIDTH)

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path; one spelling only. Raises BadInput `evidence-note-malformed`."""
        parts = path.split("/")
        try:
            width = int(parts.pop()) if len(parts) > 1 and parts[-2].endswith(".p") else WIDTH
            groups = [part.removeprefix("x").removesuffix(".p") for part in parts[2:]]
            level = ENTRIES if parts[1] == ENTRIES else int(parts[1])
            name = cls(level, int("".join(groups)), width)
        except (ValueError, IndexError) as error:
            raise BadInput("evidence-note-malformed", why="tile path") from error
        known_level = level == ENTRIES or 0 <= int(level) <= 63
        if (
            name.number < 0
            or name.path != path
            or not known_level
            or not 1 <= width <= WIDTH
            or (width == WIDTH and ".p" in path)
        ):
            raise BadInput("evidence-note-malformed", why="tile path")
        return name


def _grouped(number: int) -> str:
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def widths(size: int) -> list[int]:
    """How many hashes the rightmost tile of each level holds in a tree of `size`, lowest first; 0–255."""
    found = []
    while size:
        found.append(size % WIDTH)
        size //= WIDTH
    return found


def edge(size: int) -> list[TileName]:
    """The partial tiles of a tree of `size`, lowest level first."""
    return [TileName(level, (size >> 8 * level) // WIDTH, width) for level, width in enumerate(widths(size)) if width]


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as a bundle's bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(raw: bytes, most: int = WIDTH) -> list[bytes]:
    """The first `most` entries of a bundle. Raises ValueError when the lengths don't add up."""
    entries: list[bytes] = []
    at = 0
    while at < len(raw) and len(entries) < most:
        start = at + 2
        at = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or at > len(raw):
            raise ValueError("the bundle ends inside an entry")
        entries.append(raw[start:at])
    return entries


def holds_exactly(name: TileName, raw: bytes) -> bool:
    """Whether these bytes are as many entries or hashes as the name says, and nothing behind them."""
    if name.level != ENTRIES:
        return len(raw) == name.width * HASH
    try:
        entries = unbundle(raw)
    except ValueError:
        return False
    return len(entries) == name.width and len(raw) == sum(2 + len(entry) for entry in entries)


def split_hashes(raw: bytes) -> list[bytes]:
    """A tile's hashes. Raises ValueError for a length that is no multiple of 32."""
    if len(raw) % HASH:
        raise ValueError("a tile's length is a multiple of 32")
    return [raw[i : i + HASH] for i in range(0, len(raw), HASH)]


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a full tile."""
    level = list(hashes)
    while len(level) > 1:
        level = pair_up(level)
    return level[0]


@dataclass(slots=True)
class GrowingTree:
    """The right edge of a tree: enough to add leaves, write the tiles that change, and tell the root.

    `tails[l]` are the hashes of the rightmost tile of level l, always fewer than 256 once `add` has returned.
    `changed` collects what must be written: names and bytes, lower levels first.
    """

    size: int = 0
    tails: list[list[bytes]] = field(default_factory=list)
    changed: dict[TileName, bytes] = field(default_factory=dict)

    def add(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in order."""
        start = self.size
        self.size += len(leaves)
        carried: list[bytes] = list(leaves)
        level = 0
        while carried:
            if len(self.tails) == level:
                self.tails.append([])
            hashes = self.tails[level] + carried
            number = (start >> 8 * level) // WIDTH
            carried = []
            for first in range(0, len(hashes) - len(hashes) % WIDTH, WIDTH):
                tile = hashes[first : first + WIDTH]
                self.changed[TileName(level, number, WIDTH)] = b"".join(tile)
                carried.append(tile_root(tile))
                number += 1
            tail = hashes[len(hashes) - len(hashes) % WIDTH :]
            self.tails[level] = tail
            if tail:
                self.changed[TileName(level, number, len(tail))] = b"".join(tail)
            level += 1

    def root(self) -> bytes:
        """The root of all leaves so far."""
        return edge_root(self.tails)


def edge_root(tails: Sequence[Sequence[bytes]]) -> bytes:
    """The root of a tree from the hashes of its rightmost tiles, lowest level first."""
    root: bytes | None = None
    for tail in tails:
        for part in reversed(list(_complete_parts(tail))):
            root = part if root is None else node_hash(part, root)
    return EMPTY_ROOT if root is None else root


def _complete_parts(hashes: Sequence[bytes]) -> Iterator[bytes]:
    """Roots of the complete subtrees that make up fewer than 256 hashes, largest first."""
    at = 0
    for bit in reversed(range(8)):
        width = 1 << bit
        if len(hashes) & width:
            yield tile_root(hashes[at : at + width])
            at += width


def leaves_of(entries: Iterable[bytes]) -> list[bytes]:
    """Leaf hashes, recomputed from the entries' bytes."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]
