"""Identifiers: a short prefix that names the kind, then 128 random bits, in one spelling only.

`per_` a person, `rec_` a record, `ev_` an evidence entry, and so on. Random, so that nothing can be guessed or
counted from them, and so that two machines never need to agree before naming something.
"""

import os

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(one + two for one in _LETTERS for two in _LETTERS)  # ten bits each
_TRIPLES = tuple(pair + one for pair in _PAIRS for one in _LETTERS)  # fifteen bits each
_ALPHABET = frozenset(_LETTERS)
_SHIFTS = range(115, -5, -15)
_LENGTH = 26  # 128 bits in base32 without padding
_LAST = frozenset("aeimquy4")  # the last letter carries three bits: the two left over must be zero


def new_id(prefix: str) -> str:
    """A fresh identifier such as `per_b5qk…`; 128 bits from the operating system (ASVS 11.5.1)."""
    bits = int.from_bytes(os.urandom(16)) << 2  # 130 bits: 26 letters, the last two bits zero
    return f"{prefix}_{''.join([_TRIPLES[bits >> shift & 32767] for shift in _SHIFTS])}{_PAIRS[bits & 1023]}"


def is_id(prefix: str, text: str) -> bool:
    """Whether `text` is the one canonical spelling of an identifier of this kind."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and set(tail) <= _ALPHABET and tail[-1] in _LAST
