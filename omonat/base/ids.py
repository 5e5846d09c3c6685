"""Identifiers: a short prefix that names the kind, then 128 random bits, in one spelling only.

`per_` a person, `rec_` a record, `ev_` an evidence entry, and so on. Random, so that nothing can be guessed or
counted from them, and so that two machines never need to agree before naming something.
"""

import os

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_ALPHABET = frozenset(_LETTERS)
_LENGTH = 26  # 128 bits in base32 without padding
_LAST = "aeimquy4"  # the last letter carries three bits: the two left over must be zero
_FIVE_BITS = _LETTERS.encode() * 8  # a random byte picks each letter equally often
_THREE_BITS = _LAST.encode() * 32


def new_id(prefix: str) -> str:
    """A fresh identifier such as `per_b5qk…`; 128 bits from the operating system (ASVS 11.5.1)."""
    random = os.urandom(_LENGTH)
    return f"{prefix}_{random[:-1].translate(_FIVE_BITS).decode()}{chr(_THREE_BITS[random[-1]])}"


def is_id(prefix: str, text: str) -> bool:
    """Whether `text` is the one canonical spelling of an identifier of this kind."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and set(tail) <= _ALPHABET and tail[-1] in _LAST


def number_of(id: str) -> int:
    """The random bits of an identifier, as a number."""
    bits = 0
    for letter in id.partition("_")[2]:
        bits = bits << 5 | _LETTERS.index(letter)
    return bits >> 2
