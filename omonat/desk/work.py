"""The work: my open cases, one case under one purpose, one value at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, Refused
from omonat.base.verdict import Reason
from omonat.desk.door import CASE
from omonat.desk.visit import Answer, Visit
from omonat.flows.desk import CaseLine, OpenPurpose
from omonat.flows.doubts import Doubt
from omonat.flows.handed_in import CASE as CASE_SPELLING
from omonat.flows.law_watch import CONFLICT
from omonat.flows.safeguards import DOUBT as SAFEGUARD
from omonat.flows.safeguards import UNPROVED
from omonat.flows.use import UseAnswer, UseRequest
from omonat.pages.values import readable
from omonat.policy.conflicts import Conflict, Side
from omonat.policy.words import CaseRule, Kind
from omonat.promises.accuracy.rule import may_be_said

_ABSENT: Final = frozenset({"not-held", "only-in-an-older-record"})
_CLOSED: Final = "···"
_SHAPES: Final[Mapping[Kind, str]] = {
    Kind.PHONE: "+··· ·· ··· ·· ··",
    Kind.EMAIL: "···@···",
    Kind.PERSON_NAME: "··· ···",
    Kind.ADDRESS: "···, ···, ···",
}
"""How a closed value looks: its kind alone. The Desk knows nothing of a value before it has asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One item under a purpose: closed (`lines` None), open with its value, or refused with a reason."""

    item: str
    label: str
    kind: Kind
    lines: tuple[str, ...] | None = None
    refused: str = ""
    held: bool = True
    promise: str = ""
    can: str = ""

    @property
    def mask(self) -> str:
        """What stands in the value's place."""
        return _SHAPES.get(self.kind, _CLOSED)


async def queue(visit: Visit, *, error: Refused | None = None, typed: str = "") -> Answer:
    """The cases I may work on, and a field to open one by its number."""
    role = visit.policy.role(visit.member.role)
    doubts = await visit.house.doubts.shown_to(visit.member.role)
    return visit.page(
        "queue.html",
        status=_status(error),
        cases=await visit.house.desk.queue(visit.member),
        doubts=_told_together(visit, doubts),
        sides=_sides(doubts, await visit.house.law_watch.standing() if doubts else {}),
        without=role.cases is CaseRule.NONE,
        kinds=[(kind, visit.label("case", kind)) for kind in _kinds(visit)] if role.cases is CaseRule.OPEN else [],
        error=error.code if error else "",
        typed=typed,
    )


def _told_together(visit: Visit, doubts: Sequence[Doubt]) -> list[tuple[Doubt, str]]:
    """Each doubt with what it is about in the reader's words; those about safeguards, which may be many, in one."""
    told: dict[str, tuple[Doubt, list[str]]] = {}
    for doubt in doubts:
        many = doubt.kind in (SAFEGUARD, UNPROVED)
        name = visit.label("safeguard", doubt.about) if many else doubt.about
        told.setdefault(doubt.kind if many else f"{doubt.kind} {doubt.about}", (doubt, []))[1].append(name)
    return [(doubt, ", ".join(names)) for doubt, names in told.values()]


def _sides(doubts: Sequence[Doubt], conflicts: Mapping[str, Conflict]) -> Mapping[str, Sequence[Side]]:
    """What each pack says, by what the doubt is about, for doubts that packs contradict each other."""
    torn = (doubt.about for doubt in doubts if doubt.kind == CONFLICT)
    return {about: conflicts[about].sides for about in torn if about in conflicts}


async def open_by_number(visit: Visit) -> Answer:
    """Go to the case of this kind and number; one that isn't mine, is closed or was never there is refused alike."""
    kind, number = visit.form.get("kind", ""), visit.form.get("number", "").strip().lstrip("№#").strip()
    name = f"{kind}:{number}"
    try:
        if kind not in _kinds(visit) or CASE_SPELLING.fullmatch(name) is None:
            raise Refused("no-open-case")
        line = await visit.house.desk.case(visit.member, name)
    except Refused as error:
        return await queue(visit, error=error, typed=number[:100])
    return visit.go(f"{CASE}/{line.id}")


async def case(visit: Visit) -> Answer:
    """One case: the purposes my role has in it, and under the chosen one its items, all closed."""
    line, purposes = await _opened(visit)
    chosen = _chosen(purposes, visit.query.get("purpose", ""))
    return await _case_page(visit, line, purposes, chosen)


async def reveal(visit: Visit) -> Answer:
    """Show one item of a case under a purpose, or all the purpose needs."""
    line, purposes = await _opened(visit)
    purpose = _chosen(purposes, visit.form.get("purpose", ""))
    if purpose is None:
        raise BadInput("form-unclear")
    visit.purpose = purpose.id
    if visit.form.get("do") == "found":
        return await _found(visit, line, purposes, purpose)
    try:
        answer = await use(visit, purpose, visit.form.get("item", ""), case=line.id)
    except Refused as error:
        return await _case_page(visit, line, purposes, purpose, error=error)
    return await _case_page(visit, line, purposes, purpose, answer=answer)


async def _found(visit: Visit, line: CaseLine, purposes: Sequence[OpenPurpose], purpose: OpenPurpose) -> Answer:
    """Staff note that an item is wrong: a request for its correction opens (Q2)."""
    typed = {"wrong": visit.form.get("wrong", ""), "text": visit.form.get("text", "")[:1000]}
    if typed["wrong"] not in purpose.items:
        raise BadInput("form-unclear")
    if not typed["text"].strip():
        fault = visit.words("Say in a few words how you know.")
        return await _case_page(visit, line, purposes, purpose, typed=typed, fault=fault)
    credential = await visit.house.inner_credential("requests")
    try:
        made = await visit.house.put_right.found(
            visit.member, line.id, typed["wrong"], typed["text"], credential=credential
        )
    except BadInput as error:
        about = visit.named(error.about)
        said = f"{sentence(error.code, visit.language, about)} {advice(error.code, visit.language, about)}"
        kept = {**typed, "text": ""} if error.code.startswith("value-card") else typed
        return await _case_page(visit, line, purposes, purpose, typed=kept, fault=said)
    except Refused as error:
        return await _case_page(visit, line, purposes, purpose, error=error)
    return visit.go(f"{CASE}/{line.id}?purpose={purpose.id}&noted={'new' if made else 'before'}")


async def use(
    visit: Visit, purpose: OpenPurpose, item: str, *, case: str | None = None, person: str | None = None
) -> UseAnswer:
    """Ask `use` for one item, or for all of the purpose with `item` `all`.

    Raises BadInput for an item the page doesn't offer, Refused as the flow does.
    """
    if item != "all" and item not in purpose.items:
        raise BadInput("form-unclear")
    return await visit.house.use(
        UseRequest(
            credential=await visit.house.inner_credential("desk"),
            purpose=purpose.id,
            case=case,
            person=person,
            on_behalf_of=visit.member.ref,
            items=purpose.items if item == "all" else (item,),
        )
    )


def under(visit: Visit, purpose: OpenPurpose, answer: UseAnswer | None, error: Refused | None = None) -> dict[str, Any]:
    """What the pages of a case and of a person share: the items as they stand, and what the last press brought."""
    values: Mapping[str, Any] = answer.items if answer else {}
    withheld: Mapping[str, Reason] = answer.withheld if answer else {}
    return {
        "status": _status(error),
        "items": [_shown(visit, item, values, withheld.get(item)) for item in purpose.items],
        "receipt": answer.receipt.id if answer else "",
        "opened": bool(values),
        "error": error.code if error else "",
        "about": visit.named(error.about) if error else {},
        "promise": registry()[error.code].promise if error else "",
    }


def _status(error: Refused | None) -> int:
    return registry()[error.code].status if error else 200


def _shown(visit: Visit, item: str, values: Mapping[str, Any], reason: Reason | None) -> Shown:
    declared = visit.policy.items[item]
    label = visit.label("item", item)
    if item in values:
        return Shown(
            item=item, label=label, kind=declared.kind, lines=readable(visit.words, declared, values[item]) or ("–",)
        )
    if reason is None:
        return Shown(item=item, label=label, kind=declared.kind)
    about = visit.named(reason.about)
    return Shown(
        item=item,
        label=label,
        kind=declared.kind,
        refused=_why(visit, reason, about),
        held=reason.code not in _ABSENT,
        promise=reason.promise,
        can=advice(reason.code, visit.language, about),
    )


def _why(visit: Visit, reason: Reason, about: Mapping[str, str]) -> str:
    if reason.code == "item-not-needed" and reason.about.get("purpose") in visit.policy.purposes:
        words = visit.policy.purposes[reason.about["purpose"]].refuses[visit.language]
        return words.replace("{item}", about.get("item", ""))
    return sentence(reason.code, visit.language, about)


def _kinds(visit: Visit) -> list[str]:
    """The kinds of case the reader's role has a purpose in, in the policy's order."""
    found = [kind for p in visit.policy.purposes.values() if visit.member.role in p.roles for kind in p.cases]
    return list(dict.fromkeys(found))


async def _opened(visit: Visit) -> tuple[CaseLine, tuple[OpenPurpose, ...]]:
    """The case of the address, if the reader may work on it. Raises Refused `no-open-case` for any other."""
    name = visit.request.path_params["case"]
    if CASE_SPELLING.fullmatch(name) is None:
        raise Refused("no-open-case")
    line = await visit.house.desk.case(visit.member, name)
    return line, await visit.house.desk.purposes(visit.member, line.kind)


def _chosen(purposes: Sequence[OpenPurpose], name: str) -> OpenPurpose | None:
    if not name and len(purposes) == 1:
        return purposes[0]
    return next((purpose for purpose in purposes if purpose.id == name), None)


async def _case_page(
    visit: Visit,
    line: CaseLine,
    purposes: Sequence[OpenPurpose],
    purpose: OpenPurpose | None,
    *,
    answer: UseAnswer | None = None,
    error: Refused | None = None,
    typed: Mapping[str, str] | None = None,
    fault: str = "",
) -> Answer:
    visit.purpose = purpose.id if purpose else ""
    here = f"{CASE}/{line.id}"
    declared = visit.policy.purposes
    return visit.page(
        "case.html",
        case=line,
        cases=await visit.house.desk.queue(visit.member),
        purposes=[(p.id, visit.label("purpose", p.id), declared[p.id].tells[visit.language]) for p in purposes],
        here=here,
        change=here if purpose and len(purposes) > 1 else "",
        findable=[(item, visit.label("item", item)) for item in purpose.items if _said(visit, item)] if purpose else [],
        typed=typed or {"wrong": "", "text": ""},
        fault=fault,
        noted=visit.query.get("noted", ""),
        beside=[_shown(visit, item, {}, reason) for item, reason in purpose.withheld.items()] if purpose else [],
        **({**under(visit, purpose, answer, error), **({"status": 422} if fault else {})} if purpose else {}),
    )


def _said(visit: Visit, item: str) -> bool:
    """Whether people say it of themselves, so that it can be wrong and put right."""
    return may_be_said(visit.policy.items[item], visit.policy.policy.categories[item.partition(".")[0]].group or "")
