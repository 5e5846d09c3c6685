"""Masks show nothing but what tells two people on one screen apart, and are spoken in the reader's language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.pages.masks import HIDDEN, mask
from omonat.pages.words import words_of

EN, RU, UZ = (words_of(language) for language in ("en", "ru", "uz"))


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("phone", "+998901235678", "+998 ·· ··· 56 78"),
        ("phone", "+79161234567", "+7 ··· ··· 45 67"),
        ("phone", "12", HIDDEN),
        ("email", "dilnoza@mail.uz", "d···@mail.uz"),
        ("email", "broken", HIDDEN),
        ("person-name", "Dilnoza Karimova", "D··· K···"),
        ("person-name", "", HIDDEN),
        ("address", "Toshkent, Chilonzor 9", "Toshkent, ···"),
        ("address", "Chilonzor 9", HIDDEN),
        ("card-number", "8600 1234 1234 1234", "···· 1234"),
        ("card-number", "1234", HIDDEN),
        ("passport", "AA1234567", HIDDEN),
    ],
)
def test_L3_a_mask_shows_only_what_tells_people_apart(kind: str, value: str, shown: str) -> None:
    assert mask(EN, kind, value).shown == shown


def test_a_mask_is_spoken_in_the_readers_language() -> None:
    assert mask(EN, "phone", "+998901235678").spoken == "hidden phone number ending in 56 78"
    assert mask(RU, "phone", "+998901235678").spoken == "номер телефона скрыт, последние цифры 56 78"
    assert mask(UZ, "passport", "x").spoken == "yashirilgan maʼlumot"


@given(st.sampled_from(["phone", "email", "person-name", "address", "card-number", "other"]), st.text(max_size=60))
def test_L3_no_text_however_odd_comes_through_whole(kind: str, value: str) -> None:
    hidden = mask(EN, kind, value)
    assert hidden.shown
    assert "·" in hidden.shown
    if len(value.strip()) > 6 and kind != "address":
        assert value.strip() not in hidden.shown


@given(st.from_regex(r"[A-Z][a-z]{1,20} [A-Z][a-z]{1,20}", fullmatch=True))
def test_L3_a_mask_does_not_tell_the_length(name: str) -> None:
    assert len(mask(EN, "person-name", name).shown) == len("D··· K···")
