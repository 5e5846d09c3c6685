"""Campaigns: a marketer plans, somebody else approves, it is started; anybody of them stops it (U5, U8, C3).

1. planned: purpose, channel and words are checked, and everybody is weighed: counts by reason, nobody's name
2. approved: a second person reads the words and the counts, and agrees
3. started: what the policy says of the purpose is asked once more; the letters are `campaign_letters`' work
4. each letter is asked about anew as it leaves, and while it is handed over no withdrawal and no stop is acknowledged
5. stopped: said once no letter can still begin; what hasn't begun is taken back
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

import asyncpg
import msgspec

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Verdict
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.campaign_letters import letters_of, weighed_by
from omonat.flows.campaign_purposes import may
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_campaign_pass
from omonat.flows.publish_policy import Proof
from omonat.flows.refusals import refusals_noted
from omonat.flows.staff import Staff
from omonat.flows.use import Credential, allowed_role
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import RoleKind
from omonat.promises.campaigns.rule import Texts, check_name, may_approve, may_start
from omonat.promises.messages import Channel
from omonat.promises.use.actor import role_of_staff

_queries = load("omonat.promises.campaigns")
_identity = load("omonat.promises.identity")
_LISTED: Final = 200
State = Literal["planned", "approved", "running", "stopped", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marketer:
    """Who acts: staff by their ref. Through a system where the credential is given; `signed_in` at the Desk; else at
    the command line, with a `proof` once there are staff with secrets."""

    staff: str
    credential: Credential | None = None
    signed_in: bool = False
    proof: Proof | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be said to whom: a purpose, never people."""

    name: str
    purpose: str
    channel: Channel
    texts: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as it stands. `counted`: people by verdict as it was planned. `letters`: by state, and why (`state`
    or `state:code`). `mine`: whoever looks planned it themself."""

    name: str
    purpose: str
    channel: Literal["email", "sms"]
    texts: Texts
    state: State
    searched: bool
    counted: Mapping[str, int]
    letters: Mapping[str, int]
    planned_at: Instant
    approved_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    entry: str
    mine: bool = False


@dataclass(frozen=True, slots=True)
class _Actor:
    """A member of staff in office: pseudonym and role."""

    pseudonym: str
    role: str


_Change = Callable[[asyncpg.Connection, Any, _Actor, Instant], Awaitable[str]]
"""What an act writes under the campaign's lock, and its entry's act; empty where nothing was to be done."""


class Campaigns:
    """The flow of campaigns."""

    def __init__(self, grounds: Grounds, staff: Staff) -> None:
        self._grounds = grounds
        self._staff = staff
        self._database = grounds.database
        self._law = grounds.law
        self._clock = grounds.clock

    async def plan(self, plan: Plan, by: Marketer, also: Also[Campaign] | None = None) -> Campaign:
        """Plan a campaign and weigh everybody. Raises BadInput (`purpose-unknown`, `campaign-name-wrong`,
        `campaign-texts-wrong`), Refused (`campaign-exists`, `campaign-purpose-wrong`, and who may not)."""
        check_name(plan.name)
        policy, now = await self._law.current(), self._clock()
        policy.purpose(plan.purpose)
        campaign, entry = new_id("cmp"), new_id("ev")
        facts = {"purpose": plan.purpose, "channel": plan.channel.value, "policy": policy.digest}
        await self._prove(by)
        async with self._noted("plan", facts), self._database.transaction() as link:
            actor = await self._actor(link, by, policy, now)
            _require(may(policy, actor.role, plan.purpose, decides=False))
            asked = weighed_by(policy, plan.purpose, plan.channel, plan.texts)
            counted = {row["reason"]: row["many"] async for row in _queries.count_people(link, **asked)}
            planned = await _queries.plan_campaign(
                link, id=campaign, name=plan.name, purpose=plan.purpose, channel=plan.channel.value,
                texts=msgspec.to_builtins(plan.texts), counted=counted, now=now, by=actor.pseudonym, entry=entry,
            )  # fmt: skip
            if planned is None:
                raise Refused("campaign-exists", name=plan.name)
            said = sha256(msgspec.json.encode(plan.texts, order="sorted")).hexdigest()
            told = {**facts, "campaign": plan.name, "staff": actor.pseudonym, "texts": said, "counted": counted}
            await self._note(link, "campaign:plan:made", told, now, entry=entry)
            shown = await self._shown(link, plan.name, actor)
            if also is not None:
                await also(link, shown)
            reach("campaigns.planned")
        return shown

    async def approve(self, name: str, by: Marketer) -> Campaign:
        """The second person agrees; agreed to already, it stays so. Raises BadInput `campaign-unknown`, Refused
        `campaign-same-person`, `campaign-over`."""

        async def approve(link: asyncpg.Connection, row: Any, actor: _Actor, now: Instant) -> str:
            _require(may_approve(name, row["state"], planned_by=row["planned_by"], by=actor.pseudonym))
            if row["state"] != "planned":
                return ""
            await _queries.approve_campaign(link, id=row["id"], now=now, by=actor.pseudonym)
            return "campaign:plan:approved"

        await self._prove(by)
        shown = await self._act("approve", name, by, approve, decides=True)
        reach("campaigns.approve-committed")
        return shown

    async def start(self, name: str, by: Marketer) -> Campaign:
        """Let it run; started already, it stays so. Raises BadInput `campaign-unknown`, Refused
        `campaign-not-approved`, `campaign-over`, and what the policy in force refuses."""
        policy = await self._law.current()

        async def start(link: asyncpg.Connection, row: Any, actor: _Actor, now: Instant) -> str:
            _require(may_start(name, row["state"]))
            weighed_by(policy, row["purpose"], Channel(row["channel"]), msgspec.convert(row["texts"], Texts))
            if row["state"] != "approved":
                return ""
            await _queries.start_campaign(link, id=row["id"], now=now, by=actor.pseudonym)
            return "campaign:run:started"

        await self._prove(by)
        shown = await self._act("start", name, by, start, decides=False)
        reach("campaigns.start-committed")
        return shown

    async def stop(self, name: str, by: Marketer) -> Campaign:
        """Stop it: once this returns, nothing of it is handed over any more. Raises BadInput `campaign-unknown`,
        Refused. A stop is never refused for what the policy says of the purpose by now."""
        found = []

        async def stop(link: asyncpg.Connection, row: Any, _: _Actor, now: Instant) -> str:
            found.append(row["id"])
            if row["state"] in ("stopped", "done"):
                return ""
            await _queries.stop_campaign(link, id=row["id"], now=now)
            return "campaign:run:stopped"

        await self._act("stop", name, by, stop, decides=True)
        reach("campaigns.stop-committed")
        await let_campaign_pass(self._database, found[0], now=self._clock())
        async with self._database.connection() as connection:
            return await self._shown(connection, name, None)

    async def look(self, name: str, by: Marketer) -> Campaign:
        """One campaign as it stands, for whoever may approve it. Raises BadInput `campaign-unknown`, Refused."""
        policy, now = await self._law.current(), self._clock()
        facts = {"policy": policy.digest}
        async with self._noted("look", facts), self._database.connection() as connection:
            actor = await self._actor(connection, by, policy, now)
            shown = await self._shown(connection, name, actor)
            _require(may(policy, actor.role, shown.purpose, decides=True))
        return shown

    async def mine(self, by: Marketer) -> list[Campaign]:
        """The newest campaigns that this member of staff may look at. Raises Refused."""
        policy, now = await self._law.current(), self._clock()
        async with self._database.connection() as connection:
            actor = await self._actor(connection, by, policy, now)
            rows = [row async for row in _queries.campaigns(connection, most=_LISTED)]
            mine = [row for row in rows if isinstance(may(policy, actor.role, row["purpose"], decides=True), Allow)]
            return [await self._campaign(connection, row, actor) for row in mine]

    async def show(self, name: str) -> Campaign:
        """One campaign as it stands, for the operator. Raises BadInput `campaign-unknown`."""
        async with self._database.connection() as connection:
            return await self._shown(connection, name, None)

    async def every(self) -> list[Campaign]:
        """The newest campaigns first, for the operator."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.campaigns(connection, most=_LISTED)]
            return [await self._campaign(connection, row, None) for row in rows]

    async def _act(self, act: str, name: str, by: Marketer, change: _Change, *, decides: bool) -> Campaign:
        """Under the campaign's lock: who acts, the change, and its entry. Raises BadInput, Refused."""
        policy, now = await self._law.current(), self._clock()
        facts = {"policy": policy.digest}
        async with self._noted(act, facts), self._database.transaction() as link:
            actor = await self._actor(link, by, policy, now)
            row = await _queries.lock_campaign(link, name=name)
            if row is None:
                raise BadInput("campaign-unknown")
            _require(may(policy, actor.role, row["purpose"], decides=decides))
            done = await change(link, row, actor, now)
            if done:
                await self._note(link, done, {**facts, "campaign": name, "staff": actor.pseudonym}, now)
            shown = await self._shown(link, name, actor)
            reach("campaigns.acted")
        return shown

    async def _prove(self, by: Marketer) -> None:
        """Two numbers typed by one operator are not two people. Raises Refused `sign-in-failed` and its like."""
        if by.credential is not None or by.signed_in or not await self._staff.anybody_has_secrets():
            return
        if by.proof is None:
            raise Refused("sign-in-failed")
        await self._staff.confirm(by.staff, by.proof.password, by.proof.code)

    async def _actor(self, link: asyncpg.Connection, by: Marketer, policy: CompiledPolicy, now: Instant) -> _Actor:
        """A member of staff in office, acting through a system that acts for their role. Raises Refused."""
        row = await _identity.staff_by_ref(link, ref=by.staff)
        if by.credential is not None:
            client = await require_client(link, by.credential, now)
            allowed_role(role_of_staff(None if row is None else row["role"], client.roles))
        if row is None:
            raise Refused("staff-unknown")
        role = policy.roles.get(row["role"])
        if role is None or role.kind is not RoleKind.HUMAN:
            raise Refused("role-unclear")
        if row["role_until"] <= now:
            raise Refused("role-ended")
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return _Actor(self._grounds.vault.pseudonym("staff", row["id"]), row["role"])

    async def _shown(self, link: asyncpg.Connection, name: str, actor: _Actor | None) -> Campaign:
        row = await _queries.campaign(link, name=name)
        if row is None:
            raise BadInput("campaign-unknown")
        return await self._campaign(link, row, actor)

    async def _campaign(self, link: asyncpg.Connection, row: Any, actor: _Actor | None) -> Campaign:
        letters = row["outcome"] if row["outcome"] is not None else await letters_of(link, row["id"])
        return Campaign(
            name=row["name"], purpose=row["purpose"], channel=row["channel"], state=row["state"],
            texts=msgspec.convert(row["texts"], Texts), searched=row["searched"], counted=row["counted"],
            letters=letters, planned_at=row["planned_at"], approved_at=row["approved_at"],
            started_at=row["started_at"], ended_at=row["ended_at"], entry=row["entry"],
            mine=actor is not None and row["planned_by"] == actor.pseudonym,
        )  # fmt: skip

    def _noted(self, act: str, facts: Mapping[str, Any]) -> AbstractAsyncContextManager[None]:
        return refusals_noted(self._grounds, f"campaign:{act}:refused", facts)

    async def _note(
        self, link: asyncpg.Connection, act: str, facts: Mapping[str, Any], now: Instant, *, entry: str = ""
    ) -> None:
        await self._grounds.journal.append(link, [Entry(entry or new_id("ev"), now, act, facts)], now=now)


def _require(verdict: Verdict) -> None:
    if not isinstance(verdict, Allow):
        raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
