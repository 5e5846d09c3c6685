"""Watching: what was looked at once, at the start, is looked at again while the service runs (S5, S6).

Whatever is no longer so is a doubt (`omonat.flows.doubts`), and ends as one when it is so again; a start would be
refused for it.

    server      a setting of PostgreSQL, our role there, a column in its statistics: a statement and a reload do
    copy        a copy of the control journal that could not be compared or kept up, by its place in the setting
    witness     a witness whose memory couldn't be asked before the first signature, and hasn't answered since
"""

from collections.abc import Collection

from omonat.base.errors import BadInput
from omonat.base.settings import Settings
from omonat.database import safety
from omonat.database.pool import Database
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds


class Watching:
    """The flow. Any process may look; what only the holder of a lease knows is None in the others."""

    def __init__(self, grounds: Grounds, settings: Settings) -> None:
        self._dsn = grounds.database.dsn
        self._archive_days = settings.archive_days
        self._doubts = Doubts(grounds)

    async def look(self, *, copies: Collection[str] | None, witnesses: Collection[str] | None) -> None:
        """One round. `copies` and `witnesses` name those that couldn't be read."""
        await self._doubts.are("server", {_name(one) for one in await self._findings()})
        if copies is not None:
            await self._doubts.are("copy", copies)
        if witnesses is not None:
            await self._doubts.are("witness", witnesses)

    async def _findings(self) -> list[BadInput]:
        """As a new session meets the server: one that is open keeps what its role or database said when it began."""
        fresh = await Database.connect(self._dsn, size=1, name="omonat watching")
        try:
            return await safety.server_findings(fresh, self._archive_days)
        finally:
            await fresh.close()


def _name(finding: BadInput) -> str:
    """The setting or column a finding is about, else its code."""
    return finding.about.get("setting") or finding.about.get("column") or finding.code
