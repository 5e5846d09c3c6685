"""My children: a guardian's pages over a child's data: see it, limit it, delete it, take the consent back (K3).

Whoever isn't the guardian of the id in the address is told the same as for an id nobody has. Words and parts are those
of a person's own pages; only whose data it is differs.
"""

from typing import Final

from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.center import acts, choices, copy, correct, delete
from omonat.center.door import CHILDREN
from omonat.center.my_data import groups, some_covered
from omonat.center.visit import Answer, Visit
from omonat.flows.correct import is_a_guardians
from omonat.flows.erase_mine import Wanted, new_token
from omonat.flows.guardians import Ward
from omonat.flows.locking import Lock
from omonat.flows.take_away import Copy, Form
from omonat.pages import N_
from omonat.pages.masks import Masked, mask
from omonat.policy.words import Basis

_NAME: Final = "contact.name"
_CONTACT: Final = frozenset({"contact"})
_WAYS: Final = {True: N_("Letter to"), False: N_("SMS to")}


async def everybody(visit: Visit) -> Answer:
    """The children whose data the reader may see, each by its covered name."""
    return visit.page(
        "children.html",
        children=[(ward, await _name(visit, ward)) for ward in visit.wards],
        ended="ended" in visit.query,
    )


async def one(visit: Visit) -> Answer:
    """What is held of one child, masked, and what may be done with it."""
    return await _page(visit, await _ward(visit), frozenset())


async def act(visit: Visit) -> Answer:
    """Show a value, choose in the child's place, or take the consent back."""
    ward = await _ward(visit)
    match visit.form.get("do", ""):
        case "":
            before = visit.form.get("shown", "").split(",")
            return await _page(visit, ward, frozenset((*before, visit.form.get("reveal", ""))))
        case "choose":
            kind, state = choices.said(visit)
            purpose = "" if kind == "restriction" else visit.form.get("purpose", "")
            await visit.house.guardians.choose(
                visit.person, ward.person, kind=kind, state=state, purpose=purpose,
                version=visit.form.get("version") or None, term=choices.term(visit),
            )  # fmt: skip
            return visit.go(f"{_here(ward)}?saved=1#{purpose or 'restriction'}")
        case "withdraw" if visit.form.get("sure") == "yes":
            await visit.house.guardians.withdraw(visit.person, ward.person)
            return visit.go(f"{CHILDREN}?ended=1")
        case "withdraw":
            return await _page(visit, ward, frozenset(), unsure=True)
    raise BadInput("form-unclear")


async def copy_form(visit: Visit) -> Answer:
    """How the copy of a child's data shall look."""
    return copy.page(visit, f"{_here(await _ward(visit))}/copy")


async def make_copy(visit: Visit) -> Answer:
    """The file itself."""
    ward = await _ward(visit)

    async def take(form: Form, lock: Lock) -> Copy:
        return await visit.house.guardians.copy(visit.person, ward.person, form=form, lock=lock)

    return await copy.made_by(visit, f"{_here(ward)}/copy", take)


async def correct_form(visit: Visit) -> Answer:
    """The field for one value of a child's. Raises Refused where it can't be put right here."""
    ward, (record, item) = await _ward(visit), correct.place(visit.query)
    await visit.house.guardians.look_at(visit.person, ward.person, record, item)
    return correct.page(visit, record, item, here=_here(ward))


async def put_right(visit: Visit) -> Answer:
    """Put one value right, at once: none that a code would have to prove."""
    ward, (record, item) = await _ward(visit), correct.place(visit.form)
    typed = visit.form.get("value", "")
    try:
        await visit.house.guardians.correct(visit.person, ward.person, record, item, typed)
    except BadInput as error:
        return correct.page(visit, record, item, here=_here(ward), error=error, typed=typed)
    return visit.go(f"{_here(ward)}?saved=1#{item}")


async def plan(visit: Visit) -> Answer:
    """What a deletion would take and leave."""
    return await _plan_page(visit, await _ward(visit))


async def ask(visit: Visit) -> Answer:
    """Send the code that confirms exactly this to the guardian."""
    ward, wanted, channel = await _ward(visit), delete.wanted_of(visit.form), visit.form.get("channel", "")
    try:
        ticket = await visit.house.guardians.ask(visit.person, ward.person, wanted, channel, language=visit.language)
    except Refused as refused:
        if refused.code not in ("too-many-codes", "channel-unknown"):
            raise
        return await _plan_page(visit, ward, error=refused.code)
    step = acts.Step(
        until=acts.until(visit), person=visit.person, child=ward.person, ticket=ticket, channel=channel,
        receipt=new_token(), record=wanted.record, item=wanted.item,
    )  # fmt: skip
    return visit.go(f"{_here(ward)}/delete/code", cookies=[acts.keep(visit, step)])


async def code(visit: Visit) -> Answer:
    """The page that takes the code."""
    ward = await _ward(visit)
    step = acts.mine(visit, ward.person)
    return visit.go(f"{_here(ward)}/delete") if step is None else await _code_page(visit, ward, step)


async def enter(visit: Visit) -> Answer:
    """Try the code, and delete. A second press of the button leads to the receipt of the first."""
    if (done := await delete.done_already(visit)) is not None:
        return done
    ward = await _ward(visit)
    step = acts.mine(visit, ward.person)
    if step is None:
        return visit.go(f"{_here(ward)}/delete")
    digits = "".join(visit.form.get("code", "").split())[:20]
    wanted = Wanted(record=step.record, item=step.item)
    try:
        await visit.house.guardians.erase(
            visit.person, ward.person, wanted, ticket=step.ticket, code=digits, token=step.receipt
        )
    except OmonatError as error:
        if (done := await delete.done_already(visit)) is not None:
            return done
        if not isinstance(error, Refused) or error.code != "code-wrong":
            raise
        return await _code_page(visit, ward, step, error=error.code)
    return delete.to_receipt(visit, step)


async def _ward(visit: Visit) -> Ward:
    """The child the address names. Raises Refused `not-the-guardian`."""
    return await visit.house.guardians.ward(visit.person, visit.request.path_params["child"])


def _here(ward: Ward) -> str:
    return f"{CHILDREN}/{ward.person}"


async def _name(visit: Visit, ward: Ward) -> Masked | None:
    seen = await visit.house.guardians.data(visit.person, ward.person, _CONTACT)
    held = seen.newest().get(_NAME)
    return mask(visit.words, held.declared.kind, str(held.value)) if held else None


async def _page(visit: Visit, ward: Ward, shown: frozenset[str], *, unsure: bool = False) -> Answer:
    guardians, child, policy = visit.house.guardians, ward.person, visit.policy
    seen = await guardians.data(visit.person, child)
    standing = await guardians.standing(visit.person, child)
    history = await visit.house.my_data.choices(child)
    found = groups(visit, seen, shown)
    services = await visit.house.my_data.services(child)
    asked = choices.asked_of(visit, history, services)
    wanted = [policy.purposes[name] for name in policy.policy.consent_needed if name in asked]
    open_to = [p for p in policy.purposes.values() if p.may_be_objected_to and p.basis is not Basis.CONSENT]
    open_now = [line.id for group in found for line in group.lines if line.revealed]
    return visit.page(
        "child.html",
        status=422 if unsure else 200,
        ward=ward,
        here=_here(ward),
        groups=found,
        theirs_to_correct={line.id for group in found for line in group.lines if is_a_guardians(policy, line.id)},
        shown=",".join(open_now),
        some_open=bool(open_now),
        some_covered=some_covered(found),
        consents=choices.options(visit, standing, history, "consent", wanted),
        interests=choices.options(visit, standing, history, "objection", open_to),
        theirs=standing,
        version=policy.version,
        saved="saved" in visit.query,
        unsure=unsure,
    )


async def _plan_page(visit: Visit, ward: Ward, *, error: str = "") -> Answer:
    wanted = delete.wanted_of(visit.form or visit.query)
    found = await visit.house.guardians.plan(visit.person, ward.person, wanted)
    ways = await delete.ways(visit) if found.goes or wanted.everything else []
    return visit.page(
        "child_delete.html",
        status=422 if error else 200,
        error=error,
        here=_here(ward),
        wanted=wanted,
        what=delete.what_of(visit, wanted),
        goes=[(visit.label("item", item), count) for item, count in sorted(found.goes.items())],
        stays=delete.stays_of(visit, found),
        ways=ways,
        ways_said=[(way.item, f"{visit.words(_WAYS[way.by_mail])} {way.where.shown}") for way in ways],
    )


async def _code_page(visit: Visit, ward: Ward, step: acts.Step, *, error: str = "") -> Answer:
    where = next((way for way in await delete.ways(visit) if way.item == step.channel), None)
    return visit.page(
        "child_delete_code.html",
        status=401 if error else 200,
        error=error,
        here=_here(ward),
        ticket=step.ticket,
        where=where,
    )
