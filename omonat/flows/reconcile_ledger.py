"""The ledger against the log: each row of *who looked* names an entry that speaks of this very person (A1, S6).

The ledger says whose an entry is; the log only commits to it. So each person's rows are opened with their own salts,
those of the erased as well: a row that was moved from one person to another, or made up under somebody's entry, opens
nothing; one that was moved to nobody is named as such. A row that is missing is told by the record, choice, telling or
case of the same entry, and by the mark its deletion left.

Entries that name their person by no commitment (a sign-in, a sweep over several people) can't be told apart, nor can a
refused use, which may commit to a case that isn't the person's.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.database.statements import load
from omonat.flows.openings import OPEN_TO_OTHERS
from omonat.vault.commitments import commit
from omonat.vault.vault import Vault

_queries = load("omonat.flows", "reconcile.sql")
_AT_ONCE: Final = 100


async def foreign_rows(connection: Any, vault: Vault) -> AsyncIterator[str]:
    """Entries in somebody's ledger that don't commit to them. Reads everything."""
    after = ""
    while rows := [row async for row in _queries.ledger_of_people(connection, after=after, most=_AT_ONCE)]:
        for entry in await asyncio.to_thread(_foreign, vault, rows):
            yield entry
        after = rows[-1]["id"]


def _foreign(vault: Vault, people: Sequence[Mapping[str, Any]]) -> list[str]:
    return [entry for person in people for entry in _foreign_of(vault, person)]


def _foreign_of(vault: Vault, person: Mapping[str, Any]) -> list[str]:
    cases = list(person["cases"] or ())
    values = {"person": [person["id"], *(f"{person['id']} {case}" for case in cases)], "case": cases}
    found = []
    for entry, act, altered, *told in person["entries"] or ():
        if altered:
            found.append(entry)
            continue
        named = {field: one for field, one in zip(("person", "case"), told, strict=True) if one is not None}
        if not named or act in OPEN_TO_OTHERS:
            continue
        field = "person" if "person" in named else "case"
        if not _opens(vault, person["evidence_slot"], entry, (field, named[field]), values[field]):
            found.append(entry)
    return found


def _opens(vault: Vault, slot: int, entry: str, told: tuple[str, str], values: list[str]) -> bool:
    """Whether one of the values gives the commitment, what fitted last first. A destroyed slot tells nothing."""
    field, commitment = told
    try:
        salt = vault.salt(evidence_slot=slot, entry=entry, field=field)
    except Refused:
        return True
    for place, value in enumerate(values):
        if commit(salt, entry, field, value) == commitment:
            values.insert(0, values.pop(place))
            return True
    return False
