"""What an item looks like: one validator and normaliser for every kind, behind one call.

    normalise("phone", "8 90 123-45-67", country="uz")  →  Normalised(value="+998901234567", lookup="+998901234567")

`value` is what is sealed; `lookup` is the key under which equal things are found, or None where a kind has none.
Nothing is guessed: a number is not a string, `true` is not 1. An error names the kind and what was expected and never
holds the value (D1, D2, L3).
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.complaints import nearest
from omonat.policy.kinds.basics import Json, Kindly, Normalised
from omonat.policy.kinds.cards import CARDS, is_verification_name
from omonat.policy.kinds.contact import CONTACT
from omonat.policy.kinds.guard import FREE_TEXT, refuse_cards_in_text, refuse_verification_names
from omonat.policy.kinds.numbers import NUMBERS, read_pinfl
from omonat.policy.kinds.online import ONLINE
from omonat.policy.kinds.texts import TEXTS
from omonat.policy.words import Kind

__all__ = ["Json", "Normalised", "age_signal", "is_verification_name", "normalise", "refuse_cards_in_text"]
__all__ += ["refuse_verification_names"]

_ALL: Mapping[str, Kindly] = MappingProxyType({**TEXTS, **CONTACT, **NUMBERS, **ONLINE, **CARDS})


def normalise(kind: str, value: Any, *, country: str = "uz", choices: tuple[str, ...] = ()) -> Normalised:
    """Check and normalise one value. `choices` are the declared answers of an item of kind `choice` or `interests`.

    Raises BadInput with a `value-…` code that never holds the value; `value-kind-unknown` for a kind nobody defined.
    """
    kindly = _ALL.get(kind)
    if kindly is None:
        raise BadInput("value-kind-unknown", kind=kind, nearest=nearest(kind, list(Kind)))
    if isinstance(value, dict | list):
        refuse_verification_names(value)
    if kind in FREE_TEXT:
        refuse_cards_in_text(kind, value)
    return kindly(value, country=country.lower(), choices=choices)


def age_signal(kind: str, value: Any) -> date | int | None:
    """What a normalised value tells of an age, asked for or not: a birth date, or a band's youngest age (K1, K2)."""
    if kind == Kind.BIRTH_DATE:
        return date.fromisoformat(value)
    if kind == Kind.AGE_BAND:  # under-14, 25-34, 65+
        return 0 if value.startswith("under-") else int(value.partition("-")[0].rstrip("+"))
    return read_pinfl(value).born if kind == Kind.PINFL else None
