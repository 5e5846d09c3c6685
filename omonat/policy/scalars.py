"""Single values: one string parsed once into the type its shape names, or refused."""

import re
import unicodedata
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omonat.base.instants import from_rfc3339
from omonat.policy import shapes
from omonat.policy.durations import parse_duration
from omonat.policy.patterns import PATTERNS
from omonat.policy.shapes import Shape

_LONGEST_NAME = 64
_EXAMPLES: dict[type[Shape], str] = {
    shapes.Period: "an ISO 8601 duration such as P6M",
    shapes.Day: "a day such as 2026-12-01",
    shapes.Moment: "a time with offset such as 2026-12-01T00:00:00+05:00",
    shapes.Zone: "a zone such as Asia/Tashkent",
}


def expected(shape: Shape) -> str:
    """What a value of this shape looks like, for a person."""
    match shape:
        case shapes.Choice(of):
            return " | ".join(of)
        case shapes.Whole(least, most):
            return f"a whole number from {least} to {most}"
        case shapes.Name("promise"):
            return "a promise id such as U1"
        case shapes.Name("source"):
            return "a pack's law, such as uz/tax"
        case shapes.Name():
            return "a kebab-case id such as deliver-order"
        case shapes.Flag():
            return "true | false"
        case shapes.Text(most):
            return f"one to {most} characters, none of them a control character"
    return _EXAMPLES.get(type(shape), "a word")


def scalar(shape: Shape, text: str) -> Any:
    """One string parsed into its type. Raises ValueError."""
    match shape:
        case shapes.Text(most):
            return _text(text, most)
        case shapes.Name(pattern):
            return _if(bool(PATTERNS[pattern].fullmatch(text)) and len(text) <= _LONGEST_NAME, text)
        case shapes.Choice(of):
            if text not in set(of):
                raise ValueError({"known": ", ".join(of)})
            return of(text)
        case shapes.Flag():
            return _if(text in {"true", "false"}, text == "true")
        case shapes.Whole(least, most):
            _if(bool(re.fullmatch(r"0|[1-9][0-9]{0,8}", text)), text)
            return _if(least <= int(text) <= most, int(text))
        case shapes.Period():
            return parse_duration(text)
        case shapes.Day():
            _if(bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)), text)
            return date.fromisoformat(text)
        case shapes.Moment():
            _if(bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}T\S+", text, re.ASCII)), text)
            return from_rfc3339(text)
        case shapes.Zone():
            return _zone(text)
    raise ValueError("a structure is no word")


def _if(holds: bool, value: Any) -> Any:
    if not holds:
        raise ValueError("malformed")
    return value


def _text(text: str, most: int) -> str:
    trimmed = text.strip()
    if not trimmed or len(trimmed) > most:
        raise ValueError("length")
    if any(unicodedata.category(sign) == "Cc" and sign != "\n" for sign in trimmed):
        raise ValueError("control character")
    return trimmed


@cache
def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError("zone") from None
