"""The bytes of sealed forms: a second implementation, RFC 9180's own vectors, and the vectors of docs/formats.md."""

import re
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.errors import BadInput
from omonat.vault.encoding import bytes_of, derive, frame, text_of
from omonat.vault.sealing import SealingKey, form_info, signed_part
from tests.offline import second_hpke

VECTOR = {
    name: bytes.fromhex(value)
    for name, value in msgspec.json.decode(Path(__file__).with_name("rfc9180.json").read_bytes()).items()
    if name != "source"
}
EPHEMERAL = bytes(range(32))
PLAIN = b'{"items":{"contact.name":"Dilnoza Karimova"}}'
INFO = form_info(
    "ins_example", key=1, id="sfm_example", device="omk_example", service="order", form="omf1.x.y",
    made_at="2026-12-01T09:00:00.000Z",
)  # fmt: skip


def test_S1_the_second_implementation_computes_the_vector_of_the_rfc() -> None:
    shared, enc = second_hpke.shared_secret(VECTOR["skEm"], VECTOR["pkRm"])
    assert (shared, enc) == (VECTOR["shared_secret"], VECTOR["enc"])
    assert second_hpke.schedule(shared, VECTOR["info"], aead=1) == (VECTOR["key"], VECTOR["base_nonce"])
    sealed = second_hpke.seal(
        VECTOR["pt"], VECTOR["pkRm"], VECTOR["info"], ephemeral=VECTOR["skEm"], aead=1, aad=VECTOR["aad"]
    )
    assert sealed == VECTOR["enc"] + VECTOR["ct"]


def test_S1_what_it_seals_with_the_suite_of_the_vault_the_vault_opens() -> None:
    key = SealingKey(VECTOR["skRm"])
    assert key.public == VECTOR["pkRm"]
    assert key.open(second_hpke.seal(PLAIN, key.public, INFO, ephemeral=EPHEMERAL), INFO) == PLAIN


@given(st.binary(max_size=600), st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.data())
@settings(max_examples=100, deadline=None)
def test_S1_whatever_is_sealed_opens_whole_or_not_at_all(
    plain: bytes, info: bytes, ephemeral: bytes, data: st.DataObject
) -> None:
    key = SealingKey(derive(bytes(32), frame("test")))
    sealed = bytearray(second_hpke.seal(plain, key.public, info, ephemeral=ephemeral))
    assert key.open(bytes(sealed), info) == plain
    with pytest.raises(BadInput):
        key.open(bytes(sealed), info + b"\0")
    where = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 6)) if where == 31 else data.draw(st.integers(0, 7))  # X25519 masks one bit of enc
    sealed[where] ^= 1 << bit
    for broken in (bytes(sealed), bytes(sealed[:where])):
        with pytest.raises(BadInput) as refused:
            key.open(broken, info)
        assert refused.value.code == "sealed-form-changed"


def test_S1_the_vectors_of_the_formats_page_are_these() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
    secret = bytes.fromhex("07" * 32)
    key = SealingKey(derive(secret, frame("omonat/sealing-key/v1", "ins_example", 1)))
    sealed = second_hpke.seal(PLAIN, key.public, INFO, ephemeral=EPHEMERAL)
    signing = Ed25519PrivateKey.from_private_bytes(bytes.fromhex("08" * 32))
    signature = signing.sign(signed_part(INFO, sealed))
    assert key.open(sealed, INFO) == PLAIN
    for name, value in (("public", key.public), ("info", INFO), ("sealed", sealed), ("signature", signature)):
        assert re.search(rf"^{name}\s+{value.hex()}$", page, re.MULTILINE), (name, value.hex())
    assert bytes_of(text_of(sealed)) == sealed
