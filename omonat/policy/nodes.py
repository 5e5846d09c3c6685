"""YAML text as a tree of strings with places, after refusing everything of YAML that could mean two things.

Nulls, duplicate keys, anchors, aliases, tags, merge keys, directives, several documents, keys that are not plain
strings, more than `DEEPEST` levels and files above `LARGEST` are refused. A scalar is always the string as written:
`no`, `2026-12-01` and `1.0` are not guessed into something else.
"""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLStreamError
from ruamel.yaml.reader import ReaderError

from omonat.policy.complaints import Complaints, Place

LARGEST = 4_000_000
DEEPEST = 24
_START = Place(1, 1)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # can make a page read other than it is


@dataclass(slots=True)
class Scalar:
    """A string, and whether it was quoted."""

    place: Place
    value: str
    plain: bool


@dataclass(slots=True)
class Seq:
    """A list."""

    place: Place
    members: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Map:
    """A mapping; each key once."""

    place: Place
    entries: dict[str, tuple[Place, "Node"]] = field(default_factory=dict)


Node = Scalar | Seq | Map


class _Stop(Exception):
    """The text can't be read any further."""


def parse(text: bytes, complaints: Complaints) -> Node | None:
    """The tree of one YAML document; None when it can't be read to its end (the complaints say why)."""
    try:
        if len(text) > LARGEST:
            complaints.add(Place(1, 1), "policy-too-large", most=str(LARGEST))
            return None
        decoded = _decode(text, complaints)
        if (root := from_json(decoded)) is not None:
            return root
        return _Composer(_events(decoded), complaints).document()
    except _Stop:
        return None
    except ReaderError as error:
        complaints.add(Place(1, 1), "policy-not-yaml", why=str(error.reason))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        why = " ".join(str(part) for part in (error.context, error.problem) if part)
        complaints.add(place, "policy-not-yaml", why=why)
    except (YAMLStreamError, RecursionError, ValueError) as error:
        complaints.add(Place(1, 1), "policy-not-yaml", why=type(error).__name__)
    return None


def from_json(text: str) -> Node | None:
    """The tree of a JSON object, forty times faster than as the YAML it also is; None for anything else.

    Published documents are kept in this form too, so that a process starts without scanning YAML. Places are lost.
    A text JSON can't read without doubt (a key twice, too deep) is left to the YAML reader, which says why.
    """
    if not text.startswith("{"):
        return None
    try:
        return _node_of(
            json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str), 1
        )
    except (ValueError, RecursionError):
        return None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object whose keys have not been told apart yet."""


def _node_of(value: Any, depth: int) -> Node:
    if depth > DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, _Pairs):
        found = Map(_START, {word: (_START, _node_of(member, depth + 1)) for word, member in value})
        if len(found.entries) != len(value):
            raise ValueError("a key stands twice")
        return found
    if isinstance(value, list):
        return Seq(_START, [_node_of(member, depth + 1) for member in value])
    if isinstance(value, str):
        return Scalar(_START, unicodedata.normalize("NFC", value), plain=False)
    word = {True: "true", False: "false", None: ""}[value]
    return Scalar(_START, word, plain=True)


def _decode(text: bytes, complaints: Complaints) -> str:
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        place = Place(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        complaints.add(place, "policy-not-utf8")
        raise _Stop from None
    decoded = decoded.removeprefix("\ufeff")
    for number, line in enumerate(decoded.split("\n"), 1):
        if not line.isprintable():
            for column, sign in enumerate(line.removesuffix("\r"), 1):
                if sign in _BIDI or unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp", "Co"}:
                    complaints.add(Place(number, column), "policy-control-character", sign=f"U+{ord(sign):04X}")
                    raise _Stop
    return decoded


def _events(text: str) -> Iterator[Any]:
    parser = YAML(typ="safe", pure=True)
    events: Iterator[Any] = parser.parse(text)
    return events


class _Composer:
    """Events to nodes; every refusal is noted and reading goes on where that makes sense."""

    def __init__(self, events: Iterator[Any], complaints: Complaints) -> None:
        self._events = events
        self._complaints = complaints

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            match type(event).__name__:
                case "DocumentStartEvent" if event.version or event.tags:
                    self._complain(event, "policy-yaml-directive")
                case "StreamStartEvent" | "StreamEndEvent" | "DocumentStartEvent" | "DocumentEndEvent":
                    continue
                case _ if root is not None:
                    self._complain(event, "policy-several-documents")
                    raise _Stop
                case _:
                    root = self._node(event, 1)
        if root is None:
            self._complaints.add(Place(1, 1), "policy-empty")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        kind = type(event).__name__
        if depth > DEEPEST:
            self._complain(event, "policy-too-deep", most=str(DEEPEST))
            raise _Stop
        if getattr(event, "anchor", None) is not None:
            self._complain(event, "policy-anchor")
        if kind == "AliasEvent":
            return Scalar(place, "", plain=False)
        if event.tag is not None:  # also the bare `!`
            self._complain(event, "policy-tag")
        if kind == "ScalarEvent":
            return Scalar(place, unicodedata.normalize("NFC", event.value), plain=event.style in (None, ""))
        return self._list(place, depth) if kind == "SequenceStartEvent" else self._mapping(place, depth)

    def _list(self, place: Place, depth: int) -> Seq:
        found = Seq(place)
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            found.members.append(self._node(event, depth + 1))
        return found

    def _mapping(self, place: Place, depth: int) -> Map:
        found = Map(place)
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            word = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(word, Scalar):
                self._complaints.add(word.place, "policy-key-not-a-word")
            elif word.plain and word.value == "<<":
                self._complaints.add(word.place, "policy-anchor")
            elif word.value in found.entries:
                first = found.entries[word.value][0]
                self._complaints.add(word.place, "policy-duplicate-key", key=word.value, first=str(first.line))
            else:
                found.entries[word.value] = (word.place, value)
        return found

    def _complain(self, event: Any, code: str, **about: str) -> None:
        self._complaints.add(Place(event.start_mark.line + 1, event.start_mark.column + 1), code, **about)


def is_null(node: Node) -> bool:
    """Whether the author wrote nothing, or one of YAML's words for nothing."""
    return isinstance(node, Scalar) and node.plain and node.value in _NULLS
