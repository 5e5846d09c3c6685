"""Doubts: what the house can't settle about itself, said until it is over (A1, P5, S3, S5, S6).

A doubt is an entry when it begins and when it ends, and a work item in between, seen at the Desk by whoever looks after
the safeguards or the law, and by `omonat doubts`. Nothing is refused for one; each says what to look at.

    openings    more openings of a day than crashes leave were thrown away or cut off, by their register's word alone
    server, copy, witness    see `omonat.flows.watching`
    law-conflict, law-calendar    see `omonat.flows.law_watch`
    safeguard, host    see `omonat.flows.safeguards`, `omonat.flows.places`
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec import Struct

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.logs import log
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.officers import OFFICER

_queries = load("omonat.flows", "doubts.sql")
_identity = load("omonat.promises.identity")
_RULE: Final = "doubt-"
_PROMISES: Final = ("A1", "P5", "S3", "S5", "S6")
_log = log(__name__)


class Doubt(Struct, frozen=True, kw_only=True):
    """One that stands: what kind, about what of it (a name, never a value), since when."""

    kind: str
    about: str
    since: Instant

    @property
    def code(self) -> str:
        """Under which the registry of codes says what it means and what to do."""
        return _RULE + self.kind


class Doubts:
    """The flow. Any process may begin and end them; each is written down once."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    async def begin(self, kind: str, about: str, **facts: Any) -> None:
        """This is in doubt now; does nothing when that is said already."""
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            begun = await _queries.begin_doubt(connection, id=new_id("wrk"), rule=_RULE + kind, about=about, now=now)
            if begun is None:
                return
            entry = Entry(new_id("ev"), now, "house:doubt:begun", {"kind": kind, "about": about, **facts})
            await self._grounds.journal.append(connection, [entry], now=now)
            reach("doubt.begun")
        _log.error("doubt-begun", code=_RULE + kind)

    async def end(self, kind: str, about: str, *, by: str) -> bool:
        """It is over, says `by`; false when it didn't stand."""
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            ended = await _queries.end_doubt(connection, rule=_RULE + kind, about=about, now=now)
            if ended is not None:
                entry = Entry(new_id("ev"), now, "house:doubt:ended", {"kind": kind, "about": about, "by": by})
                await self._grounds.journal.append(connection, [entry], now=now)
                reach("doubt.ended")
        return ended is not None

    async def settle(self, kind: str, about: str, *, by: str) -> bool:
        """A member of staff has looked; false when it doesn't stand. Raises Refused `staff-unknown`."""
        async with self._grounds.database.connection() as connection:
            member = await _identity.staff_by_ref(connection, ref=by)
        if member is None:
            raise Refused("staff-unknown")
        return await self.end(kind, about, by=self._grounds.vault.pseudonym("staff", member["id"]))

    async def are(self, kind: str, abouts: Collection[str] | Mapping[str, Mapping[str, Any]]) -> None:
        """These alone are in doubt of a kind that can be looked at again: new ones begin, the others end. A mapping
        gives each its facts."""
        standing, now = {doubt.about for doubt in await self.standing() if doubt.kind == kind}, set(abouts)
        for about in sorted(standing - now):
            await self.end(kind, about, by="house")
        for about in sorted(now - standing):
            await self.begin(kind, about, **(abouts[about] if isinstance(abouts, Mapping) else {}))

    async def shown_to(self, role: str) -> tuple[Doubt, ...]:
        """What a role is told at the Desk: privacy officers, and who owns one of these promises."""
        promises = (await self._grounds.law.current()).policy.promises
        owners = {promises[name].owner for name in _PROMISES if name in promises}
        return await self.standing() if role in {OFFICER, *owners} else ()

    async def standing(self) -> tuple[Doubt, ...]:
        """What is in doubt now, the oldest first."""
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _queries.doubts(connection)]
        return tuple(
            Doubt(kind=row["rule"].removeprefix(_RULE), about=row["missing"], since=row["opened_at"]) for row in rows
        )
