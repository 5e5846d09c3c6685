"""Safeguards: the register of the policy, who found each in place, and what happens when nobody did in time (S3, S6).

A safeguard has an owner and a period in the policy. Its owner reviews it and says where the proof lies; the restore
drill is reviewed by holding it, and no word stands for that. What is overdue, or was found broken, is a doubt
(`omonat.flows.doubts`): an entry when it begins and when it ends, a work item in between, shown at the Desk, and a
broken promise in `omonat prove`. Nothing is refused for it. Hosts and rooms are reviewed here as well, under the names
`host/…` and `room/…`; which there are is said in `omonat.flows.places`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from omonat.base.canonical import digest as digest_of
from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.database.statements import load
from omonat.evidence.entry import Entry, encode
from omonat.flows.doubts import Doubts
from omonat.flows.grounds import Grounds
from omonat.flows.officers import OFFICER, Officers
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.durations import Duration
from omonat.policy.words import SafeguardKind
from omonat.promises.notice.words import personal
from omonat.promises.security.rule import (
    Review,
    check_proof,
    decide_drill,
    decide_review,
    due,
    may_review,
)

DRILL: Final = "restore-drill"
"""The id of the safeguard in the policy; its `review` says how often."""
DOUBT: Final = "safeguard"
UNPROVED: Final = "safeguard-unproved"
"""A kind of its own: what was overdue before may be altered later, and that must be seen."""
PLACES: Final = "S5"
"""The promise whose owner keeps the register of hosts and rooms."""
UNPLANNED: Final = CannotTell((DRILL,), (Reason("drill-unplanned", "S6"),))
_queries = load("omonat.promises.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One safeguard or place: its name in the register, who answers for it, what was found last, by when somebody must
    look again (None where nothing says how often), and whether it stands. `room` is where a host stands."""

    about: str
    owner: str
    promise: str
    last: Review | None
    due: Instant | None
    verdict: Verdict
    room: str = ""

    @property
    def is_place(self) -> bool:
        """Whether it is a host or a room."""
        return "/" in self.about


class Safeguards:
    """The flow of safeguards. `by` are staff refs; whoever calls has seen them prove themselves."""

    def __init__(self, grounds: Grounds, officers: Officers) -> None:
        self._grounds = grounds
        self._officers = officers
        self._doubts = Doubts(grounds)

    async def drill_standing(self) -> Verdict:
        """Whether the restore drill is kept: Allow, Deny `drill-overdue`, CannotTell `drill-unplanned`."""
        return next((one.verdict for one in await self.standing() if one.about == DRILL), UNPLANNED)

    async def standing(self) -> Sequence[Standing]:
        """Every safeguard of the policy in force, in its order, then every room and host of the register."""
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            drill = await _queries.last_drill(connection)
            parts = self._parts(policy, drill["since"], [row async for row in _queries.places(connection)])
            names = [part.about for part in parts]
            last = {row["about"]: _review(row) async for row in _queries.last_reviews(connection, abouts=names)}
        if drill["passed_at"] is not None:
            last[DRILL] = Review(at=drill["passed_at"], kept=True)
        return [_judged(part, last.get(part.about), now) for part in parts]

    def _parts(self, policy: CompiledPolicy, made: Instant, places: Sequence[Mapping[str, Any]]) -> list["_Part"]:
        history = self._grounds.law.history()
        listed = [
            _Part(one.id, one.owner, one.promise, one.review, max(made, promised_since(history, policy, one.id)))
            for one in policy.policy.safeguards
        ]
        owner, period = owner_of_places(policy), period_of_places(policy)
        return listed + [
            _Part(f"{row['kind']}/{row['name']}", owner, PLACES, period, None, row["room"] or "") for row in places
        ]

    async def review(self, about: str, *, kept: bool, proof: str, by: str, document: str = "") -> str:
        """Its owner says how it stands, and where the proof lies; the entry's id.

        `document` is the SHA-256 of a file that proves it, in hex. Raises BadInput (`safeguard-unknown`,
        `proof-missing`, `proof-personal`), Refused (`safeguard-not-yours`, `drill-instead`, as
        `omonat.flows.officers`).
        """
        one = next((each for each in await self.standing() if each.about == about), None)
        if one is None:
            raise BadInput("safeguard-unknown")
        if about == DRILL:
            raise Refused("drill-instead")
        found = Review(at=self._grounds.clock(), kept=kept, proof=proof.strip(), document=document)
        async with self._grounds.database.transaction() as connection:
            reviewer = await self._officers.in_office(connection, by)
            require(may_review(reviewer.role, one.owner))
            entry = await self.note(connection, about, found, reviewer.pseudonym)
            reach("safeguards.reviewed")
        return entry

    async def note(self, connection: asyncpg.Connection, about: str, found: Review, reviewer: str) -> str:
        """Write down a review with its entry, in the caller's transaction; the entry's id.

        Raises as `review` where the proof says nothing.
        """
        await self._check(found)
        said = replace(found, by=reviewer, entry=new_id("ev"))
        await _queries.add_review(
            connection, id=new_id("rvw"), about=about, at=said.at, kept=said.kept, proof=said.proof,
            document=said.document, by=said.by, entry=said.entry,
        )  # fmt: skip
        await self._grounds.journal.append(connection, [_entry(about, said)], now=said.at)
        return said.entry

    async def _check(self, found: Review) -> None:
        verdict = check_proof(found.proof, found.document)
        if not isinstance(verdict, Allow):
            raise BadInput(verdict.reasons[0].code)
        require_nobody_named(await self._grounds.law.current(), found.proof)

    async def look_after(self) -> None:
        """Make a doubt of what is overdue or broken, and end those that are over."""
        try:
            standing = await self.standing()
        except Unavailable:  # no policy yet: nothing is promised
            return
        broken = {one.about: one.verdict for one in standing if not isinstance(one.verdict, Allow)}
        if all(one.about != DRILL for one in standing):
            broken[DRILL] = UNPLANNED
        why = {about: {"why": verdict.reasons[0].code} for about, verdict in broken.items()}
        altered: dict[str, dict[str, str]] = {about: {} for about, facts in why.items() if facts["why"] == UNPROVED}
        await self._doubts.are(DOUBT, {about: facts for about, facts in why.items() if about not in altered})
        await self._doubts.are(UNPROVED, altered)

    async def note_drill(self, *, backup: str, passed: bool, report: dict[str, Any], facts: dict[str, Any]) -> str:
        """Write down a drill, with its entry; the entry's id. `facts` go into the log, `report` stays here."""
        now, entry = self._grounds.clock(), new_id("ev")
        act = "drill:restore:passed" if passed else "drill:restore:failed"
        async with self._grounds.database.transaction() as connection:
            await _queries.add_drill(
                connection, id=new_id("drl"), at=now, backup=backup, passed=passed, report=report, entry=entry
            )
            await self._grounds.journal.append(
                connection, [Entry(entry, now, act, {"backup": backup, **facts})], now=now
            )
        return entry


def shown_to(policy: CompiledPolicy, role: str) -> Verdict:
    """Whether a role sees the register: privacy officers, and whoever owns a part of it."""
    owners = {one.owner for one in policy.policy.safeguards} | {owner_of_places(policy)}
    return Allow() if role in {OFFICER, *owners} else Deny((Reason("safeguard-not-yours", "S3", {"role": OFFICER}),))


def owner_of_places(policy: CompiledPolicy) -> str:
    """Who keeps the register of hosts and rooms, and looks after them."""
    declared = policy.policy.promises.get(PLACES)
    return OFFICER if declared is None else declared.owner


def period_of_places(policy: CompiledPolicy) -> Duration | None:
    """How often hosts and rooms are looked at: as the physical safeguards of S5 are, the shortest of them; None where
    the policy has none."""
    periods = [
        one.review for one in policy.policy.safeguards if one.promise == PLACES and one.kind is SafeguardKind.PHYSICAL
    ]
    return min(periods, key=lambda period: period.ceiling, default=None)


def promised_since(history: Sequence[CompiledPolicy], policy: CompiledPolicy, safeguard: str) -> Instant:
    """Since when the company has promised this without a break, as of the policy in force."""
    since = policy.policy.effective
    for version in reversed([each for each in history if each.ordinal <= policy.ordinal]):
        if all(one.id != safeguard for one in version.policy.safeguards):
            break
        since = min(since, version.policy.effective)
    return since


def require_nobody_named(policy: CompiledPolicy, text: str) -> None:
    """Raises BadInput `proof-personal` for words that look like somebody's data: they stay in the register."""
    controller = policy.policy.controller
    if next(personal(text, mailbox=controller.mailbox, phone=controller.phone), None) is not None:
        raise BadInput("proof-personal")


def require(verdict: Verdict) -> None:
    """Raises Refused with the first reason of anything but Allow."""
    if not isinstance(verdict, Allow):
        reason = verdict.reasons[0]
        raise Refused(reason.code, **reason.about)


@dataclass(frozen=True, slots=True)
class _Part:
    """What the register says of a safeguard or place before anybody looks at the reviews."""

    about: str
    owner: str
    promise: str
    period: Duration | None
    since: Instant | None
    """None: it comes in with its first review."""
    room: str = ""


def _judged(part: _Part, last: Review | None, now: Instant) -> Standing:
    if part.about == DRILL and part.since is not None:
        passed = None if last is None else last.at
        verdict = decide_drill(part.period, passed_at=passed, since=part.since, now=now)
    else:
        verdict = decide_review(part.period, last=last, since=part.since, now=now, promise=part.promise)
    by = None if part.period is None else due(part.period, last=last, since=part.since)
    return Standing(
        about=part.about, owner=part.owner, promise=part.promise, last=last, due=by, verdict=verdict, room=part.room
    )


def _entry(about: str, found: Review) -> Entry:
    """The entry of a review: it binds the words of the proof by their digest."""
    facts = {
        "about": about,
        "proof": digest_of({"proof": found.proof, "document": found.document}),
        "staff": found.by,
    }
    return Entry(found.entry, found.at, "safeguard:review:kept" if found.kept else "safeguard:review:broken", facts)


def _review(row: Mapping[str, Any]) -> Review:
    """A review as the table has it, and whether the log has it too: a row put in or altered by hand proves nothing."""
    found = Review(
        at=row["at"], kept=row["kept"], proof=row["proof"], document=row["document"], by=row["by"], entry=row["entry"]
    )
    return replace(found, proved=row["body"] is not None and bytes(row["body"]) == encode(_entry(row["about"], found)))
