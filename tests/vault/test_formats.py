"""docs/formats.md is enough: a second implementation, written from that page alone, gives every vector (S2, S6).

It uses only primitives of `cryptography`, in their plainest form, and nothing of the vault. Printed as a script
(`python tests/vault/test_formats.py`) it gives the vectors of the page.
"""

import json
import re
import struct
from base64 import b32encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"

# The second implementation ------------------------------------------------------------------------------------------


def frame(*parts: str | bytes | int) -> bytes:
    out = b""
    for part in parts:
        data = part.to_bytes(8, "big") if isinstance(part, int) else part.encode() if isinstance(part, str) else part
        out += struct.pack(">I", len(data)) + data
    return out


def derive(secret: bytes, context: bytes, length: int = 32) -> bytes:
    return ConcatKDFHash(hashes.SHA512(), length, context).derive(secret)


def mac(key: bytes, data: bytes) -> bytes:
    code = HMAC(key, hashes.SHA256())
    code.update(data)
    return code.finalize()


def seal_box(secret: bytes, plaintext: bytes, context: bytes, nonce: bytes) -> bytes:
    material = derive(secret, frame("omonat/box/v1"), 48)
    return b"\x01\x01" + material[32:] + nonce + AESGCM(material[:32]).encrypt(nonce, plaintext, context)


def open_box(secret: bytes, sealed: bytes, context: bytes) -> bytes:
    material = derive(secret, frame("omonat/box/v1"), 48)
    assert sealed[:18] == b"\x01\x01" + material[32:]
    return AESGCM(material[:32]).decrypt(sealed[18:30], sealed[30:], context)


def slot_context(installation: str, epoch: int, number: int) -> bytes:
    return frame("omonat/slot/v1", installation, epoch.to_bytes(2, "big")) + number.to_bytes(8, "big")


def seal_slot(root: bytes, installation: str, epoch: int, number: int, *, secret: bytes, nonce: bytes) -> bytes:
    key = derive(root, frame("omonat/slot-key/v1", installation, epoch.to_bytes(2, "big")))
    sealed = AESGCM(key).encrypt(nonce, secret, slot_context(installation, epoch, number))
    return b"S\x01" + epoch.to_bytes(2, "big") + nonce + sealed


def tombstone(root: bytes, installation: str, epoch: int, number: int, generation: int) -> bytes:
    key = derive(root, frame("omonat/tombstone-key/v1", installation, epoch.to_bytes(2, "big")))
    stamp = generation.to_bytes(8, "big")
    check = derive(key, slot_context(installation, epoch, number) + stamp)
    return b"X\x01" + epoch.to_bytes(2, "big") + stamp + check + bytes(20)


def root_mark(root: bytes) -> bytes:
    return derive(root, frame("omonat/root-mark/v1"), 16)


def header(root: bytes, installation: str, numbers: list[int], flags: int = 0) -> bytes:
    """`numbers`: sequence, high water, made, generation, root epoch, copies, copy."""
    name = installation.encode()
    body = b"omonat-slots/1\n\0" + root_mark(root) + struct.pack(">QQQQHHHH", *numbers, flags)
    body += bytes([len(name)]) + name.ljust(63, b"\0")
    return body + mac(derive(root, frame("omonat/slot-header/v1", installation)), body)


def keyring(root: bytes, ring: dict[str, Any], nonce: bytes) -> bytes:
    context = frame("omonat/keyring/v1")
    secret = derive(root, frame("omonat/root-box/v1", context))
    text = json.dumps(ring, sort_keys=True, separators=(",", ":")).encode()
    return b"omonat-keyring/1" + root_mark(root) + seal_box(secret, text, context, nonce)


def section_key(person: bytes, record: bytes, category: str) -> bytes:
    return derive(person + record, frame("omonat/section-key/v1", category))


def section_context(installation: str, person: str, record: str, category: str, version: int) -> bytes:
    return frame("omonat/section/v1", installation, person, record, category, version, b"\x01")


def value_context(installation: str, context: str, slot: int) -> bytes:
    return frame("omonat/value/v1", installation, context, slot)


def signing_public(secret: bytes, installation: str, name: str) -> bytes:
    seed = derive(secret, frame("omonat/signing-key/v1", installation, name))
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def salt(secret: bytes, entry: str, field: str) -> bytes:
    return derive(secret, frame("omonat/salt/v1", entry, field))


def commitment(salt_: bytes, entry: str, field: str, value: str) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(frame("omonat/commitment/v1", salt_, entry, field, value))
    return urlsafe_b64encode(digest.finalize()).decode().rstrip("=")


def field_product(a: int, b: int) -> int:
    out = 0
    for bit in range(8):
        out ^= (a << bit) * (b >> bit & 1)
    for bit in range(14, 7, -1):
        out ^= (0x11B << bit - 8) * (out >> bit & 1)
    return out


def share_value(root: bytes, coefficients: list[int], n: int) -> bytes:
    out = bytearray(root)
    for i in range(32):
        power = n
        for coefficient in coefficients:
            out[i] ^= field_product(coefficient, power)
            power = field_product(power, n)
    return bytes(out)


def bech32m(name: str, data: bytes) -> str:
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{byte:08b}" for byte in data)
    values = [int(bits[at : at + 5].ljust(5, "0"), 2) for at in range(0, len(bits), 5)]
    check = 1
    for value in [*[ord(c) >> 5 for c in name], 0, *[ord(c) & 31 for c in name], *values, 0, 0, 0, 0, 0, 0]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> i & 1:
                check ^= generator
    check ^= 0x2BC830A3
    return name + "1" + "".join(letters[v] for v in [*values, *(check >> 5 * (5 - i) & 31 for i in range(6))])


def sha256(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def share(root: bytes, installation: str, threshold: int, n: int) -> str:
    place = sha256(frame("omonat/share-place/v1", installation))[:4]
    value = share_value(root, [0xC1, 0xC2], n)
    return bech32m("omonat", b"\x01" + place + SET + bytes([threshold, n]) + value)


# The vectors --------------------------------------------------------------------------------------------------------

RINGS = {"lookup/1": 1, "digests": 2, "pseudonyms": 3, "values": 4, "signing/receipts": 5}
PLACE = {"person": "per_7", "record": "rec_8", "category": "contact", "version": 3}
SET = bytes.fromhex("5e700001")
NEXT_ROOT = bytes(range(32, 64))
ITEMS = {"contact.mobile": "+998901234567", "contact.name": "Dilnoza"}


def vectors() -> dict[str, Any]:
    """Everything on the page, from these inputs: slot n holds 32 times the byte n, nonces are 12 times a byte."""
    root, home = bytes(range(32)), "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa"
    secret = {n: bytes([n]) * 32 for n in range(1, 10)}
    place = (PLACE["person"], PLACE["record"], PLACE["category"], PLACE["version"])
    text = json.dumps(ITEMS, separators=(",", ":")).encode()
    value = value_context(home, "outbox:msg_1", 0)
    bound = value_context(home, "outbox:msg_1", 7)
    ring = {"installation": home, "keys": RINGS, "lookup_epoch": 1, "slots_made": True}
    the_salt = salt(secret[9], "ev_1", "person")
    pseudonym = mac(secret[3], frame("omonat/pseudonym/v1", home, "staff", "stf_204"))[:16]
    passphrase = Scrypt(salt=bytes(32), length=32, n=1024, r=8, p=1).derive(b"tandir non qozon osh choy")
    return {
        "frame": frame("ab", b"\x00", 7).hex(),
        "derive": derive(root, frame("test"), 48).hex(),
        "root_of_passphrase_mark": root_mark(passphrase).hex(),
        "root_mark": root_mark(root).hex(),
        "header": header(root, home, [5, 11, 11, 1, 1, 1, 0]).hex(),
        "slots": {n: seal_slot(root, home, 1, n, secret=secret[n], nonce=bytes([0xA0 + n]) * 12).hex() for n in secret},
        "tombstone_10": tombstone(root, home, 1, 10, 1).hex(),
        "keyring": keyring(root, ring, b"\xb0" * 12).hex(),
        "section": seal_box(
            section_key(secret[7], secret[8], "contact"), text, section_context(home, *place), b"\xc0" * 12
        ).hex(),
        "value": seal_box(derive(secret[4], value), b"text", value, b"\xd0" * 12).hex(),
        "value_in_slot_7": seal_box(derive(secret[7], bound), b"text", bound, b"\xd1" * 12).hex(),
        "lookup_digest": mac(secret[1], frame("omonat/lookup/v1", home, "phone", "+998901234567")).hex(),
        "keyed_digest": mac(secret[2], frame("omonat/digest/v1", home, "idempotency", b"key")).hex(),
        "pseudonym": "psn_" + b32encode(pseudonym).decode().rstrip("=").lower(),
        "signing_public_key": signing_public(secret[5], home, "receipts").hex(),
        "salt": the_salt.hex(),
        "commitment": commitment(the_salt, "ev_1", "person", "per_7"),
        "shares": {n: share(root, home, 3, n) for n in range(1, 6)},
        "share_digest_1": sha256(frame("omonat/share/v1", SET, 1, share_value(root, [0xC1, 0xC2], 1))).hex(),
        "rotated": {
            "root_mark": root_mark(NEXT_ROOT).hex(),
            "header": header(NEXT_ROOT, home, [6, 11, 11, 1, 2, 1, 0]).hex(),
            "slot_7": seal_slot(NEXT_ROOT, home, 2, 7, secret=secret[7], nonce=b"\xa7" * 12).hex(),
            "tombstone_10": tombstone(NEXT_ROOT, home, 2, 10, 1).hex(),
        },
    }


def on_the_page() -> dict[str, Any]:
    found = re.search(r"```json vectors\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, "docs/formats.md has no vectors"
    return json.loads(found[1])


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1))
    raise SystemExit

from omonat.vault.cipher import SlotCipher  # noqa: E402
from omonat.vault.encoding import derive as our_derive  # noqa: E402  the second implementation stands without these
from omonat.vault.encoding import frame as our_frame  # noqa: E402
from omonat.vault.header import decode_header  # noqa: E402
from omonat.vault.root import RootKey, Stretching  # noqa: E402
from omonat.vault.rotation import rotate  # noqa: E402
from omonat.vault.shares import Gathering, Share, make_set  # noqa: E402
from omonat.vault.vault import Vault  # noqa: E402


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return on_the_page()


@pytest.fixture
def opened(tmp_path: Path, page: dict[str, Any]) -> Vault:
    """A vault whose files are the bytes printed on the page."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    record = bytes.fromhex(page["header"])
    slots = bytearray(8192 + 64 * 11)
    slots[4096 : 4096 + len(record)] = record  # an odd sequence stands in the second page
    slots[: len(record)] = header(bytes(range(32)), "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa", [4, 11, 11, 1, 1, 1, 0])
    for number, slot in [*page["slots"].items(), ("10", page["tombstone_10"])]:
        slots[8192 + 64 * int(number) : 8192 + 64 * int(number) + 64] = bytes.fromhex(slot)
    files = {"slots": bytes(slots), "keyring": bytes.fromhex(page["keyring"]), "lock": b""}
    for name, data in files.items():
        (keys / name).write_bytes(data)
        (keys / name).chmod(0o600)
    return Vault.open(tmp_path, RootKey(bytes(range(32))))


def test_S2_the_page_says_what_a_second_implementation_computes(page: dict[str, Any]) -> None:
    assert page == json.loads(json.dumps(vectors()))


def test_S2_the_vault_reads_the_bytes_on_the_page(opened: Vault, page: dict[str, Any]) -> None:
    where = {**PLACE, "person_slot": 7, "record_slot": 8}
    assert opened.open_section(**where, sealed=bytes.fromhex(page["section"])) == ITEMS
    assert opened.open_value("outbox:msg_1", bytes.fromhex(page["value"])) == b"text"
    assert opened.open_value("outbox:msg_1", bytes.fromhex(page["value_in_slot_7"]), slot=7) == b"text"
    assert opened.is_destroyed(10)
    assert opened.lookup_digest("phone", "+998901234567").hex() == page["lookup_digest"]
    assert opened.keyed_digest("idempotency", b"key").hex() == page["keyed_digest"]
    assert opened.pseudonym("staff", "stf_204") == page["pseudonym"]
    assert opened.signing_key("receipts").public_key().public_bytes_raw().hex() == page["signing_public_key"]
    assert opened.salt(evidence_slot=9, entry="ev_1", field="person").hex() == page["salt"]
    assert opened.commitment(evidence_slot=9, entry="ev_1", field="person", value="per_7") == page["commitment"]


def test_S2_the_second_implementation_reads_what_the_vault_seals(opened: Vault) -> None:
    home = opened.installation
    sealed = opened.seal_section(**PLACE, person_slot=7, record_slot=8, items=ITEMS)
    key = section_key(b"\x07" * 32, b"\x08" * 32, "contact")
    place = (str(PLACE["person"]), str(PLACE["record"]), "contact", 3)
    assert json.loads(open_box(key, sealed, section_context(home, *place))) == ITEMS
    context = value_context(home, "web:ses_1", 0)
    assert open_box(derive(b"\x04" * 32, context), opened.seal_value("web:ses_1", b"x"), context) == b"x"


def test_S6_the_vault_reads_the_shares_on_the_page(page: dict[str, Any]) -> None:
    root = RootKey(bytes(range(32)))
    held = Gathering("ins_b5qkyi2tf3d7w4v5o6p7q3r2sa", root.mark, None)
    for n in ("5", "1", "3"):
        held.add(page["shares"][n])
    assert held.root().mark == root.mark
    assert Share.parse(page["shares"]["1"]).digest() == page["share_digest_1"]
    _, (ours, *_) = make_set(root, "ins_b5qkyi2tf3d7w4v5o6p7q3r2sa", 3, 5, after=None)
    head = b"\x01" + ours.place + ours.set_id + bytes([3, 1])
    assert ours.text() == bech32m("omonat", head + ours.value)


def test_R3_the_vault_reads_what_the_page_says_of_a_rotated_file(
    page: dict[str, Any], opened: Vault, tmp_path: Path
) -> None:
    told, new = page["rotated"], RootKey(NEXT_ROOT)
    cipher = SlotCipher(new, opened.installation, 2)
    assert cipher.open(7, bytes.fromhex(told["slot_7"])) == b"\x07" * 32
    assert cipher.is_tombstone(10, bytes.fromhex(told["tombstone_10"]))
    assert new.mark.hex() == told["root_mark"]
    found = decode_header(bytes.fromhex(told["header"]), new)
    assert found is not None
    assert (found.root_epoch, found.sequence, found.generation) == (2, 6, 1)

    rotate(tmp_path, RootKey(bytes(range(32))), new)
    data = (tmp_path / "keys" / "slots").read_bytes()
    assert data[8192 + 640 : 8192 + 704].hex() == told["tombstone_10"]
    slot = data[8192 + 448 : 8192 + 512]
    assert slot == seal_slot(NEXT_ROOT, opened.installation, 2, 7, secret=b"\x07" * 32, nonce=slot[4:16])
    assert data[:168].hex() == told["header"]


def test_S2_the_small_parts_agree(page: dict[str, Any], tmp_path: Path) -> None:
    assert our_frame("ab", b"\x00", 7).hex() == page["frame"]
    assert our_derive(bytes(range(32)), our_frame("test"), 48).hex() == page["derive"]
    with pytest.raises(ValueError, match="48"):
        our_derive(bytes(32), b"", 49)
    tmp_path.chmod(0o700)
    (tmp_path / "root.json").write_text(
        json.dumps({name: getattr(Stretching(salt="00" * 32, n=1024), name) for name in Stretching.__struct_fields__})
    )
    (tmp_path / "root.json").chmod(0o600)
    root = RootKey.from_passphrase("tandir non qozon osh choy", tmp_path / "root.json")
    assert root.mark.hex() == page["root_of_passphrase_mark"]
