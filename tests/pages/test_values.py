"""A value is read as a person would write it, in three languages, whatever its kind: no key, no code, no brackets."""

import re
from types import SimpleNamespace
from typing import Any

import pytest

from omonat.pages.values import readable
from omonat.pages.words import LANGUAGES, words_of
from omonat.policy.words import Kind

ADDRESS = {
    "city": "Toshkent", "district": "Chilonzor tumani", "street": "Namuna koʻchasi", "house": "12", "flat": "45",
    "entrance": "2", "floor": "3", "landmark": "Makro yonida", "postcode": "100115",
}  # fmt: skip
HELD: dict[Kind, list[Any]] = {
    Kind.ADDRESS: [ADDRESS, "Toshkent, Namuna koʻchasi, 1-uy"],
    Kind.PHONE: ["+998901234567"],
    Kind.DATE: ["2026-11-22"],
    Kind.BIRTH_DATE: ["1990-02-03"],
    Kind.MONEY: [12_500_000],
    Kind.INTEGER: [18_204],
    Kind.BOOLEAN: [True, False],
    Kind.GENDER: ["female", "male", "other", "undisclosed"],
    Kind.MARITAL_STATUS: ["single", "married", "divorced", "widowed", "undisclosed"],
    Kind.AGE_BAND: ["25-34", "65+", "under-18"],
    Kind.GEO_POINT: [{"lat": "41.311100", "lon": "69.279700", "accuracy": 15}, {"lat": "-33.9", "lon": "-70.6"}],
    Kind.ORDER_LINES: [[{"item": "Osh", "count": 2, "price": 4_500_000}, {"item": "Choy", "count": 1}]],
    Kind.INTERESTS: [["Osh", "Somsa"]],
    Kind.CARD_BRAND: ["uzcard", "humo", "visa", "mastercard", "unionpay", "mir", "amex", "other"],
    Kind.CARD_EXPIRY: ["2028-05"],
}
RAW = re.compile(r"[{}\[\]_]|True|False|None|\w: ?\w+_|undisclosed|under-|\d{4}-\d\d")


def said(language: str, kind: Kind, value: Any) -> tuple[str, ...]:
    return readable(words_of(language), SimpleNamespace(kind=kind, choices={}), value)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", HELD, ids=str)
def test_A3_no_value_shows_what_the_machine_calls_it(kind: Kind, language: str) -> None:
    keys = {*ADDRESS, "lat", "lon", "accuracy", "item", "count", "price"} if language != "en" else set()
    for value in HELD[kind]:
        lines = said(language, kind, value)
        assert lines
        for line in lines:
            assert not RAW.search(line), line
            assert not keys & set(re.findall(r"\w+", line)), line


def test_A3_a_code_of_a_kind_is_a_word_of_each_language() -> None:
    for kind in (Kind.GENDER, Kind.MARITAL_STATUS):
        for code in HELD[kind]:
            assert len({said(language, kind, code) for language in LANGUAGES}) == len(LANGUAGES)


def test_A3_an_address_reads_as_on_an_envelope() -> None:
    assert said("uz", Kind.ADDRESS, ADDRESS) == (
        "Namuna koʻchasi, 12-uy, 2-kirish, 3-qavat, 45-xonadon",
        "Chilonzor tumani, Toshkent, 100115",
        "moʻljal: Makro yonida",
    )
    assert said("ru", Kind.ADDRESS, ADDRESS)[0] == "Namuna koʻchasi, дом 12, подъезд 2, этаж 3, кв. 45"
    assert said("en", Kind.ADDRESS, ADDRESS)[0] == "Namuna koʻchasi, house 12, entrance 2, floor 3, flat 45"
    assert said("uz", Kind.ADDRESS, {"house": "12-uy", "city": "Buxoro"}) == ("12-uy", "Buxoro")
    assert said("ru", Kind.ADDRESS, "Ташкент\nдом 1") == ("Ташкент", "дом 1")


def test_A3_a_point_says_its_half_of_the_earth_and_how_exact_it_is() -> None:
    first, second = HELD[Kind.GEO_POINT]
    assert said("ru", Kind.GEO_POINT, first) == (
        "41,311100° северной широты, 69,279700° восточной долготы", "с точностью до 15 м",
    )  # fmt: skip
    assert said("en", Kind.GEO_POINT, second) == ("33.9° south, 70.6° west",)


def test_A3_a_structure_of_no_known_kind_shows_its_values_alone() -> None:
    assert said("uz", Kind.TEXT, {"raw_key": ["bir", {"inner": 2}]}) == ("bir", "2")
