"""Find a person by an exact phone or e-mail, only under a purpose that allows it, counted (S4).

The answer names open cases, or lets the reader go on under the very purpose they searched for, where it needs no case.
Several people behind one number answer nothing. What was typed stands in no address and is kept nowhere.
"""

from omonat.base.errors import BadInput, Refused
from omonat.desk.visit import Answer, Visit
from omonat.desk.work import under, use
from omonat.flows.lookup import LookupAnswer, LookupRequest
from omonat.pages.http import csrf_holds, csrf_token

_LONGEST = 254


async def ask(visit: Visit) -> Answer:
    """The page to search on; without a purpose that allows it, the page says so."""
    return await _page(visit)


async def find(visit: Visit) -> Answer:
    """Look somebody up. Raises BadInput for a form this page never sent, Refused as the flow does."""
    by = visit.form.get("by", "")
    purpose, _, item = by.partition("/")
    value = visit.form.get("value", "").strip()[:_LONGEST]
    offered = {(open_to.id, each) for open_to in await visit.house.desk.lookups(visit.member) for each in open_to.items}
    if (purpose, item) not in offered:
        raise BadInput("form-unclear")
    visit.purpose = purpose
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
        return await _page(visit, error=error.code, by=by)
    return await _page(visit, found=found, by=by)


async def person(visit: Visit) -> Answer:
    """Show one item of the person just found, under the purpose they were found for.

    Raises BadInput unless this session found this person under this purpose.
    """
    name, wanted = visit.form.get("person", ""), visit.form.get("purpose", "")
    purposes = await visit.house.desk.without_case(visit.member)
    purpose = next((each for each in purposes if each.id == wanted), None)
    if purpose is None or not csrf_holds(visit.form_key, _finding(visit, name, wanted), visit.form.get("found")):
        raise BadInput("form-unclear")
    visit.purpose = purpose.id
    item, answer, refused = visit.form.get("item", ""), None, None
    try:
        answer = await use(visit, purpose, item, person=name) if item else None
    except Refused as error:
        refused = error
    fields = {"purpose": purpose.id, "person": name, "found": visit.form["found"]}
    return visit.page("person.html", fields=fields, **under(visit, purpose, answer, refused))


def _finding(visit: Visit, person: str, purpose: str) -> str:
    """What a finding is good for: this session, this person, this purpose."""
    return f"{visit.token} found {person} for {purpose}"


async def _page(visit: Visit, *, found: LookupAnswer | None = None, error: str = "", by: str = "") -> Answer:
    lookups = await visit.house.desk.lookups(visit.member)
    options = [
        (f"{each.id}/{item}", f"{visit.label('purpose', each.id)}: {visit.label('item', item)}")
        for each in lookups
        for item in each.items
    ]
    goes_on: dict[str, str] = {}
    if found and found.person and any(p.id == visit.purpose for p in await visit.house.desk.without_case(visit.member)):
        token = csrf_token(visit.form_key, _finding(visit, found.person, visit.purpose))
        goes_on = {"purpose": visit.purpose, "person": found.person, "found": token}
    return visit.page(
        "find.html",
        status=422 if error else 200,
        options=options,
        by=by,
        found=found,
        error=error,
        goes_on=goes_on,
    )
