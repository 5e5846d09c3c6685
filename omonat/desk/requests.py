"""The inbox: requests and complaints by their deadline; one is taken, revealed, answered, closed (A2, Q2).

The list holds nobody's data. What was asked is shown through `use` like everything at the Desk, and only to whoever has
taken the request.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.desk.door import REQUESTS
from omonat.desk.visit import Answer, Visit
from omonat.desk.work import under, use
from omonat.flows.answer_requests import InboxLine
from omonat.flows.desk import OpenPurpose
from omonat.flows.put_right import Righting
from omonat.pages.requests import OUTCOMES, REASONS
from omonat.promises.requests.facts import ANSWER, GIVEN, TEXT, Kind, Outcome, Settled, State

_LONGEST = 4_000
_FIRST = (TEXT, ANSWER)


async def inbox(visit: Visit) -> Answer:
    """What is open for the reader's role: what went up first, then the earliest deadline."""
    lines = await visit.house.answer_requests.inbox(visit.member)
    here = {line.number for line in lines}
    gone_up = [each for each in await visit.house.answer_requests.gone_up(visit.member) if each.number not in here]
    return visit.page("inbox.html", lines=lines, gone_up=gone_up, may=visit.answers or bool(gone_up))


async def one(visit: Visit) -> Answer:
    """One request: how far it is, and what can be done now."""
    return await _page(visit, await _line(visit))


async def act(visit: Visit) -> Answer:
    """Take it, give it back, reveal an item, answer, close."""
    line = await _line(visit)
    flow, member, here = visit.house.answer_requests, visit.member, f"{REQUESTS}/{line.number}"
    try:
        match visit.form.get("do", ""):
            case "claim":
                await flow.claim(member, line.number)
            case "release":
                await flow.release(member, line.number)
                return visit.go(REQUESTS)
            case "answer":
                return await _answer(visit, line)
            case "correct" | "erase":
                return await _put_right(visit, line)
            case "close":
                await flow.close(member, line.number)
                return visit.go(REQUESTS)
            case "":
                return await _reveal(visit, line)
            case _:
                raise BadInput("form-unclear")
    except Refused as refused:
        return await _page(visit, await _line(visit), refused=refused)
    return visit.go(here)


async def _line(visit: Visit) -> InboxLine:
    return await visit.house.answer_requests.one(visit.member, visit.request.path_params["number"])


async def _answer(visit: Visit, line: InboxLine) -> Answer:
    typed = {name: visit.form.get(name, "") for name in ("text", "outcome", "reason")}
    if typed["outcome"] not in {outcome.value for outcome in GIVEN} or typed["reason"] not in {"", *REASONS}:
        raise BadInput("form-unclear")
    if not typed["text"].strip() or len(typed["text"]) > _LONGEST:
        fault = visit.words("Write the answer: whoever asked reads exactly this.")
        return await _page(visit, line, typed=typed, fault=fault)
    outcome = Outcome(typed["outcome"])
    try:
        await visit.house.answer_requests.answer(
            visit.member,
            line.number,
            text=typed["text"],
            outcome=outcome,
            reason=typed["reason"] or None,
            credential=await visit.house.inner_credential("desk"),
        )
    except BadInput as error:
        about = visit.named(error.about)
        said = f"{sentence(error.code, visit.language, about)} {advice(error.code, visit.language, about)}"
        kept = {**typed, "text": ""} if error.code.startswith("value-card") else typed
        return await _page(visit, line, typed=kept, fault=said)
    except Refused as refused:
        return await _page(visit, await _line(visit), typed=typed, refused=refused)
    return visit.go(f"{REQUESTS}/{line.number}")


async def _put_right(visit: Visit, line: InboxLine) -> Answer:
    """The correction itself, with the value typed or the sealed one, or the erasure of the item."""
    typed = {"item": visit.form.get("item", ""), "value": visit.form.get("value", "")}
    flow, own = visit.house.put_right, visit.form.get("own") == "yes"
    erasing = visit.form["do"] == "erase"
    if erasing and visit.form.get("sure") != "yes":
        return await _page(visit, line, righting={**typed, "value": "", "sure": "asked"})
    try:
        if erasing:
            await flow.erase(visit.member, line.number, typed["item"])
        else:
            await flow.correct(visit.member, line.number, typed["item"], None if own else typed["value"])
    except BadInput as error:
        about = visit.named({"item": typed["item"], **error.about})
        said = f"{sentence(error.code, visit.language, about)} {advice(error.code, visit.language, about)}"
        return await _page(visit, line, righting={**typed, "value": ""}, wrong=said)
    return visit.go(f"{REQUESTS}/{line.number}")


async def _reveal(visit: Visit, line: InboxLine) -> Answer:
    if not line.mine:
        raise Refused("request-taken" if line.taken else "request-not-claimed")
    purpose = _chosen(await _purposes(visit, line), visit.form.get("purpose", ""))
    if purpose is None:
        raise BadInput("form-unclear")
    visit.purpose = purpose.id
    try:
        answer = await use(visit, purpose, visit.form.get("item", ""), case=line.case)
    except Refused as error:
        return await _page(visit, line, shown=under(visit, purpose, None, error))
    return await _page(visit, line, shown=under(visit, purpose, answer))


async def _purposes(visit: Visit, line: InboxLine) -> list[OpenPurpose]:
    allowed = await visit.house.answer_requests.purposes(visit.member, line)
    kind = line.case.partition(":")[0]
    found = [each for each in await visit.house.desk.purposes(visit.member, kind) if each.id in allowed]
    return [replace(each, items=tuple(sorted(each.items, key=_place))) for each in found]


def _place(item: str) -> int:
    """What was asked and answered first; all else as the policy has it."""
    return _FIRST.index(item) if item in _FIRST else len(_FIRST)


def _chosen(purposes: Sequence[OpenPurpose], name: str) -> OpenPurpose | None:
    if not name and len(purposes) == 1:
        return purposes[0]
    return next((each for each in purposes if each.id == name), None)


async def _page(
    visit: Visit,
    line: InboxLine,
    *,
    typed: dict[str, str] | None = None,
    fault: str = "",
    righting: dict[str, str] | None = None,
    wrong: str = "",
    refused: OmonatError | None = None,
    shown: dict[str, Any] | None = None,
) -> Answer:
    working = line.mine and line.state is not State.CLOSED
    purposes = await _purposes(visit, line) if working else []
    purpose = _chosen(purposes, visit.purpose or visit.query.get("purpose", "") or visit.form.get("purpose", ""))
    visit.purpose = purpose.id if purpose else ""
    here = f"{REQUESTS}/{line.number}"
    base = under(visit, purpose, None) if purpose else {"status": 200, "items": [], "receipt": "", "opened": False,
                                                        "error": "", "about": {}, "promise": ""}  # fmt: skip
    context = {**base, **(shown or {})}
    if refused is not None:
        context |= {"status": registry()[refused.code].status, "error": refused.code}
        context |= {"about": visit.named(refused.about), "promise": registry()[refused.code].promise}
    if fault or wrong:
        context["status"] = 422
    declared = visit.policy.purposes
    put_right = await _righting(visit, line, working=working, typed=righting)
    partly = put_right["offer"] is not None and put_right["offer"].settled is Settled.ERASED_PARTLY
    return visit.page(
        "inbox_one.html",
        line=line,
        lines=await visit.house.answer_requests.inbox(visit.member),
        here=here,
        working=working,
        purposes=[(p.id, visit.label("purpose", p.id), declared[p.id].tells[visit.language]) for p in purposes],
        change=here if purpose and len(purposes) > 1 else "",
        typed={"text": "", "outcome": "partly" if partly else "done", "reason": "", **(typed or {})},
        fault=fault,
        outcomes=[(outcome.value, visit.words(OUTCOMES[outcome.value])) for outcome in GIVEN],
        reasons=[("", visit.words("nothing is rejected"))]
        + [(name, visit.words(words)) for name, words in REASONS.items()],
        longest=_LONGEST,
        wrong=wrong,
        **put_right,
        **context,
    )


async def _righting(visit: Visit, line: InboxLine, *, working: bool, typed: dict[str, str] | None) -> dict[str, Any]:
    """What the page offers to put right; nothing of it is opened."""
    if line.kind is not Kind.CORRECTION:
        return {"offer": None, "thing": ""}
    offer = await visit.house.put_right.offered(visit.member, line.number)
    return {
        "offer": offer,
        "thing": visit.label("item", offer.item) if offer.item else "",
        "may_put_right": working and line.state is State.CLAIMED,
        "things": [(item, visit.label("item", item)) for item in offer.items],
        "righting": {"item": offer.item, "value": "", **(typed or {})},
        "deleting": _deleting(visit, offer, typed),
    }


def _deleting(visit: Visit, offer: Righting, typed: dict[str, str] | None) -> str:
    """The words of the item that is to be deleted, where that was pressed once; "" else."""
    asked = typed is not None and typed.get("sure") == "asked" and typed["item"] in offer.items
    return visit.label("item", typed["item"]) if asked and typed is not None else ""
