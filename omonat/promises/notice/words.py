"""The company's own words to everybody or to many (N2, N3): what they must be before a second person sees them. Pure.

1. A title and a text in each of the three languages, each written in it: a copy is no translation.
2. No personal data, as far as a program can tell: an e-mail that isn't the company's own, a mobile number, a passport,
   an identity number, a card. Names are for the person who approves.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import phonenumbers

from omonat.base.verdict import Allow, Deny, Reason, Verdict

LANGUAGES: Final = ("uz", "ru", "en")
LONGEST_TITLE: Final = 120
"""So that a text message holds it."""
LONGEST_TEXT: Final = 6_000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_EMAIL: Final = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
_PASSPORT: Final = re.compile(r"(?<![A-Za-z])[A-Z]{2}\s?\d{7}(?!\d)")
_DIGITS: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_IDENTITY: Final = 14
"""Digits of a personal identification number (PINFL), the first from 1 to 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A title on one line, and a text of paragraphs."""

    title: str
    text: str


Said = Mapping[str, Words]
"""By language."""


def check_words(said: Said, *, promise: str, mailbox: str, phone: str | None = None) -> Verdict:
    """Whether this may go to a second person. `mailbox` and `phone` are the company's own, as its policy names them."""
    missing = [language for language in LANGUAGES if language not in said or not _is_written(said, language)]
    if missing:
        return Deny((Reason("words-language-missing", promise, {"languages": ", ".join(missing)}),))
    for language in said:
        if language not in LANGUAGES:
            return Deny((Reason("words-language-unknown", promise, {"language": language[:10]}),))
    for language in LANGUAGES:
        words = said[language]
        if _is_misshapen(words):
            return Deny((Reason("words-misshapen", promise, {"language": language}),))
        found = next(personal(f"{words.title}\n{words.text}", mailbox=mailbox, phone=phone), None)
        if found is not None:
            return Deny((Reason("words-personal", promise, {"language": language, "kind": found}),))
    return Allow()


def _is_written(said: Said, language: str) -> bool:
    """Whether there is something in this language, and it isn't another one's text once more."""
    words = said[language]
    letters = _CYRILLIC if language == "ru" else _LATIN
    if not all(part.strip() and letters.search(part) for part in (words.title, words.text)):
        return False
    others = LANGUAGES[: LANGUAGES.index(language)]
    return all(words.text.split() != said[other].text.split() for other in others if other in said)


def _is_misshapen(words: Words) -> bool:
    too_long = len(words.title) > LONGEST_TITLE or len(words.text) > LONGEST_TEXT
    return too_long or "\n" in words.title or _CONTROL.search(words.title + words.text) is not None


def personal(text: str, *, mailbox: str, phone: str | None = None) -> Iterator[str]:
    """What in a text looks like somebody's data, by kind, never by value."""
    own = mailbox.rpartition("@")[2].casefold()
    if any(found[1].casefold() != own for found in _EMAIL.finditer(text)):
        yield "an e-mail address"
    if any(_is_mobile(match.number, phone) for match in phonenumbers.PhoneNumberMatcher(text, "UZ")):
        yield "a mobile number"
    if _PASSPORT.search(text):
        yield "a passport number"
    for found in _DIGITS.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if len(digits) == _IDENTITY and digits[0] in "123456":
            yield "an identity number"
        elif _passes_luhn(digits):
            yield "a card number"


def _is_mobile(number: phonenumbers.PhoneNumber, own: str | None) -> bool:
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        return False
    return own is None or phonenumbers.is_number_match(number, own) < phonenumbers.MatchType.NSN_MATCH


def _passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
