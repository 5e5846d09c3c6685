"""Campaigns: planned, approved, started, stopped and looked at, for systems that act for marketers (U5, U8, C3)."""

from omonat.api.answers import CampaignAnswer, encode, rfc3339
from omonat.api.bodies import CampaignBody, MarketerBody
from omonat.api.body import shaped
from omonat.api.call import Call
from omonat.base.instants import Instant
from omonat.flows.campaigns import Campaign, Marketer, Plan
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel


async def plan(call: Call) -> bytes:
    """Plan a campaign."""
    body = shaped(call.value, CampaignBody)
    texts = Texts(
        text=body.text,
        subject=body.subject,
        translations={str(language): said for language, said in body.translations.items()},
    )
    wanted = Plan(name=body.name, purpose=body.purpose, channel=Channel(body.channel), texts=texts)
    by = _by(call, body.on_behalf_of)

    return await call.once_per_key(lambda also: call.ports.campaigns.plan(wanted, by, also), _answer)


async def approve(call: Call) -> bytes:
    """Agree to what somebody else planned."""
    by = _by(call, shaped(call.value, MarketerBody).on_behalf_of)
    return _answer(await call.ports.campaigns.approve(call.names["campaign"], by))


async def start(call: Call) -> bytes:
    """Let it run."""
    by = _by(call, shaped(call.value, MarketerBody).on_behalf_of)
    return _answer(await call.ports.campaigns.start(call.names["campaign"], by))


async def stop(call: Call) -> bytes:
    """Stop it."""
    by = _by(call, shaped(call.value, MarketerBody).on_behalf_of)
    return _answer(await call.ports.campaigns.stop(call.names["campaign"], by))


async def look(call: Call) -> bytes:
    """How far it is."""
    by = _by(call, shaped(call.value, MarketerBody).on_behalf_of)
    return _answer(await call.ports.campaigns.look(call.names["campaign"], by))


def _by(call: Call, staff: str) -> Marketer:
    return Marketer(staff=staff, credential=call.caller)


def _answer(campaign: Campaign) -> bytes:
    return encode(
        CampaignAnswer(
            name=campaign.name,
            purpose=campaign.purpose,
            channel=campaign.channel,
            subject=campaign.texts.subject,
            text=campaign.texts.text,
            translations=dict(campaign.texts.translations),
            state=campaign.state,
            all_written=campaign.searched,
            counted=dict(campaign.counted),
            letters=dict(campaign.letters),
            planned_at=rfc3339(campaign.planned_at),
            approved_at=_at(campaign.approved_at),
            started_at=_at(campaign.started_at),
            ended_at=_at(campaign.ended_at),
            evidence=campaign.entry,
        )
    )


def _at(moment: Instant | None) -> str | None:
    return None if moment is None else rfc3339(moment)
