"""How a value is read by the person it belongs to: one line, or a few, never a key or a spelling of the machine's."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from omonat.pages import formats
from omonat.pages.words import N_, Words
from omonat.policy.model import Item
from omonat.policy.words import Kind

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
_BRANDS: Final[Mapping[str, str]] = {
    "uzcard": "Uzcard",
    "humo": "Humo",
    "visa": "Visa",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "mir": "Mir",
    "amex": "American Express",
}
_OUTSIDE: Final = ("street", "house", "entrance", "floor", "flat")
_AROUND: Final = ("district", "city", "region", "postcode", "country")
_NUMBERED: Final[Mapping[str, str]] = {
    "house": N_("house %(number)s"),
    "entrance": N_("entrance %(number)s"),
    "floor": N_("floor %(number)s"),
    "flat": N_("flat %(number)s"),
}
_BEARINGS: Final[Mapping[str, tuple[str, str]]] = {
    "lat": (N_("%(degrees)s north"), N_("%(degrees)s south")),
    "lon": (N_("%(degrees)s east"), N_("%(degrees)s west")),
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
        case dict():  # the names of its parts are the machine's, its values the person's
            return tuple(line for one in value.values() for line in _plain(words, one))
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
    where = ", ".join(_bearing(words, axis, str(value[axis])) for axis in _BEARINGS)
    if "accuracy" not in value:
        return (where,)
    return where, words("to within %(metres)s m", metres=formats.number(words, value["accuracy"]))


def _bearing(words: Words, axis: str, degrees: str) -> str:
    ahead, behind = _BEARINGS[axis]
    said = formats.decimal(words, degrees.lstrip("+-")) + "°"
    return words(behind if degrees.startswith("-") else ahead, degrees=said)


def _address(words: Words, value: Any) -> tuple[str, ...]:
    """As one writes it on an envelope: the house first, then the town, then what stands nearby."""
    if not isinstance(value, dict):
        return tuple(str(value).splitlines())
    lines = [", ".join(_part(words, part, value[part]) for part in _OUTSIDE if part in value)]
    lines.append(", ".join(str(value[part]) for part in _AROUND if part in value))
    if "landmark" in value:
        lines.append(words("landmark: %(landmark)s", landmark=value["landmark"]))
    return tuple(line for line in lines if line)


def _part(words: Words, part: str, said: Any) -> str:
    """A bare number needs the word for what it numbers; what already says it stays as the person wrote it."""
    known = _NUMBERED.get(part)
    bare = known is not None and len(str(said).split()) == 1 and str(said)[0].isdigit() and "-" not in str(said)
    return words(known, number=said) if known is not None and bare else str(said)


def _brand(words: Words, value: Any) -> tuple[str, ...]:
    return (_BRANDS[value],) if value in _BRANDS else _word(words, value)


def _month(_words: Words, value: Any) -> tuple[str, ...]:
    """As it stands on the card: 05/2028."""
    year, _, month = str(value).partition("-")
    return (f"{month}/{year}" if month else year,)


def _band(words: Words, value: Any) -> tuple[str, ...]:
    band = str(value)
    if band.startswith("under-"):
        return (words("under %(age)s", age=band.removeprefix("under-")),)
    if band.endswith("+"):
        return (words("%(age)s and over", age=band.removesuffix("+")),)
    return (band.replace("-", "\u2013"),)


def _order_lines(words: Words, value: Any) -> tuple[str, ...]:
    return tuple(_order_line(words, line) for line in value)


def _order_line(words: Words, line: Mapping[str, Any]) -> str:
    said = f"{line['item']} × {line['count']}"
    if "price" not in line:
        return said
    each = words("%(price)s each", price=formats.money(words, line["price"]))
    return f"{said}, {each}"


_FORMS: Final[Mapping[Kind, Callable[[Words, Any], tuple[str, ...]]]] = {
    Kind.PHONE: _phone,
    Kind.MONEY: _money,
    Kind.DATE: _day,
    Kind.BIRTH_DATE: _day,
    Kind.GENDER: _word,
    Kind.MARITAL_STATUS: _word,
    Kind.GEO_POINT: _place,
    Kind.ADDRESS: _address,
    Kind.CARD_BRAND: _brand,
    Kind.CARD_EXPIRY: _month,
    Kind.AGE_BAND: _band,
    Kind.ORDER_LINES: _order_lines,
}
