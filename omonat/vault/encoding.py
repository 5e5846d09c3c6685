"""Injective bytes and key derivation: the two small things every format of the vault is built from.

`frame` joins parts so that no two lists of parts give the same bytes. `derive` is the one-step key derivation of
NIST SP 800-56C r2 (section 4.1, SHA-512, one block): every input secret here is already 32 uniformly random bytes, so
one hash is enough; a full HKDF costs seven times as much and bounds nothing better.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha512

_COUNTER = b"\x00\x00\x00\x01"
LONGEST = 48  # of SHA-512's 64 bytes: the 16 that never leave are what length extension would need


def frame(*parts: str | bytes | int) -> bytes:
    """The parts, each behind its length as four big-endian bytes; text is UTF-8, an integer eight big-endian bytes.

    The first part names what the bytes are for, and fixes how many parts follow and of which type.
    """
    return b"".join([_framed(part) for part in parts])


def framed(text: str) -> bytes:
    """One text as `frame` frames it, for hot paths that join the parts themselves."""
    part = text.encode()
    return len(part).to_bytes(4, "big") + part


def _framed(part: str | bytes | int) -> bytes:
    if isinstance(part, str):
        part = part.encode()
    elif isinstance(part, int):
        part = part.to_bytes(8, "big")
    return len(part).to_bytes(4, "big") + part


def derive(secret: bytes, context: bytes, length: int = 32) -> bytes:
    """`length` key bytes (at most 48) of a uniformly random `secret`, for one framed `context` and no other."""
    if length > LONGEST:
        raise ValueError("one derivation yields at most 48 bytes")
    return sha512(_COUNTER + secret + context).digest()[:length]


def text_of(raw: bytes) -> str:
    """base64url without padding: how bytes of the formats stand in JSON."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """What `text_of` wrote, in its one spelling. Raises ValueError for any other."""
    raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if text_of(raw) != text:
        raise ValueError("not in the one spelling")
    return raw
