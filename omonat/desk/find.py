"""Find a person by an exact phone or e-mail, only under a purpose that allows it, counted (S4).

The answer names cases, or a person to work with under a purpose that needs no case. Several people behind one number
answer nothing. What was typed stands in no address and is kept nowhere.
"""

from omonat.base.errors import BadInput
from omonat.base.ids import is_id
from omonat.desk.visit import Answer, Visit
from omonat.desk.work import shown, use
from omonat.flows.lookup import LookupAnswer, LookupRequest

_LONGEST = 254


async def ask(visit: Visit) -> Answer:
    """The page to search on; without a purpose that allows it, the page says so."""
    return await _page(visit)


async def find(visit: Visit) -> Answer:
    """Look somebody up. Raises BadInput for a form this page never sent, Refused as the flow does."""
    purpose, _, item = visit.form.get("by", "").partition("/")
    value = visit.form.get("value", "").strip()[:_LONGEST]
    offered = {(open_to.id, each) for open_to in await visit.house.desk.lookups(visit.member) for each in open_to.items}
    if (purpose, item) not in offered:
        raise BadInput("form-unclear")
    try:
        found = await visit.house.lookup(
            LookupRequest(
                credential=await visit.house.inner_credential("desk"),
                purpose=purpose,
                item=item,
                value=value,
                on_behalf_of=visit.member.ref,
            )
        )
    except BadInput as error:
        return await _page(visit, purpose=purpose, error=error.code, by=f"{purpose}/{item}")
    return await _page(visit, purpose=purpose, found=found, by=f"{purpose}/{item}")


async def person(visit: Visit) -> Answer:
    """Show one item of the person just found, under a purpose that needs no case."""
    name, wanted = visit.form.get("person", ""), visit.form.get("purpose", "")
    purposes = await visit.house.desk.without_case(visit.member)
    purpose = next((each for each in purposes if each.id == wanted), None)
    if purpose is None or not is_id("per", name):
        raise BadInput("form-unclear")
    item = visit.form.get("item", "")
    answer = await use(visit, purpose, item, person=name) if item else None
    return visit.page(
        "person.html",
        person=name,
        purpose=purpose.id,
        role=visit.label("role", visit.member.role),
        items=shown(visit, purpose, answer),
        receipt=answer.receipt if answer else None,
    )


async def _page(
    visit: Visit, *, purpose: str = "", found: LookupAnswer | None = None, error: str = "", by: str = ""
) -> Answer:
    lookups = await visit.house.desk.lookups(visit.member)
    options = [
        (f"{each.id}/{item}", f"{visit.label('purpose', each.id)}: {visit.label('item', item)}")
        for each in lookups
        for item in each.items
    ]
    without_case = await visit.house.desk.without_case(visit.member) if found and found.person else ()
    return visit.page(
        "find.html",
        status=422 if error else 200,
        options=options,
        by=by,
        purpose=purpose,
        role=visit.label("role", visit.member.role),
        found=found,
        error=error,
        purposes=[(p.id, visit.label("purpose", p.id)) for p in without_case],
    )
