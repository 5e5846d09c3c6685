"""The strict reader of bodies: what it takes is exactly what was sent, and whatever else it is sent, it says so."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omonat.api.bodies import CollectBody, UseBody, UsesBody
from omonat.api.body import DEEPEST, is_card_code, parse, shaped
from omonat.base.errors import BadInput, OmonatError

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = texts.filter(lambda name: not is_card_code(name))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.booleans())
def test_clean_json_is_read_as_it_was_written(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xef\xbb\xbf{}")
@example(b'{"a":1}\0')
@example(b"-")
@example(b'"\\ud800\\udc00"')
def test_no_bytes_whatever_raise_anything_but_our_own_errors(raw: bytes) -> None:
    for shape in (UseBody, UsesBody, CollectBody):
        with suppress(OmonatError):
            shaped(parse(raw), shape)


@settings(max_examples=200)
@given(values)
def test_no_value_whatever_is_echoed_by_the_error_about_its_shape(value: Any) -> None:
    marked = {"purpose": "x", "items": ["contact.name"], "Zulmat9431": value, "Zulmat9431b": value}
    for spoiled in (marked, {"uses": [{"purpose": "y"}, marked]}, {"purpose": {"Zulmat9431": value}}):
        with pytest.raises(BadInput) as refused:
            shaped(parse(json.dumps(spoiled).encode()), UsesBody if "uses" in spoiled else UseBody)
        assert "Zulmat" not in str(refused.value) + repr(refused.value.about)
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


@given(st.integers(1, 60), st.sampled_from(["[{}]", '{{"a":{}}}']))
def test_depth_is_counted_exactly(depth: int, shell: str) -> None:
    text = '"x"'
    for _ in range(depth):
        text = shell.format(text)
    if depth <= DEEPEST:
        assert parse(text.encode())
    else:
        with pytest.raises(BadInput) as refused:
            parse(text.encode())
        assert refused.value.code == "body-too-deep"


def test_brackets_inside_texts_are_no_depth() -> None:
    assert parse(json.dumps({"a": "[{" * 500}).encode()) == {"a": "[{" * 500}


@pytest.mark.parametrize(
    "name",
    [
        *("cvv", "CVV", "cvv2", "cvc", "CVC2", "c_v_v", "card-cvv", "financial.cvv", "cardSecurityCode", "CVV code"),
        *(
            "card_verification",
            "security-code",
            "ｃｖｖ",
            "card-verification-value",
            "cid",
            "csc",
            "cvn",
            "karta-cvv-kod",
        ),
    ],
)
def test_D2_a_cards_code_is_known_under_any_name(name: str) -> None:
    assert is_card_code(name)
    with pytest.raises(OmonatError) as refused:
        parse(json.dumps({"a": [{name: "123"}]}).encode())
    assert refused.value.code == "card-code-refused"


@pytest.mark.parametrize(
    "name",
    ["card-number", "card-expiry", "postal-code", "security-question", "verification", "civic", "cv", "avtocvet"],
)
def test_other_names_are_not_taken_for_it(name: str) -> None:
    assert not is_card_code(name)
