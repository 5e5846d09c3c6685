"""HPKE a second time, from RFC 9180 and nothing but published primitives, with the ephemeral key handed in."""

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def _extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + secret, sha256)


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", sha256)[:length]


def schedule(shared: bytes, info: bytes, *, aead: int) -> tuple[bytes, bytes]:
    """Key and nonce of base mode; `aead` 1 is AES-128-GCM, 2 is AES-256-GCM."""
    suite = b"HPKE" + bytes((0, 0x20, 0, 1, 0, aead))
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    length = {1: 16, 2: 32}[aead]
    return _expand(suite, secret, b"key", context, length), _expand(suite, secret, b"base_nonce", context, 12)


def shared_secret(ephemeral: bytes, recipient: bytes) -> tuple[bytes, bytes]:
    """The shared secret, and `enc`."""
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    dh = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    kem = b"KEM\0\x20"
    return _expand(kem, _extract(kem, b"", b"eae_prk", dh), b"shared_secret", enc + recipient, 32), enc


def seal(plain: bytes, recipient: bytes, info: bytes, *, ephemeral: bytes, aead: int = 2, aad: bytes = b"") -> bytes:
    """`enc ‖ ciphertext`."""
    shared, enc = shared_secret(ephemeral, recipient)
    key, nonce = schedule(shared, info, aead=aead)
    return enc + AESGCM(key).encrypt(nonce, plain, aad)
