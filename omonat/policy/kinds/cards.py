"""Payment cards (D2; PCI DSS 4.0.1): tokens, brands, last digits; numbers by Luhn; verification codes never.

Whether a full number may be held at all is decided by the installation's declared PCI scope, not here.
"""

import re
import unicodedata
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.kinds.basics import Kindly, Normalised, luhn, malformed, matching, text
from omonat.policy.words import Kind

_VERIFICATION = frozenset(
    {
        *(
            "cvv",
            "cvv2",
            "cvc",
            "cvc2",
            "cvn",
            "cvn2",
            "cid",
            "csc",
            "cav",
            "cav2",
            "cve",
            "cvd",
            "icvv",
            "cvvc",
            "cvccode",
        ),
        *("cvvcode", "cvv2code", "cvccvv", "cvvcvc", "cardcvv", "cardcvc", "cardcode", "cardcid", "cardcsc", "cccode"),
        *("cccvv", "cccvc", "securitycode", "cardsecuritycode", "cardsecurity", "verificationcode", "cardverification"),
        *(
            "cardverificationcode",
            "cardverificationvalue",
            "cardverificationnumber",
            "verificationvalue",
            "ccv",
            "ccv2",
        ),
        *("pinblock", "track1", "track2", "trackdata", "magstripe"),
    }
)
_MARKED_WORDS = frozenset({"cvv", "cvv2", "cvc", "cvc2", "cvn", "cvn2", "csc", "ccv", "ccv2", "cav2", "icvv"})
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-=+/]{7,255}")
_EXPIRY = re.compile(r"(?:(\d{4})-(0[1-9]|1[0-2])|(0[1-9]|1[0-2])\s*/\s*(\d{2}|\d{4}))", re.ASCII)
_BRANDS = ("uzcard", "humo", "visa", "mastercard", "unionpay", "mir", "amex", "other")
_PREFIXES = (
    (
        "uzcard",
        re.compile(r"8600\d{12}|(?:62624[7-9]|62625[3567]|626263|62627[23]|62628[23]|62629[126]|626418|626425)\d{10}"),
    ),
    ("humo", re.compile(r"9860\d{12}|(?:400847|407342|418783|429434|555536)\d{10}")),
    ("uzcard", re.compile(r"(?:561468|544081)\d{10}")),
    ("amex", re.compile(r"3[47]\d{13}")),
    ("visa", re.compile(r"4\d{12}(?:\d{3})?(?:\d{3})?")),
    ("mastercard", re.compile(r"(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}")),
    ("mir", re.compile(r"220[0-4]\d{12}")),
    ("unionpay", re.compile(r"62\d{14,17}")),
)


_ALIKE = str.maketrans("авесокмнртухѕіјѵ", "abecokmhptyxsijv")


def folded(text: str) -> str:
    """Text as it looks: full-width and styled letters as plain ones, Cyrillic letters as the Latin ones they
    resemble."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_ALIKE)


def is_verification_name(name: str) -> bool:
    """Whether a key is a name of a card verification code or other sensitive authentication data, however written."""
    name = unicodedata.normalize("NFKC", name)
    seen = folded(name)
    if (
        re.sub(r"[^a-z0-9]", "", seen.rpartition(".")[2]) in _VERIFICATION
        or re.sub(r"[^a-z0-9]", "", seen) in _MARKED_WORDS
    ):
        return True
    words = re.findall(r"[a-z]+\d*", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower())
    return (
        bool(_MARKED_WORDS & set(words)) or re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower()) in _VERIFICATION
    )


def brand_of(digits: str) -> str:
    """The brand a card number's prefix tells; `other` when none does."""
    return next((brand for brand, pattern in _PREFIXES if pattern.fullmatch(digits)), "other")


def _number(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    expected = "13 to 19 digits with a valid check digit"
    typed = matching(Kind.CARD_NUMBER, value, re.compile(r"\d[\d \-]{11,22}\d", re.ASCII), expected, most=24)
    digits = re.sub(r"[ \-]", "", typed)
    if not 13 <= len(digits) <= 19 or brand_of(digits) == "other":
        raise malformed(Kind.CARD_NUMBER, expected)
    if not luhn(digits):
        raise BadInput("value-check-digit", kind=Kind.CARD_NUMBER)
    return Normalised(digits, digits)


def _token(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    """A provider's token; a card number sent in its place is refused."""
    expected = "the payment provider's token"
    found = matching(Kind.CARD_TOKEN, value, _TOKEN, expected, most=256)
    digits = re.sub(r"\D", "", found)
    if 13 <= len(digits) <= 19 and len(digits) == len(re.sub(r"[\-.]", "", found)):
        raise malformed(Kind.CARD_TOKEN, f"{expected}, not the card's number")
    return Normalised(found, found)


def _brand(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    found = text(Kind.CARD_BRAND, value, most=20).lower()
    if found not in _BRANDS:
        raise BadInput("value-unknown-choice", kind=Kind.CARD_BRAND, expected=", ".join(_BRANDS))
    return Normalised(found)


def _last_four(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(matching(Kind.CARD_LAST_FOUR, value, re.compile(r"\d{4}", re.ASCII), "4 digits", most=4))


def _expiry(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    typed = text(Kind.CARD_EXPIRY, value, most=12)
    found = _EXPIRY.fullmatch(typed)
    if not found:
        raise malformed(Kind.CARD_EXPIRY, "a month such as 2028-05 or 05/28")
    year = found[1] or (found[4] if len(found[4]) == 4 else f"20{found[4]}")
    return Normalised(f"{year}-{found[2] or found[3]}")


def _verification(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    raise BadInput("value-card-verification")


CARDS: dict[str, Kindly] = {
    Kind.CARD_NUMBER: _number,
    Kind.CARD_TOKEN: _token,
    Kind.CARD_BRAND: _brand,
    Kind.CARD_LAST_FOUR: _last_four,
    Kind.CARD_EXPIRY: _expiry,
    Kind.CARD_VERIFICATION: _verification,
}
