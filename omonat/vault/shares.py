"""Shares: the root key divided among holders, so that any `threshold` of them open the vault and fewer learn nothing.

Shamir's scheme over the 256-element field of AES, byte by byte, the secret at 0 and share n at n. Every multiplier is
a public number and all 32 bytes are multiplied at once, so neither a branch nor a table follows the secret. A share is
32 random-looking bytes; around them the text says which installation and set it is of, and finds what was mistyped.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from omonat.base.errors import BadInput, Fault, Refused
from omonat.vault import bech32m
from omonat.vault.encoding import frame
from omonat.vault.root import RootKey
from omonat.vault.storage import open_closed, write_new

SHARES: Final = "shares"
"""The file beside the keys that lists the newest set."""
MOST: Final = 16
"""Holders of one set."""
_NAME: Final = "omonat"
_VERSION: Final = 1
_WIDTH: Final = 32
_TAG: Final = 4
_LOW: Final = int.from_bytes(b"\x7f" * _WIDTH)
_ONES: Final = int.from_bytes(b"\x01" * _WIDTH)


def split(secret: bytes, threshold: int, count: int) -> dict[int, bytes]:
    """`count` values by their number, any `threshold` of which give the 32 bytes back. Raises BadInput."""
    if not 2 <= threshold <= count <= MOST:
        raise BadInput("shares-impossible", most=str(MOST))
    coefficients = [int.from_bytes(os.urandom(_WIDTH)) for _ in range(threshold - 1)]
    values = {}
    for number in range(1, count + 1):
        value = 0
        for coefficient in coefficients:
            value = times(value ^ coefficient, number)
        values[number] = (value ^ int.from_bytes(secret)).to_bytes(_WIDTH)
    return values


def combine(values: Mapping[int, bytes], at: int = 0) -> bytes:
    """What lies at `at` on the one curve through these values: the secret at 0, if there are enough of them."""
    found = 0
    for here, value in values.items():
        above = below = 1
        for other in values:
            if other != here:
                above, below = times(above, at ^ other), times(below, here ^ other)
        found ^= times(int.from_bytes(value), times(above, _inverse(below)))
    return found.to_bytes(_WIDTH)


def times(vector: int, factor: int) -> int:
    """Each byte of `vector` times `factor`, a number below 256, modulo x⁸ + x⁴ + x³ + x + 1 (FIPS 197, 4.2)."""
    product = 0
    while factor:
        if factor & 1:
            product ^= vector
        vector = (vector & _LOW) << 1 ^ (vector >> 7 & _ONES) * 0x1B
        factor >>= 1
    return product


def _inverse(number: int) -> int:
    """`number` to the power 254, which is one over it."""
    power = 1
    for _ in range(254):
        power = times(power, number)
    return power


@dataclass(frozen=True, slots=True)
class Share:
    """One holder's share. Its text is a secret; its `repr` isn't."""

    place: bytes  # four bytes that stand for the installation
    set_id: bytes
    threshold: int
    number: int
    value: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Share":
        """The share in a text as `print_out` gives it, however spaced, in either case. Raises BadInput share-malformed.

        Lines that begin with # are words for people.
        """
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        typed = "".join("".join(lines).split()).replace("-", "").lower()
        try:
            data = bech32m.decode(_NAME, typed)
        except ValueError:
            raise BadInput("share-malformed") from None
        if len(data) != 3 + 2 * _TAG + _WIDTH or data[0] != _VERSION or not 2 <= data[9] <= MOST >= data[10] >= 1:
            raise BadInput("share-malformed")
        return cls(data[1:5], data[5:9], data[9], data[10], data[11:])

    def text(self) -> str:
        """One line of 82 characters."""
        head = bytes((_VERSION,)) + self.place + self.set_id + bytes((self.threshold, self.number))
        return bech32m.encode(_NAME, head + self.value)

    def print_out(self, installation: str, count: int) -> str:
        """What the holder keeps: two lines of words, then the text in groups of five."""
        text = self.text()
        letters = text[len(_NAME) + 1 :]
        groups = [letters[at : at + 5] for at in range(0, len(letters), 5)]
        rows = [" ".join(groups[at : at + 5]) for at in range(0, len(groups), 5)]
        return (
            f"# Omonat: share {self.number} of {count} of the root key; any {self.threshold} together open it\n"
            f"# {installation}, set {self.set_id.hex()}\n{_NAME}1\n" + "\n".join(rows) + "\n"
        )

    def digest(self) -> str:
        """What a list of shares may keep of one: tells it from a changed one, and nothing of its value."""
        return sha256(frame("omonat/share/v1", self.set_id, self.number, self.value)).hexdigest()


class ShareSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the installation keeps of its newest set: no secret, and not needed to open the vault."""

    set_id: str
    threshold: int
    digests: list[str]
    root: str  # the mark of the root the set rebuilds
    ended: list[str] = []  # earlier sets, so that an old share is told from a foreign one

    @property
    def count(self) -> int:
        """How many holders there are."""
        return len(self.digests)


def place_of(installation: str) -> bytes:
    """The four bytes that stand for an installation in its shares."""
    return sha256(frame("omonat/share-place/v1", installation)).digest()[:_TAG]


def make_set(
    root: RootKey, installation: str, threshold: int, count: int, *, after: ShareSet | None
) -> tuple[ShareSet, list[Share]]:
    """A new set for `root`, whoever had shares before. Nothing is kept; see `keep_set`. Raises BadInput."""
    set_id, place = os.urandom(_TAG), place_of(installation)
    values = root.divide(lambda secret: split(secret, threshold, count))
    shares = [Share(place, set_id, threshold, number, value) for number, value in values.items()]
    ended = [] if after is None else [*after.ended, after.set_id]
    return ShareSet(set_id.hex(), threshold, [s.digest() for s in shares], root.mark.hex(), ended), shares


def set_file(home: Path) -> Path:
    """Where the list of the newest set lies."""
    return home / "keys" / SHARES


def keep_set(home: Path, made: ShareSet) -> None:
    """Make `made` the set whose shares are taken from now on; durable on return."""
    write_new(set_file(home), msgspec.json.format(msgspec.json.encode(made)), replace=True)


def kept_set(home: Path, folder: Path | None = None) -> ShareSet | None:
    """The newest set, or the one kept beside a copy of the keys in `folder`.

    None when none was made, or the list is lost. Raises Fault keys-changed.
    """
    file = set_file(home) if folder is None else folder / SHARES
    if not file.exists():
        return None
    descriptor = open_closed(file, os.O_RDONLY)
    try:
        return msgspec.json.decode(os.read(descriptor, 1 << 16), type=ShareSet)
    except ValueError:
        raise Fault("keys-changed", file=str(file)) from None
    finally:
        os.close(descriptor)


class Gathering:
    """Shares as their holders hand them in, one by one. Each is judged at once; too few never give anything.

    `mark` is the root's that stands at the head of the keys. Where the list of the set is lost, shares are still
    taken, and only all of them together can be judged.
    """

    def __init__(self, installation: str, mark: bytes, known: ShareSet | None) -> None:
        self.installation = installation
        self._place = place_of(installation)
        self._mark = mark
        self._known = known if known is not None and known.root == mark.hex() else None
        self._ended = [] if known is None else [*known.ended, *([] if self._known else [known.set_id])]
        self._given: dict[int, Share] = {}

    @property
    def threshold(self) -> int | None:
        """How many are needed in all; None until the list or the first share tells."""
        if self._known is not None:
            return self._known.threshold
        return next((share.threshold for share in self._given.values()), None)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Whose shares were taken."""
        return tuple(sorted(self._given))

    @property
    def needed(self) -> int | None:
        """How many are still missing; None while nobody knows."""
        return None if self.threshold is None else max(0, self.threshold - len(self._given))

    @property
    def set_id(self) -> str | None:
        """The set they are of."""
        first = next(iter(self._given.values()), None)
        return self._known.set_id if self._known is not None else first.set_id.hex() if first else None

    def add(self, text: str) -> Share:
        """Take one share. Raises BadInput share-malformed; Refused share-foreign, -old, -false, -repeated."""
        share = Share.parse(text)
        if share.place != self._place:
            raise Refused("share-foreign")
        current = self.set_id
        if share.set_id.hex() in self._ended or current not in (None, share.set_id.hex()):
            raise Refused("share-old", number=str(share.number))
        if self._known is not None and not self._is_listed(share, self._known):
            raise Refused("share-false", number=str(share.number))
        if share.number in self._given:
            raise Refused("share-repeated", number=str(share.number))
        if self.threshold not in (None, share.threshold):
            raise Refused("share-false", number=str(share.number))
        self._given[share.number] = share
        return share

    def root(self) -> RootKey:
        """The root they rebuild. Raises Refused shares-too-few; shares-wrong when it isn't the one of these keys."""
        needed = self.needed
        if needed is None or needed > 0:
            raise Refused("shares-too-few", given=str(len(self._given)), needed=str(self.threshold or "?"))
        root = RootKey(combine({number: share.value for number, share in self._given.items()}))
        if root.mark != self._mark:
            raise Refused("shares-wrong")
        return root

    @staticmethod
    def _is_listed(share: Share, known: ShareSet) -> bool:
        listed = share.number <= known.count and known.digests[share.number - 1] == share.digest()
        return listed and share.threshold == known.threshold
