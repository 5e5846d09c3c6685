"""Dates, distances, money, phones, lists and digests as each language writes them."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, from_rfc3339
from omonat.pages import formats
from omonat.pages.words import words_of

UZ, RU, EN = (words_of(language) for language in ("uz", "ru", "en"))
NOW = from_rfc3339("2026-11-22T14:05:00+05:00")
SPACE = "\u00a0"


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def test_a_date_is_written_as_each_language_writes_it() -> None:
    assert plain(formats.day(UZ, NOW)) == "2026-yil 22-noyabr"
    assert plain(formats.day(RU, NOW)) == "22 ноября 2026 г."
    assert plain(formats.day(EN, NOW)) == "22 November 2026"
    assert plain(formats.day(EN, date(2027, 3, 3))) == "3 March 2027"
    assert formats.clock(NOW) == "14:05"


def test_the_day_is_the_readers_day_not_greenwichs() -> None:
    late = from_rfc3339("2026-11-22T20:30:00+00:00")
    assert plain(formats.day(EN, late)) == "23 November 2026"
    assert plain(formats.day(EN, late, ZoneInfo("UTC"))) == "22 November 2026"


@pytest.mark.parametrize(
    ("apart", "uz", "ru", "en"),
    [
        (0, "hozir", "сейчас", "now"),
        (-12 * SECOND, "12 soniya oldin", "12 с назад", "12 s ago"),
        (MINUTE, "1 daqiqadan keyin", "через 1 минуту", "in 1 minute"),
        (-3 * MINUTE, "3 daqiqa oldin", "3 минуты назад", "3 minutes ago"),
        (-5 * HOUR, "5 soat oldin", "5 часов назад", "5 hours ago"),
        (21 * HOUR, "21 soatdan keyin", "через 21 час", "in 21 hours"),
        (DAY, "ertaga", "завтра", "tomorrow"),
        (-DAY, "kecha", "вчера", "yesterday"),
        (102 * DAY, "102 kundan keyin", "через 102 дня", "in 102 days"),
        (101 * DAY, "101 kundan keyin", "через 101 день", "in 101 days"),
        (-111 * DAY, "111 kun oldin", "111 дней назад", "111 days ago"),
        (365 * DAY, "12 oydan keyin", "через 12 месяцев", "in 12 months"),
        (-5 * 366 * DAY, "5 yil oldin", "5 лет назад", "5 years ago"),
    ],
)
def test_a_distance_counts_in_the_readers_plurals(apart: int, uz: str, ru: str, en: str) -> None:
    when = Instant(NOW + apart)
    assert (formats.distance(UZ, when, NOW), formats.distance(RU, when, NOW), formats.distance(EN, when, NOW)) == (
        uz,
        ru,
        en,
    )


def test_a_date_says_how_far_away_it_is() -> None:
    assert plain(formats.day_and_distance(EN, Instant(NOW + 101 * DAY), NOW)) == "3 March 2027, in 101 days"


@given(st.integers(min_value=0, max_value=3 * 10**15), st.integers(min_value=0, max_value=3 * 10**15))
def test_any_two_instants_have_a_distance_in_every_language(when: int, now: int) -> None:
    for words in (UZ, RU, EN):
        assert formats.distance(words, Instant(when), Instant(now)).strip()


def test_money_is_integer_tiyin_shown_as_som() -> None:
    assert plain(formats.money(UZ, 12_500_000)) == "125 000 soʻm"
    assert plain(formats.money(RU, 12_500_050)) == "125 000,50 сум"
    assert plain(formats.money(EN, 12_500_005)) == "125,000.05 soʻm"
    assert plain(formats.money(UZ, -199)) == "\u22121,99 soʻm"
    assert plain(formats.money(UZ, 0)) == "0 soʻm"


def test_a_phone_number_is_grouped_as_its_country_groups_it() -> None:
    assert formats.phone("+998901235678") == "+998 90 123 56 78"
    assert formats.phone("901235678") == "+998 90 123 56 78"
    assert formats.phone("no number") == "no number"


def test_lists_are_joined_with_the_languages_own_and() -> None:
    assert formats.several(UZ, ["ism", "telefon", "manzil"]) == "ism, telefon va manzil"
    assert formats.several(RU, ["имя", "телефон"]) == "имя и телефон"
    assert formats.several(EN, ["name"]) == "name"
    assert formats.several(EN, []) == ""


def test_a_short_digest_is_grouped_for_the_eye() -> None:
    assert formats.short_digest(bytes.fromhex("9f2c01ab77e0ffff")) == "9f2c 01ab 77e0"
