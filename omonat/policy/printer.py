"""Print a policy: the document as plain values, as canonical YAML, and its digest.

`read_policy(print_policy(policy)).policy == policy` for every policy. The digest covers the meaning and the order
people read things in, not the spacing or the comments of the file.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from omonat.base.canonical import digest
from omonat.base.instants import Instant, to_rfc3339
from omonat.policy import shapes
from omonat.policy.shapes import Shape, keys_of


def digest_of(document: object) -> str:
    """SHA-256, in hex, of the canonical JSON of a policy or a pack; tables as lists, because their order is read."""
    return digest(plain(document, tables_as_lists=True))


def plain(structure: object, *, tables_as_lists: bool = False) -> dict[str, Any]:
    """A structure as dicts, lists and strings under the document's own keys; what equals its default is left out."""
    found: dict[str, Any] = {}
    for k in keys_of(type(structure)):
        value = getattr(structure, k.field)
        if k.required or value != k.default:
            found[k.word] = _plain(k.shape, value, tables_as_lists)
    return found


def _plain(shape: Shape, value: Any, lists: bool) -> Any:
    match shape:
        case shapes.Struct():
            return plain(value, tables_as_lists=lists)
        case shapes.Table():
            rows = {_last(name) if shape.joined else name: plain(v, tables_as_lists=lists) for name, v in value.items()}
            return [{"key": name, **row} for name, row in rows.items()] if lists else rows
        case shapes.Many(of):
            return [_plain(of, member, lists) for member in value]
        case shapes.RoleParts():
            return _parts(value, lists)
        case shapes.Flag():
            return "true" if value else "false"
        case shapes.Moment():
            return _moment(Instant(value))
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else str(value)


def _parts(parts: Mapping[str, tuple[str, ...] | None], lists: bool) -> Any:
    if all(items is None for items in parts.values()):
        return list(parts)
    rows = {role: "all" if items is None else list(items) for role, items in parts.items()}
    return [{"key": role, "items": items} for role, items in rows.items()] if lists else rows


def _moment(instant: Instant) -> str:
    text = to_rfc3339(instant)
    return text.replace(".000000Z", "Z")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def as_json(document: object) -> str:
    """The document as one line of JSON, which `read_policy` reads as the same document, and much faster than YAML."""
    return json.dumps(plain(document), ensure_ascii=False, separators=(",", ":"))


def print_policy(document: object) -> str:
    """Canonical YAML of a policy or a pack: block style, lists of words in one line, texts quoted when needed."""
    return "\n".join(_block(plain(document), 0)) + "\n"


def _block(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for word, member in value.items():
        if isinstance(member, dict) and member:
            yield f"{pad}{word}:"
            yield from _block(member, depth + 1)
        elif isinstance(member, list) and any(isinstance(m, dict) for m in member):
            yield f"{pad}{word}:"
            for row in member:
                lines = list(_block(row, depth + 2))
                yield f"{pad}  - {lines[0].lstrip()}"
                yield from lines[1:]
        else:
            yield f"{pad}{word}: {_inline(member)}"


def _inline(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_inline(member) for member in value)}]"
    return "{}" if isinstance(value, dict) else _quoted(value)


def _quoted(text: str) -> str:
    """Plain where it can't be misread by any YAML reader, else double-quoted as JSON (which YAML contains)."""
    if text and text[0].isalpha() and all(c.isalnum() or c in "-./" for c in text) and not _reserved(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _reserved(text: str) -> bool:
    return text.lower() in {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
