"""Values for people made for a probe: shaped like real ones, and nobody's.

Mail goes to a domain nobody can own (RFC 6761), numbers begin with 0 behind the operator's code, where nobody
has one.
"""

from collections.abc import Mapping
from datetime import date
from itertools import cycle
from secrets import choice, randbelow
from string import ascii_lowercase
from typing import Any

from omonat.policy.model import Item
from omonat.policy.words import Kind

_SAID: Mapping[Kind, Any] = {
    Kind.PERSON_NAME: "Namuna Sinovchi",
    Kind.ADDRESS: "Toshkent, Namuna koʻchasi, 1-uy",
    Kind.TEXT: "namuna",
    Kind.NOTE: "namuna uchun yozilgan",
    Kind.AGE_BAND: "25-34",
    Kind.GENDER: "undisclosed",
    Kind.MARITAL_STATUS: "undisclosed",
    Kind.ORDER_LINES: [{"item": "namuna", "count": 1}],
    Kind.MONEY: 100,
    Kind.INTEGER: 1,
    Kind.IP_ADDRESS: "192.0.2.7",
    Kind.USER_AGENT: "omonat-prove/1",
    Kind.LOG_LINE: "GET /namuna 200",
    Kind.COOKIE: "namuna=1",
    Kind.CARD_BRAND: "humo",
    Kind.CARD_LAST_FOUR: "0000",
    Kind.GEO_POINT: {"lat": "41.0", "lon": "69.0"},
}
_NAMED = frozenset(
    {Kind.USERNAME, Kind.IDENTIFIER, Kind.CONSENT_REF, Kind.IMAGE_REF, Kind.AUDIO_REF, Kind.VIDEO_REF, Kind.DEVICE_ID}
)
_MANY = 10_000  # numbers that nobody has
_first = randbelow(_MANY)
_numbers = cycle((_first + n) % _MANY for n in range(_MANY))
"""One after the other: two people of one proof under one number would look like one who was found again."""


def invent(item: Item, *, today: date) -> Any:
    """A value for an item, or None for a kind nothing is invented for."""
    if item.choices:
        return next(iter(item.choices))
    if item.kind is Kind.PHONE:
        return f"+99890000{next(_numbers):04}"
    if item.kind is Kind.EMAIL:
        return f"prove-{_letters(12)}@prove.test"
    if item.kind is Kind.INTERESTS:
        return ["namuna"]
    if item.kind is Kind.BIRTH_DATE:
        return f"{today.year - 30}-01-15"
    if item.kind is Kind.CARD_TOKEN:
        return f"tok_{_letters(20)}"
    if item.kind in _NAMED:
        return f"prove-{_letters(8)}"
    return _SAID.get(item.kind)


def _letters(many: int) -> str:
    """No digits: by chance thirteen of them in a row would be taken for a card's number, and refused."""
    return "".join(choice(ascii_lowercase) for _ in range(many))
