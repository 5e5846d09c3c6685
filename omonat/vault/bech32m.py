"""Bech32m (BIP-350): bytes as text a person can type and a program can check.

Its 32 letters and digits leave out those that are mistaken for one another; its checksum finds every error of up to
four of them, and of more all but one in a thousand million.
"""

from collections.abc import Iterable
from typing import Final

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CONSTANT: Final = 0x2BC830A3
_LONGEST: Final = 90  # characters, beyond which the checksum promises less


def encode(name: str, data: bytes) -> str:
    """`data` behind `name`, a separating 1 and before six characters of checksum; lower case."""
    groups = _regrouped(data, 8, 5, pad=True)
    check = _polymod([*_expanded(name), *groups, *bytes(6)]) ^ _CONSTANT
    groups += [check >> 5 * (5 - i) & 31 for i in range(6)]
    text = f"{name}1{''.join(_LETTERS[group] for group in groups)}"
    if len(text) > _LONGEST:
        raise ValueError("longer than the checksum protects")
    return text


def decode(name: str, text: str) -> bytes:
    """The data of a text in lower case that begins with `name`. Raises ValueError, which says nothing of the text."""
    head, separator, tail = text.rpartition("1")
    if not name or head != name or not separator or len(tail) < 6 or len(text) > _LONGEST:
        raise ValueError("not of this form")
    groups = [_LETTERS.find(letter) for letter in tail]
    if -1 in groups or _polymod([*_expanded(name), *groups]) != _CONSTANT:
        raise ValueError("mistyped")
    return bytes(_regrouped(groups[:-6], 5, 8, pad=False))


def _expanded(name: str) -> list[int]:
    codes = name.encode("ascii")
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATOR):
            check ^= generator if top >> i & 1 else 0
    return check


def _regrouped(values: Iterable[int], before: int, after: int, *, pad: bool) -> list[int]:
    held = bits = 0
    out = []
    for value in values:
        held, bits = held << before | value, bits + before
        while bits >= after:
            bits -= after
            out.append(held >> bits & (1 << after) - 1)
        held &= (1 << bits) - 1
    if pad and bits:
        out.append(held << after - bits & (1 << after) - 1)
    elif not pad and (bits >= before or held):
        raise ValueError("bits left over")
    return out
