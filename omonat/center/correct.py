"""Correct: one value at a time; a new phone or e-mail is proved by a code (Q1, Q2)."""

from collections.abc import Mapping
from typing import Final

from omonat.base.errors import BadInput, Refused
from omonat.base.ids import is_id
from omonat.center import acts
from omonat.center.delete import ways
from omonat.center.door import CORRECT, CORRECT_CODE, DATA
from omonat.center.visit import Answer, Visit
from omonat.flows.confirm import CHANNELS
from omonat.pages.masks import mask
from omonat.policy.words import Kind

_INPUTS: Final = {Kind.EMAIL: "email", Kind.PHONE: "tel", Kind.BIRTH_DATE: "date", Kind.ADDRESS: "textarea"}
_BACK: Final = frozenset({"too-many-codes", "child"})
"""Refusals that are told beside the field."""


async def show(visit: Visit) -> Answer:
    """The field for one value; without one, where it is chosen. Raises Refused where it can't be corrected here."""
    if not visit.query.get("record") or not visit.query.get("item"):
        return visit.go(DATA)
    record, item = place(visit.query)
    await visit.house.correct.look(visit.person, record, item)
    return page(visit, record, item)


async def change(visit: Visit) -> Answer:
    """Correct, or send the code to the new channel."""
    record, item = place(visit.form)
    typed = visit.form.get("value", "")
    try:
        kept = await visit.house.correct.begin(visit.person, record, item, typed, language=visit.language)
    except BadInput as error:
        return page(visit, record, item, error=error, typed=typed)
    except Refused as error:
        if error.code not in _BACK:
            raise
        return page(visit, record, item, error=error, typed=typed)
    return _done(visit, item) if kept is None else _to_code(visit, kept)


async def code(visit: Visit) -> Answer:
    """The page that takes the code."""
    step = acts.mine(visit)
    return visit.go(DATA) if step is None or not step.value else await _code_page(visit, step)


async def enter(visit: Visit) -> Answer:
    """Try the code."""
    step = acts.mine(visit)
    if step is None or not step.value:
        return visit.go(DATA)
    digits = "".join(visit.form.get("code", "").split())[:20]
    pending = visit.house.correct.pending(visit.person, step.value)
    try:
        kept = await visit.house.correct.enter(visit.person, step.value, digits, language=visit.language)
    except Refused as refused:
        if refused.code != "code-wrong":
            raise
        return await _code_page(visit, step, error=refused.code)
    return _done(visit, pending.item) if kept is None else _to_code(visit, kept)


def place(said: Mapping[str, str]) -> tuple[str, str]:
    """Record and item, as an address or a form says. Raises BadInput."""
    record, item = said.get("record", ""), said.get("item", "")
    if not is_id("rec", record) or not item:
        raise BadInput("form-unclear")
    return record, item


def _done(visit: Visit, item: str) -> Answer:
    return visit.go(f"{DATA}?corrected={item}#{item}", cookies=[acts.forget()])


def _to_code(visit: Visit, kept: str) -> Answer:
    pending = visit.house.correct.pending(visit.person, kept)
    step = acts.Step(
        until=pending.until,
        person=visit.person,
        ticket=pending.ticket,
        channel=pending.asked or pending.item,
        value=kept,
    )
    return visit.go(CORRECT_CODE, cookies=[acts.keep(visit, step)])


def page(
    visit: Visit, record: str, item: str, *, here: str = "", error: BadInput | Refused | None = None, typed: str = ""
) -> Answer:
    """The field; `here`: the child's page, where a guardian puts it right."""
    law = visit.policy.item(item)
    return visit.page(
        "correct.html",
        status=422 if error else 200,
        error=error.code if error else "",
        about=visit.named({"item": item, **error.about}) if error else {},
        back=here or DATA,
        action=f"{here}/correct" if here else CORRECT,
        childs=bool(here),
        record=record,
        item=item,
        what=visit.label("item", item),
        kind=_INPUTS.get(law.kind, "text"),
        typed=typed[:500],
        proved=item in CHANNELS,
    )


async def _code_page(visit: Visit, step: acts.Step, *, error: str = "") -> Answer:
    pending = visit.house.correct.pending(visit.person, step.value)
    if pending.proved:
        where = next((way.where for way in await ways(visit) if way.item == step.channel), None)
    else:
        where = mask(visit.words, visit.policy.item(pending.item).kind, pending.value)
    return visit.page(
        "correct_code.html",
        status=401 if error else 200,
        error=error,
        ticket=step.ticket,
        by_mail=CHANNELS[step.channel].value == "email",
        where=where,
        second=pending.proved,
    )
