"""Tasks: what the house can't do or decide by itself and leaves to a person (A1, Q1, R2, R3, S6).

Each is a work item some flow opened. Some end by an act elsewhere, which closes them: a hold is approved, a clock
confirmed. What another system or a recipient is told by hand ends with the word that it was done, which is evidence of
the erasure or correction. The rest end when somebody says that they have looked, and come again only when
their cause is met again; whom a restore closed is open again then.

Children, requests, business clients and doubts have pages of their own and aren't here.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

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
LOOKED_AT: Final = (
    "correction",
    "due",
    "integrity",
    "proof-packets",
    "quarantine",
    "request",
    "restore",
    "sweep",
    "use",
)
ELSEWHERE: Final = ("cookie", "hold-approval", "hold-review", "retention-clock")
KINDS: Final = (*BY_HAND, *LOOKED_AT, *ELSEWHERE)
MOST: Final = 100
"""Tasks of those told by hand, and of the others, that are shown at once: the oldest."""
CASES: Final = 20
"""Cases of one that a page shows; `omonat tasks list` names every one."""
EVERY_CASE: Final = 100_000


class Copy(Struct, frozen=True, kw_only=True):
    """What of one case is to be seen to elsewhere; no items: all that is held there of it."""

    case: str
    items: tuple[str, ...] = ()


class Task(Struct, frozen=True, kw_only=True):
    """One, or the same of several people. `about`: ids and names, never a value. `people`: how many it is about, `some`
    of them by id. `newest`: when the last of them was met.

    Of what is told by hand: `copies`, case by case, with `more` of them left out; `items`, where they alone are
    held or meant; `stays`, what a duty keeps there as here, until when. `forgotten`: nobody can say any more what it
    was.
    """

    kind: str
    about: str
    since: Instant
    newest: Instant
    people: int = 0
    some: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()
    more: int = 0
    items: tuple[str, ...] = ()
    stays: tuple[tuple[str, Instant | None], ...] = ()
    forgotten: bool = False

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


class Waiting(NamedTuple):
    """The oldest tasks, and how many more there are."""

    tasks: tuple[Task, ...]
    more: int


class Tasks:
    """The flow, for privacy officers."""

    def __init__(self, grounds: Grounds, officers: Officers, systems: Systems) -> None:
        self._grounds = grounds
        self._officers = officers
        self._systems = systems

    async def waiting(self, *, cases: int = CASES) -> Waiting:
        """What waits, the oldest first; last what is told by hand, with so many `cases` of each."""
        policy = (await self._grounds.law.current()).policy
        own = {system.id: system.items for system in policy.systems}
        async with self._grounds.database.connection() as connection:
            asked = _queries.tasks(connection, kinds=list(KINDS), by_hand=list(BY_HAND), most=MOST, cases=cases)
            rows = [row async for row in asked]
        there_are = {row["by_hand"]: row["all_of"] for row in rows}
        return Waiting(tuple(_task(row, own) for row in rows), sum(there_are.values()) - len(rows))

    async def done(self, kind: str, about: str, *, by: str, seen: Instant | None = None) -> str:
        """A privacy officer (`by`, a staff ref) says that it is done, or that they have looked at what was met until
        `seen`, now when absent; the entry's id.

        Raises BadInput `task-unknown` for one that doesn't wait; Refused `task-not-yours`, `task-elsewhere`, and as
        `Officers.in_office`.
        """
        async with self._grounds.database.connection() as connection:
            member = await self._officers.in_office(connection, by)
            waits = await _queries.waits(connection, kind=kind, about=about)
        verdict = may_see(member.role)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        if kind in ELSEWHERE:
            raise Refused("task-elsewhere")
        if kind in BY_HAND:
            if not waits:
                raise BadInput("task-unknown")
            system, _, erasure = about.partition(" ")
            return await self._systems.acknowledge(erasure, system, by=member.pseudonym)
        return await self._looked(kind, about, member.pseudonym, seen)

    async def _looked(self, kind: str, about: str, who: str, seen: Instant | None) -> str:
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            closed = 0
            if kind in LOOKED_AT:
                until = now if seen is None else seen
                _ = [each async for each in _queries.lock_whom(connection, kind=kind, about=about)]
                closed = await _queries.settle_task(connection, kind=kind, about=about, seen=until, now=now)
            if not closed:
                raise BadInput("task-unknown")
            reach("task.closed")
            what = about.partition(" ")[0]  # of a correction the item, and not whose record it was
            facts = {"kind": kind, "about": what, "items": closed, "by": who}
            entry = Entry(new_id("ev"), now, "house:task:settled", facts)
            await self._grounds.journal.append(connection, [entry], now=now)
        return entry.id


def may_see(role: str) -> Verdict:
    """Whether a role is told of tasks and ends them."""
    return Allow() if role == OFFICER else Deny((Reason("task-not-yours", "A1", {"role": OFFICER}),))


def _task(row: Mapping[str, Any], own: Mapping[str, Collection[str]]) -> Task:
    """`own`: of which items a system holds anything at all, by its name; all where it isn't said."""
    told = [Copy(case=one) if isinstance(one, str) else _copy(one) for one in row["cases"] or ()]
    stays = [(one["item"], None if one["until"] is None else Instant(one["until"])) for one in row["stays"] or ()]
    return Task(
        kind=row["rule"], about=row["missing"], since=row["since"], newest=row["newest"], people=row["people"],
        some=tuple(row["some"]), copies=tuple(told), more=row["cases_of_all"] - len(told),
        items=tuple(row["items"] or own.get(row["missing"].partition(" ")[0], ())), stays=tuple(dict.fromkeys(stays)),
        forgotten=bool(row["forgotten"]),
    )  # fmt: skip


def _copy(told: Mapping[str, Any]) -> Copy:
    return Copy(case=told["case"], items=tuple(told.get("items", ())))
