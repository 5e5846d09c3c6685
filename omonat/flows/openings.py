"""Openings: what the log says about a person, made readable for them alone (A1, A3; design: Proof outlives the person).

The log holds commitments. Their salts come from the person's evidence slot, which is destroyed one day; so before that
the openings are given away: to the person with the erasure certificate, and into the sealed proof packets. Each opening
is checked against its entry before it is given, and the stand-alone verifier checks it again (`--opening`). An entry
that was altered opens nothing and is named among them: it takes nobody the proof of the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry, decode, leaf_hash
from omonat.vault.commitments import commit
from omonat.vault.vault import Vault

_queries = load("omonat.flows", "openings.sql")
FIELDS = ("person", "case")
"""Fields of entries that hold commitments under the person's evidence slot."""
OPEN_TO_OTHERS: Final = frozenset({"use:person:refused"})
"""Acts whose commitment the person needn't be able to open: a case was named that isn't theirs."""


class Opening(Struct, frozen=True, gc=False):
    """In this field of this entry stands this value under this salt. `act` and `at` are the entry's own."""

    entry: str
    act: str
    at: Instant
    field: str
    value: str
    salt: bytes


class Altered(Struct, frozen=True, gc=False):
    """An entry that isn't what was written: nothing of it is opened, and it is named. `act` is what its row says."""

    entry: str
    act: str
    at: Instant


class Found(Struct, frozen=True):
    """What a person's ledger opens, oldest first, and which of its entries were altered."""

    openings: tuple[Opening, ...] = ()
    altered: tuple[Altered, ...] = ()


async def openings(vault: Vault, connection: asyncpg.Connection, person: str, *, evidence_slot: int) -> Found:
    """Every commitment of the person's ledger opened. Their ledger and their cases must still be there.

    A refused use that named a case which isn't the person's has none: what was named isn't known any more. Any other
    entry that says `person` and opens for nobody was altered, whatever its leaf says: the same hand writes both. Raises
    Refused key-destroyed once the evidence slot is gone.
    """
    values = [person, *[row["value"] async for row in _queries.values_of(connection, person=person)]]
    found: list[Opening] = []
    altered: list[Altered] = []
    async for row in _queries.entries_of(connection, person=person):
        entry = _as_written(row)
        if entry is None:
            altered.append(Altered(row["entry"], row["act"] or "", row["at"]))
            continue
        mine = _opened(vault, entry, values, evidence_slot=evidence_slot)
        if mine is None:
            altered.append(Altered(entry.id, entry.act, entry.at))
        else:
            found += mine
    return Found(tuple(found), tuple(altered))


def _as_written(row: Mapping[str, Any]) -> Entry | None:
    """The entry of a ledger row; None when it is gone, or its bytes aren't those that came in under this id."""
    if row["body"] is None or leaf_hash(row["body"]) != row["leaf"]:
        return None
    try:
        entry = decode(row["body"])
    except BadInput:
        return None
    return entry if entry.id == row["entry"] else None


def _opened(vault: Vault, entry: Entry, values: list[str], *, evidence_slot: int) -> list[Opening] | None:
    """What the entry's commitments open; None when the one to the person opens nothing, though it must."""
    found = []
    for field in FIELDS:
        if isinstance(told := entry.facts.get(field), str):
            salt = vault.salt(evidence_slot=evidence_slot, entry=entry.id, field=field)
            value = _value(values, told, (salt, entry.id, field))
            if value is not None:
                found.append(Opening(entry.id, entry.act, entry.at, field, value, salt))
            elif field == "person" and entry.act not in OPEN_TO_OTHERS:
                return None
    return found


def _value(values: list[str], told: str, under: tuple[bytes, str, str]) -> str | None:
    """The value that gives the commitment; None when none of the person's does.

    Entries about one case come in runs: what fitted last is tried first.
    """
    salt, entry, field = under
    for place, value in enumerate(values):
        if commit(salt, entry, field, value) == told:
            values.insert(0, values.pop(place))
            return value
    return None


def as_file(found: Sequence[Opening | Altered]) -> bytes:
    """The openings as the file the verifier reads: a JSON list, salts in hex."""
    return msgspec.json.format(msgspec.json.encode([as_row(one) for one in found]), indent=1) + b"\n"


def as_row(opening: Opening | Altered) -> Mapping[str, Any]:
    """One opening as the verifier reads it; of an altered entry, that it is one."""
    if isinstance(opening, Altered):
        return {"entry": opening.entry, "altered": True}
    return {"entry": opening.entry, "field": opening.field, "salt": opening.salt.hex(), "value": opening.value}
