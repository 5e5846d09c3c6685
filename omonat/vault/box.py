"""The box: the one authenticated format in which anything variable is sealed.

    version 01 · suite 01 · commitment 16 · nonce 12 · AES-256-GCM ciphertext and tag

The key commitment makes a box open under one key only (AES-GCM alone does not promise that); it is compared before
anything is decrypted. Nonces are fresh from the operating system each time and never buffered, so neither a fork nor
a cloned machine repeats one. One key may seal 2^32 boxes (NIST SP 800-38D); ours seal one record's few versions.
"""

import os
from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omonat.vault.encoding import LONGEST, derive, frame

HEAD = b"\x01\x01"
OVERHEAD = 2 + 16 + 12 + 16
_CONTEXT = frame("omonat/box/v1")


class WrongKeyError(Exception):
    """The box was sealed under another key, or its head was changed."""


class TamperedError(Exception):
    """The key is right, the contents or the context it was bound to are not."""


class Box:
    """Seals and opens under one 32-byte secret; safe to keep, to share among threads and to carry across a fork."""

    __slots__ = ("_aead", "_head")

    def __init__(self, secret: bytes) -> None:
        material = derive(secret, _CONTEXT, LONGEST)
        self._aead = AESGCM(material[:32])
        self._head = HEAD + material[32:]

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """The sealed bytes: `OVERHEAD` longer than `plaintext`, bound to `context`, which must be framed."""
        nonce = os.urandom(12)
        return b"".join((self._head, nonce, self._aead.encrypt(nonce, plaintext, context)))

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed. Raises WrongKeyError or TamperedError; both say nothing about the contents."""
        if not compare_digest(sealed[:18], self._head):
            raise WrongKeyError
        try:
            return self._aead.decrypt(sealed[18:30], sealed[30:], context)
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce and a tag
            raise TamperedError from None
