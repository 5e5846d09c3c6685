"""What is never taken, whatever it is called: verification codes by name, card numbers and codes in free text (D2).

A card number belongs into the payment provider's form. Typed into a comment it would be stored in the clear beside
names and phones, so the text is refused before anything else looks at it. Prefix and length count, not only Luhn: a
mistyped card number is still most of one (PCI DSS 4.0.1, 3.3.1; 3.5.1).
"""

import re
from collections.abc import Iterator
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.kinds.basics import luhn
from omonat.policy.kinds.cards import brand_of, is_verification_name
from omonat.policy.words import Kind

FREE_TEXT = frozenset({Kind.TEXT, Kind.NOTE, Kind.ADDRESS, Kind.INTERESTS, Kind.ORDER_LINES, Kind.USERNAME})
"""Kinds into which people may type anything."""

_DIGITS = re.compile(r"(?<![\d+])\d(?:[ \-]?\d){12,18}(?!\d)", re.ASCII)
_CODE = re.compile(r"\b(?:cvv|cvc|cvn|csc|ccv|cav)2?\b\D{0,6}\d{3,4}\b", re.ASCII | re.IGNORECASE)
_LOCAL_BRANDS = frozenset({"uzcard", "humo"})


def refuse_verification_names(value: Any) -> None:
    """Refuse a card verification code by the name it is given under, at any depth, in any spelling.

    Raises BadInput `value-card-verification`.
    """
    for name in _names(value):
        if is_verification_name(name):
            raise BadInput("value-card-verification")


def refuse_cards_in_text(kind: str, value: Any) -> None:
    """Refuse text that holds a card number or a verification code.

    Raises BadInput `value-card-number` or `value-card-verification`.
    """
    for text in _texts(value):
        if _CODE.search(text):
            raise BadInput("value-card-verification")
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
