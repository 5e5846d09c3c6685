"""The one cipher everything rests on: no key meets a nonce twice, no sealed bytes open under two keys (S2, S6; a6)."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omonat.vault import box as box_module
from omonat.vault import cipher as cipher_module
from omonat.vault.box import HEAD, Box, TamperedError, WrongKeyError
from omonat.vault.encoding import derive, frame
from omonat.vault.root import RootKey
from omonat.vault.rotation import rotate
from omonat.vault.vault import Vault

VECTORS = Path(__file__).parent / "vectors" / "nist_cavp_gcm_256.json"
PAIR = 32 + 12


class Watched:
    """AES-GCM that notes under which key which nonce sealed something."""

    used: ClassVar[list[bytes]] = []

    def __init__(self, key: bytes) -> None:
        self._key, self._real = key, AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, context: bytes | None) -> bytes:
        Watched.used.append(self._key + nonce)
        return self._real.encrypt(nonce, data, context)

    def decrypt(self, nonce: bytes, data: bytes, context: bytes | None) -> bytes:
        return self._real.decrypt(nonce, data, context)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_module, "AESGCM", Watched)
    monkeypatch.setattr(cipher_module, "AESGCM", Watched)
    Watched.used = []


def apart(work: Callable[[], None]) -> list[bytes]:
    """Do `work` in a child forked now, with all that this process holds in memory; what it sealed."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        Watched.used = []
        try:
            work()
            with os.fdopen(there, "wb") as pipe:
                pipe.write(b"".join(Watched.used))
        finally:
            os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told, "the child failed"
    return [told[at : at + PAIR] for at in range(0, len(told), PAIR)]


@pytest.mark.usefixtures("watched")
def test_S2_no_key_meets_a_nonce_twice_in_forks_clones_and_restarts_of_one_machine(home: Path, root: RootKey) -> None:
    """The same memory goes on in several processes at once, and the same disk in several copies: as when a machine is
    forked, cloned from a snapshot while it runs, or put back to yesterday. Everything they do is the same."""
    vault = Vault.open(home, root, create=True)
    person, record = vault.reserve_slots(2)
    where = {"person": "per_1", "record": "rec_1", "category": "contact", "version": 1}
    new = RootKey(os.urandom(32))

    def the_same(own: Vault) -> None:
        for n in range(400):
            own.seal_section(**where, person_slot=person, record_slot=record, items={"n": n})
            own.seal_value("outbox:msg_1", b"x")
            own.seal_value("outbox:msg_1", b"x", slot=person)
        own.reserve_slots(3_000)
        own.hash_secret("tandir")
        own.signing_key("receipts")

    the_same(vault)
    used = list(Watched.used)
    for clone in ("one", "two"):
        shutil.copytree(home, home.with_name(clone))
    for _ in range(2):
        used += apart(lambda: the_same(vault))
    for clone in ("one", "two"):
        used += apart(lambda clone=clone: the_same(Vault.open(home.with_name(clone), root)))  # type: ignore[misc]
        used += apart(lambda clone=clone: rotate(home.with_name(clone), root, new) and None)  # type: ignore[misc, func-returns-value]
        used += apart(lambda clone=clone: the_same(Vault.open(home.with_name(clone), new)))  # type: ignore[misc]
    used += apart(lambda: the_same(Vault.open(home, root)))
    assert len(used) > 30_000
    assert len({pair[:32] for pair in used}) < len(used) / 100, "few keys, so nonces decide"
    assert len(set(used)) == len(used)


def test_S2_the_cipher_gives_the_published_answers() -> None:
    told = json.loads(VECTORS.read_text())
    refused = 0
    for case in told["cases"]:
        key, iv, ct, aad, tag = (bytes.fromhex(case[name]) for name in ("key", "iv", "ct", "aad", "tag"))
        if case["pt"] is None:
            with pytest.raises(InvalidTag):
                AESGCM(key).decrypt(iv, ct + tag, aad)
            refused += 1
        else:
            assert AESGCM(key).decrypt(iv, ct + tag, aad) == bytes.fromhex(case["pt"])
            assert AESGCM(key).encrypt(iv, bytes.fromhex(case["pt"]), aad) == ct + tag
    assert len(told["cases"]) > 60
    assert refused > 20


# A forgery: bytes that AES-GCM opens under two keys ----------------------------------------------------------------


def product(x: int, y: int) -> int:
    """In GHASH's field, as NIST SP 800-38D writes it (algorithm 1)."""
    z = 0
    for i in range(127, -1, -1):
        if y >> i & 1:
            z ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return z


def inverse(x: int) -> int:
    power, found = x, 1 << 127
    for _ in range(127):  # x to the power 2^128 - 2
        power = product(power, power)
        found = product(found, power)
    return found


def block(key: bytes, data: bytes) -> int:
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return int.from_bytes(cipher.update(data) + cipher.finalize())


def opens_under_both(one: bytes, two: bytes, nonce: bytes, context: bytes) -> bytes:
    """One block of ciphertext and a tag that is right under both keys (Dodis et al., CRYPTO 2018)."""
    padded = context.ljust(-(-len(context) // 16) * 16, b"\0")
    lengths = int.from_bytes((8 * len(context)).to_bytes(8) + (128).to_bytes(8))
    sums, squares = [], []
    for key in (one, two):
        h, total = block(key, bytes(16)), 0
        for at in range(0, len(padded), 16):
            total = product(total ^ int.from_bytes(padded[at : at + 16]), h)
        square = product(h, h)
        sums.append(product(total, square) ^ product(lengths, h) ^ block(key, nonce + b"\0\0\0\1"))
        squares.append(square)
    chosen = product(sums[0] ^ sums[1], inverse(squares[0] ^ squares[1]))
    return chosen.to_bytes(16) + (sums[0] ^ product(chosen, squares[0])).to_bytes(16)


def test_S6_bytes_forged_to_open_under_two_keys_open_under_one_box_at_most() -> None:
    secrets, nonce, context = [os.urandom(32) for _ in range(2)], os.urandom(12), frame("omonat/value/v1", "a", "b", 0)
    materials = [derive(secret, frame("omonat/box/v1"), 48) for secret in secrets]
    forged = opens_under_both(materials[0][:32], materials[1][:32], nonce, context)
    for material in materials:
        AESGCM(material[:32]).decrypt(nonce, forged, context)  # the cipher alone is fooled
    one, two = (Box(secret) for secret in secrets)
    heads: list[Any] = [HEAD + material[32:] for material in materials]
    sealed = [head + nonce + forged for head in heads]
    assert one.open(sealed[0], context) != two.open(sealed[1], context)
    for box, foreign in ((one, sealed[1]), (two, sealed[0])):
        with pytest.raises(WrongKeyError):
            box.open(foreign, context)
    for box in (one, two):
        for head in (bytes(18), HEAD + bytes(16), HEAD + materials[0][32:40] + materials[1][40:48]):
            with pytest.raises(WrongKeyError):
                box.open(head + nonce + forged, context)
    with pytest.raises(TamperedError):
        one.open(sealed[0][:-1] + bytes([sealed[0][-1] ^ 1]), context)
