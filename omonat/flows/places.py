"""Places: the register of hosts and rooms that hold personal data, and whether it is true (S5).

Whoever owns S5 puts a room and the hosts in it into the register, and says where the proof lies; that is their first
review (`omonat.flows.safeguards`). What really holds personal data is asked of the machine: the host a process runs on,
and the host of the database where that is another one. One that isn't in the register is a doubt, said at the Desk and
by `omonat prove` until it is.
"""

import socket
from typing import Final

import asyncpg

from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.verdict import Allow
from omonat.database.safety import server_hosts
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds
from omonat.flows.officers import InOffice, Officers
from omonat.flows.safeguards import Safeguards, owner_of_places, require, require_nobody_named
from omonat.promises.security.rule import HOST, ROOM, Review, check_place, host_spelled, may_review

DOUBT: Final = "host"
_queries = load("omonat.promises.security")


class Places:
    """The flow of the register. `by` are staff refs; whoever calls has seen them prove themselves."""

    def __init__(self, grounds: Grounds, officers: Officers, safeguards: Safeguards) -> None:
        self._grounds = grounds
        self._officers = officers
        self._safeguards = safeguards
        self._doubts = Doubts(grounds)

    async def add(self, kind: str, name: str, *, proof: str, by: str, room: str = "", document: str = "") -> str:
        """Put a host or a room into the register, found in place; a host may stand in a room. The entry's id.

        Raises BadInput (`place-misshapen`, `place-known`, `room-unknown`, and for proof and name as
        `Safeguards.review`), Refused (`safeguard-not-yours`, as `omonat.flows.officers`).
        """
        if not isinstance(check_place(kind, name), Allow) or (room and kind == ROOM):
            raise BadInput("place-misshapen")
        require_nobody_named(await self._grounds.law.current(), name)
        now, entry = self._grounds.clock(), new_id("ev")
        async with self._grounds.database.transaction() as connection:
            keeper = await self._keeper(connection, by)
            if room and await _queries.place_for_update(connection, kind=ROOM, name=room) is None:
                raise BadInput("room-unknown")
            added = await _queries.add_place(
                connection, id=new_id("plc"), kind=kind, name=name, room=room or None, now=now, entries={"added": entry}
            )
            if added is None:
                raise BadInput("place-known")
            facts = {"about": f"{kind}/{name}", "room": room, "staff": keeper.pseudonym}
            await self._grounds.journal.append(connection, [Entry(entry, now, "safeguard:place:added", facts)], now=now)
            found = Review(at=now, kept=True, proof=proof.strip(), document=document)
            await self._safeguards.note(connection, f"{kind}/{name}", found, keeper.pseudonym)
            reach("places.added")
        if kind == HOST:
            await self._doubts.end(DOUBT, name, by="house")
        return entry

    async def end(self, kind: str, name: str, *, by: str) -> str:
        """It holds personal data no more; what was found of it stays. The entry's id.

        Raises BadInput `place-unknown`, Refused (`room-in-use`, `safeguard-not-yours`, as `omonat.flows.officers`).
        """
        now, entry = self._grounds.clock(), new_id("ev")
        async with self._grounds.database.transaction() as connection:
            keeper = await self._keeper(connection, by)
            row = await _queries.place_for_update(connection, kind=kind, name=name)
            if row is None:
                raise BadInput("place-unknown")
            if kind == ROOM and [one async for one in _queries.hosts_in(connection, room=name)]:
                raise Refused("room-in-use")
            await _queries.end_place(connection, id=row["id"], now=now, entries={**row["entries"], "ended": entry})
            facts = {"about": f"{kind}/{name}", "staff": keeper.pseudonym}
            await self._grounds.journal.append(connection, [Entry(entry, now, "safeguard:place:ended", facts)], now=now)
            reach("places.ended")
        return entry

    async def _keeper(self, connection: asyncpg.Connection, by: str) -> InOffice:
        member = await self._officers.in_office(connection, by)
        require(may_review(member.role, owner_of_places(await self._grounds.law.current())))
        return member

    async def unregistered(self) -> tuple[str, ...]:
        """The hosts of this installation, as far as this process can tell, that aren't in the register, in order."""
        return tuple(sorted(hosts_of(self._grounds.database.dsn) - await self._registered()))

    async def _registered(self) -> set[str]:
        """Hosts somebody put there: a row that no review stands behind is nobody's word."""
        standing = await self._safeguards.standing()
        return {
            one.about.partition("/")[2]
            for one in standing
            if one.about.startswith(f"{HOST}/") and one.last is not None and one.last.proved
        }

    async def look(self) -> None:
        """Begin a doubt for each host of ours that isn't in the register, and end those that are, also others'."""
        try:
            known = await self._registered()
        except Unavailable:  # no policy yet: nothing is promised
            return
        for name in sorted(hosts_of(self._grounds.database.dsn) - known):
            await self._doubts.begin(DOUBT, name)
        for doubt in await self._doubts.standing():
            if doubt.kind == DOUBT and doubt.about in known:
                await self._doubts.end(DOUBT, doubt.about, by="house")


def hosts_of(dsn: str) -> frozenset[str]:
    """The machine this process runs on and those of its database, as the register spells them."""
    return frozenset(map(host_spelled, [socket.gethostname(), *server_hosts(dsn)]))
