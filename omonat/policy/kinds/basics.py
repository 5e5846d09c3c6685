"""What every kind is made of: strict types, bounded lengths, clean characters, errors without values."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from omonat.base.errors import BadInput

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Normalised:
    """A value in its one spelling, and the key equal values share; None where a kind is not looked up by."""

    value: Json
    lookup: str | None = None


class Kindly(Protocol):
    """A kind's validator."""

    def __call__(self, value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:
        """Normalise or raise BadInput without the value."""


def text(kind: str, value: Any, *, most: int, lines: bool = False) -> str:
    """A trimmed string in NFC. Raises BadInput when it is no string, empty, too long, or has control characters."""
    if type(value) is not str:
        raise BadInput("value-type", kind=kind, expected="a string")
    if len(value) > LONGEST:
        raise BadInput("value-too-long", kind=kind, most=str(most))
    clean = unicodedata.normalize("NFC", value).strip()
    if not clean:
        raise BadInput("value-empty", kind=kind)
    if len(clean) > most:
        raise BadInput("value-too-long", kind=kind, most=str(most))
    if not clean.isprintable() and any(is_control(sign) and not (lines and sign in "\n\t") for sign in clean):
        raise BadInput("value-control-character", kind=kind)
    return clean


def is_control(sign: str) -> bool:
    """Whether a character steers instead of being read: controls, lone surrogates, bidirectional overrides."""
    return unicodedata.category(sign) in {"Cc", "Cs", "Co", "Zl", "Zp"} or sign in (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def whole(kind: str, value: Any, *, least: int, most: int) -> int:
    """An integer, not a boolean, not a string of digits, not a float. Raises BadInput."""
    if type(value) is not int:
        raise BadInput("value-type", kind=kind, expected="a whole number")
    if not least <= value <= most:
        raise BadInput("value-out-of-range", kind=kind, expected=f"{least} … {most}")
    return value


def malformed(kind: str, expected: str) -> BadInput:
    """The error for a value of the right type and the wrong form."""
    return BadInput("value-malformed", kind=kind, expected=expected)


def matching(kind: str, value: Any, pattern: re.Pattern[str], expected: str, *, most: int = 200) -> str:
    """A string that fully matches `pattern`. Raises BadInput."""
    clean = text(kind, value, most=most)
    if not pattern.fullmatch(clean):
        raise malformed(kind, expected)
    return clean


def record(kind: str, value: Any, known: Mapping[str, str], required: Sequence[str]) -> dict[str, Any]:
    """An object with known keys; `known` maps each key to its description. Raises BadInput."""
    if type(value) is not dict:
        raise BadInput("value-type", kind=kind, expected=f"an object with these keys; {', '.join(known)}")
    if not set(value) <= set(known) or not set(required) <= set(value):
        raise malformed(kind, "; ".join(f"{name}: {about}" for name, about in known.items()))
    return dict(value)


def luhn(digits: str) -> bool:
    """Whether the last digit of a string of digits is its Luhn check digit (ISO/IEC 7812-1)."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0
