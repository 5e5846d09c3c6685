"""Canonical bytes: the one JSON spelling (RFC 8785) of a value, for everything that is hashed or signed.

Only strings, integers within ±(2^53 − 1), booleans, null, lists and dicts with ASCII keys are accepted, the subset
on which sorting by code point and RFC 8785's sorting by UTF-16 unit agree; floats are refused.
"""

from hashlib import sha256
from typing import Any

import msgspec

_SAFE = 2**53 - 1
_encoder = msgspec.json.Encoder(order="deterministic")


def canonical(value: Any) -> bytes:
    """The canonical bytes of `value`. Raises ValueError for what has no single spelling here."""
    _check(value)
    return _encoder.encode(value)


def canonical_unchecked(value: Any) -> bytes:
    """As `canonical`, for hot paths whose values are built by our own code from checked parts."""
    return _encoder.encode(value)


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return sha256(canonical(value)).hexdigest()


def _check(value: Any) -> None:
    match value:
        case None | bool() | str():
            return
        case int():
            if not -_SAFE <= value <= _SAFE:
                raise ValueError("an integer beyond 2^53 has no canonical JSON form")
        case dict():
            for key, member in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise ValueError("canonical JSON needs ASCII keys")
                _check(member)
        case list() | tuple():
            for member in value:
                _check(member)
        case _:
            raise ValueError(f"`{type(value).__name__}` has no canonical JSON form")
