"""Campaigns: a marketer plans, somebody starts, letters are written page by page, anybody of them stops (U5, U8, C3).

1. planned: purpose, channel and words are checked, and everybody is weighed: counts by reason, nobody's name
2. started: what the policy says of the purpose is asked once more
3. a page of people who said yes gets its letters, in one transaction with how far that is: a crash repeats or loses
   nobody; `once` keeps a second letter of the campaign from anybody
4. each letter is asked about anew as it leaves, and while it is handed over no withdrawal and no stop is acknowledged
5. stopped: said once no letter can still begin; what hasn't begun is taken back

Any number of workers may run it; a campaign is claimed by one at a time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

import asyncpg
import msgspec

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_campaign_pass
from omonat.flows.refusals import refusals_noted
from omonat.flows.use import Credential, allowed_role
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import RoleKind
from omonat.promises.campaigns.rule import (
    ITEMS,
    STATE_LANGUAGE,
    TEMPLATES,
    Texts,
    check_name,
    check_texts,
    may_have_campaigns,
    once_key,
)
from omonat.promises.messages import Channel, Message, Value, Waiting, put_many
from omonat.promises.use.actor import role_of_staff

_queries = load("omonat.promises.campaigns")
_identity = load("omonat.promises.identity")
_PAGE: Final = 1_000
_LISTED: Final = 200
_OPEN: Final = frozenset({"waiting", "claimed", "handing-over"})
_SENDER: Final = "system"
"""The role in which the outbox opens an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marketer:
    """Who acts: staff by their ref; through a system where the credential is given, else at the command line."""

    staff: str
    credential: Credential | None = None


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
    or `state:code`)."""

    name: str
    purpose: str
    channel: Literal["email", "sms"]
    state: Literal["planned", "running", "stopped", "done"]
    searched: bool
    counted: Mapping[str, int]
    letters: Mapping[str, int]
    planned_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    entry: str


class Campaigns:
    """The flow of campaigns."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._law = grounds.law
        self._clock = grounds.clock
        self._texts: dict[str, Texts] = {}

    async def plan(self, plan: Plan, by: Marketer, also: Also[Campaign] | None = None) -> Campaign:
        """Plan a campaign and weigh everybody. Raises BadInput (`purpose-unknown`, `campaign-name-wrong`,
        `campaign-texts-wrong`), Refused (`campaign-exists`, `campaign-purpose-wrong`, and who may not)."""
        check_name(plan.name)
        check_texts(plan.texts, plan.channel.value)
        policy, now = await self._law.current(), self._clock()
        policy.purpose(plan.purpose)
        campaign, entry = new_id("cmp"), new_id("ev")
        facts = {"purpose": plan.purpose, "channel": plan.channel.value, "policy": policy.digest}
        async with refusals_noted(self._grounds, "campaign:plan:refused", facts), self._database.transaction() as link:
            staff = await self._marketer(link, by, plan.purpose, policy, now)
            asked = self._asked(policy, plan.purpose, plan.channel)
            counted = {row["reason"]: row["many"] async for row in _queries.count_people(link, **asked)}
            texts = msgspec.to_builtins(plan.texts)
            planned = await _queries.plan_campaign(
                link, id=campaign, name=plan.name, purpose=plan.purpose, channel=plan.channel.value,
                texts=texts, counted=counted, now=now, by=staff, entry=entry,
            )  # fmt: skip
            if planned is None:
                raise Refused("campaign-exists", name=plan.name)
            said = sha256(msgspec.json.encode(plan.texts, order="sorted")).hexdigest()
            told = {**facts, "campaign": plan.name, "staff": staff, "texts": said, "counted": counted}
            await self._note(link, entry, "campaign:plan:made", told, now)
            shown = await self._shown(link, await _queries.campaign(link, name=plan.name))
            if also is not None:
                await also(link, shown)
            reach("campaigns.planned")
        return shown

    async def start(self, name: str, by: Marketer, also: Also[Campaign] | None = None) -> Campaign:
        """Let it run; started already, it stays so. Raises BadInput `campaign-unknown`, Refused."""
        policy, now = await self._law.current(), self._clock()
        facts = {"policy": policy.digest}
        async with refusals_noted(self._grounds, "campaign:start:refused", facts), self._database.transaction() as link:
            row = await self._locked(link, name)
            staff = await self._marketer(link, by, row["purpose"], policy, now)
            self._asked(policy, row["purpose"], Channel(row["channel"]))
            if row["state"] in ("stopped", "done"):
                raise Refused("campaign-over", name=name)
            if row["state"] == "planned":
                await _queries.start_campaign(link, id=row["id"], now=now, by=staff)
                await self._note(
                    link, new_id("ev"), "campaign:run:started", {**facts, "campaign": name, "staff": staff}, now
                )
            shown = await self._shown(link, await _queries.campaign(link, name=name))
            if also is not None:
                await also(link, shown)
            reach("campaigns.started")
        return shown

    async def stop(self, name: str, by: Marketer) -> Campaign:
        """Stop it: once this returns, nothing of it is handed over any more. Raises BadInput `campaign-unknown`,
        Refused. A stop is never refused for what the policy says of the purpose by now."""
        policy, now = await self._law.current(), self._clock()
        facts = {"policy": policy.digest}
        async with refusals_noted(self._grounds, "campaign:stop:refused", facts), self._database.transaction() as link:
            row = await self._locked(link, name)
            staff = await self._marketer(link, by, row["purpose"], policy, now)
            if row["state"] in ("planned", "running"):
                await _queries.stop_campaign(link, id=row["id"], now=now)
                await self._note(
                    link, new_id("ev"), "campaign:run:stopped", {**facts, "campaign": name, "staff": staff}, now
                )
            reach("campaigns.stopped")
        reach("campaigns.stop-committed")
        await let_campaign_pass(self._database, row["id"], now=now)
        async with self._database.connection() as connection:
            return await self._shown(connection, await _queries.campaign(connection, name=name))

    async def show(self, name: str) -> Campaign:
        """One campaign as it stands. Raises BadInput `campaign-unknown`."""
        async with self._database.connection() as connection:
            row = await _queries.campaign(connection, name=name)
            if row is None:
                raise BadInput("campaign-unknown")
            return await self._shown(connection, row)

    async def permit(self, credential: Credential, by: Marketer, name: str) -> None:
        """Whether this system may see a campaign for a member of staff. Raises Refused, BadInput."""
        policy = await self._law.current()
        async with self._database.connection() as connection:
            row = await _queries.campaign(connection, name=name)
            await require_client(connection, credential, self._clock())
            if row is None:
                raise BadInput("campaign-unknown")
            await self._marketer(connection, by, row["purpose"], policy, self._clock())

    async def every(self) -> list[Campaign]:
        """The newest campaigns first."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.campaigns(connection, most=_LISTED)]
            return [await self._shown(connection, row) for row in rows]

    async def worded(self, message: Waiting) -> Mapping[str, Value]:
        """The words of a campaign's letter, in its language. Raises BadInput `campaign-unknown`."""
        campaign = str(message.facts["campaign"])
        texts = self._texts.get(campaign)
        if texts is None:
            async with self._database.connection() as connection:
                row = await _queries.campaign_texts(connection, id=campaign)
            if row is None:
                raise BadInput("campaign-unknown")
            texts = msgspec.convert(row["texts"], Texts)
            if len(self._texts) > _LISTED:
                self._texts.clear()
            self._texts[campaign] = texts
        brief = texts.translations.get(message.language, "")
        return {"subject": texts.subject, "text": texts.text, "brief": brief}

    async def round(self) -> bool:
        """One bounded step of each campaign at work; whether there is more to do at once. Raises Unavailable."""
        policy = await self._law.current()
        async with self._database.connection() as connection:
            running = [row["id"] async for row in _queries.running(connection)]
        more = False
        for campaign in running:
            more = await self._step(campaign, policy) or more
        return more

    async def _step(self, campaign: str, policy: CompiledPolicy) -> bool:
        now = self._clock()
        async with self._database.transaction() as link:
            row = await _queries.claim_campaign(link, id=campaign)
            if row is None:
                return False
            if row["state"] == "stopped":
                taken = [o async for o in _queries.take_back(link, once=once_key(campaign), most=_PAGE, now=now)]
                more = len(taken) == _PAGE
            else:
                more = not row["searched"] and await self._queue(link, row, policy, now)
            if not more:
                await self._end(link, row, now)
            reach("campaigns.stepped")
        reach("campaigns.step-committed")
        return more

    async def _queue(self, link: asyncpg.Connection, row: Any, policy: CompiledPolicy, now: Instant) -> bool:
        """Write the letters of the next page of people; whether there may be more."""
        channel = Channel(row["channel"])
        try:
            asked = self._asked(policy, row["purpose"], channel)
        except (BadInput, Refused):  # the policy has changed: nobody more is written to
            await _queries.move_campaign(link, id=row["id"], reached=row["reached"], searched=True)
            return False
        page = [p async for p in _queries.permitted_people(link, after=row["reached"], most=_PAGE, **asked)]
        languages = set(row["texts"]["translations"]) if channel is Channel.EMAIL else set()
        letters = {
            new_id("msg"): Message(
                person=person["id"],
                template=TEMPLATES[policy.purposes[row["purpose"]].messages.value],
                purpose=row["purpose"],
                channel=channel,
                address_item=ITEMS[channel],
                language=person["language"] if person["language"] in languages else STATE_LANGUAGE,
                params={"campaign": row["id"]},
                once=once_key(row["id"]),
            )
            for person in page
        }
        if letters:
            await put_many(link, letters, now=now)
            told = {"campaign": row["name"], "letters": len(letters)}
            await self._note(link, new_id("ev"), "campaign:people:queued", told, now)
        whole = len(page) < _PAGE
        reached = page[-1]["id"] if page else row["reached"]
        await _queries.move_campaign(link, id=row["id"], reached=reached, searched=whole)
        reach("campaigns.queued")
        return not whole

    async def _end(self, link: asyncpg.Connection, row: Any, now: Instant) -> None:
        """Where nothing of it is on its way any more: the numbers are kept, the letters may go."""
        letters = await self._letters(link, row["id"])
        if any(state.partition(":")[0] in _OPEN for state in letters):
            return
        await _queries.end_campaign(link, id=row["id"], outcome=letters, now=now)
        told = {"campaign": row["name"], "letters": letters}
        await self._note(link, new_id("ev"), "campaign:run:ended", told, now)

    def _asked(self, policy: CompiledPolicy, purpose: str, channel: Channel) -> dict[str, Any]:
        """What everybody is weighed by. Raises BadInput, Refused: no campaign for this purpose by this channel."""
        known, item = policy.purpose(purpose), ITEMS[channel]
        channels = frozenset(one.value for one in known.channels)
        verdict = may_have_campaigns(purpose, known.messages.value, known.basis.value, channels, channel.value)
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
        grant = policy.grant(purpose, _SENDER, (item,))
        if item not in grant.since_of:
            reason = grant.withheld[item]
            raise Refused(reason.code, **reason.about)
        return {
            "purpose": purpose,
            "item": item,
            "category": policy.items[item].category,
            "since": grant.since_of[item],
        }

    async def _marketer(
        self, link: asyncpg.Connection, by: Marketer, purpose: str, policy: CompiledPolicy, now: Instant
    ) -> str:
        """The pseudonym of a member of staff whose job this is. Raises Refused."""
        row = await _identity.staff_by_ref(link, ref=by.staff)
        if by.credential is not None:
            client = await require_client(link, by.credential, now)
            allowed_role(role_of_staff(None if row is None else row["role"], client.roles))
        if row is None:
            raise Refused("staff-unknown")
        role = policy.roles.get(row["role"])
        if role is None or role.kind is not RoleKind.HUMAN or row["role"] not in policy.purpose(purpose).roles:
            raise Refused("role-may-not", role=row["role"], purpose=purpose)
        if row["role_until"] <= now:
            raise Refused("role-ended")
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return self._grounds.vault.pseudonym("staff", row["id"])

    async def _locked(self, link: asyncpg.Connection, name: str) -> Any:
        row = await _queries.lock_campaign(link, name=name)
        if row is None:
            raise BadInput("campaign-unknown")
        return row

    async def _letters(self, link: asyncpg.Connection, campaign: str) -> dict[str, int]:
        rows = [row async for row in _queries.letters(link, once=once_key(campaign))]
        return {f"{row['state']}:{row['code']}".rstrip(":"): row["many"] for row in rows}

    async def _shown(self, link: asyncpg.Connection, row: Any) -> Campaign:
        letters = row["outcome"] if row["outcome"] is not None else await self._letters(link, row["id"])
        return Campaign(
            name=row["name"], purpose=row["purpose"], channel=row["channel"], state=row["state"],
            searched=row["searched"], counted=row["counted"], letters=letters, planned_at=row["planned_at"],
            started_at=row["started_at"], ended_at=row["ended_at"], entry=row["entry"],
        )  # fmt: skip

    async def _note(
        self, link: asyncpg.Connection, entry: str, act: str, facts: Mapping[str, Any], now: Instant
    ) -> None:
        await self._grounds.journal.append(link, [Entry(entry, now, act, facts)], now=now)
