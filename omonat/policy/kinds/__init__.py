"""What an item looks like: one validator and normaliser for every kind, behind one call.

    normalise("phone", "8 90 123-45-67", country="uz")  →  Normalised(value="+998901234567", lookup="+998901234567")

`value` is what is sealed; `lookup` is the key under which equal things are found, or None where a kind has none.
Nothing is guessed: a number is not a string, `true` is not 1. An error names the kind and what was expected and never
holds the value (D1, D2, L3).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.complaints import nearest
from omonat.policy.kinds.basics import Json, Kindly, Normalised
from omonat.policy.kinds.cards import CARDS, is_verification_name
from omonat.policy.kinds.contact import CONTACT
from omonat.policy.kinds.numbers import NUMBERS
from omonat.policy.kinds.online import ONLINE
from omonat.policy.kinds.texts import TEXTS
from omonat.policy.words import Kind

__all__ = ["Json", "Normalised", "is_verification_name", "normalise", "refuse_verification_names"]

_ALL: Mapping[str, Kindly] = MappingProxyType({**TEXTS, **CONTACT, **NUMBERS, **ONLINE, **CARDS})


def normalise(kind: str, value: Any, *, country: str = "uz", choices: tuple[str, ...] = ()) -> Normalised:
    """Check and normalise one value. `choices` are the declared answers of an item of kind `choice` or `interests`.

    Raises BadInput with a `value-…` code that never holds the value; `value-kind-unknown` for a kind nobody defined.
    """
    kindly = _ALL.get(kind)
    if kindly is None:
        raise BadInput("value-kind-unknown", kind=kind, nearest=nearest(kind, list(Kind)) or "–")
    refuse_verification_names(value)
    return kindly(value, country=country.lower(), choices=choices)


def refuse_verification_names(value: Any) -> None:
    """Refuse a card verification code by the name it is given under, at any depth (D2; PCI DSS 4.0.1, 3.3.1).

    Raises BadInput `value-card-verification`.
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if any(isinstance(name, str) and is_verification_name(name) for name in part):
                raise BadInput("value-card-verification")
            waiting.extend(part.values())
        elif isinstance(part, list | tuple):
            waiting.extend(part)
