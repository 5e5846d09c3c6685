"""Kinds made of words: names, texts, choices, secrets."""

import re
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.kinds.basics import LONGEST, Kindly, Normalised, malformed, matching, text
from omonat.policy.kinds.names import APOSTROPHES, match_key
from omonat.policy.words import Kind

_USERNAME = re.compile(r"[\w.\-]{2,40}")
_BAND = re.compile(r"(\d{1,3})-(\d{1,3})|(\d{1,3})\+|under-(\d{1,3})", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:/\-]*[A-Za-z0-9])?")
_GENDERS = ("female", "male", "other", "undisclosed")
_MARITAL = ("single", "married", "divorced", "widowed", "undisclosed")
_MOST_INTERESTS = 50


def _person_name(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    name = text(Kind.PERSON_NAME, value, most=200)
    if not any(sign.isalpha() for sign in name) or any(not _of_a_name(sign) for sign in name):
        raise malformed(Kind.PERSON_NAME, "letters, spaces, hyphens, apostrophes and full stops, no digits")
    return Normalised(name, match_key(name) or name.casefold())


def _of_a_name(sign: str) -> bool:
    return sign.isalpha() or sign in APOSTROPHES or sign in " -–.,()·\u00a0\u0301"


def _username(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    expected = "2 to 40 letters, digits, dots, hyphens or underscores"
    name = matching(Kind.USERNAME, value, _USERNAME, expected, most=40)
    return Normalised(name, name.casefold())


def _lines(kind: Kind, most: int) -> Kindly:
    def read(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
        return Normalised(text(kind, value, most=most, lines=True))

    return read


def _one_of(kind: Kind, known: tuple[str, ...]) -> Kindly:
    def read(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
        answer = text(kind, value, most=100)
        offered = choices or known
        if offered and answer not in offered:
            raise BadInput("value-unknown-choice", kind=kind, expected=", ".join(offered))
        if not offered and not _SLUG.fullmatch(answer):
            raise malformed(kind, "the id of one of the answers")
        return Normalised(answer)

    return read


def _interests(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:
    if type(value) is not list:
        raise BadInput("value-type", kind=Kind.INTERESTS, expected="a list of strings")
    if len(value) > _MOST_INTERESTS:
        raise BadInput("value-too-long", kind=Kind.INTERESTS, most=str(_MOST_INTERESTS))
    one = _one_of(Kind.INTERESTS, ()) if choices else _lines(Kind.INTERESTS, 100)
    found = [one(member, country=country, choices=choices).value for member in value]
    return Normalised(list(dict.fromkeys(found)))


def _age_band(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    band = text(Kind.AGE_BAND, value, most=20)
    found = _BAND.fullmatch(band)
    if not found or any(int(age) > 130 for age in found.groups() if age):
        raise malformed(Kind.AGE_BAND, "a band such as 25-34, 65+ or under-18")
    if found[1] and int(found[1]) >= int(found[2]):
        raise malformed(Kind.AGE_BAND, "a band whose first age is the lower one, such as 25-34")
    if choices and band not in choices:
        raise BadInput("value-unknown-choice", kind=Kind.AGE_BAND, expected=", ".join(choices))
    return Normalised(band)


def _identifier(kind: Kind) -> Kindly:
    def read(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
        expected = "letters, digits and . _ : / - between them"
        found = matching(kind, value, _IDENTIFIER, expected, most=200)
        return Normalised(found, found)

    return read


def _password(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    """Kept exactly as typed, spaces included: trimming would make two passwords one (NIST SP 800-63B, 3.1.1.2)."""
    if type(value) is not str:
        raise BadInput("value-type", kind=Kind.PASSWORD, expected="a string")
    if len(value) > 256:
        raise BadInput("value-too-long", kind=Kind.PASSWORD, most="256")
    if len(value) < 8:
        raise BadInput("value-out-of-range", kind=Kind.PASSWORD, expected="8 … 256 characters")
    text(Kind.PASSWORD, f"x{value}x", most=LONGEST)
    return Normalised(value)


def _security_answer(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    answer = text(Kind.SECURITY_ANSWER, value, most=200)
    return Normalised(" ".join(answer.casefold().split()))


TEXTS: dict[str, Kindly] = {
    Kind.PERSON_NAME: _person_name,
    Kind.USERNAME: _username,
    Kind.TEXT: _lines(Kind.TEXT, 1_000),
    Kind.NOTE: _lines(Kind.NOTE, LONGEST),
    Kind.AGE_BAND: _age_band,
    Kind.GENDER: _one_of(Kind.GENDER, _GENDERS),
    Kind.MARITAL_STATUS: _one_of(Kind.MARITAL_STATUS, _MARITAL),
    Kind.CHOICE: _one_of(Kind.CHOICE, ()),
    Kind.INTERESTS: _interests,
    Kind.IDENTIFIER: _identifier(Kind.IDENTIFIER),
    Kind.CONSENT_REF: _identifier(Kind.CONSENT_REF),
    Kind.IMAGE_REF: _identifier(Kind.IMAGE_REF),
    Kind.AUDIO_REF: _identifier(Kind.AUDIO_REF),
    Kind.VIDEO_REF: _identifier(Kind.VIDEO_REF),
    Kind.PASSWORD: _password,
    Kind.SECURITY_ANSWER: _security_answer,
}
