"""Reconcile: every opening of a section has its entry, every row its entry, every entry its row (A1, S4, S6).

The log can't tell what was never written into it. So it is compared with what must go along with it:

    openings    the registers beside the key slots (`omonat.vault.openings`), line by line, against their entries;
                what a register says of itself is believed in small numbers, written down, and a doubt above them
    rows        records, choices, tellings, cases against entries, both ways; a row that is gone against its transaction
    standings   what a use is decided on, against the choices it was made from
    ledger      who looked, against the entries' own commitments and the rows of the same entries

Openings are compared by the jobs every 20 seconds, rows once a day, both by `omonat evidence reconcile`. An opening no
entry speaks of gets one here, so that it can't be forgotten again; what it says is that we don't know why.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry, decode
from omonat.flows.grounds import Grounds
from omonat.flows.reconcile_ledger import foreign_rows
from omonat.flows.reconcile_openings import APART, SETTLES, Look, ripe_lines
from omonat.flows.unanswered import Claims, Day, Unanswered
from omonat.promises.choice.standing import Choice, applied
from omonat.vault.openings import PATIENCE, Opening, Register, drop_unfinished, one_at_a_time, registers

_queries = load("omonat.flows", "reconcile.sql")

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
        self._unanswered = Unanswered(grounds)
        self._done: dict[str, int] = {}
        self._spent: dict[str, tuple[int, Instant]] = {}
        self._in_order: dict[str, Instant] = {}

    # -- openings ------------------------------------------------------------------------------------------------

    async def openings(self, *, patience: float = PATIENCE) -> Openings:
        """Compare what is new in every register; registers of ended processes go when nothing is left to compare.

        One process at a time, the others wait. An opening without an entry is written down
        (`opening:section:unexplained`) before it is counted as settled; so is how many a register says were thrown away
        or cut off (`opening:section:unanswered`). Raises Unavailable `openings-busy` when others
        take longer than `patience` seconds.
        """
        folder = self._grounds.vault.openings.folder
        if not folder.is_dir():
            return Openings()
        async with one_at_a_time(folder, patience=patience):
            drop_unfinished(folder)
            return await self._compare_all(registers(folder))

    async def _compare_all(self, every: Sequence[Register]) -> Openings:
        found, now = Openings(), self._grounds.clock()
        running = {register.run for register in every if register.is_alive}
        new = {register: list(register.read(self._done.get(register.path.name, 0))) for register in every}
        ripe = ripe_lines(new, now)
        entries = await self._entries({line.entry for lines in ripe.values() for line in lines})
        look = Look(entries, dict(self._spent), set(self._in_order))
        claims: dict[str, Claims] = {}
        for run, mine in groupby(every, key=lambda register: register.run):
            judged = [(register, line) for register in mine for line in ripe[register]]
            found.compared += len(judged)
            claims[run], unexplained = look.judge(run, judged, alive=run in running)
            for register, line in unexplained:
                await self._write_down(register, line)
                found.unexplained.append(_unexplained(register, line))
        for run, claim in claims.items():
            if any(claim):
                await self._unanswered.believe(run, claim)
                found.withheld += len(claim.withheld)
                found.cut_off += len(claim.cut_off)
        # What was judged is remembered when all of it is written down: who begins again, begins from the same.
        self._spent = {name: spent for name, spent in look.spent.items() if spent[1] > now - 2 * (SETTLES + APART)}
        self._in_order = dict.fromkeys(look.in_order & set(claims), now) | {
            run: at for run, at in self._in_order.items() if run not in claims and at > now - DAY
        }
        for register, lines in new.items():
            found.waiting += self._forget(register, lines, ripe[register], alive=register.run in running)
        if found.withheld + found.cut_off:
            await self._unanswered.doubt_many()
        return found

    def _forget(self, register: Register, lines: Sequence[Opening], ripe: Sequence[Opening], *, alive: bool) -> int:
        """Go on behind what was compared next time; how many lines are left. Removes a register nothing comes to."""
        if ripe:
            self._done[register.path.name] = ripe[-1].place + 32
        if len(ripe) == len(lines) and (not alive or register.is_full):
            register.path.unlink(missing_ok=True)
            self._done.pop(register.path.name, None)
        return len(lines) - len(ripe)

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

    async def unanswered(self) -> Day:
        """How many openings of the last day were thrown away or cut off by the word of their register alone."""
        return await self._unanswered.day()

    async def doubted(self) -> list[Finding]:
        """Days with more of them than are believed, until somebody has looked."""
        return [Finding(what="doubt", kind="openings", name=day) for day in await self._unanswered.doubted()]

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
            self._grounds.database.connection() as connection,
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
