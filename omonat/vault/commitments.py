"""Commitments: what a log may keep of a value. Without the salt they say nothing; with it they admit one value only.

Pure and small, so that a person's own computer can check an opening with any SHA-256.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256

from omonat.vault.encoding import derive, frame, framed

_SALT = frame("omonat/salt/v1")
_COMMITMENT = frame("omonat/commitment/v1")


def salt_from(secret: bytes, entry: str, field: str) -> bytes:
    """The 32-byte salt of one field of one entry, from the person's evidence slot; gone when that slot is."""
    return derive(secret, _SALT + framed(entry) + framed(field))


def commit(salt: bytes, entry: str, field: str, value: str) -> str:
    """SHA-256 over the framed label, salt, entry, field and value; base64url without padding, 43 characters."""
    told = framed(entry) + framed(field) + framed(value)
    digest = sha256(_COMMITMENT + len(salt).to_bytes(4, "big") + salt + told).digest()
    return urlsafe_b64encode(digest)[:43].decode()
