"""The letters of campaigns: written page by page, taken back when one stops, counted when all have ended (U5, U8, C3).

A page of people who said yes gets its letters in one transaction with how far that is: a crash repeats or loses nobody,
and `once` keeps a second letter of the campaign from anybody. Any number of workers may run it; a campaign is claimed
by one at a time.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import msgspec

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import Advertising
from omonat.promises.campaigns.rule import (
    ITEMS,
    STATE_LANGUAGE,
    TEMPLATES,
    Texts,
    check_texts,
    may_have_campaigns,
    may_lead,
    once_key,
)
from omonat.promises.messages import Channel, Message, Value, Waiting, put_many

_queries = load("omonat.promises.campaigns")
_PAGE: Final = 1_000
_REMEMBERED: Final = 200
_OPEN: Final = frozenset({"waiting", "claimed", "handing-over"})
_SENDER: Final = "system"
"""The role in which the outbox opens an address."""


class CampaignLetters:
    """The flow of their letters."""

    def __init__(self, grounds: Grounds) -> None:
        self._journal = grounds.journal
        self._database = grounds.database
        self._law = grounds.law
        self._clock = grounds.clock
        self._texts: dict[str, Texts] = {}

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
            if len(self._texts) > _REMEMBERED:
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
            asked = weighed_by(policy, row["purpose"], channel, msgspec.convert(row["texts"], Texts))
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
            await self._note(link, "campaign:people:queued", {"campaign": row["name"], "letters": len(letters)}, now)
        whole = len(page) < _PAGE
        reached = page[-1]["id"] if page else row["reached"]
        await _queries.move_campaign(link, id=row["id"], reached=reached, searched=whole)
        reach("campaigns.queued")
        return not whole

    async def _end(self, link: asyncpg.Connection, row: Any, now: Instant) -> None:
        """Where nothing of it is on its way any more: the numbers are kept, the letters may go."""
        letters = await letters_of(link, row["id"])
        if any(state.partition(":")[0] in _OPEN for state in letters):
            return
        await _queries.end_campaign(link, id=row["id"], outcome=letters, now=now)
        await self._note(link, "campaign:run:ended", {"campaign": row["name"], "letters": letters}, now)

    async def _note(self, link: asyncpg.Connection, act: str, facts: Mapping[str, Any], now: Instant) -> None:
        await self._journal.append(link, [Entry(new_id("ev"), now, act, facts)], now=now)


def weighed_by(policy: CompiledPolicy, purpose: str, channel: Channel, texts: Texts) -> dict[str, Any]:
    """What everybody is weighed by, where purpose, channel and words may make a campaign by this policy.

    Raises BadInput (`purpose-unknown`, `campaign-texts-wrong`), Refused (`campaign-purpose-wrong`,
    `message-channel-undeclared`, `advertising-language`, and what the grant refuses).
    """
    known, item = policy.purpose(purpose), ITEMS[channel]
    channels = frozenset(one.value for one in known.channels)
    law = policy.advertising()
    allowed = may_have_campaigns(purpose, known.messages.value, known.basis.value, channels, channel.value)
    for verdict in (allowed, may_lead(law)):
        if not isinstance(verdict, Allow):
            raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
    check_texts(texts, channel.value, law if isinstance(law, Advertising) else None)
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


async def letters_of(link: asyncpg.Connection, campaign: str) -> dict[str, int]:
    """How many letters of a campaign there are, by `state` or `state:code`."""
    rows = [row async for row in _queries.letters(link, once=once_key(campaign))]
    return {f"{row['state']}:{row['code']}".rstrip(":"): row["many"] for row in rows}
