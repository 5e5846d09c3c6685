"""Kinds that lead to a person: phone, e-mail, address."""

import re
from functools import cache
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from omonat.policy.kinds.basics import Kindly, Normalised, malformed, record, text
from omonat.policy.words import Kind

_PHONE = re.compile(r"\+?[\d\s().\-–/\u00a0]{5,40}", re.ASCII)
_CALLING_CODE = {"uz": "998"}
_OLD_TRUNK = re.compile(r"8(\d{9})", re.ASCII)  # the Soviet trunk prefix, still typed: 8 90 123-45-67
_LINES = (
    "region",
    "district",
    "city",
    "street",
    "house",
    "entrance",
    "floor",
    "flat",
    "landmark",
    "postcode",
    "country",
)
_ADDRESS = dict.fromkeys(_LINES, "text")


def _phone(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    typed = text(Kind.PHONE, value, most=40)
    if _uzbek().fullmatch(typed):
        return Normalised(typed, typed)
    expected = "a phone number with its country code, such as +998 90 123 45 67"
    if not _PHONE.fullmatch(typed):
        raise malformed(Kind.PHONE, expected)
    digits = re.sub(r"\D", "", typed)
    plus = typed.startswith("+")
    code = _CALLING_CODE.get(country)
    if code and not plus:
        digits = _OLD_TRUNK.sub(r"\1", digits) if _OLD_TRUNK.fullmatch(digits) else digits
        if len(digits) == 12 and digits.startswith(code):
            plus = True
    try:
        number = phonenumbers.parse(f"+{digits}" if plus else digits, None if plus else country.upper())
    except phonenumbers.NumberParseException:
        raise malformed(Kind.PHONE, expected) from None
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise malformed(Kind.PHONE, expected)
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Normalised(found, found)


@cache
def _uzbek() -> re.Pattern[str]:
    """Uzbek numbers in their one spelling, as the directory of numbering plans has them: most phones come like this,
    and reading them in full takes ten times as long."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region("UZ")
    kinds = (plan.general_desc, plan.fixed_line, plan.mobile) if plan is not None else ()
    whole, *lines = (kind.national_number_pattern for kind in kinds if kind is not None)
    return re.compile(rf"\+998(?=(?:{whole})\Z)(?:{'|'.join(filter(None, lines))})", re.ASCII)


def _email(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    typed = text(Kind.EMAIL, value, most=254)
    try:  # `.test` is taken: nobody can own it, so made-up people live there
        found = validate_email(typed, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise malformed(Kind.EMAIL, "an address such as name@example.uz") from None
    return Normalised(found, found.casefold())


def _address(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    if type(value) is str:
        return Normalised(text(Kind.ADDRESS, value, most=500, lines=True))
    parts = record(Kind.ADDRESS, value, _ADDRESS, required=())
    found = {name: text(Kind.ADDRESS, parts[name], most=200) for name in _LINES if name in parts}
    if not set(found) & {"street", "landmark", "house", "district", "city"}:
        raise malformed(Kind.ADDRESS, "at least a street, a landmark, a house, a district or a city")
    return Normalised(found)


CONTACT: dict[str, Kindly] = {Kind.PHONE: _phone, Kind.EMAIL: _email, Kind.ADDRESS: _address}
