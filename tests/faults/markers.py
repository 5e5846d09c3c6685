"""A value of every kind that occurs nowhere else in the world, and what to look for on the disk."""

from collections.abc import Mapping
from typing import Any, Final

from omonat.policy.model import Item, Kind

SMALL: Final[Mapping[Kind, Any]] = {
    Kind.DATE: "2026-02-03",
    Kind.BIRTH_DATE: "1990-02-28",
    Kind.AGE_BAND: "25-34",
    Kind.GENDER: "female",
    Kind.MARITAL_STATUS: "married",
    Kind.BOOLEAN: True,
    Kind.CARD_BRAND: "humo",
    Kind.CARD_LAST_FOUR: "0042",
    Kind.CARD_EXPIRY: "2028-05",
}
"""Kinds with so few values that one is met by chance: there is nothing to look for."""


def marked(item: Item, mark: str, number: int) -> tuple[Any, str]:
    """A value for an item, and the text that gives it away; empty for a kind too small to have one.

    `mark` is made of letters, `number` below 10,000 and different for every item.
    """
    if item.kind in SMALL:
        return SMALL[item.kind], ""
    name, phone, money = f"{mark.title()}ova", 97_7_000_000 + number, 73_129_180_000 + number
    found: Mapping[Kind, tuple[Any, str]] = {
        Kind.PERSON_NAME: (f"Zarifa {name}", name),
        Kind.PHONE: (f"+998{phone}", str(phone)),
        Kind.EMAIL: (f"{mark}@mail.example", mark),
        Kind.MONEY: (money, str(money)),
        Kind.INTEGER: (money, str(money)),
        Kind.CHOICE: (next(iter(item.choices), mark), "" if item.choices else mark),
        Kind.INTERESTS: ([next(iter(item.choices), mark)], "" if item.choices else mark),
        Kind.GEO_POINT: ({"lat": f"41.{310_000 + number}", "lon": f"69.{240_000 + number}"}, f"41.{310_000 + number}"),
        Kind.ORDER_LINES: ([{"item": mark, "count": 1, "price": 4_500_000}], mark),
        Kind.IP_ADDRESS: (f"2001:db8:7777:{number:x}::77", f"2001:db8:7777:{number:x}::77"),
        Kind.URL: (f"https://beshqozon.uz/{mark}", mark),
        Kind.COOKIE: (f"session={mark}", mark),
        Kind.CARD_TOKEN: (f"tok_{mark}", mark),
        Kind.CARD_NUMBER: ("8600312455667781", "8600312455667781"),
        Kind.TAX_NUMBER: (str(307_000_000 + number), str(307_000_000 + number)),
    }
    return found.get(item.kind, (mark, mark))
