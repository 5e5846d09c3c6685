"""Told: what is written when news of the policy has reached people, by whatever way (P2)."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.promises.notice.rule import told_after

_queries = load("omonat.promises.notice")


async def write_told(
    connection: asyncpg.Connection, journal: Any, entries: Sequence[Entry], rows: Sequence[Any], now: Instant
) -> dict[str, int]:
    """Write that people were told of all between `since` and `version`; the newest version each was told of by now.

    `rows` name person, version, since, channel and what they were `told` of; an entry for each.
    """
    await journal.append(connection, entries, now=now)
    await _queries.add_tellings(
        connection, people=[row["person"] for row in rows], since=[row["since"] for row in rows],
        versions=[row["version"] for row in rows], channels=[row["channel"] for row in rows],
        entries=[entry.id for entry in entries], now=now,
    )  # fmt: skip
    heard: dict[str, tuple[int, set[int]]] = {}
    for row in rows:
        _, versions = heard.setdefault(row["person"], (row["told"], set()))
        versions.update(range(row["since"] + 1, row["version"] + 1))
    told = {person: told_after(before, versions) for person, (before, versions) in heard.items()}
    await _queries.advance_told(connection, people=list(told), told=list(told.values()))
    return told
