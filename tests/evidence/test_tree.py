"""RFC 6962's tree against its published vectors, against itself, and against every changed proof."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.evidence import tree, verifier
from omonat.evidence.entry import leaf_hash
from omonat.evidence.folder import LogFolder
from omonat.evidence.proofs import TileCache, TreeView
from omonat.evidence.tiles import GrowingTree, leaves_of
from omonat.evidence.tree import ProofInvalid

VECTORS = json.loads((Path(__file__).parent / "vectors/rfc6962_proofs.json").read_text())
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_A1_rfc_6962_hashes_and_roots() -> None:
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    node = tree.node_hash(b"N123", b"N456").hex()
    assert node == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    leaves = leaves_of(bytes.fromhex(leaf) for leaf in LEAVES)
    for size in range(9):
        growing = GrowingTree()
        growing.add(leaves[:size])
        levels = verifier.Levels()
        levels.add(b"".join(leaves[:size]))
        expected = ROOTS[size - 1] if size else sha256(b"").hexdigest()
        assert tree.root_of(leaves[:size]).hex() == growing.root().hex() == levels.root(size).hex() == expected


def test_S6_a_node_is_never_taken_for_a_leaf() -> None:
    """The domain bytes keep an entry that spells an inner node apart from that node."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != tree.node_hash(left, right)
    assert leaf_hash(b"\x01" + left + right) != tree.node_hash(left, right)


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda case: case["name"])
def test_A1_published_inclusion_vectors(case: dict[str, Any]) -> None:
    path = [b64decode(one) for one in case["proof"] or []]
    root, leaf = b64decode(case["root"] or ""), b64decode(case["leafHash"] or "")
    try:
        tree.check_inclusion(case["leafIdx"], case["treeSize"], leaf, path, root)
    except ProofInvalid:
        assert case["wantErr"]
    else:
        assert not case["wantErr"]


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda case: case["name"])
def test_A1_published_consistency_vectors(case: dict[str, Any]) -> None:
    path = [b64decode(one) for one in case["proof"] or []]
    roots = [b64decode(case[name] or "") for name in ("root1", "root2")]
    # Where a root doesn't matter to a case it holds words; we demand 32 bytes, so those get theirs.
    roots = [sha256(root).digest() if root.startswith(b"don't care") else root for root in roots]
    try:
        tree.check_consistency(case["size1"], case["size2"], *roots, path)
    except ProofInvalid:
        assert case["wantErr"]
    else:
        assert not case["wantErr"]


def hashes(count: int) -> list[bytes]:
    return leaves_of(str(number).encode() for number in range(count))


def nodes(leaves: list[bytes]) -> tree.NodeSource:
    return lambda level, index: tree.root_of(leaves[index << level : index + 1 << level])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_A1_every_proof_of_a_random_tree_verifies_and_every_change_fails(size: int, data: st.DataObject) -> None:
    leaves = hashes(size)
    root = tree.root_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = tree.prove_inclusion(index, size, nodes(leaves))
    tree.check_inclusion(index, size, leaves[index], path, root)
    assert verifier.path_root(index, size, leaves[index], path) == root

    wrong_index = data.draw(st.integers(-2, size + 2).filter(lambda other: other != index))
    refused(index=wrong_index, size=size, leaf=leaves[index], path=path, root=root)
    refused(index=index, size=size, leaf=spoil(leaves[index], data), path=path, root=root)
    refused(index=index, size=size, leaf=leaves[index], path=path, root=spoil(root, data))
    refused(index=index, size=size, leaf=leaves[index], path=[*path, bytes(32)], root=root)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        refused(index=index, size=size, leaf=leaves[index], path=path[:at] + path[at + 1 :], root=root)
        changed = [*path[:at], spoil(path[at], data), *path[at + 1 :]]
        refused(index=index, size=size, leaf=leaves[index], path=changed, root=root)
        refused(
            index=index, size=size, leaf=leaves[index], path=[*path[:at], path[at][:31], *path[at + 1 :]], root=root
        )


def spoil(one: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 255))
    return bytes(byte ^ (1 << bit % 8 if place == bit // 8 else 0) for place, byte in enumerate(one))


def refused(*, index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofInvalid):
        tree.check_inclusion(index, size, leaf, path, root)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_A1_every_extension_is_proved_and_every_change_fails(one: int, other: int, data: st.DataObject) -> None:
    old, new = sorted((one, other))
    leaves = hashes(new)
    before, after = tree.root_of(leaves[:old]), tree.root_of(leaves)
    path = tree.prove_consistency(old, new, nodes(leaves))
    tree.check_consistency(old, new, before, after, path)

    def denied(old: int, new: int, before: bytes, after: bytes, path: list[bytes]) -> None:
        with pytest.raises(ProofInvalid):
            tree.check_consistency(old, new, before, after, path)

    denied(old, new, before, after, [*path, bytes(32)])
    denied(old, new, spoil(before, data), after, path)
    denied(new + 1, new, before, after, path)
    denied(0, new, tree.EMPTY_ROOT, after, [])
    if path:
        denied(old, new, before, spoil(after, data), path)
        at = data.draw(st.integers(0, len(path) - 1))
        denied(old, new, before, after, path[:at] + path[at + 1 :])
        denied(old, new, before, after, [*path[:at], spoil(path[at], data), *path[at + 1 :]])


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_536 + 700])
def test_A1_proofs_from_tiles_verify_at_every_boundary(tmp_path: Path, size: int) -> None:
    growing = GrowingTree()
    leaves = hashes(size)
    for first in range(0, size, 8_192):
        growing.add(leaves[first : first + 8_192])
    folder = LogFolder(tmp_path)
    folder.write_tiles(growing.changed)
    view = TreeView(TileCache(folder), size)
    root = growing.root()
    assert tree.root_at(size, view.node) == root
    for index in {0, 1, 255, 256, 511, size // 2, size - 2, size - 1} & set(range(size)):
        tree.check_inclusion(index, size, leaves[index], view.inclusion(index), root)
    for old in {1, 255, 256, 257, size // 2, size - 1, size} & set(range(1, size + 1)):
        tree.check_consistency(old, size, tree.root_of(leaves[:old]), root, view.consistency(old))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_design_a_tree_grown_in_any_steps_has_the_same_tiles(steps: list[int]) -> None:
    whole, stepwise = GrowingTree(), GrowingTree()
    leaves = hashes(sum(steps))
    whole.add(leaves)
    at = 0
    for step in steps:
        stepwise.add(leaves[at : at + step])
        at += step
    assert whole.root() == stepwise.root() == tree.root_of(leaves)
    assert whole.changed.items() <= stepwise.changed.items()
