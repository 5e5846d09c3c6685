"""Reconcile: every opening of a section has its entry, every row its entry, every entry its row (A1, S4, S6).

The log can't tell what was never written into it. So it is compared with what must go along with it:

    openings    the registers beside the key slots (`omonat.vault.openings`), line by line, against their entries;
                what a register says of itself is believed in small numbers, written down, and a doubt above them
    rows        records, choices, tellings, cases against entries, both ways; a row that is gone against its transaction
    standings   what a use is decided on, against the choices it was made from
    ledger      who looked, against the entries' own commitments and the rows of the same entries

Openings are compared by the jobs every few seconds, rows once a day, both by `omonat evidence reconcile`. An opening no
entry speaks of gets one here, so that it can't be forgotten again; what it says is that we don't know why.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, SECOND, Instant, to_rfc3339
from omonat.database.codecs import FOREVER
from omonat.database.statements import load
from omonat.evidence.entry import Entry, decode
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds
from omonat.flows.reconcile_ledger import foreign_rows
from omonat.promises.choice.standing import Choice, applied
from omonat.vault.openings import OPENED, SETTLED, WITHHELD, Opening, Register, registers

_queries = load("omonat.flows", "reconcile.sql")

SETTLES: Final = 30 * SECOND
"""An opening younger than this may belong to a use under way: its entry is durable two seconds after it at most."""
APART: Final = 60 * SECOND
"""How far an opening and its entry may lie apart: nobody opens today for an entry of last week."""
CUT_OFF: Final = 10 * SECOND
"""What a process opened so shortly before it died without a word may have been in the middle of a use."""
BELIEVED: Final = 200
"""Openings of one day, of all processes together, of which nothing but their own register says that they were thrown
away or cut off: about what a few crashes leave. Above it a bad day can't be told from somebody who takes data."""
MOST: Final = 100
"""Findings of one kind that are named; the first one counts."""
_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing without its counterpart. `what` is opening, row, entry, gone, choice, standing, ledger or doubt."""

    what: str
    kind: str
    name: str
    entry: str = ""


@dataclass(slots=True)
class Openings:
    """What a look at the registers gave: how many were compared, thrown away unseen because the entry couldn't be
    written, cut off by the end of their process, too young to tell; and what has no entry.
    """

    compared: int = 0
    withheld: int = 0
    cut_off: int = 0
    waiting: int = 0
    unexplained: list[Finding] = field(default_factory=list)


class Reconcile:
    """The flow. One per process: it remembers how far each register was compared."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._doubts = Doubts(grounds)
        self._done: dict[str, int] = {}
        self._spent: dict[str, tuple[int, Instant]] = {}

    # -- openings ------------------------------------------------------------------------------------------------

    async def openings(self) -> Openings:
        """Compare what is new in every register; registers of ended processes go when nothing is left to compare.

        An opening without an entry is written down (`opening:section:unexplained`) before it is counted as settled; so
        is how many a register says were thrown away or cut off (`opening:section:unanswered`).
        """
        found, now = Openings(), self._grounds.clock()
        every = registers(self._grounds.vault.openings.folder)
        running = {register.run for register in every if register.is_alive}
        new = [(register, list(register.read(self._done.get(register.path.name, 0)))) for register in every]
        ripe = {register: _ripe(lines, now) for register, lines in new}
        entries = await self._entries({line.entry for lines in ripe.values() for line in lines})
        for register, lines in new:
            found.waiting += len(lines) - len(ripe[register])
            alive = register.run in running
            await self._compare(register, ripe[register], entries, found, alive=alive)
            if ripe[register]:
                self._done[register.path.name] = ripe[register][-1].place + 32
            if len(ripe[register]) == len(lines) and (not alive or register.is_full):
                register.path.unlink(missing_ok=True)
                self._done.pop(register.path.name, None)
        if found.withheld + found.cut_off:
            await self._doubt_many(now)
        self._spent = {name: spent for name, spent in self._spent.items() if spent[1] > now - 2 * (SETTLES + APART)}
        return found

    async def _compare(
        self,
        register: Register,
        lines: Sequence[Opening],
        entries: Mapping[str, Entry],
        found: Openings,
        *,
        alive: bool,
    ) -> None:
        in_order = register.path.name in self._done
        orphans: list[Opening] = []
        for line in lines:
            found.compared += 1
            if line.state == SETTLED:
                continue
            if self._is_spoken_of(line, entries.get(line.entry)):
                in_order = True
            else:
                orphans.append(line)
        # A service that was killed leaves lines of the uses it was in the middle of, behind others that are in order; a
        # shell that only ever opened leaves nothing but such lines. Whoever names an entry that is there, or none, says
        # something else than that it couldn't be written.
        since = lines[-1].at - CUT_OFF if not alive and in_order and lines else FOREVER
        own = [line for line in orphans if line.entry and line.entry not in entries]
        withheld = [line for line in own if line.state == WITHHELD]
        cut_off = [line for line in own if line.state == OPENED and line.at >= since]
        for line in orphans:
            if line not in withheld and line not in cut_off:
                await self._write_down(register, line)
                found.unexplained.append(_unexplained(register, line))
        if withheld or cut_off:
            await self._believe(register, withheld, cut_off)
            found.withheld += len(withheld)
            found.cut_off += len(cut_off)

    def _is_spoken_of(self, line: Opening, entry: Entry | None) -> bool:
        """Whether the entry says that so many were opened, about that time, counted over all registers."""
        if entry is None or abs(entry.at - line.at) > APART:
            return False
        spent, _ = self._spent.get(line.entry, (0, line.at))
        if spent >= int(entry.facts.get("opened", 0)):
            return False
        self._spent[line.entry] = (spent + 1, line.at)
        return True

    async def _entries(self, ids: set[str]) -> Mapping[str, Entry]:
        found, wanted = {}, sorted(ids - {""})
        for first in range(0, len(wanted), _AT_ONCE):
            async with self._grounds.database.connection() as connection:
                async for row in _queries.opened_for(connection, ids=wanted[first : first + _AT_ONCE]):
                    found[row["id"]] = decode(row["body"])
        return found

    async def _write_down(self, register: Register, line: Opening) -> None:
        facts = {"register": register.path.name, "opened-at": line.at, "for": line.entry or "nobody"}
        entry = Entry(new_id("ev"), self._grounds.clock(), "opening:section:unexplained", facts)
        async with self._grounds.database.transaction() as connection:
            await self._grounds.journal.append(connection, [entry], now=entry.at)
            reach("reconcile.written-down")
        register.settle(line)

    async def _believe(self, register: Register, withheld: Sequence[Opening], cut_off: Sequence[Opening]) -> None:
        """What only the register says is counted in the log, once: nobody takes it away again by ending a process."""
        now, lines = self._grounds.clock(), (*withheld, *cut_off)
        facts = {
            "register": register.path.name, "withheld": len(withheld), "cut-off": len(cut_off),
            "from": min(line.at for line in lines), "to": max(line.at for line in lines),
        }  # fmt: skip
        async with self._grounds.database.transaction() as connection:
            entry = Entry(new_id("ev"), now, "opening:section:unanswered", facts)
            await self._grounds.journal.append(connection, [entry], now=now)
            reach("reconcile.believed")
        for line in lines:
            register.settle(line)

    async def _doubt_many(self, now: Instant) -> None:
        """More than a few crashes leave is a doubt of that day, until somebody has looked."""
        day = await self.unanswered()
        if day.withheld + day.cut_off > BELIEVED:
            facts = {"withheld": day.withheld, "cut-off": day.cut_off, "most": BELIEVED}
            await self._doubts.begin("openings", to_rfc3339(now)[:10], **facts)

    async def unanswered(self) -> Openings:
        """How many openings of the last day were thrown away or cut off by the word of their register alone."""
        found, since = Openings(), Instant(self._grounds.clock() - DAY)
        async with self._grounds.database.connection() as connection:
            async for row in _queries.unanswered(connection, since=since):
                facts = decode(row["body"]).facts
                found.withheld += int(facts["withheld"])
                found.cut_off += int(facts["cut-off"])
        return found

    async def doubted(self) -> list[Finding]:
        """Days with more of them than are believed, until somebody has looked."""
        standing = await self._doubts.standing()
        days = [doubt.about for doubt in standing if doubt.kind == "openings"]
        return [Finding(what="doubt", kind="openings", name=day) for day in days]

    async def told(self) -> list[Finding]:
        """Openings without an entry that were found at any time."""
        async with self._grounds.database.connection() as connection:
            entries = [decode(row["body"]) async for row in _queries.told_openings(connection, most=MOST)]
        return [
            Finding(what="opening", kind="section", name=str(e.facts["register"]), entry=str(e.facts["for"]))
            for e in entries
        ]

    # -- rows ----------------------------------------------------------------------------------------------------

    async def rows(self) -> list[Finding]:
        """What rows and entries don't say of each other, each kind's first ones; of one instant. Reads everything."""
        async with (
            self._grounds.database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = [
                Finding(what="row", kind=row["kind"], name=row["id"], entry=row["entry"])
                async for row in _queries.rows_without_entry(connection, most=MOST)
            ]
            for what, query in (("entry", _queries.entries_without_row), ("gone", _queries.gone_without_entry)):
                rows = [row async for row in query(connection, most=MOST)]
                found += [Finding(what=what, kind=row["kind"], name=row["entry"], entry=row["entry"]) for row in rows]
            missing = {finding.entry for finding in found}
            async for row in _queries.choices_that_differ(connection, most=MOST):
                if row["entry"] not in missing:
                    name = f"{row['kind']} {row['purpose']}".strip()
                    found.append(Finding(what="choice", kind=row["kind"], name=name, entry=row["entry"]))
            found += [finding async for finding in _standings(connection)]
            found += await self._ledger(connection)
        return found

    async def _ledger(self, connection: Any) -> list[Finding]:
        """Who looked, against the log: rows without their entry, entries of rows without their row, rows of others."""
        found = [
            Finding(what="ledger", kind="unknown", name=row["entry"], entry=row["entry"])
            async for row in _queries.ledger_without_entry(connection, most=MOST)
        ]
        found += [
            Finding(what="ledger", kind="nobody", name=row["entry"], entry=row["entry"])
            async for row in _queries.ledger_of_nobody(connection, most=MOST)
        ]
        found += [
            Finding(what="ledger", kind=row["kind"], name=row["entry"], entry=row["entry"])
            async for row in _queries.rows_without_ledger(connection, most=MOST)
        ]
        async for entry in foreign_rows(connection, self._grounds.vault):
            found.append(Finding(what="ledger", kind="foreign", name=entry, entry=entry))
            if len(found) >= 4 * MOST:
                break
        return found


def _ripe(lines: Sequence[Opening], now: Instant) -> Sequence[Opening]:
    """The lines no use under way can own, in order."""
    young = next((n for n, line in enumerate(lines) if line.at > now - SETTLES), len(lines))
    names = {line.entry for line in lines[young:]}
    while young and lines[young - 1].entry in names:  # of one entry all or nothing
        young -= 1
    return lines[:young]


def _unexplained(register: Register, line: Opening) -> Finding:
    return Finding(what="opening", kind="section", name=register.path.name, entry=line.entry or "nobody")


async def _standings(connection: Any) -> AsyncIterator[Finding]:
    """People whose standing isn't what their choices give."""
    after, most, found = "", 1_000, 0
    while found < MOST:
        rows = [row async for row in _queries.standings(connection, after=after, most=most)]
        for row in rows:
            if not _stands(row["standing"], row["restricted"], row["choices"] or ()):
                found += 1
                yield Finding(what="standing", kind="person", name=row["id"])
        if len(rows) < most:
            return
        after = rows[-1]["id"]


def _stands(standing: Mapping[str, Any] | None, restricted: bool, rows: Iterable[Sequence[str]]) -> bool:
    """Whether consents and objections are what the choices left, and no restriction asked for was lifted.

    Restricted without having asked is more than was promised, and not judged here.
    """
    projected: dict[str, Any] = {}
    limited = False
    for kind, purpose, state, version, _ in rows:
        if kind == "restriction":
            limited = state == "given"
        elif kind in ("consent", "objection", "agreement"):
            one = Choice(kind=kind, purpose=purpose, state=state, version=int(version), at=Instant(0))  # type: ignore[arg-type]
            projected = applied(projected, one)
    held = standing or {}
    same = set(held.get("consents", ())) == set(projected.get("consents", ()))
    return same and set(held.get("objections", ())) == set(projected.get("objections", ())) and restricted >= limited
