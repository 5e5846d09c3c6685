"""The Merkle tree of RFC 6962, pure: roots, proofs, and their checks. Hashes in, hashes out.

A *node* (level, index) is the root of the complete subtree over leaves [index·2^level, (index+1)·2^level). Whoever can
look nodes up (a list, tiles) can make any proof; whoever checks one needs nothing but the proof.
A check that fails raises `ProofInvalid`: a result that may be ignored would be ignored one day.
"""

from collections.abc import Callable, MutableMapping, Sequence
from hashlib import sha256
from typing import Final

from omonat.base.errors import BadInput

HASH: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

NodeSource = Callable[[int, int], bytes]
"""(level, index) → the hash of a complete subtree that lies wholly within the tree."""


class ProofInvalid(BadInput):
    """The proof does not lead to the root."""

    def __init__(self, why: str) -> None:
        super().__init__("evidence-proof-invalid", why=why)


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def pair_up(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above an even number of hashes."""
    return [sha256(b"\x01" + hashes[i] + hashes[i + 1]).digest() for i in range(0, len(hashes), 2)]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; of none, SHA-256 of nothing. Any number of leaves."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = level.pop() if len(level) % 2 else None
        level = pair_up(level)
        if odd is not None:
            level.append(odd)
    return level[0]


RangeCache = MutableMapping[tuple[int, int], bytes]
"""Hashes of incomplete ranges at the right edge of one tree size, which many proofs share."""


def range_hash(start: int, end: int, node: NodeSource, known: RangeCache | None = None) -> bytes:
    """MTH(D[start:end]) for a range that occurs in the recursion of RFC 6962 (start aligned to its left subtree)."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, start >> level)
    found = known.get((start, end)) if known is not None else None
    if found is None:
        left = 1 << (width - 1).bit_length() - 1
        found = node_hash(node(left.bit_length() - 1, start // left), range_hash(start + left, end, node, known))
        if known is not None:
            known[start, end] = found
    return found


def root_at(size: int, node: NodeSource) -> bytes:
    """The root of the first `size` leaves."""
    return range_hash(0, size, node) if size else EMPTY_ROOT


def prove_inclusion(index: int, size: int, node: NodeSource, known: RangeCache | None = None) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size`, the leaf's sibling first. ValueError when not inside."""
    if not 0 <= index < size:
        raise ValueError("the leaf lies outside the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            path.append(range_hash(middle, end, node, known))
            end = middle
        else:
            path.append(range_hash(start, middle, node, known))
            start = middle
    path.reverse()
    return path


def prove_consistency(old: int, new: int, node: NodeSource) -> list[bytes]:
    """The proof that the tree of `new` begins with the tree of `old`; empty when old is 0 or equals new."""
    if not 0 <= old <= new:
        raise ValueError("the old tree is larger than the new one")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if old <= middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(start, middle, node))
            start = middle
    if start:  # the old root itself is known to whoever checks, unless it is a right part of it
        path.append(range_hash(start, end, node))
    path.reverse()
    return path


def check_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Raises ProofInvalid unless `path` shows `leaf` at `index` of the tree with this size and root."""
    if not 0 <= index < size:
        raise ProofInvalid("index")
    _check_lengths(leaf, root, *path)
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(path) != inner + border:
        raise ProofInvalid("length")
    seen = leaf
    for level, sibling in enumerate(path[:inner]):
        seen = node_hash(sibling, seen) if index >> level & 1 else node_hash(seen, sibling)
    for sibling in path[inner:]:
        seen = node_hash(sibling, seen)
    if seen != root:
        raise ProofInvalid("root")


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raises ProofInvalid unless `path` shows that the tree (new, new_root) begins with the tree (old, old_root).

    From the empty tree nothing can be proved, every tree extends it: that question is refused as well.
    """
    if not 0 < old <= new:
        raise ProofInvalid("size")
    _check_lengths(old_root, new_root, *path)
    if old == new:
        if path or old_root != new_root:
            raise ProofInvalid("root")
        return
    inner = ((old - 1) ^ (new - 1)).bit_length()
    border = (old - 1 >> inner).bit_count()
    shift = (old & -old).bit_length() - 1  # the old tree's rightmost complete subtree is where both walks start
    inner -= shift
    whole = old == 1 << shift
    rest = list(path) if whole else list(path[1:])
    if (not whole and not path) or len(rest) != inner + border:
        raise ProofInvalid("length")
    before = after = old_root if whole else path[0]
    mask = old - 1 >> shift
    for level, sibling in enumerate(rest[:inner]):
        if mask >> level & 1:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
        else:
            after = node_hash(after, sibling)
    for sibling in rest[inner:]:
        before, after = node_hash(sibling, before), node_hash(sibling, after)
    if before != old_root or after != new_root:
        raise ProofInvalid("root")


def _check_lengths(*hashes: bytes) -> None:
    if any(len(one) != HASH for one in hashes):
        raise ProofInvalid("hash length")
