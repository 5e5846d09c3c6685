"""The end of who looked, by the statement an erasure uses."""

from typing import Final

import asyncpg

from omonat.database.statements import load

_erasures = load("omonat.promises.retention", "erasures.sql")
_MANY: Final = 1_000


async def end_ledger(connection: asyncpg.Connection, person: str) -> None:
    """Everything that says who looked at this person's data goes, inside the caller's transaction."""
    while await _erasures.drop_ledger(connection, person=person, most=_MANY) == _MANY:
        pass
