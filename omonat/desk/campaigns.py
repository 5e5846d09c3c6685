"""Campaigns at the Desk: a marketer plans one, a colleague reads and approves it, either stops it (U5, C3).

Nobody's data is here: people are counted by whether they may be written to, and letters by what became of them.
"""

from collections.abc import Mapping
from typing import Final

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.desk.door import CAMPAIGNS
from omonat.desk.visit import Answer, Visit
from omonat.flows.campaign_purposes import has_to_do, plannable
from omonat.flows.campaigns import Campaign, Marketer, Plan
from omonat.pages.campaigns import LETTERS, REASONS, STATES
from omonat.promises.campaigns.rule import TRANSLATIONS, Texts
from omonat.promises.messages import Channel

MARKS: Final[Mapping[str, str]] = {
    "planned": "soon",
    "approved": "open",
    "running": "good",
    "stopped": "bad",
    "done": "none",
}
_FIELDS: Final = ("name", "purpose", "subject", "text", *TRANSLATIONS)
_PARTS: Final[Mapping[str, str]] = {"translations": "ru"}
"""The field that shows what is wrong with a part of the texts, where it isn't of the same name."""


async def every(visit: Visit) -> Answer:
    """The campaigns of this role, and the way to plan one."""
    return await _list(visit)


async def plan(visit: Visit) -> Answer:
    """Plan one: nothing leaves, everybody is counted."""
    typed = {name: visit.form.get(name, "").strip().replace("\r\n", "\n") for name in _FIELDS}
    purpose, _, channel = typed["purpose"].partition("/")
    if channel not in plannable(visit.policy, visit.member.role).get(purpose, ()):
        raise BadInput("form-unclear")
    translations = {language: typed[language] for language in TRANSLATIONS if typed[language]}
    texts = Texts(text=typed["text"], subject=typed["subject"], translations=translations)
    wanted = Plan(name=typed["name"], purpose=purpose, channel=Channel(channel), texts=texts)
    try:
        await visit.house.campaigns.plan(wanted, _by(visit))
    except (BadInput, Refused) as error:
        return await _list(visit, typed=typed, error=error)
    return visit.go(f"{CAMPAIGNS}/{wanted.name}")


async def one(visit: Visit) -> Answer:
    """One campaign: what it says, whom it reaches in numbers, what can be done now."""
    return await _page(visit)


async def act(visit: Visit) -> Answer:
    """Approve, start, stop."""
    flow, name = visit.house.campaigns, visit.request.path_params["campaign"]
    acts = {"approve": flow.approve, "start": flow.start, "stop": flow.stop}
    wanted = acts.get(visit.form.get("do", ""))
    if wanted is None:
        raise BadInput("form-unclear")
    try:
        await wanted(name, _by(visit))
    except Refused as refused:
        return await _page(visit, refused=refused)
    return visit.go(f"{CAMPAIGNS}/{name}")


def _by(visit: Visit) -> Marketer:
    return Marketer(staff=visit.member.ref, signed_in=True)


async def _list(visit: Visit, *, typed: dict[str, str] | None = None, error: OmonatError | None = None) -> Answer:
    may = has_to_do(visit.policy, visit.member.role)
    offered = plannable(visit.policy, visit.member.role)
    options = [
        (f"{purpose}/{channel}", f"{visit.label('purpose', purpose)}, {_channel(visit, channel)}")
        for purpose, channels in offered.items()
        for channel in channels
    ]
    fault, at = "", ""
    if error is not None:
        about = visit.named(error.about)
        fault = f"{sentence(error.code, visit.language, about)} {advice(error.code, visit.language, about)}"
        part = error.about.get("part", "name")
        at = _PARTS.get(part, part)
    return visit.page(
        "campaigns.html",
        status=200 if error is None else registry()[error.code].status,
        may=may,
        campaigns=await visit.house.campaigns.mine(_by(visit)) if may else [],
        states=STATES,
        marks=MARKS,
        options=options,
        typed={**dict.fromkeys(_FIELDS, ""), **(typed or {})},
        fault=fault,
        at=at,
    )


def _channel(visit: Visit, channel: str) -> str:
    return visit.words("by e-mail") if channel == Channel.EMAIL else visit.words("by text message")


async def _page(visit: Visit, *, refused: Refused | None = None) -> Answer:
    campaign = await visit.house.campaigns.look(visit.request.path_params["campaign"], _by(visit))
    visit.purpose = campaign.purpose if campaign.purpose in visit.policy.purposes else ""
    plans = campaign.purpose in plannable(visit.policy, visit.member.role)
    return visit.page(
        "campaign.html",
        status=200 if refused is None else registry()[refused.code].status,
        error="" if refused is None else refused.code,
        about={} if refused is None else visit.named(refused.about),
        promise="" if refused is None else registry()[refused.code].promise,
        campaign=campaign,
        channel=_channel(visit, campaign.channel),
        here=f"{CAMPAIGNS}/{campaign.name}",
        states=STATES,
        marks=MARKS,
        counted=[(visit.words(REASONS[reason]), many) for reason, many in _first_permitted(campaign)],
        letters=[(_letter(visit, campaign, state), many) for state, many in campaign.letters.items()],
        paragraphs=campaign.texts.text.split("\n\n"),
        may_approve=campaign.state == "planned" and not campaign.mine,
        may_start=campaign.state == "approved" and plans,
        may_stop=campaign.state in ("planned", "approved", "running"),
    )


def _first_permitted(campaign: Campaign) -> list[tuple[str, int]]:
    known = [(reason, many) for reason, many in campaign.counted.items() if reason in REASONS]
    return sorted(known, key=lambda each: (each[0] != "permitted", -each[1]))


def _letter(visit: Visit, campaign: Campaign, state: str) -> str:
    """A state in words; behind it why, where there is a reason."""
    name, _, code = state.partition(":")
    said, about = visit.words(LETTERS[name]), visit.named({"purpose": campaign.purpose, "name": campaign.name})
    return f"{said}: {sentence(code, visit.language, about)}" if code in registry() else said
