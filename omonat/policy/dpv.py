"""Terms of the Data Privacy Vocabulary for what a policy says: for receipts that programs of others can read (C2).

The terms are W3C DPV 2.3 by its prefixes; nothing is fetched from there.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from omonat.policy.model import Item, Purpose
from omonat.policy.words import ItemClass

PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "pd": "https://w3id.org/dpv/pd#",
        "loc": "https://w3id.org/dpv/loc#",
        "dct": "http://purl.org/dc/terms/",
    }
)
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    tomllib.loads(files("omonat.policy").joinpath("dpv.toml").read_text("utf-8"))
)
_CLASSES: Final[Mapping[ItemClass, str]] = MappingProxyType(
    {
        ItemClass.FINANCIAL: "dpv:SensitivePersonalData",
        ItemClass.SPECIAL: "dpv:SpecialCategoryPersonalData",
        ItemClass.BIOMETRIC: "dpv:SpecialCategoryPersonalData",
    }
)


def item_terms(item: Item) -> tuple[str, ...]:
    """What an item is, and its class where that is more than ordinary."""
    term = _KINDS.get(item.kind, "dpv:PersonalData")
    return (term, _CLASSES[item.class_]) if item.class_ in _CLASSES else (term,)


def purpose_term(purpose: Purpose) -> str:
    """The term the policy names for a purpose, or the one that says no more than that it is one."""
    return purpose.dpv or "dpv:Purpose"


def country_term(country: str) -> str:
    """`loc:UZ` for `uz`."""
    return f"loc:{country.upper()}"
