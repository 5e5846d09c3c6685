"""Kinds made of numbers and dates: money, identity numbers, days, places, orders."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from omonat.base.errors import BadInput
from omonat.policy.kinds.basics import Kindly, Normalised, malformed, matching, record, text, whole
from omonat.policy.words import Kind

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PINFL = re.compile(r"[1-6]\d{13}", re.ASCII)
_STIR = re.compile(r"[2-7]\d{8}", re.ASCII)
_MOST_TIIYN = 10**14  # a trillion soʻm
_SAFE = 2**53 - 1
_MOST_LINES = 500
_COORDINATE = re.compile(r"-?\d{1,3}(?:\.\d{1,7})?", re.ASCII)
_LINE = {"item": "what was ordered", "count": "how many", "price": "tiyin for one"}
_POINT = {"lat": 'latitude as a string, such as "41.311081"', "lon": "longitude as a string", "accuracy": "metres"}


def _date(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(_day(Kind.DATE, value).isoformat())


def _birth_date(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    """Whether it lies in the future is for the rule that knows what day it is."""
    born = _day(Kind.BIRTH_DATE, value)
    if born.year < 1880:
        raise BadInput("value-out-of-range", kind=Kind.BIRTH_DATE, expected="1880-01-01 …")
    return Normalised(born.isoformat())


def _day(kind: Kind, value: Any) -> date:
    found = matching(kind, value, _DAY, "a day such as 1990-01-31", most=10)
    try:
        return date.fromisoformat(found)
    except ValueError:
        raise malformed(kind, "a day of the calendar such as 1990-01-31") from None


def _money(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    """An amount. Which way it went is told by the service it was collected for: a refund is one of a return."""
    return Normalised(whole(Kind.MONEY, value, least=0, most=_MOST_TIIYN))


def _integer(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(whole(Kind.INTEGER, value, least=-_SAFE, most=_SAFE))


def _boolean(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    if type(value) is not bool:
        raise BadInput("value-type", kind=Kind.BOOLEAN, expected="true or false")
    return Normalised(value)


@dataclass(frozen=True, slots=True)
class Pinfl:
    """What an identity number tells without asking: an age signal (K2). `sex` is `male` or `female`."""

    born: date
    sex: str


def read_pinfl(value: Any) -> Pinfl:
    """Read a PINFL (JSHSHIR): 14 digits, check digit by the weights 7, 3, 1, a real birth date. Raises BadInput."""
    digits = matching(Kind.PINFL, value, _PINFL, "14 digits, the first from 1 to 6", most=14)
    total = sum(int(digit) * (7, 3, 1)[i % 3] for i, digit in enumerate(digits[:13]))
    if total % 10 != int(digits[13]):
        raise BadInput("value-check-digit", kind=Kind.PINFL)
    century = 1800 + (int(digits[0]) - 1) // 2 * 100
    try:
        born = date(century + int(digits[5:7]), int(digits[3:5]), int(digits[1:3]))
    except ValueError:
        raise malformed(Kind.PINFL, "a number whose digits 2 to 7 are a birth date") from None
    return Pinfl(born, "male" if int(digits[0]) % 2 else "female")


def _pinfl(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    read_pinfl(value)
    digits = str(value).strip()
    return Normalised(digits, digits)


def _tax_number(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    expected = "9 digits, the first from 2 to 7" if country == "uz" else "5 to 20 letters, digits or hyphens"
    pattern = _STIR if country == "uz" else re.compile(r"[A-Za-z0-9\-]{5,20}")
    found = matching(Kind.TAX_NUMBER, value, pattern, expected, most=20)
    return Normalised(found, found.upper())


def _geo_point(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    point = record(Kind.GEO_POINT, value, _POINT, required=("lat", "lon"))
    found: dict[str, str | int] = {}
    for name, most in (("lat", 90), ("lon", 180)):
        degrees = matching(Kind.GEO_POINT, point[name], _COORDINATE, _POINT["lat"], most=12)
        if abs(float(degrees)) > most:
            raise BadInput("value-out-of-range", kind=Kind.GEO_POINT, expected=f"{name}: -{most} … {most}")
        found[name] = degrees
    if "accuracy" in point:
        found["accuracy"] = whole(Kind.GEO_POINT, point["accuracy"], least=0, most=1_000_000)
    return Normalised(found)


def _order_lines(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    kind = Kind.ORDER_LINES
    if type(value) is not list:
        raise BadInput("value-type", kind=kind, expected="a list of objects with item, count and price")
    if not 1 <= len(value) <= _MOST_LINES:
        raise BadInput("value-out-of-range", kind=kind, expected=f"1 … {_MOST_LINES} lines")
    return Normalised([_line(kind, member) for member in value])


def _line(kind: Kind, value: Any) -> dict[str, str | int]:
    line = record(kind, value, _LINE, required=("item", "count"))
    found: dict[str, str | int] = {"item": text(kind, line["item"], most=200)}
    found["count"] = whole(kind, line["count"], least=1, most=100_000)
    if "price" in line:
        found["price"] = whole(kind, line["price"], least=0, most=_MOST_TIIYN)
    return found


NUMBERS: dict[str, Kindly] = {
    Kind.DATE: _date,
    Kind.BIRTH_DATE: _birth_date,
    Kind.MONEY: _money,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.PINFL: _pinfl,
    Kind.TAX_NUMBER: _tax_number,
    Kind.GEO_POINT: _geo_point,
    Kind.ORDER_LINES: _order_lines,
}
