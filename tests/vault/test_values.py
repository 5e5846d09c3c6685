"""Look-ups, digests, commitments, sealed values, signing keys and verify-only secrets (S2, S3, S6, R3)."""

import hashlib
import multiprocessing
import os
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omonat.base.errors import BadInput, Fault, Refused, Unavailable
from omonat.base.ids import is_id
from omonat.vault.keyring import RingFile
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from omonat.vault.verify_only import HashCost, SecretHasher, SecretMatch

PHONE = "+998901234567"


def test_S2_a_lookup_finds_the_same_and_nothing_else(vault: Vault, again: Callable[[], Vault], tmp_path: Path) -> None:
    elsewhere = Vault.open(tmp_path / "elsewhere", RootKey(os.urandom(32)), create=True)
    digest = vault.lookup_digest("phone", PHONE)
    assert digest == again().lookup_digest("phone", PHONE)
    assert len(digest) == 32
    different = [
        vault.lookup_digest("email", PHONE),
        vault.lookup_digest("phone", PHONE + "8"),
        vault.lookup_digest("phon", "e" + PHONE),
        elsewhere.lookup_digest("phone", PHONE),
        vault.keyed_digest("phone", PHONE.encode()),
        hashlib.sha256(PHONE.encode()).digest(),
    ]
    assert len({digest, *different}) == 7


def test_R3_a_lookup_epoch_that_was_ended_finds_nobody(vault: Vault, again: Callable[[], Vault]) -> None:
    """The other process sees the new epoch at once, and the old one refuses in both."""
    other = again()
    old = other.lookup_digest("phone", PHONE)
    assert (vault.begin_lookup_epoch(after=1), vault.begin_lookup_epoch(after=1)) == (2, 2)
    assert other.lookup_epoch == 2
    assert other.lookup_digest("phone", PHONE) == vault.lookup_digest("phone", PHONE) != old
    assert other.lookup_digest("phone", PHONE, epoch=1) == old
    with pytest.raises(Refused) as caught:
        vault.end_lookup_epoch(2)
    assert caught.value.code == "lookup-epoch-current"
    vault.end_lookup_epoch(1)
    for opened in (vault, other, again()):
        for epoch in (1, 7):
            with pytest.raises(Refused) as caught:
                opened.lookup_digest("phone", PHONE, epoch=epoch)
            assert caught.value.code == "key-destroyed"


def test_S2_keyed_digests_and_pseudonyms_belong_to_their_context(vault: Vault, again: Callable[[], Vault]) -> None:
    digests = {vault.keyed_digest(context, data) for context in ("a", "ab", "b") for data in (b"", b"b", b"bc")}
    assert len(digests) == 9
    names = {vault.pseudonym(kind, who) for kind in ("staff", "staf") for who in ("fstf_1", "stf_1", "stf_2")}
    assert len(names) == 6
    assert all(is_id("psn", name) for name in names)
    assert again().pseudonym("staff", "stf_1") == vault.pseudonym("staff", "stf_1")


def test_A1_a_commitment_can_be_opened_by_hand(vault: Vault) -> None:
    """Only SHA-256 and the salt are needed, as docs/formats.md says."""
    (slot,) = vault.reserve_slots(1)
    where = {"evidence_slot": slot, "entry": "ev_1", "field": "person"}
    parts = (b"omonat/commitment/v1", vault.salt(**where), b"ev_1", b"person", b"per_1")
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    by_hand = urlsafe_b64encode(hashlib.sha256(framed).digest()).decode().rstrip("=")
    assert vault.commitment(**where, value="per_1") == by_hand
    assert len(by_hand) == 43


def test_R3_commitments_of_one_person_are_not_linked_and_die_with_the_slot(vault: Vault) -> None:
    one, two = vault.reserve_slots(2)
    made = {
        vault.commitment(evidence_slot=slot, entry=entry, field=field, value="per_1")
        for slot in (one, two)
        for entry in ("ev_1", "ev_2")
        for field in ("person", "case")
    }
    assert len(made) == 8
    vault.destroy_slots([one])
    for attempt in (
        lambda: vault.salt(evidence_slot=one, entry="ev_1", field="person"),
        lambda: vault.commitment(evidence_slot=one, entry="ev_1", field="person", value="per_1"),
    ):
        with pytest.raises(Refused):
            attempt()
    assert vault.commitment(evidence_slot=two, entry="ev_1", field="person", value="per_1") in made


def test_S2_a_sealed_value_opens_in_its_place_only(vault: Vault, again: Callable[[], Vault]) -> None:
    (slot,) = vault.reserve_slots(1)
    free, bound = vault.seal_value("outbox:msg_1", b"text"), vault.seal_value("outbox:msg_1", b"text", slot=slot)
    assert again().open_value("outbox:msg_1", free) == b"text"
    assert again().open_value("outbox:msg_1", bound, slot=slot) == b"text"
    wrong: list[tuple[str, bytes, int | None]] = [
        ("outbox:msg_2", free, None),
        ("outbox:msg_1", free, slot),
        ("outbox:msg_1", bound, None),
        ("outbox:msg_1", free[:-1], None),
        ("outbox:msg_1", b"", None),
    ]
    for context, sealed, where in wrong:
        with pytest.raises(Fault) as caught:
            vault.open_value(context, sealed, slot=where)
        assert caught.value.code == "sealed-value-changed"
    vault.destroy_slots([slot])
    with pytest.raises(Refused):
        vault.open_value("outbox:msg_1", bound, slot=slot)


def _sign(home: Path, secret: bytes, out: Any) -> None:
    vault = Vault.open(home, RootKey(secret), create=True)
    out.put((vault.installation, vault.lookup_epoch, vault.signing_key("receipts").public_key().public_bytes_raw()))


def test_S6_processes_that_start_together_agree_on_one_vault_and_one_key(tmp_path: Path) -> None:
    secret = os.urandom(32)
    spawn = multiprocessing.get_context("spawn")
    out = spawn.Queue()
    starters = [spawn.Process(target=_sign, args=(tmp_path / "home", secret, out)) for _ in range(4)]
    for starter in starters:
        starter.start()
    answers = {out.get(timeout=20) for _ in starters}
    for starter in starters:
        starter.join(10)
    assert len(answers) == 1


def test_S6_signing_keys_differ_by_name_and_last(vault: Vault, again: Callable[[], Vault]) -> None:
    keys = {name: vault.signing_key(name) for name in ("evidence-log", "receipts", "forms")}
    assert len({key.private_bytes_raw() for key in keys.values()}) == 3
    for name, key in keys.items():
        again().signing_key(name).public_key().verify(key.sign(b"checkpoint"), b"checkpoint")


def test_S3_a_password_can_be_checked_and_not_read(vault: Vault, again: Callable[[], Vault]) -> None:
    stored = vault.hash_secret("Oʻzbekiston-2026")
    assert vault.hash_secret("Oʻzbekiston-2026") != stored
    assert b"argon2" not in stored
    assert again().verify_secret(stored, "Oʻzbekiston-2026") is SecretMatch.YES
    for wrong in ("oʻzbekiston-2026", "", "x" * 5_000):
        assert vault.verify_secret(stored, wrong) is SecretMatch.NO
    assert vault.verify_secret(None, "Oʻzbekiston-2026") is SecretMatch.NO
    assert vault.verify_secret(vault.hash_secret("caf\u00e9"), "cafe\u0301")
    with pytest.raises(Fault):
        vault.verify_secret(stored[:-1], "Oʻzbekiston-2026")
    with pytest.raises(BadInput):
        vault.hash_secret("x" * 1_025)


def test_S3_a_cheaper_old_hash_matches_and_asks_for_a_new_one() -> None:
    old = SecretHasher(HashCost(1, 64, 1)).hash("secret")
    assert SecretHasher(HashCost(2, 64, 1)).check(old, "secret") is SecretMatch.STALE
    assert SecretMatch.STALE
    assert not SecretMatch.NO


def test_S3_asking_about_nobody_takes_as_long_as_about_somebody() -> None:
    hasher = SecretHasher(HashCost(passes=2, memory=4_096, lanes=1))
    stored = hasher.hash("secret")
    prices: dict[bool, list[int]] = {True: [], False: []}
    hasher.check(None, "warm")
    for turn in range(30):
        start = time.perf_counter_ns()
        hasher.check(stored if turn % 2 else None, "wrong")
        prices[bool(turn % 2)].append(time.perf_counter_ns() - start)
    assert 0.5 < statistics.median(prices[True]) / statistics.median(prices[False]) < 2


def test_S6_lost_slots_are_never_begun_anew(home: Path, root: RootKey, vault: Vault) -> None:
    """Were the numbers to begin at one again, old rows would meet new keys."""
    vault.reserve_slots(1)
    (home / "keys" / "slots").unlink()
    for create in (False, True):
        with pytest.raises(Unavailable) as caught:
            Vault.open(home, root, create=create)
        assert caught.value.code == "keys-missing"


def test_S6_a_creation_cut_short_is_carried_on(home: Path, root: RootKey) -> None:
    (home / "keys").mkdir(parents=True, mode=0o700)
    ring = RingFile(home / "keys" / "keyring", root)
    ring.create("ins_b5qkyi2tf3d7w4v5o6p7q3r2sa")
    with pytest.raises(Unavailable):
        Vault.open(home, root)
    assert Vault.open(home, root, create=True).installation == "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa"


def test_S6_a_changed_keyring_is_refused(home: Path, root: RootKey, vault: Vault) -> None:
    file = home / "keys" / "keyring"
    whole = file.read_bytes()
    for at in (0, 20, 40, len(whole) - 1):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((Fault, Refused)):
            Vault.open(home, root)
    file.write_bytes(whole)
    with pytest.raises(Refused) as caught:
        Vault.open(home, RootKey(os.urandom(32)), create=True)
    assert caught.value.code == "root-wrong"
    assert Vault.open(home, root).installation == vault.installation
