"""Identifiers: one spelling, nothing to guess."""

from base64 import b32encode

from hypothesis import given
from hypothesis import strategies as st

from omonat.base.ids import is_id, new_id


def test_S6_an_identifier_is_a_kind_and_128_random_bits_in_base32() -> None:
    seen = {new_id("per") for _ in range(1000)}
    assert len(seen) == 1000
    assert all(is_id("per", one) and not is_id("rec", one) for one in seen)


@given(st.binary(min_size=16, max_size=16))
def test_S6_only_the_canonical_spelling_of_a_value_is_an_identifier(value: bytes) -> None:
    canonical = "per_" + b32encode(value).decode().rstrip("=").lower()
    assert is_id("per", canonical)
    assert not is_id("per", canonical.upper())
    assert not is_id("per", canonical + "a")
    assert not is_id("per", canonical[:-1] + "b")  # the last letter's two spare bits must be zero
