"""Forms sealed elsewhere: the key pair they are sealed to, and the bytes they are bound to (S1).

HPKE (RFC 9180), base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; `enc ‖ ciphertext` with
empty associated data. Everything a form says of itself in the clear stands in `info`, which the key is made from, so
a form opens under no other id, device, service, notice or time.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from omonat.base.errors import BadInput
from omonat.vault.encoding import frame

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SHORTEST = 32 + 16
"""What sealing adds: the sender's half of the key, and the tag."""


def form_info(installation: str, *, key: int, id: str, device: str, service: str, form: str, made_at: str) -> bytes:
    """What a sealed form is bound to; the device seals with the same bytes."""
    return frame("omonat/sealed-form/v1", installation, key, id, device, service, form, made_at)


def signed_part(info: bytes, sealed: bytes) -> bytes:
    """What the device signs: the form as a whole."""
    return frame("omonat/sealed-form-signature/v1", info, sealed)


def seal(public: bytes, plain: bytes, info: bytes) -> bytes:
    """Seal as a device does; whoever can do this can't undo it."""
    return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info)


class SealingKey:
    """One key pair, from 32 secret bytes of the vault."""

    __slots__ = ("_private", "public")

    def __init__(self, secret: bytes) -> None:
        self._private = X25519PrivateKey.from_private_bytes(secret)
        self.public = self._private.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """What was sealed for this `info`. Raises BadInput sealed-form-changed, which says nothing of the contents."""
        try:
            return _SUITE.decrypt(sealed, self._private, info)
        except (InvalidTag, ValueError):
            raise BadInput("sealed-form-changed") from None
