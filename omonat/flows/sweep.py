"""Sweep: what is due loses its keys, by itself, soon after the read began to refuse it (R1, R2, R3, K2).

One batch: claim records whose index says so, judge each item under the policy in force and under lock, then in one
transaction remove or seal anew, write the intent and its entry; after the commit destroy all their keys with one flush.
What a batch costs depends on what is due, never on what is kept. Any number of sweepers may run.

Time that isn't believed destroys nothing (`promises.retention.clock`). A hold, or what the policy doesn't know, keeps
an item; both stay hidden by the read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.errors import Fault, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.erase import Erase, ErasureRequest, evidence_due
from omonat.flows.grounds import Grounds
from omonat.flows.holds import Holds
from omonat.flows.judging import Around, Judge, Judged, in_force, read_around
from omonat.flows.lookup_key import LookupKey
from omonat.flows.reckon import Reckon
from omonat.flows.removing import Removal
from omonat.flows.systems import tell_of_records
from omonat.flows.work import close_work_items_by, open_work_item_in
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.children.consent import waits_until
from omonat.promises.retention.clock import decide_clock

_queries = load("omonat.promises.retention")
BATCH: Final = 2_500
"""Records in one batch: with as many people who end with them, their slots still fit into one evidence entry."""
RECKONINGS: Final = 64
_SINCE_THEN: Final = frozenset({"not-quarantined", "person-unknown"})
"""A child of whom it was read that they are closed: opened by a parent's consent, or erased, since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one round did. `doubt` is the code that says why time destroyed nothing, or empty."""

    records: int = 0
    erasures: int = 0
    doubt: str = ""
    more: bool = False


class Sweeper:
    """The flow that nobody has to ask."""

    def __init__(
        self,
        grounds: Grounds,
        erase: Erase,
        *,
        batch: int = BATCH,
        reached: Callable[[str], None] = lambda step: reach(f"sweep.{step}"),
    ) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._law = grounds.law
        self._clock = grounds.clock
        self._erase = erase
        self._stages = erase.stages
        self._holds = Holds(grounds)
        self.lookup_key = LookupKey(grounds)
        self._reckon = Reckon(grounds)
        self._batch = batch
        self._reached = reached

    async def round(self) -> Swept:
        """Take up what was left undone, follow what moved, then remove one batch of what is due.

        Raises Unavailable (try again), Fault when something isn't as it must be: then it stays hidden and undestroyed.
        """
        erasures, trouble = 0, None
        try:
            erasures = await self._stages.resume()
        except (Fault, Refused) as error:  # somebody has to look; what is due goes all the same
            trouble = error
        done = await self._rest(erasures)
        if trouble is not None:
            raise trouble
        return done

    async def _rest(self, erasures: int) -> Swept:
        moved = await self._follow()
        await self._stages.finish(living_epoch=self._vault.oldest_lookup_epoch)
        renewing = await self.lookup_key.advance()
        doubt = await self._doubt()
        if doubt:  # nothing is destroyed by a time that isn't believed, and no hold lapses by it
            return Swept(erasures=erasures, doubt=doubt, more=moved or renewing)
        await self._holds.remind()
        children, trouble = 0, None
        try:
            children = await self._children()
        except (Fault, Refused) as error:  # what is due goes all the same, and the fault is said afterwards
            trouble = error
        records, full = await self._sweep_due()
        ended = await self._end_evidence()
        more = moved or full or ended or renewing
        if trouble is not None:
            raise trouble
        return Swept(records=records, erasures=erasures + children, more=more)

    async def _follow(self) -> bool:
        """Reckon anew what moved, so many batches at most; whether there may be more."""
        for _ in range(RECKONINGS):
            if not await self._reckon():
                return False
        return True

    # Time -------------------------------------------------------------------------------------------------------

    async def _doubt(self) -> str:
        """Why the time isn't believed; empty when it is. The first doubt is an entry and a work item."""
        now = self._clock()
        async with self._database.transaction() as connection:
            state = await _queries.state(connection, now=now)
            verdict = decide_clock(now, seen=state["seen"], database=state["database"])
            if isinstance(verdict, Allow):
                await _queries.believe(connection, now=now)
                if state["doubted_at"] is not None:
                    await close_work_items_by(connection, rule="retention-clock", now=now)
                return ""
            code = verdict.reasons[0].code
            if await _queries.doubt(connection, now=now) is not None:
                facts = {"code": code, "seen": state["seen"], "database": state["database"]}
                entry = Entry(new_id("ev"), now, "retention:clock:doubted", facts)
                await self._grounds.journal.append(connection, [entry], now=now)
                await open_work_item_in(connection, rule="retention-clock", person=None, missing=code, now=now)
        return code

    async def confirm_clock(self, *, by: str) -> None:
        """A person says that this machine's time is right: what is due by it may be destroyed."""
        now = self._clock()
        async with self._database.transaction() as connection:
            await _queries.confirm_clock(connection, now=now)
            entry = Entry(new_id("ev"), now, "retention:clock:confirmed", {"by": by})
            await self._grounds.journal.append(connection, [entry], now=now)
            await close_work_items_by(connection, rule="retention-clock", now=now)

    async def doubted_at(self) -> Instant | None:
        """Since when the time isn't believed; None when it is."""
        async with self._database.connection() as connection:
            at: Instant | None = await _queries.doubted(connection)
        return at

    # What is due ------------------------------------------------------------------------------------------------

    async def _sweep_due(self) -> tuple[int, bool]:
        """One batch: how many records were looked at, and whether there may be more."""
        with self._vault.openings.for_an_entry() as entry:
            erasure, looked_at, full = await self._remove_due(entry)
        self._reached("intended")
        if erasure is not None:
            await self._stages.advance(erasure)
        return looked_at, full

    async def _remove_due(self, entry: str) -> tuple[str | None, int, bool]:
        """One batch in one transaction: the erasure it began, how many records it looked at, whether it was full."""
        policy, now = await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            await in_force(connection, policy)
            records = [r async for r in _queries.claim_due(connection, now=now, most=self._batch)]
            if not records:
                return None, 0, False
            around = await read_around(connection, records, sealed=False)
            standing = [record for record in records if around.stands(record)]
            judge = Judge(self._grounds, policy, now, entry=entry)
            removal = Removal(self._grounds, policy, judge)
            await self._plan(connection, removal, judge, standing, around)
            channels = await removal.write(connection, around)
            reach("sweep.removed")
            for person, item in sorted(removal.unknown):
                await open_work_item_in(connection, rule="due", person=person, missing=item, now=now)
            emptied = await self._end_people(connection, policy, sorted(removal.people), now)
            erasure = None
            if removal.doomed:
                erasure = await self._intend(connection, policy, removal, judge, emptied, channels=channels, now=now)
            elif judge.opened:
                facts = {"policy": policy.digest, "opened": judge.opened}
                looked = Entry(entry, now, "retention:records:examined", facts)
                await self._grounds.journal.append(connection, [looked], now=now)
        return erasure, len(standing), len(records) == self._batch and bool(standing)

    async def _plan(
        self,
        connection: asyncpg.Connection,
        removal: Removal,
        judge: Judge,
        records: Sequence[Any],
        around: Around,
    ) -> None:
        """Judge these records: what goes as a whole unread, the sections of the others read."""
        others = []
        for record in records:
            judged = judge.goes_whole(record, around)
            if judged is None:
                others.append(record)
            else:
                removal.add(judged, around.persons[record["person"]])
        if not others:
            return
        around = await around.with_sealed(connection, others)
        for record in others:
            judged = await self._judged(connection, judge, record, around)
            if judged is not None:
                removal.add(judged, around.persons[record["person"]])

    async def _judged(self, connection: asyncpg.Connection, judge: Judge, record: Any, around: Any) -> Judged | None:
        """The judgement, or None for a record that can't be opened: somebody has to look, the others go on."""
        try:
            return judge.judge(record, around)
        except (Fault, Refused) as error:
            await open_work_item_in(
                connection, rule="sweep", person=record["person"], missing=error.code, now=judge.now
            )
            await _queries.set_aside(connection, id=record["id"], due_at=judge.now + DAY)
            return None

    async def _end_people(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, people: Sequence[str], now: Instant
    ) -> list[Any]:
        """People of whom nothing is held any more end here, with all that hangs on them.

        Asked twice: what was written while they were waited for is seen under the lock alone.
        """
        emptied: list[Any] = []
        if people:
            await _queries.hold_traders(connection, ids=people)
            emptied = [row async for row in _queries.emptied(connection, ids=people)]
        if emptied:
            emptied = [row async for row in _queries.emptied(connection, ids=[row["id"] for row in emptied])]
        if emptied:
            ids = [row["id"] for row in emptied]
            await _queries.end_persons(connection, ids=ids, now=now, evidence_due=evidence_due(policy, now))
            await _queries.sweep_people(connection, ids=ids)
        return emptied

    async def _intend(
        self,
        connection: asyncpg.Connection,
        policy: CompiledPolicy,
        removal: Removal,
        judge: Judge,
        emptied: Sequence[Any],
        *,
        channels: bool,
        now: Instant,
    ) -> str:
        gone = {row["id"] for row in emptied}
        facts = {"policy": policy.digest, "records": removal.counted, "people": len(emptied), "opened": judge.opened}
        erasure = await self._stages.intend(
            connection, act="retention:records:removed", facts=facts, now=now, entry=judge.entry,
            subjects=tuple(sorted(removal.people - gone)), scope="due", cause="due", asked_by="sweeper",
            policy=policy.ordinal, counted=removal.counted,
            slots=[*removal.doomed, *(row["slot"] for row in emptied)], stays=[],
            lookup_epoch=self._vault.lookup_epoch if channels or emptied else None,
        )  # fmt: skip
        await tell_of_records(connection, policy, erasure, removal.gone, now)
        return erasure

    # Evidence and children --------------------------------------------------------------------------------------

    async def _end_evidence(self) -> bool:
        """The salts of people erased long ago; with them goes the last row that named them."""
        policy, now = await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            rows = [r async for r in _queries.claim_evidence_due(connection, now=now, most=self._batch)]
            if not rows:
                return False
            await _queries.forget_people(connection, ids=[row["id"] for row in rows])
            erasure = await self._stages.intend(
                connection, act="retention:evidence:ended", facts={"people": len(rows)}, subjects=(), now=now,
                scope="evidence", cause="due", asked_by="sweeper", policy=policy.ordinal, counted=0,
                slots=[row["evidence_slot"] for row in rows],
            )  # fmt: skip
        reach("sweep.evidence-intended")
        await self._stages.advance(erasure)
        return len(rows) == self._batch

    async def _children(self) -> int:
        """Children found and closed: no consent came in time, so their data goes (K2).

        Where the packs name no period, or can't agree on one, nothing is waited for.
        """
        policy, now = await self._law.current(), self._clock()
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.quarantined(connection, now=now, most=100)]
        gone, trouble = 0, None
        for row in rows:
            closed, until = row["quarantined_at"], waits_until(policy, row["since"])
            if until is not None and now < until:
                continue
            try:
                await self._erase(ErasureRequest(person=row["id"], cause="child", by="sweeper", closed_at=closed))
            except (Fault, Refused) as error:  # the other children don't wait for this one
                if error.code not in _SINCE_THEN:
                    trouble = error
            else:
                gone += 1
        if trouble is not None:
            raise trouble
        return gone
