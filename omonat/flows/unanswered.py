"""Unanswered: openings of which nothing but their own register says that they were thrown away or cut off (A1, S4).

They are written down once, in numbers, and believed as far as crashes go. A crash leaves a few small uses and at most
one batch: many openings for one entry, rolled back together. A thief who has a register say that nothing came of it
opens a little at a time for many entries, or more for one than any batch; a day of that is a doubt until it is settled.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant, to_rfc3339
from omonat.database.statements import load
from omonat.evidence.entry import Entry, decode
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds
from omonat.vault.openings import Opening, Register

_queries = load("omonat.flows", "reconcile.sql")

BELIEVED: Final = 200
"""Openings of one day, of all processes together, about what the small uses of a few crashes leave. Above it a bad day
can't be told from somebody who takes data."""
BATCH: Final = 10_000
"""Openings for one entry a day that are believed beside them: a rolled-back batch of a sweep, some for each record."""

Line = tuple[Register, Opening]


@dataclass(slots=True)
class Claims:
    """What the registers of one process say came to nothing."""

    withheld: list[Line] = field(default_factory=list)
    cut_off: list[Line] = field(default_factory=list)

    def __iter__(self) -> Iterator[Line]:
        yield from self.withheld
        yield from self.cut_off


@dataclass(slots=True)
class Day:
    """A day of them: how many openings, for how many entries, the most for one entry, and when the first was made."""

    withheld: int = 0
    cut_off: int = 0
    entries: int = 0
    largest: int = 0
    first: Instant | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether it is more than crashes leave."""
        batch = self.largest if self.largest > BELIEVED else 0
        return batch > BATCH or self.withheld + self.cut_off - batch > BELIEVED


class Unanswered:
    """The flow; part of `omonat.flows.reconcile`."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._doubts = Doubts(grounds)

    async def believe(self, run: str, claims: Claims) -> None:
        """What only the register says is counted in the log, once: nobody takes it away again by ending a process."""
        now, lines = self._grounds.clock(), [line for _, line in claims]
        by_entry = Counter(line.entry for line in lines)
        facts = {
            "register": run, "withheld": len(claims.withheld), "cut-off": len(claims.cut_off),
            "entries": len(by_entry), "largest": max(by_entry.values()),
            "from": min(line.at for line in lines), "to": max(line.at for line in lines),
        }  # fmt: skip
        async with self._grounds.database.transaction() as connection:
            entry = Entry(new_id("ev"), now, "opening:section:unanswered", facts)
            await self._grounds.journal.append(connection, [entry], now=now)
            reach("reconcile.believed")
        for register, line in claims:
            register.settle(line)

    async def doubt_many(self) -> None:
        """More than crashes leave is a doubt, until somebody has looked; by the name of the day it began, also when
        midnight passes meanwhile.
        """
        day = await self.day()
        if day.is_doubtful and day.first is not None:
            facts = {"withheld": day.withheld, "cut-off": day.cut_off, "entries": day.entries, "most": BELIEVED}
            await self._doubts.begin("openings", to_rfc3339(day.first)[:10], **facts)

    async def day(self) -> Day:
        """How many openings of the last day were thrown away or cut off by the word of their register alone."""
        found, since = Day(), Instant(self._grounds.clock() - DAY)
        async with self._grounds.database.connection() as connection:
            async for row in _queries.unanswered(connection, since=since):
                facts = decode(row["body"]).facts
                withheld, cut_off = int(facts["withheld"]), int(facts["cut-off"])
                found.withheld += withheld
                found.cut_off += cut_off
                found.entries += int(facts.get("entries", withheld + cut_off))
                found.largest = max(found.largest, int(facts.get("largest", 0)))
                found.first = Instant(min(int(facts["from"]), found.first or int(facts["from"])))
        return found

    async def doubted(self) -> list[str]:
        """Days with more of them than are believed, until somebody has looked."""
        return [doubt.about for doubt in await self._doubts.standing() if doubt.kind == "openings"]
