"""Tasks: what the house can't do or decide by itself and leaves to a person (A1, Q1, R2, R3, S6).

Each is a work item some flow opened. Some end by an act elsewhere, which closes them: a hold is approved, a clock
confirmed. What another system or a recipient is told by hand ends with the word that it was done, which is evidence of
the erasure or correction. The rest end when somebody says that they have looked; what is still so comes again.

Children, requests, business clients and doubts have pages of their own and aren't here.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.officers import OFFICER, Officers
from omonat.flows.systems import Systems

_queries = load("omonat.flows", "tasks.sql")
BY_HAND: Final = ("erase-by-hand", "tell-by-hand")
LOOKED_AT: Final = ("correction", "due", "integrity", "proof-packets", "request", "restore", "sweep", "use")
ELSEWHERE: Final = ("cookie", "hold-approval", "hold-review", "retention-clock")
KINDS: Final = (*BY_HAND, *LOOKED_AT, *ELSEWHERE)
SOME: Final = 3
MOST: Final = 1_000
"""Work items looked at: who has more of them than that begins with the oldest."""


class Task(Struct, frozen=True, kw_only=True):
    """One, or the same of several people. `about`: ids and names, never a value. `people`: how many it is about, `some`
    of them by id. `cases` and `items`: what a copy elsewhere holds; no items mean all there are."""

    kind: str
    about: str
    since: Instant
    people: int = 0
    some: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    items: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Under which the registry of codes says what it is and what to do."""
        return f"task-{self.kind}"

    @property
    def named(self) -> Mapping[str, str]:
        """For the registry's sentences: `what`, and the `erasure` behind what is told by hand."""
        what, _, erasure = self.about.partition(" ") if self.kind in BY_HAND else (self.about, "", "")
        return {"what": what, "erasure": erasure}

    @property
    def ends_here(self) -> bool:
        """Whether a word ends it, and not an act elsewhere."""
        return self.kind not in ELSEWHERE


class Tasks:
    """The flow, for privacy officers."""

    def __init__(self, grounds: Grounds, officers: Officers, systems: Systems) -> None:
        self._grounds = grounds
        self._officers = officers
        self._systems = systems

    async def waiting(self) -> tuple[Task, ...]:
        """What waits, the oldest first."""
        async with self._grounds.database.connection() as connection:
            rows = _queries.tasks(connection, kinds=list(KINDS), by_hand=list(BY_HAND), most=MOST)
            return tuple([_task(row) async for row in rows])

    async def done(self, kind: str, about: str, *, by: str) -> str:
        """A privacy officer (`by`, a staff ref) says that it is done, or that they have looked; the entry's id.

        Raises BadInput `task-unknown` for one that doesn't wait; Refused `task-not-yours`, `task-elsewhere`, and as
        `Officers.in_office`.
        """
        async with self._grounds.database.connection() as connection:
            member = await self._officers.in_office(connection, by)
        verdict = may_see(member.role)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        if kind in ELSEWHERE:
            raise Refused("task-elsewhere")
        if kind in BY_HAND:
            return await self._said(kind, about, member.pseudonym)
        return await self._looked(kind, about, member.pseudonym)

    async def _said(self, kind: str, about: str, who: str) -> str:
        if not any((task.kind, task.about) == (kind, about) for task in await self.waiting()):
            raise BadInput("task-unknown")
        system, _, erasure = about.partition(" ")
        return await self._systems.acknowledge(erasure, system, by=who)

    async def _looked(self, kind: str, about: str, who: str) -> str:
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            closed = 0
            if kind in LOOKED_AT:
                closed = await _queries.settle_task(connection, kind=kind, about=about, now=now)
            if not closed:
                raise BadInput("task-unknown")
            reach("task.closed")
            facts = {"kind": kind, "about": about, "items": closed, "by": who}
            entry = Entry(new_id("ev"), now, "house:task:settled", facts)
            await self._grounds.journal.append(connection, [entry], now=now)
        return entry.id


def may_see(role: str) -> Verdict:
    """Whether a role is told of tasks and ends them."""
    return Allow() if role == OFFICER else Deny((Reason("task-not-yours", "A1", {"role": OFFICER}),))


def _task(row: Mapping[str, Any]) -> Task:
    about = row["about"] or {}
    cases = [each if isinstance(each, str) else each["case"] for each in about.get("cases", ())]
    items = set(about.get("items", ())).union(*(each["items"] for each in about.get("cases", ()) if "items" in each))
    return Task(
        kind=row["rule"], about=row["missing"], since=row["since"], people=row["people"],
        some=tuple(row["some"] or ())[:SOME], cases=tuple(cases), items=tuple(sorted(items)),
    )  # fmt: skip
