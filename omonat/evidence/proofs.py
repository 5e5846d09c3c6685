"""Proofs from tiles, and the `.tlog-proof` file a person can keep: one entry, its place, the signed checkpoint.

The file carries the entry itself as `extra`. C2SP calls extra unauthenticated; here the proof authenticates it, because
its leaf hash is what the path starts from.
"""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self

from omonat.base.errors import BadInput, Fault
from omonat.base.instants import Instant
from omonat.evidence.entry import Entry, decode, leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Checkpoint, Note, Verifier, strict_base64, strict_number
from omonat.evidence.tiles import WIDTH, TileName, split_hashes
from omonat.evidence.tree import HASH, check_inclusion, pair_up, prove_consistency, prove_inclusion

_FIRST: Final = "c2sp.org/tlog-proof@v1"
_LONGEST_PATH: Final = 63

_Levels = list[list[bytes]]


class TileCache:
    """Inner nodes of full tiles, which never change; shared by all tree sizes and threads.

    `most` tiles of about 40 KiB stay in memory.
    """

    def __init__(self, folder: LogFolder, *, most: int = 256) -> None:
        self.folder = folder
        self._most = most
        self._full: OrderedDict[tuple[int, int], _Levels] = OrderedDict()
        self._lock = Lock()

    def full(self, level: int, number: int) -> _Levels:
        """The nine levels of a full tile. Raises Fault when it is missing."""
        key = (level, number)
        found = self._full.get(key)
        if found is None:
            found = _levels(self.folder, TileName(level, number, WIDTH))
            with self._lock:
                self._full[key] = found
                if len(self._full) > self._most:
                    self._full.popitem(last=False)
        return found


def _levels(folder: LogFolder, name: TileName) -> _Levels:
    raw = folder.read(name) or b""
    if len(raw) != name.width * HASH:
        raise Fault("evidence-altered", what=f"tile {name.path}", index=str(name.number * WIDTH))
    levels = [split_hashes(raw)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(pair_up(below[: len(below) & ~1]))
    return levels


class TreeView:
    """The tree of one size, read from tiles: makes inclusion and consistency proofs."""

    def __init__(self, cache: TileCache, size: int) -> None:
        self.size = size
        self._cache = cache
        self._edge: dict[int, _Levels] = {}
        self._ranges: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """The root of a complete subtree inside this tree."""
        tile_level, height = level >> 3, level & 7
        number, position = index >> 8 - height, index & (1 << 8 - height) - 1
        whole = self.size >> 8 * tile_level
        if (number + 1) * WIDTH <= whole:
            return self._cache.full(tile_level, number)[height][position]
        levels = self._edge.get(tile_level)
        if levels is None:
            name = TileName(tile_level, number, whole % WIDTH)
            levels = self._edge[tile_level] = _levels(self._cache.folder, name)
        return levels[height][position]

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of a leaf."""
        return prove_inclusion(index, self.size, self.node, self._ranges)

    def consistency(self, old: int) -> list[bytes]:
        """The proof that this tree begins with the tree of `old`."""
        return prove_consistency(old, self.size, self.node)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A `.tlog-proof`: `entry` are the bytes in `extra`, `signed` the checkpoint exactly as it was issued."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    signed: bytes

    def __bytes__(self) -> bytes:
        extra = [f"extra {b64encode(self.entry).decode()}"] if self.entry else []
        hashes = [b64encode(one).decode() for one in self.path]
        head = "\n".join([_FIRST, *extra, f"index {self.index}", *hashes])
        return f"{head}\n\n".encode() + self.signed

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a proof; one spelling only. Raises BadInput `evidence-note-malformed`."""
        head, gap, signed = raw.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise BadInput("evidence-note-malformed", why="proof") from error
        if not gap or lines.pop(0) != _FIRST or not lines:
            raise BadInput("evidence-note-malformed", why="proof")
        entry = strict_base64(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index ") or len(lines) > _LONGEST_PATH + 1:
            raise BadInput("evidence-note-malformed", why="proof")
        index = strict_number(lines.pop(0).removeprefix("index "))
        proof = cls(entry, index, tuple(_hash(line) for line in lines), signed)
        if bytes(proof) != raw:
            raise BadInput("evidence-note-malformed", why="proof")
        return proof

    def check(self, pinned: Sequence[Verifier], origin: str) -> tuple[Entry, Checkpoint, Instant | None]:
        """The entry, proved to be in the log of `origin` under one of the pinned keys.

        Returns with it the checkpoint and, when a pinned clock signed it, the newest time. Raises BadInput.
        """
        note = Note.parse(self.signed)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != origin:
            raise BadInput("evidence-signature-invalid", key=origin)
        signed = note.check(pinned)
        check_inclusion(self.index, checkpoint.size, leaf_hash(self.entry), self.path, checkpoint.root)
        times = [at for at in signed.values() if at is not None]
        return decode(self.entry), checkpoint, max(times, default=None)


def _hash(line: str) -> bytes:
    raw = strict_base64(line)
    if len(raw) != HASH:
        raise BadInput("evidence-note-malformed", why="proof")
    return raw
