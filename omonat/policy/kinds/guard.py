"""What is never taken, whatever it is called: verification codes by name, card numbers and codes in free text (D2).

A card number belongs into the payment provider's form. Typed into a comment it would be stored in the clear beside
names and phones, so the text is refused before anything else looks at it. Prefix and length count, not only Luhn: a
mistyped card number is still most of one (PCI DSS 4.0.1, 3.3.1; 3.5.1).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.kinds.basics import luhn
from omonat.policy.kinds.cards import brand_of, folded, is_verification_name
from omonat.policy.words import Kind

FREE_TEXT = frozenset({Kind.TEXT, Kind.NOTE, Kind.ADDRESS, Kind.INTERESTS, Kind.ORDER_LINES, Kind.USERNAME})
"""Kinds into which people may type anything."""

_DIGITS = re.compile(r"(?<![\d+])\d(?:[ \-]?\d){12,18}(?!\d)", re.ASCII)
_GAP = r"[\W_]{0,2}"
_THREE_DIGITS = r"\D{0,12}\d(?:[\W_]?\d){2,3}(?!\d)"
_CODE = re.compile(
    rf"(?<![a-z])(?:c{_GAP}v{_GAP}[vcn]|c{_GAP}s{_GAP}c|c{_GAP}c{_GAP}v|c{_GAP}a{_GAP}v)(?![a-z]){_GAP}2?{_THREE_DIGITS}"
)
"""As it looks (`folded`), with or without dots and gaps, however the digits are set."""
_CODE_IN_WORDS = re.compile(
    r"(?:(?:security|verification) (?:code|number)"
    r"|код\w* (?:безопасности|на обороте|с оборота|проверки|карты)|(?:защитн|тр[её]хзначн)\w* код\w*"
    r"|xavfsizlik kod\w*|kart\w* (?:orqa\w* (?:tomon\w* )?)?kod\w*)" + _THREE_DIGITS
)
_PHONE = re.compile(r"998\d{9}", re.ASCII)
_LOCAL_BRANDS = frozenset({"uzcard", "humo"})


def refuse_verification_names(value: Any) -> None:
    """Refuse a card verification code by the name it is given under, at any depth, in any spelling.

    Raises BadInput `value-card-verification`.
    """
    for name in _names(value):
        if is_verification_name(name):
            raise BadInput("value-card-verification")


def refuse_verification_codes(text: str) -> None:
    """Refuse text that holds a verification code behind one of its names, in the languages people here write.

    Raises BadInput `value-card-verification`.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if _CODE.search(folded(text)) or _CODE_IN_WORDS.search(plain):
        raise BadInput("value-card-verification")


def refuse_in_reference(reference: str) -> None:
    """Refuse a reference of another system that is a card number, a card's code or a phone number: references stand in
    the clear, in addresses and on screens.

    Raises BadInput `value-card-number`, `value-card-verification` or `case-malformed`.
    """
    refuse_cards_in_text("text", reference.replace(".", " ").replace("_", " "))
    if is_verification_name(re.sub(r"[\d\W_]+$", "", reference)) or _PHONE.fullmatch(re.sub(r"[\W_]", "", reference)):
        raise BadInput("case-malformed")


def refuse_cards_in_text(kind: str, value: Any) -> None:
    """Refuse text that holds a card number or a verification code.

    Raises BadInput `value-card-number` or `value-card-verification`.
    """
    for text in _texts(value):
        refuse_verification_codes(text)
        for found in _DIGITS.finditer(text):
            digits = re.sub(r"[ \-]", "", found[0])
            brand = brand_of(digits)
            if brand in _LOCAL_BRANDS or (brand != "other" and luhn(digits)):
                raise BadInput("value-card-number", kind=kind)


def _parts(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)


def _names(value: Any) -> Iterator[str]:
    return (name for part in _parts(value) if isinstance(part, dict) for name in part if isinstance(name, str))


def _texts(value: Any) -> Iterator[str]:
    return (part for part in _parts(value) if isinstance(part, str))
