"""The work: my open cases, one case under one purpose, one value at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput, Refused
from omonat.base.verdict import Reason
from omonat.desk.door import CASE, HOME
from omonat.desk.visit import Answer, Visit
from omonat.flows.collecting import CASE as CASE_SPELLING
from omonat.flows.desk import CaseLine, OpenPurpose
from omonat.flows.use import UseAnswer, UseRequest
from omonat.pages.values import readable


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One item under a purpose: closed (`lines` None), open with its value, or refused with a reason."""

    item: str
    label: str
    kind: str
    lines: tuple[str, ...] | None = None
    refused: str = ""
    promise: str = ""
    can: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What proves the reveal."""

    id: str


async def queue(visit: Visit) -> Answer:
    """The cases I may work on."""
    return visit.page("queue.html", cases=await visit.house.desk.queue(visit.member), role=_role(visit))


async def case(visit: Visit) -> Answer:
    """One case: the purposes my role has in it, and under the chosen one its items, all closed."""
    line, purposes = await _opened(visit)
    return _case_page(visit, line, purposes, visit.query.get("purpose", ""), await visit.house.desk.queue(visit.member))


async def reveal(visit: Visit) -> Answer:
    """Show one item of a case under a purpose, or all the purpose needs."""
    line, purposes = await _opened(visit)
    purpose = _chosen(purposes, visit.form.get("purpose", ""))
    if purpose is None:
        raise BadInput("form-unclear")
    answer = await use(visit, purpose, visit.form.get("item", ""), case=line.id)
    cases = await visit.house.desk.queue(visit.member)
    return _case_page(visit, line, purposes, purpose.id, cases, answer)


async def use(
    visit: Visit, purpose: OpenPurpose, item: str, *, case: str | None = None, person: str | None = None
) -> UseAnswer:
    """Ask `use` for one item, or for all of the purpose with `item` `all`. Raises BadInput for any other."""
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


def shown(visit: Visit, purpose: OpenPurpose, answer: UseAnswer | None) -> list[Shown]:
    """The purpose's items as they stand on the page."""
    values: Mapping[str, Any] = answer.items if answer else {}
    withheld: Mapping[str, Reason] = answer.withheld if answer else {}
    return [_shown(visit, item, values, withheld.get(item)) for item in purpose.items]


def beside(visit: Visit, purpose: OpenPurpose) -> list[Shown]:
    """What such a case holds and this purpose doesn't give, with the reasons."""
    return [_shown(visit, item, {}, reason) for item, reason in purpose.withheld.items()]


def _shown(visit: Visit, item: str, values: Mapping[str, Any], reason: Reason | None) -> Shown:
    declared = visit.policy.items[item]
    label = visit.label("item", item)
    if item in values:
        return Shown(item=item, label=label, kind=declared.kind, lines=readable(visit.words, declared, values[item]))
    if reason is None:
        return Shown(item=item, label=label, kind=declared.kind)
    about = visit.named(reason.about)
    return Shown(
        item=item,
        label=label,
        kind=declared.kind,
        refused=_why(visit, reason, about),
        promise=reason.promise,
        can=advice(reason.code, visit.language, about),
    )


def _why(visit: Visit, reason: Reason, about: Mapping[str, str]) -> str:
    if reason.code == "item-not-needed" and reason.about.get("purpose") in visit.policy.purposes:
        words = visit.policy.purposes[reason.about["purpose"]].refuses[visit.language]
        return words.replace("{item}", about.get("item", ""))
    return sentence(reason.code, visit.language, about)


async def _opened(visit: Visit) -> tuple[CaseLine, tuple[OpenPurpose, ...]]:
    """The case of the address, if it is in the reader's queue. Raises Refused `no-open-case` for any other."""
    name = visit.request.path_params["case"]
    if CASE_SPELLING.fullmatch(name) is None:
        raise Refused("no-open-case")
    line = await visit.house.desk.case(visit.member, name)
    return line, await visit.house.desk.purposes(visit.member, line.kind)


def _chosen(purposes: Sequence[OpenPurpose], name: str) -> OpenPurpose | None:
    if not name and len(purposes) == 1:
        return purposes[0]
    return next((purpose for purpose in purposes if purpose.id == name), None)


def _case_page(
    visit: Visit,
    line: CaseLine,
    purposes: Sequence[OpenPurpose],
    name: str,
    cases: Sequence[CaseLine],
    answer: UseAnswer | None = None,
) -> Answer:
    chosen = _chosen(purposes, name)
    return visit.page(
        "case.html",
        case=line,
        cases=cases,
        purposes=[
            (p.id, visit.label("purpose", p.id), visit.policy.purposes[p.id].tells[visit.language]) for p in purposes
        ],
        purpose=chosen.id if chosen else "",
        role=_role(visit),
        items=shown(visit, chosen, answer) if chosen else [],
        beside=beside(visit, chosen) if chosen else [],
        receipt=Receipt(id=answer.receipt.id) if answer else None,
        here=f"{CASE}/{line.id}",
    )


def _role(visit: Visit) -> str:
    return visit.label("role", visit.member.role)


__all__ = ["HOME", "beside", "case", "queue", "reveal", "shown", "use"]
