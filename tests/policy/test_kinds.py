"""What items look like: one spelling for each value, one key for equal ones, and no error that tells a value."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omonat.base.codes import LANGUAGES, registry
from omonat.base.errors import BadInput
from omonat.policy.kinds import age_signal, is_verification_name, normalise, refuse_verification_names
from omonat.policy.kinds.basics import Normalised, luhn
from omonat.policy.kinds.cards import brand_of
from omonat.policy.kinds.guard import refuse_in_reference
from omonat.policy.kinds.names import match_key, script_of
from omonat.policy.kinds.numbers import read_pinfl
from omonat.policy.words import Kind

GOOD: list[tuple[str, Any, Any]] = [
    ("phone", "8 90 123-45-67", "+998901234567"),
    ("phone", "(90) 123-45-67", "+998901234567"),
    ("phone", "998901234567", "+998901234567"),
    ("phone", " +998 90 123 45 67 ", "+998901234567"),
    ("phone", "8-71-234-56-78", "+998712345678"),
    ("phone", "+7 916 123 45 67", "+79161234567"),
    ("email", "Malika@Example.UZ", "Malika@example.uz"),
    ("email", "malika@shop.test", "malika@shop.test"),
    ("person-name", "  Gʻulom Oʻktamov ", "Gʻulom Oʻktamov"),
    ("person-name", "Жан-Поль оглы", "Жан-Поль оглы"),
    ("address", "Chilonzor 5, 12-uy", "Chilonzor 5, 12-uy"),
    ("address", {"street": "Navoiy", "house": "12", "landmark": "metro"}, {"street": "Navoiy", "house": "12", "landmark": "metro"}),
    ("money", 12_500_000, 12_500_000),
    ("integer", -3, -3),
    ("boolean", False, False),
    ("date", "2026-12-01", "2026-12-01"),
    ("birth-date", "1990-02-28", "1990-02-28"),
    ("age-band", "25-34", "25-34"),
    ("age-band", "65+", "65+"),
    ("age-band", "under-18", "under-18"),
    ("gender", "female", "female"),
    ("marital-status", "married", "married"),
    ("interests", ["plov", "lagmon", "plov"], ["plov", "lagmon"]),
    ("geo-point", {"lat": "41.311081", "lon": "69.240562", "accuracy": 10}, {"lat": "41.311081", "lon": "69.240562", "accuracy": 10}),
    ("order-lines", [{"item": "Choyxona oshi", "count": 2, "price": 3_500_000}], [{"item": "Choyxona oshi", "count": 2, "price": 3_500_000}]),
    ("password", " two words ", " two words "),
    ("security-answer", "  Toshkent  Shahri ", "toshkent shahri"),
    ("ip-address", "::ffff:203.0.113.7", "203.0.113.7"),
    ("ip-address", "2001:DB8::1", "2001:db8::1"),
    ("device-id", "A1B2-C3D4", "A1B2-C3D4"),
    ("url", "https://beshqozon.uz/menu?page=2", "https://beshqozon.uz/menu?page=2"),
    ("user-agent", "Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"),
    ("log-line", "GET / 200\nGET /menu 200", "GET / 200\nGET /menu 200"),
    ("cookie", "session=abc", "session=abc"),
    ("card-token", "tok_5f2c9a77d1", "tok_5f2c9a77d1"),
    ("card-brand", "Humo", "humo"),
    ("card-last-four", "0042", "0042"),
    ("card-expiry", "05/28", "2028-05"),
    ("card-expiry", "2028-05", "2028-05"),
    ("card-number", "8600 4954 7331 6478", "8600495473316478"),
    ("card-number", "8600069195406311", "8600069195406311"),
    ("card-number", "4111-1111-1111-1111", "4111111111111111"),
    ("tax-number", "310000000", "310000000"),
    ("pinfl", "30101900270012", "30101900270012"),
    ("identifier", "order:41877", "order:41877"),
    ("note", "Bir\nikki", "Bir\nikki"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given_", "expected"), GOOD, ids=[f"{k}-{i}" for i, (k, _, _) in enumerate(GOOD)])
def test_D1_a_value_has_one_spelling(kind: str, given_: Any, expected: Any) -> None:
    found = normalise(kind, given_, country="uz")

    assert found.value == expected
    assert normalise(kind, found.value, country="uz") == found, "normalising again changes nothing"


BAD: list[tuple[str, Any, str]] = [
    ("phone", 998901234567, "value-type"),
    ("phone", "55 1234", "value-malformed"),
    ("phone", "+998 10 000 00 00", "value-malformed"),
    ("phone", "call me maybe", "value-malformed"),
    ("phone", "٠٩٠١٢٣٤٥٦٧", "value-malformed"),
    ("email", "malika@", "value-malformed"),
    ("email", "malika@localhost", "value-malformed"),
    ("email", "a@b.uz, c@d.uz", "value-malformed"),
    ("person-name", "", "value-empty"),
    ("person-name", "   ", "value-empty"),
    ("person-name", "8600495473316478", "value-malformed"),
    ("person-name", "<script>", "value-malformed"),
    ("person-name", "x" * 201, "value-too-long"),
    ("person-name", "Ali\x00", "value-control-character"),
    ("person-name", "Ali\u202egnp", "value-control-character"),
    ("person-name", ["Ali"], "value-type"),
    ("person-name", None, "value-type"),
    ("address", {"strete": "x"}, "value-malformed"),
    ("address", {"flat": "3"}, "value-malformed"),
    ("address", {"street": 3}, "value-type"),
    ("money", "12500", "value-type"),
    ("money", 125.5, "value-type"),
    ("money", True, "value-type"),
    ("money", 10**15, "value-out-of-range"),
    ("money", -1, "value-out-of-range"),
    ("integer", True, "value-type"),
    ("integer", 2**53, "value-out-of-range"),
    ("boolean", 1, "value-type"),
    ("boolean", "true", "value-type"),
    ("date", "2026-02-30", "value-malformed"),
    ("date", "01.12.2026", "value-malformed"),
    ("birth-date", "1700-01-01", "value-out-of-range"),
    ("age-band", "34-25", "value-malformed"),
    ("age-band", "25", "value-malformed"),
    ("gender", "f", "value-unknown-choice"),
    ("interests", "plov", "value-type"),
    ("interests", ["x"] * 51, "value-too-long"),
    ("geo-point", {"lat": "91.0", "lon": "0"}, "value-out-of-range"),
    ("geo-point", {"lat": 41.3, "lon": "0"}, "value-type"),
    ("geo-point", {"lat": "41.3"}, "value-malformed"),
    ("order-lines", [], "value-out-of-range"),
    ("order-lines", [{"item": "x", "count": "2"}], "value-type"),
    ("password", "short", "value-out-of-range"),
    ("ip-address", "999.1.1.1", "value-malformed"),
    ("ip-address", "fe80::1%eth0", "value-malformed"),
    ("url", "javascript:alert(1)", "value-malformed"),
    ("url", "https://user:pw@example.uz", "value-malformed"),
    ("cookie", "a=b; c=d", "value-malformed"),
    ("card-token", "8600495473316478", "value-malformed"),
    ("card-brand", "dinersclubx", "value-unknown-choice"),
    ("card-last-four", "12345", "value-too-long"),
    ("card-expiry", "13/28", "value-malformed"),
    ("card-number", "8600495473316479", "value-check-digit"),
    ("card-number", "1234567890123456", "value-malformed"),
    ("card-verification", "123", "value-card-verification"),
    ("tax-number", "110000000", "value-malformed"),
    ("pinfl", "30101900270013", "value-check-digit"),
    ("pinfl", "33102909990012", "value-malformed"),
    ("pinfl", "3010190027001", "value-malformed"),
    ("note", "x" * 10_001, "value-too-long"),
    ("text", "a\ud800b", "value-control-character"),
    ("hologram", "x", "value-kind-unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "code"), BAD, ids=[f"{k}-{c}-{i}" for i, (k, _, c) in enumerate(BAD)])
def test_L3_a_refusal_says_what_was_expected_and_never_the_value(kind: str, value: Any, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        normalise(kind, value, country="uz")

    assert caught.value.code == code
    assert code in registry()
    told = f"{caught.value} {caught.value.about}"
    if isinstance(value, str) and len(value.strip()) > 4 and kind != "hologram":
        assert value not in told
    assert caught.value.__cause__ is None or value not in str(caught.value.__cause__)


@settings(max_examples=400)
@given(
    st.sampled_from(list(Kind)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
)
def test_L3_any_value_is_taken_or_refused_in_words(kind: Kind, value: Any) -> None:
    try:
        found = normalise(kind, value)
    except BadInput as refused:
        assert refused.code.startswith("value-")  # noqa: PT017 - both ends are right
        for language in LANGUAGES:
            assert registry()[refused.code].says[language]  # noqa: PT017
    else:
        assert normalise(kind, found.value) == found


SAME_PERSON = [
    ["Gʻulom", "G'ulom", "G`ulom", "G’ulom", "Ғулом", "Гулом"],
    ["Shahnoza Yoʻldosheva", "Шаҳноза Йўлдошева", "Юлдашева Шахноза", "Yoldosheva Shaxnoza"],
    ["Abdulla Qodiriy", "Абдулла Қодирий", "Абдулла Кадыри"],
    ["Umid Qosimov", "Умид Қосимов", "Касымов Умид"],
    ["Jasur", "Жасур", "Джасур"],
    ["Oʻktam", "Ўктам", "Уктам", "O'KTAM"],
    ["Xurshid", "Хуршид", "Khurshid"],
    ["Zulfiya", "Зулфия", "Зульфия"],
    ["Yevgeniy", "Евгений"],
    ["Ziyoda", "Зиёда"],
]


@pytest.mark.parametrize("spellings", SAME_PERSON, ids=[names[0] for names in SAME_PERSON])
def test_Q1_one_person_in_three_spellings_is_found_by_one_key(spellings: list[str]) -> None:
    assert len({match_key(name) for name in spellings}) == 1
    for name in spellings:
        assert normalise("person-name", name).value == name, "the name itself stays as typed"


def test_Q1_different_people_keep_different_keys() -> None:
    names = ["Aziz", "Bobur", "Dilnoza", "Sardor", "Malika", "Nodira", "Sherzod", "Timur", "Karim", "Salim", "Jamshid"]

    assert len({match_key(name) for name in names}) == len(names)
    assert (script_of("Malika"), script_of("Малика"), script_of("Maliка"), script_of("12")) == (
        "latin", "cyrillic", "mixed", "other",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["cvv", "CVV", "cvv2", "CVC", "cvc-2", "cid", "csc", "card.cvv", "cardCvv", "card_cvv_code", "securityCode", "security-code",
     "card-verification", "financial.card-verification", "verification_code", "CardVerificationValue", "payment.cvc", "CVN2"],
)  # fmt: skip
def test_D2_a_verification_code_is_refused_by_name_everywhere(name: str) -> None:
    assert is_verification_name(name)
    for value in ({name: "123"}, [{"a": {name: "123"}}]):
        with pytest.raises(BadInput) as caught:
            refuse_verification_names(value)
        assert caught.value.code == "value-card-verification"
    with pytest.raises(BadInput) as caught:
        normalise("address", {"street": "x", name: "123"})
    assert caught.value.code == "value-card-verification"


@pytest.mark.parametrize(
    "name", ["city", "incident", "acid", "lucid", "contact.mobile", "card-token", "code", "postcode", "discount"]
)
def test_D2_innocent_names_pass(name: str) -> None:
    assert not is_verification_name(name)


PINFLS = {"30101900270012": ("1990-01-01", "male"), "31504859990010": ("1985-04-15", "male"),
          "43107999990017": ("1999-07-31", "female"), "52902049990010": ("2004-02-29", "male"),
          "60512159990012": ("2015-12-05", "female")}  # fmt: skip


@pytest.mark.parametrize(("digits", "told"), PINFLS.items())
def test_K2_an_identity_number_tells_the_age_without_being_asked(digits: str, told: tuple[str, str]) -> None:
    found = read_pinfl(digits)

    assert (found.born.isoformat(), found.sex) == told


@given(st.integers(0, 12), st.integers(1, 9))
def test_K2_one_wrong_digit_in_an_identity_number_is_noticed(place: int, shift: int) -> None:
    digits = list("30101900270012")
    digits[place] = str((int(digits[place]) + shift) % 10)
    with pytest.raises(BadInput):
        read_pinfl("".join(digits))


def test_D2_the_brand_is_told_by_the_prefix() -> None:
    assert [brand_of(n) for n in ("8600495473316478", "9860" + "0" * 12, "4111111111111111", "5500000000000004", "1" * 16)] == [
        "uzcard", "humo", "visa", "mastercard", "other",
    ]  # fmt: skip
    assert luhn("4111111111111111")
    assert not luhn("4111111111111112")


def test_D1_declared_answers_are_the_only_ones() -> None:
    assert normalise("choice", "spicy", choices=("mild", "spicy")).value == "spicy"
    with pytest.raises(BadInput) as caught:
        normalise("choice", "hot", choices=("mild", "spicy"))
    assert caught.value.about["expected"] == "mild, spicy"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mening kartam 8600 4954 7331 6478, rahmat", "value-card-number"),
        ("8600-4954-7331-6479", "value-card-number"),
        ("4111111111111111", "value-card-number"),
        ("karta 9860 0000 0000 0001 cvv: 123", "value-card-verification"),
        ("CVC2 - 0123", "value-card-verification"),
        ("cvv987", "value-card-verification"),
        ("c.v.v. 987", "value-card-verification"),
        ("c v v 9 8 7", "value-card-verification"),
        ("ｃｖｖ 987", "value-card-verification"),
        ("сvv 987", "value-card-verification"),  # the first letter is Cyrillic
        ("security code 987", "value-card-verification"),
        ("код на обороте 987", "value-card-verification"),
        ("Код безопасности карты: 987", "value-card-verification"),
        ("karta orqasidagi kod 987", "value-card-verification"),
        ("xavfsizlik kodi 9876", "value-card-verification"),
    ],
)
def test_D2_a_card_typed_into_free_text_is_refused_before_anything_looks_at_it(text: str, code: str) -> None:
    for kind, value in (("note", text), ("text", text), ("address", {"landmark": text}), ("interests", [text])):
        with pytest.raises(BadInput) as caught:
            normalise(kind, value)
        assert caught.value.code == code
        assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "90 123 45 67 ga qoʻngʻiroq qiling",
        "30101900270012",
        "4111111111111112",
        "buyurtma 20261201120000",
        "cvv haqida savol",
        "domofon kodi 1234, 5-qavat",
        "Код домофона 1234К, этаж 5",
        "kvartira 112, eshik kodi 4455",
    ],
)
def test_D2_innocent_numbers_in_text_pass(text: str) -> None:
    assert normalise("note", text).value == text


@pytest.mark.parametrize(
    "reference", ["8600123412341234", "8600-1234-1234-1234", "cvv-987", "CVV.987", "998901234567", "сvv987"]
)
def test_D2_a_reference_that_tells_of_a_card_or_a_phone_is_no_reference(reference: str) -> None:
    with pytest.raises(BadInput) as caught:
        refuse_in_reference(reference)
    assert reference not in str(caught.value)


@pytest.mark.parametrize("reference", ["41877", "2611-00263-5", "prove-a1b2-3", "z20261201120000", "INV.2026_17"])
def test_D2_an_ordinary_reference_passes(reference: str) -> None:
    refuse_in_reference(reference)


def test_K2_birth_dates_and_identity_numbers_are_age_signals_and_nothing_else_is() -> None:
    assert str(age_signal("birth-date", "2015-12-05")) == "2015-12-05"
    assert str(age_signal("pinfl", "60512159990012")) == "2015-12-05"
    assert age_signal("date", "2015-12-05") is None
    assert (age_signal("age-band", "under-14"), age_signal("age-band", "25-34"), age_signal("age-band", "65+")) == (
        0,
        25,
        65,
    )


@given(st.from_regex(r"\+998([0-9]{9}|(20|33|55|61|71|78|88|9[0-9])[0-9]{7})", fullmatch=True))
def test_D1_the_short_way_for_uzbek_phones_says_what_the_whole_directory_says(typed: str) -> None:
    known = phonenumbers.is_valid_number(phonenumbers.parse(typed))
    if known:
        assert normalise("phone", typed, country="uz") == Normalised(typed, typed)
    else:
        with pytest.raises(BadInput):
            normalise("phone", typed, country="uz")
