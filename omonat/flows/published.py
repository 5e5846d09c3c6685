"""Read the published versions of the policy as documents, for whoever shows them to people (P1, P3).

What is published never changes, so a version is read and parsed once per process; which one is in force is asked each
time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omonat.base.instants import Instant
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.flows.law import read_document
from omonat.policy.model import Policy
from omonat.policy.packs import Pack, read_pack

_queries = load("omonat.flows", "published.sql")


@dataclass(frozen=True, slots=True, eq=False)
class PublishedVersion:
    """One version: the document, its text byte for byte, the packs it was compiled with."""

    ordinal: int
    policy: Policy
    text: str
    packs: tuple[Pack, ...]
    effective: Instant
    published: Instant


class ReadPublished:
    """The flow: all versions, and the ordinal in force (0: none)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions: tuple[PublishedVersion, ...] = ()
        self._reading = asyncio.Lock()

    async def __call__(self) -> tuple[Sequence[PublishedVersion], int]:
        """All published versions, oldest first, and the ordinal of the one in force."""
        async with self._database.connection() as connection, self._reading:
            standing = await _queries.standing(connection)
            if standing is None:
                return (), 0
            known = self._versions[-1].ordinal if self._versions else 0
            if standing["newest"] > known:
                found = [_version(row) async for row in _queries.newer(connection, ordinal=known)]
                self._versions = (*self._versions, *found)
            return self._versions, int(standing["active_ordinal"])


def _version(row: Mapping[str, Any]) -> PublishedVersion:
    return PublishedVersion(
        ordinal=row["ordinal"],
        policy=read_document(row["document"]).policy,
        text=row["document"],
        packs=tuple(read_pack(text, name=name) for name, text in row["packs"].items()),
        effective=row["effective"],
        published=row["published_at"],
    )
