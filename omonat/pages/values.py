"""How a value is read by the person it belongs to: one line, or a few."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from omonat.pages import formats
from omonat.pages.words import N_, Words
from omonat.policy.model import Item
from omonat.policy.words import Kind

_INSIDE: Final[Mapping[str, str]] = {
    "entrance": N_("entrance %(it)s"),
    "floor": N_("floor %(it)s"),
    "flat": N_("flat %(it)s"),
}
_KNOWN: Final[Mapping[str, str]] = {
    "female": N_("woman"),
    "male": N_("man"),
    "other": N_("other"),
    "undisclosed": N_("not said"),
    "single": N_("not married"),
    "married": N_("married"),
    "divorced": N_("divorced"),
    "widowed": N_("widowed"),
}


def readable(words: Words, item: Item, value: Any) -> tuple[str, ...]:
    """The value in the reader's language, as lines. A kind without a form of its own is shown as it is held."""
    if item.choices:
        chosen = value if isinstance(value, list) else [value]
        return tuple(item.choices[one].says[words.language] if one in item.choices else str(one) for one in chosen)
    form = _FORMS.get(item.kind)
    return form(words, value) if form is not None else _plain(words, value)


def _plain(words: Words, value: Any) -> tuple[str, ...]:
    match value:
        case bool():
            return (words("yes") if value else words("no"),)
        case int():
            return (formats.number(words, value),)
        case list():
            return tuple(line for one in value for line in _plain(words, one))
        case dict():
            return tuple(f"{name}: {', '.join(_plain(words, one))}" for name, one in value.items())
    return (str(value),)


def _phone(_words: Words, value: Any) -> tuple[str, ...]:
    return (formats.phone(str(value)),)


def _money(words: Words, value: Any) -> tuple[str, ...]:
    return (formats.money(words, value),)


def _day(words: Words, value: Any) -> tuple[str, ...]:
    return (formats.day(words, date.fromisoformat(str(value))),)


def _word(words: Words, value: Any) -> tuple[str, ...]:
    known = _KNOWN.get(str(value))
    return (words(known) if known else str(value),)


def _place(words: Words, value: Any) -> tuple[str, ...]:
    return (words("%(lat)s north, %(lon)s east", lat=value["lat"], lon=value["lon"]),)


def _address(words: Words, value: Any) -> tuple[str, ...]:
    """As it is written on an envelope: the street first, then how to find the door, then the town."""
    if not isinstance(value, dict):
        return tuple(str(value).splitlines())
    parts = {name: str(value[name]) for name in value}
    inside = [words(_INSIDE[name], it=parts.pop(name)) for name in _INSIDE if name in parts]
    street = ", ".join(parts.pop(name) for name in ("street", "house") if name in parts)
    landmark = parts.pop("landmark", "")
    town = ", ".join(parts.pop(name) for name in ("postcode", "city", "district", "region", "country") if name in parts)
    return tuple(line for line in (street, ", ".join(inside), landmark, town, *parts.values()) if line)


def _order_lines(words: Words, value: Any) -> tuple[str, ...]:
    return tuple(_order_line(words, line) for line in value)


def _order_line(words: Words, line: Mapping[str, Any]) -> str:
    said = f"{line['item']} × {line['count']}"
    if "price" not in line:
        return said
    each = words("%(price)s each", price=formats.money(words, line["price"]))
    return f"{said}, {each}"


_FORMS: Final[Mapping[Kind, Callable[[Words, Any], tuple[str, ...]]]] = {
    Kind.ADDRESS: _address,
    Kind.PHONE: _phone,
    Kind.MONEY: _money,
    Kind.DATE: _day,
    Kind.BIRTH_DATE: _day,
    Kind.GENDER: _word,
    Kind.MARITAL_STATUS: _word,
    Kind.GEO_POINT: _place,
    Kind.ORDER_LINES: _order_lines,
}
