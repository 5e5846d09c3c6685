"""Erase: a person, a record, or some items go, as far as no duty keeps them. Promises R2, R3, K2, Q2.

A plan first: what goes, what stays, why and until when. Then the act: hidden at once for every reader, the rest in the
stages of `omonat.flows.erasing`, taken up again by itself after a crash. Nobody else's data is touched: a number that
two people share stays with the other; a case under dispute, an open contract, a tax duty and a legal hold keep exactly
the items they need.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.erasing import LEAVING, Stages
from omonat.flows.grounds import Also, Grounds
from omonat.flows.judging import Asked, Judge, in_force, read_around
from omonat.flows.removing import Removal, stays_of
from omonat.flows.systems import tell_of_records
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import lawful_period
from omonat.promises.retention.rule import Stay, together

_queries = load("omonat.promises.retention")
_erasures = load("omonat.promises.retention", "erasures.sql")

Cause = Literal["asked", "inaccurate", "child"]
Scope = Literal["person", "record", "items", "due", "evidence"]
Stage = Literal["hidden", "key-destroyed", "swept", "final"]
_OWNED_BY: Mapping[Cause, str] = {"asked": "R3", "inaccurate": "Q2", "child": "K2"}
"""The promise an erasure keeps; the role that answers for it may ask for it."""
PROOF_LASTS = 3 * 365 * DAY
"""How long the salts of an erased person's evidence stay where no pack names a period for the proof of consents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequest:
    """What is to go: all of a person, one record of theirs, or some items, of one record or of all.

    `by` is who asks: a client id, a staff pseudonym, `person` or `operator`. `closed_at`: only while the person is
    closed as a child since then, which is looked at under lock. `or_not_at_all`: refused where none of the items goes,
    which is looked at under lock as well.
    """

    person: str
    record: str | None = None
    items: tuple[str, ...] = ()
    cause: Cause = "asked"
    by: str = "person"
    closed_at: Instant | None = None
    or_not_at_all: bool = False

    @property
    def scope(self) -> Literal["person", "record", "items"]:
        """How far it reaches."""
        return "items" if self.items else "record" if self.record is not None else "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would go now, by item and how many records hold it; what would stay, why, until when."""

    goes: Mapping[str, int]
    stays: tuple[Stay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """How far an erasure is. A stage that isn't reached has no time; `entries` names the evidence of each stage.

    `final_at` waits for the end of the look-up key `lookup_epoch`, where one was left behind.
    """

    id: str
    scope: Scope
    cause: Cause | Literal["due"]
    person: str | None
    record: str | None
    items: tuple[str, ...]
    hidden_at: Instant
    destroyed_at: Instant | None
    swept_at: Instant | None
    final_at: Instant | None
    copies: int | None
    lookup_epoch: int | None
    policy: int
    stays: tuple[Stay, ...]
    entries: Mapping[str, str]

    @property
    def stage(self) -> Stage:
        """The last stage reached: `hidden`, `key-destroyed`, `swept` or `final`."""
        if self.final_at is not None:
            return "final"
        if self.swept_at is not None:
            return "swept"
        return "hidden" if self.destroyed_at is None else "key-destroyed"


Hide = Callable[[asyncpg.Connection, CompiledPolicy, ErasureRequest, Instant, str], Awaitable[str]]


class _PolicyMovedError(Exception):
    """Another policy came into force since ours was read."""


class Erase:
    """The flow of erasure."""

    def __init__(
        self, grounds: Grounds, *, reached: Callable[[str], None] = lambda step: reach(f"erase.{step}")
    ) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._law = grounds.law
        self._clock = grounds.clock
        self.stages = Stages(grounds, reached)

    async def by_system(
        self, credential: Credential, request: ErasureRequest, also: Also[Erasure] | None = None
    ) -> Erasure:
        """As `__call__`, asked for by a system of the company that acts for those who answer for the promise.

        What is kept under a key tells of the first stage. Raises Refused `credential-refused`, `eraser-needed`.
        """
        await self.permit(credential, request.cause)
        return await self(replace(request, by=credential.client), also)

    async def permit(self, credential: Credential, cause: Cause | None = None) -> None:
        """Whether this system may erase, or look at erasures. Raises Refused."""
        policy = await self._law.current()
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        promises = [_OWNED_BY[cause]] if cause is not None else list(_OWNED_BY.values())
        owners = {policy.policy.promises[p].owner for p in promises if p in policy.policy.promises}
        if not owners.intersection(client.roles):
            raise Refused("eraser-needed", role=", ".join(sorted(owners)))

    async def plan(self, request: ErasureRequest) -> Plan:
        """What would go and what would stay; changes nothing and shows no value. Raises as `__call__`."""
        policy, now = await self._law.current(), self._clock()
        _check(policy, request)
        async with self._database.connection() as connection:
            person = await _queries.person_to_plan(connection, id=request.person)
            if person is None or person["erased_at"] is not None:
                raise Refused("person-unknown")
            if request.record is not None:
                found = await _queries.record_to_plan(connection, id=request.record)
                records = [] if found is None or found["person"] != request.person else [found]
                if not records:
                    raise Refused("record-unknown")
            else:
                records = [r async for r in _queries.records_of_person(connection, person=request.person)]
            around = await read_around(connection, records, kept_still=False, person=person)
        goes: dict[str, int] = {}
        stays: list[Stay] = []
        with self._grounds.vault.openings.for_an_entry() as entry:
            judge = Judge(self._grounds, policy, now, entry=entry, by_name="all")
            for record in records:
                judged = judge.judge(record, around, _asked(request))
                for item in judged.gone:
                    if not request.items or item in request.items:
                        goes[item] = goes.get(item, 0) + 1
                stays += [stay for stay in judged.stays if not request.items or stay.item in request.items]
            await self._note_plan(policy, request, person, judge, now)
        return Plan(goes=goes, stays=together(stays))

    async def _note_plan(
        self, policy: CompiledPolicy, request: ErasureRequest, person: Any, judge: Judge, now: Instant
    ) -> None:
        """Sections were opened to name what they hold: that is in evidence before anything is said."""
        entry = judge.entry
        whose = self._grounds.vault.commitment(
            evidence_slot=person["evidence_slot"], entry=entry, field="person", value=request.person
        )
        facts = {"policy": policy.digest, "by": request.by, "opened": judge.opened, "person": whose}
        planned = Entry(entry, now, f"erasure:{request.scope}:planned", facts, (request.person,))
        await self._grounds.journal.submit(planned)

    async def __call__(self, request: ErasureRequest, also: Also[Erasure] | None = None) -> Erasure:
        """Erase; hidden and, in the ordinary case, key-destroyed once this returns. Asking again changes nothing.

        Raises BadInput for unknown names, Refused `person-unknown`, `record-unknown`; Unavailable when it isn't known
        how far it came: then it goes on by itself.
        """
        whole = request.scope == "person"
        policy = await (self._law.at_hand() if whole else self._law.current())
        _check(policy, request)
        hide = self._person if whole else self._part
        erasure = None
        while erasure is None:
            try:
                erasure = await self._hide(hide, policy, request, also)
            except _PolicyMovedError:
                policy = await self._law.current()
        self.stages.reached("intended")
        await self.stages.advance(erasure)
        return await self.show(erasure)

    async def _hide(
        self, hide: Hide, policy: CompiledPolicy, request: ErasureRequest, also: Also[Erasure] | None
    ) -> str:
        with self._grounds.vault.openings.for_an_entry() as entry:
            async with self._database.transaction() as connection:
                erasure = await hide(connection, policy, request, self._clock(), entry)
                reach("erase.hidden")
                if also is not None:
                    await also(connection, _erasure(await _erasures.erasure_by_id(connection, id=erasure)))
        return erasure

    async def show(self, erasure: str) -> Erasure:
        """How far an erasure is. Raises BadInput `erasure-unknown`."""
        async with self._database.connection() as connection:
            row = await _erasures.erasure_by_id(connection, id=erasure)
        if row is None:
            raise BadInput("erasure-unknown")
        return _erasure(row)

    async def of_person(self, person: str) -> Sequence[Erasure]:
        """Everything erased of a person, newest first."""
        async with self._database.connection() as connection:
            return [_erasure(row) async for row in _erasures.erasures_of(connection, person=person)]

    async def _person(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, request: ErasureRequest, now: Instant, entry: str
    ) -> str:
        """Hide a person, whatever is held of them, in one short transaction."""
        (new_slot,) = self._grounds.vault.reserve_slots(1)
        person = await _erasures.person_to_hide(connection, id=request.person)
        if person is None:
            raise Refused("person-unknown")
        if person["active_ordinal"] != policy.ordinal:
            raise _PolicyMovedError
        if request.closed_at is not None and person["quarantined_at"] != request.closed_at:
            raise Refused("not-quarantined")
        if person["erased_at"] is not None:
            before = await _erasures.erasure_of_person(connection, person=request.person)
            if before is None:  # nothing was held of them any more
                raise Refused("person-unknown")
            return str(before["id"])
        return await self.stages.hide_person(
            connection, policy=policy, facts=_facts(policy, person), now=now, entry=entry,
            evidence_due=evidence_due(policy, now), cause=request.cause, person=request.person, asked_by=request.by,
            slots=[person["slot"]], new_slot=new_slot,
        )  # fmt: skip

    async def _part(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, request: ErasureRequest, now: Instant, entry: str
    ) -> str:
        """Take a record, or items, out of a person's data, in one transaction."""
        await in_force(connection, policy)
        person = await _queries.person_for_erasure(connection, id=request.person)
        if person is None or person["erased_at"] is not None:
            raise Refused("person-unknown")
        if request.record is None:
            categories = sorted({item.partition(".")[0] for item in request.items})
            found = _queries.records_with(connection, person=request.person, categories=categories)
            records = [r async for r in found]
        else:
            one = await _queries.record_for_erasure(connection, id=request.record)
            if one is None:
                before = await _erasures.erasure_of_record(connection, record=request.record)
                if before is not None and before["person"] == request.person:
                    return str(before["id"])
            if one is None or one["person"] != request.person:
                raise Refused("record-unknown")
            records = [one]
        around = await read_around(connection, records, kept_still=False, person=person)
        judge = Judge(self._grounds, policy, now, entry=entry, by_name="all" if request.or_not_at_all else "stays")
        removal = Removal(self._grounds, policy, judge)
        for record in records:
            removal.add(judge.judge(record, around, _asked(request)), person)
        if request.or_not_at_all and not any(set(gone.items) & set(request.items) for gone in removal.gone):
            raise Refused("correction-must-stay", item=", ".join(request.items))
        channels = await removal.write(connection, around)
        stays = [stay for stay in removal.summary() if not request.items or stay["item"] in request.items]
        facts = _facts(policy, person) | {"items": list(request.items), "opened": judge.opened}
        erasure = await self.stages.intend(
            connection, act=f"erasure:{request.scope}:hidden", facts=facts, subjects=(request.person,), now=now,
            entry=entry,
            scope=request.scope, cause=request.cause, person=request.person, record=request.record,
            items=list(request.items), asked_by=request.by, policy=policy.ordinal, counted=removal.counted,
            slots=removal.doomed, stays=stays,
            lookup_epoch=self._grounds.vault.lookup_epoch if channels else None,
        )  # fmt: skip
        await tell_of_records(connection, policy, erasure, removal.gone, now)
        return erasure


def evidence_due(policy: CompiledPolicy, now: Instant) -> Instant:
    """When the salts of a person's evidence go: after the longest period any pack names for the proof of consents."""
    periods = [lawful_period(policy.packs, f"{pack.pack}/proof-of-consent") for pack in policy.packs]
    ends = [period.after(now, policy.zone) for period in periods if period is not None]
    return max(ends, default=Instant(now + PROOF_LASTS))


def _asked(request: ErasureRequest) -> Asked:
    return LEAVING if request.scope == "person" else Asked(items=request.items)


def _facts(policy: CompiledPolicy, person: Any) -> dict[str, Any]:
    """`person` is the evidence slot here; the entry gets the commitment."""
    return {"policy": policy.digest, "person": person["evidence_slot"]}


def _check(policy: CompiledPolicy, request: ErasureRequest) -> None:
    for item in request.items:
        policy.item(item)


def _erasure(row: Any) -> Erasure:
    return Erasure(
        id=row["id"], scope=row["scope"], cause=row["cause"], person=row["person"], record=row["record"],
        items=tuple(row["items"]), hidden_at=row["hidden_at"], destroyed_at=row["destroyed_at"],
        swept_at=row["swept_at"], final_at=row["final_at"], copies=row["copies"], lookup_epoch=row["lookup_epoch"],
        policy=row["policy"], stays=stays_of(row["stays"]), entries=row["entries"],
    )  # fmt: skip
