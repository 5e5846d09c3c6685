"""Delete: the plan, the code, the receipt (R3). The receipt is for whoever has its address: the session is over."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.ids import is_id
from omonat.base.instants import Instant, from_rfc3339
from omonat.center import acts
from omonat.center.door import DATA, DELETE, DELETE_CODE, RECEIPT
from omonat.center.my_data import BECAUSE, law_named
from omonat.center.visit import Answer, Visit
from omonat.flows.confirm import CHANNELS
from omonat.flows.erase import Plan
from omonat.flows.erase_mine import Wanted, new_token
from omonat.pages import N_
from omonat.pages.certificate import certificate_pdf
from omonat.pages.http import end_session
from omonat.pages.masks import Masked, mask
from omonat.policy.prose_words import lowered
from omonat.promises.retention.rule import Stay

_TWIN_SECONDS: Final = 0.5
"""How long the second press of a button waits for what the first one did."""
_REASONS: Final[Mapping[str, str]] = {
    **BECAUSE,
    "at-most": N_("because the order or request is still open"),
    "hold": N_("because an authority ordered us not to delete it for now"),
    "unknown": N_("because it must first be decided what becomes of it; nobody may use it"),
}
_A_RULE: Final = N_("because a rule of ours keeps it")
_STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "hidden": (N_("Hidden"), N_("Nobody can see or use it any more.")),
    "key-destroyed": (N_("Keys destroyed"), N_("What it was locked with is gone, so that nobody can ever read it.")),
    "swept": (N_("Cleared away"), N_("The unreadable rest is removed as well.")),
    "final": (N_("Final"), N_("Not even an old copy can tell that a phone or e-mail was here.")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """What stays: which things, of what, why, until when. `waits`: they go sooner once the order or request ends."""

    labels: tuple[str, ...]
    service: str
    reason: str
    until: Instant | None
    waits: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel that a code can go to."""

    item: str
    by_mail: bool
    where: Masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of an erasure, in words."""

    name: str
    tells: str
    at: Instant | None


async def show(visit: Visit) -> Answer:
    """The plan."""
    wanted = wanted_of(visit.query)
    return await _plan_page(visit, wanted)


async def ask(visit: Visit) -> Answer:
    """Send the code that confirms exactly this."""
    wanted, channel = wanted_of(visit.form), visit.form.get("channel", "")
    try:
        ticket = await visit.house.erase_mine.ask(visit.person, wanted, channel, language=visit.language)
    except Refused as refused:
        if refused.code not in ("too-many-codes", "channel-unknown"):
            raise
        return await _plan_page(visit, wanted, error=refused.code)
    step = acts.Step(
        until=acts.until(visit), person=visit.person, ticket=ticket, channel=channel, receipt=new_token(),
        record=wanted.record, item=wanted.item,
    )  # fmt: skip
    return visit.go(DELETE_CODE, cookies=[acts.keep(visit, step)])


async def code(visit: Visit) -> Answer:
    """The page that takes the code."""
    step = acts.mine(visit)
    return visit.go(DELETE) if step is None or not step.receipt else await _code_page(visit, step)


async def enter(visit: Visit) -> Answer:
    """Try the code, and delete. A second press of the button leads to the receipt of the first."""
    if (done := await done_already(visit)) is not None:
        return done
    step = acts.mine(visit)
    if step is None or not step.receipt:
        return visit.go(DELETE)
    digits = "".join(visit.form.get("code", "").split())[:20]
    wanted = Wanted(record=step.record, item=step.item)
    try:
        await visit.house.erase_mine(visit.person, wanted, ticket=step.ticket, code=digits, token=step.receipt)
    except OmonatError as error:  # a twin of this press, or an end that isn't known: the receipt tells
        await asyncio.sleep(_TWIN_SECONDS)
        if (done := await done_already(visit)) is not None:
            return done
        if not isinstance(error, Refused) or error.code != "code-wrong":
            raise
        return await _code_page(visit, step, error=error.code)
    return to_receipt(visit, step)


async def receipt(visit: Visit) -> Answer:
    """What became of it, for whoever has the address. Raises BadInput `receipt-unknown`."""
    token = visit.request.path_params["token"]
    found = await visit.house.erase_mine.receipt(token)
    told = await visit.house.certify(found.erasure)
    return visit.page(
        "receipt.html",
        told=told,
        everything=told["scope"] == "person",
        items=[visit.label("item", item) for item in told["items"]],
        stages=[_stage(visit, row) for row in told["stages"]],
        final=told["says"] == "final",
        stays=together(_staying_told(visit, row) for row in told["stays"]),
        systems=[(visit.label("system", row["system"]), row["state"] == "open") for row in told["systems"]],
        until=found.until,
        address=f"{visit.house.settings.address}{RECEIPT}/{token}",
        base=f"{RECEIPT}/{token}",
        just_now="done" in visit.query,
    )


async def certificate_json(visit: Visit) -> Answer:
    """The certificate as JSON."""
    told = await _certified(visit)
    body = msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
    return visit.file(body, "erasure-certificate.json", "application/json")


async def certificate_paper(visit: Visit) -> Answer:
    """The certificate as PDF."""
    told = await _certified(visit)
    made = await asyncio.to_thread(certificate_pdf, told, visit.language, visit.policy)
    return visit.file(made, "erasure-certificate.pdf", "application/pdf")


async def _certified(visit: Visit) -> Mapping[str, Any]:
    found = await visit.house.erase_mine.receipt(visit.request.path_params["token"])
    return await visit.house.certify(found.erasure)


async def done_already(visit: Visit) -> Answer | None:
    """The receipt of what this browser has confirmed already, if it has."""
    step = acts.find(visit)
    if step is None or not step.receipt:
        return None
    try:
        await visit.house.erase_mine.receipt(step.receipt)
    except BadInput:
        return None
    return to_receipt(visit, step)


def to_receipt(visit: Visit, step: acts.Step) -> Answer:
    leaves = step.record is None and step.item is None and not step.child
    cookies = [acts.forget(), *([end_session("center")] if leaves else [])]
    return visit.go(f"{RECEIPT}/{step.receipt}?done=1", cookies=cookies, clear=leaves)


async def _plan_page(visit: Visit, wanted: Wanted, *, error: str = "") -> Answer:
    plan = await visit.house.erase_mine.plan(visit.person, wanted)
    return visit.page(
        "delete.html",
        status=422 if error else 200,
        error=error,
        wanted=wanted,
        what=what_of(visit, wanted),
        goes=[(visit.label("item", item), count) for item, count in sorted(plan.goes.items())],
        stays=stays_of(visit, plan),
        ways=await ways(visit) if plan.goes or wanted.everything else [],
        mailbox=visit.policy.policy.controller.mailbox,
        back=DATA,
    )


async def _code_page(visit: Visit, step: acts.Step, *, error: str = "") -> Answer:
    wanted = Wanted(record=step.record, item=step.item)
    where = next((way for way in await ways(visit) if way.item == step.channel), None)
    return visit.page(
        "delete_code.html",
        status=401 if error else 200,
        error=error,
        ticket=step.ticket,
        wanted=wanted,
        what=what_of(visit, wanted),
        where=where,
    )


async def ways(visit: Visit) -> list[Way]:
    """The channels a code can go to, masked."""
    known = await visit.house.confirm.channels(visit.person)
    held = (await visit.house.my_data(visit.person, frozenset({"contact"}))).newest()
    return [
        Way(
            item=item,
            by_mail=CHANNELS[item].value == "email",
            where=mask(visit.words, held[item].declared.kind, str(held[item].value)),
        )
        for item in known
        if item in held
    ]


def wanted_of(said: Mapping[str, str]) -> Wanted:
    """What a query or a form names. Raises BadInput for a record no id could name."""
    record, item = said.get("record") or None, said.get("item") or None
    if record is not None and not is_id("rec", record):
        raise BadInput("form-unclear")
    return Wanted(record=record, item=item)


def what_of(visit: Visit, wanted: Wanted) -> str:
    """The item by its label; empty for more than one."""
    return visit.label("item", wanted.item) if wanted.item is not None else ""


def stays_of(visit: Visit, plan: Plan) -> Sequence[Staying]:
    return together(_staying(visit, stay) for stay in plan.stays)


def together(stays: Iterable[Staying]) -> Sequence[Staying]:
    """What stays for the same reason until the same day is said once, not once for every thing."""
    found: dict[Staying, list[str]] = {}
    for stay in stays:
        found.setdefault(replace(stay, labels=()), []).extend(stay.labels)
    return [replace(alike, labels=_in_a_row(labels)) for alike, labels in found.items()]


def _in_a_row(labels: Iterable[str]) -> tuple[str, ...]:
    """Each once; only the first keeps its capital."""
    first, *more = dict.fromkeys(labels)
    return (first, *map(lowered, more))


def _staying_told(visit: Visit, row: Mapping[str, Any]) -> Staying:
    until = None if row["until"] is None else from_rfc3339(row["until"])
    stay = Stay(
        row["item"], row["service"], row["reason"], row["source"], until, row["waits-for"], row["count"]
    )  # fmt: skip
    return _staying(visit, stay)


def _staying(visit: Visit, stay: Stay) -> Staying:
    law = law_named(visit, visit.policy, stay.source)
    reason = visit.words(_REASONS.get(stay.factor, _A_RULE))
    return Staying(
        labels=(visit.label("item", stay.item),),
        service=visit.label("service", stay.service),
        reason=f"{reason} ({law})" if law else reason,
        until=stay.until,
        waits=bool(stay.waits_for),
        count=stay.count,
    )


def _stage(visit: Visit, row: Mapping[str, Any]) -> Stage:
    name, tells = _STAGES[row["stage"]]
    at = None if row["at"] is None else from_rfc3339(row["at"])
    return Stage(name=visit.words(name), tells=visit.words(tells), at=at)
