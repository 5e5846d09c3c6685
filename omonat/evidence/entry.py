"""An entry: one act, as canonical bytes that are hashed once and kept for ever.

A leaf must survive the person it speaks about (design: Proof outlives the person), so it holds no personal data:
names of purposes, items and roles, digests, salted commitments, keyed pseudonyms. Whom it concerns is said in
`subjects`, which go to the ledger and never into the bytes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from omonat.base.canonical import canonical, canonical_unchecked
from omonat.base.errors import BadInput, Fault
from omonat.base.ids import is_id
from omonat.base.instants import Instant

VERSION: Final = 1
LONGEST: Final = 65_535
"""Bytes of an encoded entry; the length prefix of a C2SP entry bundle is a uint16."""

_ACT: Final = re.compile(r"[a-z][a-z0-9-]*(?::[a-z][a-z0-9-]*){1,2}")
_MEMBERS: Final = frozenset({"act", "at", "facts", "id", "v"})


class Entry(Struct, frozen=True, gc=False):
    """One act.

    `id` is a fresh `new_id("ev")`; `at` is when it was decided; `act` is a tag `source:subject:action`
    (`use:person:authorised`) or `source:event` (`clock:regress`). `facts` takes strings, integers within ±2^53,
    booleans, null, lists and dicts with ASCII keys, and no personal data. `subjects` are person ids for the ledger.
    """

    id: str
    at: Instant
    act: str
    facts: Mapping[str, Any]
    subjects: tuple[str, ...] = ()


def encode(entry: Entry) -> bytes:
    """The bytes that are hashed. Raises Fault `evidence-entry-malformed`: entries are made by our own code."""
    if not _is_act(entry.act):
        raise Fault("evidence-entry-malformed", why="act")
    facts = entry.facts if type(entry.facts) is dict else dict(entry.facts)
    try:
        _check(facts)
        encoded = canonical_unchecked({"act": entry.act, "at": entry.at, "facts": facts, "id": entry.id, "v": VERSION})
    except (ValueError, TypeError, AttributeError) as error:
        raise Fault("evidence-entry-malformed", why="facts") from error
    if len(encoded) > LONGEST:
        raise Fault("evidence-entry-malformed", why="length")
    return encoded


@lru_cache(1024)  # acts are few: our own code names them
def _is_act(act: str) -> bool:
    return _ACT.fullmatch(act) is not None


def _check(value: Any) -> None:
    """As `canonical` checks, the common kinds first: this runs on every use. Raises ValueError."""
    kind = type(value)
    if kind is dict:
        for name, member in value.items():
            if type(name) is not str or not name.isascii():
                raise ValueError("canonical JSON needs ASCII keys")
            if type(member) is not str:
                _check(member)
    elif kind is list or kind is tuple:
        for member in value:
            if type(member) is not str:
                _check(member)
    elif kind is not str and kind is not bool and value is not None:
        canonical(value)


def decode(encoded: bytes) -> Entry:
    """The entry of these bytes, without subjects. Accepts only what `encode` writes: one spelling.

    Raises BadInput `evidence-entry-malformed`.
    """
    try:
        value = msgspec.json.decode(encoded)
        same = isinstance(value, dict) and canonical(value) == encoded
    except (ValueError, RecursionError) as error:
        raise BadInput("evidence-entry-malformed", why="json") from error
    if not same or set(value) != _MEMBERS or value["v"] != VERSION or type(value["v"]) is not int:
        raise BadInput("evidence-entry-malformed", why="members")
    if not isinstance(value["id"], str) or not is_id("ev", value["id"]) or type(value["at"]) is not int:
        raise BadInput("evidence-entry-malformed", why="members")
    if not isinstance(value["act"], str) or _ACT.fullmatch(value["act"]) is None or type(value["facts"]) is not dict:
        raise BadInput("evidence-entry-malformed", why="members")
    return Entry(value["id"], Instant(value["at"]), value["act"], value["facts"])


def leaf_hash(encoded: bytes) -> bytes:
    """The RFC 6962 leaf hash: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + encoded).digest()
