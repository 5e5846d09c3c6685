"""Receipts: our signed word that an entry is durable and will be under a checkpoint by `due`.

A signature for every use would cost more than the use, so one signature covers a batch: a small RFC 6962 tree over
the batch's leaf hashes. The receipt carries the leaf's path in it and can be checked without us, now and for ever;
whoever holds one whose entry is missing after `due` holds the proof that we broke our word.

    token      = "omr1." base64url(binary), without padding
    binary     = due u64 ‖ size u32 ‖ position u32 ‖ leaf 32 ‖ signature 64 ‖ path 32 × n      (big-endian)
    signature  = Ed25519 over "omonat-receipt/v1\\n" origin "\\n" due "\\n" size "\\n" base64(batch root) "\\n"

`due` counts microseconds since 1970. The receipt key signs nothing else.
"""

import binascii
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from struct import Struct
from typing import Final, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND, Instant
from omonat.evidence import tree
from omonat.evidence.note import Signer, Verifier

PROMISED: Final = 10 * SECOND
"""Microseconds between an entry's commit and its place under a signed checkpoint (design: heartbeat ≤ 10 s)."""

_PREFIX: Final = "omr1."
_TOKEN: Final = re.compile(r"omr1\.[A-Za-z0-9_-]+")
_HEAD: Final = Struct(">QII32s64s")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the receipts of one flush share: their leaf hashes, the tree over them, level by level, and one signature.

    The tree is made and signed when somebody asks for the first of them: most answers inside the house carry none, and
    what a receipt says (the leaves, the instant that is promised) stands from the flush on, whenever it is spelled out.
    """

    leaves: Sequence[bytes]
    due: Instant
    origin: str
    signer: Signer

    @cached_property
    def _signed(self) -> tuple[Sequence[Sequence[bytes]], bytes]:
        levels = _levels(self.leaves)
        return levels, self.signer.key.sign(_message(self.origin, self.due, len(self.leaves), levels[-1][0]))

    def token(self, position: int) -> str:
        """The token of the leaf at this position."""
        levels, signature = self._signed
        head = _HEAD.pack(self.due, len(self.leaves), position, self.leaves[position], signature)
        return _printed(head + b"".join(_path(levels, position)))


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What is handed out with every answer: the entry's id, its leaf hash in hex, when the proof is due, the token.

    The hash and the token are spelled out when they are asked for: a use inside the house needs neither, and neither
    does whoever leaves by a link.
    """

    id: str
    due: Instant
    batch: Batch
    position: int

    @property
    def leaf(self) -> str:
        """The entry's leaf hash in hex."""
        return self.batch.leaves[self.position].hex()

    @property
    def token(self) -> str:
        """`omr1.…`: our word, to be checked without us."""
        return self.batch.token(self.position)


@dataclass(frozen=True, slots=True)
class Token:
    """A receipt's token, taken apart."""

    due: Instant
    size: int
    position: int
    leaf: bytes
    signature: bytes
    path: tuple[bytes, ...]

    def __str__(self) -> str:
        head = _HEAD.pack(self.due, self.size, self.position, self.leaf, self.signature)
        return _printed(head + b"".join(self.path))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a token; one spelling only. Raises BadInput `evidence-receipt-malformed`."""
        if not text.isascii() or _TOKEN.fullmatch(text) is None:
            raise BadInput("evidence-receipt-malformed")
        body = text.removeprefix(_PREFIX)
        try:
            raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        except (binascii.Error, ValueError) as error:
            raise BadInput("evidence-receipt-malformed") from error
        path = raw[_HEAD.size :]
        if len(raw) < _HEAD.size or len(path) % tree.HASH:
            raise BadInput("evidence-receipt-malformed")
        due, size, position, leaf, signature = _HEAD.unpack_from(raw)
        hashes = tuple(path[i : i + tree.HASH] for i in range(0, len(path), tree.HASH))
        token = cls(Instant(due), size, position, leaf, signature, hashes)
        if str(token) != text or not position < size:
            raise BadInput("evidence-receipt-malformed")
        return token

    def check(self, pinned: Verifier, origin: str) -> None:
        """Raises BadInput (`evidence-proof-invalid`, `evidence-signature-invalid`) unless we signed this receipt."""
        inner = (self.position ^ (self.size - 1)).bit_length()
        if len(self.path) != inner + (self.position >> inner).bit_count():
            raise tree.ProofInvalid("length")
        root = self.leaf
        for level, sibling in enumerate(self.path):
            right = level >= inner or self.position >> level & 1
            root = tree.node_hash(sibling, root) if right else tree.node_hash(root, sibling)
        try:
            key = Ed25519PublicKey.from_public_bytes(pinned.public)
            key.verify(self.signature, _message(origin, self.due, self.size, root))
        except (InvalidSignature, ValueError) as error:
            raise BadInput("evidence-signature-invalid", key=pinned.name) from error


def issue(ids: Sequence[str], leaves: Sequence[bytes], *, due: Instant, origin: str, signer: Signer) -> list[Receipt]:
    """Receipts for one batch, in its order, under a single signature."""
    batch = Batch(leaves=leaves, due=due, origin=origin, signer=signer)
    return [Receipt(name, due, batch, position) for position, name in enumerate(ids)]


def _printed(raw: bytes) -> str:
    return _PREFIX + urlsafe_b64encode(raw).decode().rstrip("=")


def _message(origin: str, due: int, size: int, root: bytes) -> bytes:
    return f"omonat-receipt/v1\n{origin}\n{due}\n{size}\n{b64encode(root).decode()}\n".encode()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The batch's tree level by level; a last node without a sibling moves up as it is."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        whole = len(below) & ~1
        levels.append(tree.pair_up(below[:whole]) + below[whole:])
    return levels


def _path(levels: Sequence[Sequence[bytes]], position: int) -> list[bytes]:
    path = []
    for level in levels[:-1]:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        position >>= 1
    return path
