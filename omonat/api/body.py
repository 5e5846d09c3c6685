"""Reading a body: one strict decoder, because being lenient about JSON is how two programs come to disagree.

Refused, each with a code of its own and never with the refused bytes: more than 1 MiB, another content type, bytes that
are no UTF-8, duplicate keys, NaN and infinities, numbers beyond 2^53, nesting beyond 32, more than 20,000
objects and lists, strings beyond 10,000 characters, NUL and half surrogates, unknown keys (the nearest valid name is
offered), and a card's verification code under any name (D2; PCI DSS 3.3.1). A body of an ordinary request costs a few
microseconds.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

import msgspec

from omonat.base.errors import BadInput, Refused

LARGEST: Final = 1 << 20
"""Bytes of a body."""
DEEPEST: Final = 32
LONGEST: Final = 10_000
"""Characters of one string."""
_MOST_PARTS: Final = 20_000
"""Objects and lists in one body."""
_SAFE: Final = 2**53 - 1

_CARD_CODE: Final = re.compile(
    r"(card|karta|bank)*(cvv|cvc|cvn|csc|cav|cvd|cve|cid)[0-9]?(code|value|number|kod)?"
    r"|(card|karta)*security(code|value|number|digits|kod)"
    r"|(card|karta)+(security|verification|validation|verify)(code|value|number|digits|kod)?"
)
_WRONG_TYPE: Final = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`")
_MISSING: Final = re.compile(r"missing required field `([a-z-]+)`")
_PLACE: Final = re.compile(r" - at `(?:key in )?([^`]*)`$")
_STEP: Final = re.compile(r"\.([a-z-]+)|\[(\d+)\]|\[(\.\.\.)\]")

T = TypeVar("T")


def parse(raw: bytes) -> Any:
    """The JSON value of a body, checked for everything but its shape. Raises BadInput; Refused for a card's code."""
    if len(raw) > LARGEST:
        raise BadInput("body-too-large")
    brackets = raw.count(b"[") + raw.count(b"{")
    if brackets > _MOST_PARTS:
        raise BadInput("body-too-branched")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadInput("body-not-utf8") from None
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise BadInput("body-malformed", line=str(error.lineno), column=str(error.colno)) from None
    except RecursionError:
        raise BadInput("body-too-deep") from None
    if brackets > DEEPEST or len(raw) > LONGEST or "\\u" in text:
        _inspect(value)
    return value


def shaped(value: Any, shape: type[T]) -> T:
    """`value` as a `shape`. Raises BadInput naming the place, what is expected there and the nearest valid name."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise _misfit(str(error), value, shape) from None


@lru_cache(4096)
def is_card_code(name: str) -> bool:
    """Whether a name, in whatever spelling, is that of a card's verification code. The last dotted part counts."""
    last = name[-200:].rpartition(".")[2]
    plain = unicodedata.normalize("NFKC", last).casefold()
    return _CARD_CODE.fullmatch("".join(filter(str.isalnum, plain))) is not None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadInput("key-duplicate")
    for name in members:
        if is_card_code(name):
            raise Refused("card-code-refused")
    return members


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(number := int(digits)) > _SAFE:
        raise BadInput("number-too-large")
    return number


def _fraction(text: str) -> float:
    if len(text) > 40 or not math.isfinite(number := float(text)):
        raise BadInput("number-too-large")
    return number


def _constant(_name: str) -> Any:
    raise BadInput("number-not-finite")


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_fraction, parse_constant=_constant
).decode


def _inspect(value: Any) -> None:
    """Depth, and the strings: their length, and that they are text a database can hold."""
    waiting = [(value, 1)]
    while waiting:
        here, depth = waiting.pop()
        if isinstance(here, str):
            _check_text(here)
            continue
        if not isinstance(here, dict | list):
            continue
        if depth > DEEPEST:
            raise BadInput("body-too-deep")
        inside: Iterable[Any] = here
        if isinstance(here, dict):
            for name in here:
                _check_text(name)
            inside = here.values()
        waiting.extend((each, depth + 1) for each in inside if isinstance(each, str | dict | list))


def _check_text(text: str) -> None:
    if len(text) > LONGEST:
        raise BadInput("text-too-long")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadInput("text-not-text") from None
    if "\0" in text:
        raise BadInput("text-not-text")


def _misfit(message: str, value: Any, shape: Any) -> BadInput:
    """The error in our words: msgspec's may hold a name or a value that was sent."""
    place = _PLACE.search(message)
    at = place[1] if place else "$"
    if message.startswith("Object contains unknown field"):
        return _unknown_key(at, value, shape)
    if missing := _MISSING.search(message):
        return BadInput("key-missing", key=missing[1], at=at)
    if wrong := _WRONG_TYPE.search(message):
        return BadInput("type-wrong", expected=_kinds(wrong[1]), found=_kinds(wrong[2]), at=at)
    return BadInput("value-wrong", at=at)


_KINDS: Final = {
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "true/false",
    "object": "object",
    "array": "array",
    "null": "null",
}


def _kinds(names: str) -> str:
    return "/".join(dict.fromkeys(_KINDS.get(name.strip(), "value") for name in names.split("|")))


def _unknown_key(at: str, value: Any, shape: Any) -> BadInput:
    here, known = value, _keys(shape)
    for name, number, _ in _STEP.findall(at):
        here = here[name] if name else here[int(number or 0)]
        shape = _inner(shape, name)
        known = _keys(shape)
    unknown = next((key for key in here if key not in known), "")
    near = get_close_matches(unknown[:100], known, n=1, cutoff=0.4)
    if near:
        return BadInput("key-unknown", nearest=near[0], at=at)
    return BadInput("key-unknown", nearest=", ".join(known), at=at)


@cache
def _keys(shape: Any) -> tuple[str, ...]:
    return next((s.__struct_encode_fields__ for s in _structs(shape)), ())


def _structs(shape: Any) -> Iterator[Any]:
    """The structures in a type such as `Use | None` or `list[Use]`."""
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        yield shape
    for inner in get_args(shape):
        yield from _structs(inner)


def _inner(shape: Any, name: str) -> Any:
    if not name:
        return shape
    for struct in _structs(shape):
        fields = dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))
        if name in fields:
            return get_type_hints(struct)[fields[name]]
    return shape
