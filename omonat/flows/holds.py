"""Holds: an authority suspends deletion, for a while and for a scope; two people answer for it (R2).

A hold is one more reason to stay when a sweep or an erasure weighs an item. What it keeps is sealed under new keys
before the old ones are destroyed, like everything that must stay, and no use reaches it: the read goes on refusing what
is due or erased. Placed, it stands at once and for three days; a second person approves it, or it lapses. Its end takes
two people as well. An overdue review is a work item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.reckon import note_moved
from omonat.flows.use import Credential
from omonat.flows.work import open_work_item_in
from omonat.promises.retention.rule import APPROVED_WITHIN

_queries = load("omonat.promises.retention", "holds.sql")
_identity = load("omonat.promises.identity")
Scope = Literal["person", "case", "record"]
HOLDERS = "privacy-officer"
"""The role that places, approves and releases holds."""
_REVIEW, _APPROVAL = "hold-review", "hold-approval"
_LONGEST_AUTHORITY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """What is to be held: a person, a case or a record; of it `items` or categories, or everything.

    `authority` names who ordered it and under which number; it is kept sealed. `may_tell`: the person may learn of it.
    """

    scope: Scope
    target: str
    authority: str
    review_at: Instant
    may_tell: bool
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold as it stands; staff as pseudonyms."""

    id: str
    scope: Scope
    target: str
    items: tuple[str, ...]
    authority: str
    may_tell: bool
    review_at: Instant
    placed_at: Instant
    placed_by: str
    approved_at: Instant | None
    approved_by: str | None
    ending_by: str | None
    released_at: Instant | None
    released_by: str | None
    entries: Mapping[str, str]


class Holds:
    """The flow of holds. `by` and `staff` are staff refs; whoever acts must be a privacy officer in office."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._law = grounds.law
        self._clock = grounds.clock

    async def permit(self, credential: Credential) -> None:
        """Whether this system may act for privacy officers. Raises Refused `credential-refused`, `holder-needed`."""
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        if HOLDERS not in client.roles:
            raise Refused("holder-needed", role=HOLDERS)

    async def place(self, request: HoldRequest, *, by: str, also: Also[Hold] | None = None) -> Hold:
        """Place a hold: from now on nothing it covers is destroyed.

        Raises BadInput (`hold-incomplete`, `item-unknown`), Refused `held-unknown`, `holder-needed`.
        """
        policy, now = await self._law.current(), self._clock()
        for name in request.items:
            if name not in policy.policy.categories:
                policy.item(name)
        if not request.authority.strip() or len(request.authority) > _LONGEST_AUTHORITY or request.review_at <= now:
            raise BadInput("hold-incomplete")
        hold, entry = new_id("hld"), new_id("ev")
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            whose = await _queries.whose(connection, scope=request.scope, target=request.target)
            if whose is None:
                raise Refused("held-unknown")
            await _queries.place_hold(
                connection, id=hold, scope=request.scope, target=request.target, items=list(request.items),
                authority=self._vault.seal_value(f"hold:{hold}", request.authority.encode()),
                may_tell=request.may_tell, review_at=request.review_at, now=now, placed_by=staff,
                entries={"placed": entry},
            )  # fmt: skip
            facts = {
                "hold": hold,
                "scope": request.scope,
                "items": list(request.items),
                "may-tell": request.may_tell,
                "review": request.review_at,
                "staff": staff,
                "person": self._vault.commitment(
                    evidence_slot=whose["evidence_slot"], entry=entry, field="person", value=whose["id"]
                ),
            }
            subjects = (whose["id"],) if request.may_tell else ()
            await self._note(connection, Entry(entry, now, "hold:data:placed", facts, subjects))
            reach("hold.placed")
            await open_work_item_in(connection, rule=_APPROVAL, person=None, missing=hold, now=now)
            placed = self._hold(await _queries.hold_by_id(connection, id=hold))
            if also is not None:
                await also(connection, placed)
        return placed

    async def approve(self, hold: str, *, by: str) -> Hold:
        """The second person agrees, to the hold, or to its end where that was asked for.

        Raises BadInput `hold-unknown`, Refused `hold-same-person`, `holder-needed`, `hold-over`.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            row = await self._standing(connection, hold)
            if row["ending_by"] is not None:
                await self._release(connection, row, staff, now)
            elif row["approved_at"] is None:
                if row["placed_by"] == staff:
                    raise Refused("hold-same-person")
                entry = self._entry("approved", hold, staff, now)
                await _queries.approve_hold(connection, id=hold, now=now, by=staff, entries={"approved": entry.id})
                reach("hold.approved")
                await _queries.close_review(connection, rules=[_APPROVAL], hold=hold, now=now)
                await self._note(connection, entry)
        return await self.show(hold)

    async def end(self, hold: str, *, by: str) -> Hold:
        """Ask for the end of a hold; it ends when another officer approves. Raises as `approve`."""
        now = self._clock()
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            row = await self._standing(connection, hold)
            if row["ending_by"] is None:
                entry = self._entry("ending", hold, staff, now)
                await _queries.ask_release(connection, id=hold, by=staff, entries={"ending": entry.id})
                await open_work_item_in(connection, rule=_APPROVAL, person=None, missing=hold, now=now)
                await self._note(connection, entry)
        return await self.show(hold)

    async def review(self, hold: str, *, by: str, review_at: Instant) -> Hold:
        """It was looked at and stands, until a later review. Raises as `approve`, BadInput `hold-incomplete`."""
        now = self._clock()
        if review_at <= now:
            raise BadInput("hold-incomplete")
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            await self._standing(connection, hold)
            entry = self._entry("reviewed", hold, staff, now, review=review_at)
            await _queries.review_again(connection, id=hold, review_at=review_at, entries={"reviewed": entry.id})
            await _queries.close_review(connection, rules=[_REVIEW], hold=hold, now=now)
            await self._note(connection, entry)
        return await self.show(hold)

    async def show(self, hold: str) -> Hold:
        """One hold. Raises BadInput `hold-unknown`."""
        async with self._database.connection() as connection:
            row = await _queries.hold_by_id(connection, id=hold)
        if row is None:
            raise BadInput("hold-unknown")
        return self._hold(row)

    async def standing(self) -> Sequence[Hold]:
        """Every hold that stands, the one to be reviewed first first."""
        async with self._database.connection() as connection:
            return [self._hold(row) async for row in _queries.live_holds(connection, most=500)]

    async def remind(self) -> None:
        """Open a work item for each overdue review, end what nobody approved; the sweeper asks every round."""
        now = self._clock()
        async with self._database.transaction() as connection:
            before = Instant(now - APPROVED_WITHIN)
            for row in [r async for r in _queries.lapsed(connection, before=before, most=100)]:
                entry = Entry(new_id("ev"), now, "hold:data:lapsed", {"hold": row["id"]})
                await self._let_go(connection, row, entry, "lapsed")
            for row in [r async for r in _queries.to_review(connection, now=now, most=100)]:
                await open_work_item_in(connection, rule=_REVIEW, person=None, missing=row["id"], now=now)

    async def _officer(self, connection: asyncpg.Connection, ref: str, now: Instant) -> str:
        """The pseudonym of a privacy officer in office. Raises Refused."""
        row = await _identity.staff_by_ref(connection, ref=ref)
        if row is None:
            raise Refused("staff-unknown")
        if row["role"] != HOLDERS or row["role_until"] <= now:
            raise Refused("holder-needed", role=HOLDERS)
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return self._vault.pseudonym("staff", row["id"])

    async def _standing(self, connection: asyncpg.Connection, hold: str) -> Any:
        row = await _queries.hold_for_update(connection, id=hold)
        if row is None:
            raise BadInput("hold-unknown")
        if row["released_at"] is not None:
            raise Refused("hold-over")
        return row

    async def _release(self, connection: asyncpg.Connection, row: Any, staff: str, now: Instant) -> None:
        """The hold ends, and what it kept is reckoned anew: what was due meanwhile goes."""
        if row["ending_by"] == staff:
            raise Refused("hold-same-person")
        await self._let_go(connection, row, self._entry("released", row["id"], staff, now), staff)

    async def _let_go(self, connection: asyncpg.Connection, row: Any, entry: Entry, by: str) -> None:
        hold, target, now = row["id"], row["target"], entry.at
        await _queries.release_hold(connection, id=hold, now=now, by=by, entries={"released": entry.id})
        reach("hold.released")
        await _queries.close_review(connection, rules=[_APPROVAL, _REVIEW], hold=hold, now=now)
        scope = "case" if row["scope"] == "case" else "person"
        if row["scope"] == "record":
            target = await _queries.person_of_record(connection, id=target)
        if target is not None:
            await note_moved(connection, scope, [target], now)
        await self._note(connection, entry)

    def _entry(self, stage: str, hold: str, staff: str, now: Instant, **more: Any) -> Entry:
        return Entry(new_id("ev"), now, f"hold:data:{stage}", {"hold": hold, "staff": staff, **more})

    async def _note(self, connection: asyncpg.Connection, entry: Entry) -> None:
        await self._grounds.journal.append(connection, [entry], now=entry.at)

    def _hold(self, row: Any) -> Hold:
        authority = self._vault.open_value(f"hold:{row['id']}", row["authority"]).decode()
        return Hold(
            id=row["id"], scope=row["scope"], target=row["target"], items=tuple(row["items"]), authority=authority,
            may_tell=row["may_tell"], review_at=row["review_at"], placed_at=row["placed_at"],
            placed_by=row["placed_by"], approved_at=row["approved_at"], approved_by=row["approved_by"],
            ending_by=row["ending_by"], released_at=row["released_at"], released_by=row["released_by"],
            entries=row["entries"],
        )  # fmt: skip
