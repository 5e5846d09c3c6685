"""Shapes: one description of the document from which the reader, the printer and the JSON Schema are all derived.

A field of the model carries its shape in its metadata, so a new key is written once, in `model.py`, and can be read,
printed, refused and completed by an editor from that moment on. A shape is data; it knows nothing of YAML or JSON.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Text:
    """A non-empty string without control characters."""

    most: int = 4000


@dataclass(frozen=True, slots=True)
class Name:
    """An id that this document declares or that is open: kebab-case, or a promise id such as `X1`."""

    pattern: str = "kebab"


@dataclass(frozen=True, slots=True)
class Ref:
    """An id declared elsewhere in the document: `to` is the table it must stand in."""

    to: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a closed list."""

    of: type[StrEnum]


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`, nothing else."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number written in digits."""

    least: int = 0
    most: int = 999_999_999


@dataclass(frozen=True, slots=True)
class Period:
    """An ISO 8601 duration such as `P5Y`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An RFC 3339 date and time with its offset."""


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, `YYYY-MM-DD`."""


@dataclass(frozen=True, slots=True)
class Zone:
    """An IANA time zone."""


@dataclass(frozen=True, slots=True)
class Struct:
    """A mapping with known keys, read into the dataclass `of`."""

    of: type[Any]


@dataclass(frozen=True, slots=True)
class Many:
    """A list; empty lists are refused where `least` says so. Members must differ when they are names."""

    of: "Shape"
    least: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping from ids to structures; the id becomes the structure's `id` (`parent.id` when `joined`)."""

    of: "Shape"
    key: Name | Ref = Name()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class RoleParts:
    """The roles of a purpose: a list, or a mapping that gives a role `all` items or a list of them."""


Shape = Text | Name | Ref | Choice | Flag | Whole | Period | Moment | Day | Zone | Struct | Many | Table | RoleParts


def key(shape: Shape, **default: Any) -> Any:
    """A field of the model that is a key of the document; give `default` when it may be left out."""
    if default.get("default") is EMPTY:  # dataclasses take no unhashable default, not even a frozen one
        default = {"default_factory": _empty}
    return dataclasses.field(metadata={"shape": shape}, **default)


def _empty() -> Mapping[str, Any]:
    return EMPTY


def own_id() -> Any:
    """A field filled from the key the structure stands under."""
    return dataclasses.field(metadata={"id": True})


EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Key(Generic[V]):
    """A key of a structure as the reader sees it."""

    word: str
    field: str
    shape: Shape
    required: bool
    default: Any
    cache: ClassVar[dict[type[Any], tuple["Key[Any]", ...]]] = {}


def keys_of(model: type[Any]) -> tuple[Key[Any], ...]:
    """The keys of a structure in the order of its fields; a trailing underscore only avoids Python's own words."""
    if model not in Key.cache:
        Key.cache[model] = tuple(
            Key(
                word=f.name.rstrip("_").replace("_", "-"),
                field=f.name,
                shape=f.metadata["shape"],
                required=f.default is MISSING and f.default_factory is MISSING,
                default=EMPTY if f.default_factory is not MISSING else f.default,
            )
            for f in dataclasses.fields(model)
            if "shape" in f.metadata
        )
    return Key.cache[model]


def has_own_id(model: type[Any]) -> bool:
    """Whether the structure takes its id from the key it stands under."""
    return any("id" in f.metadata for f in dataclasses.fields(model))
