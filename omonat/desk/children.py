"""Children that were found: since when closed, until when a parent may agree, by whose consent open (K2, K3).

For privacy officers alone. It knows ids, never a name: a form is checked on paper, and its number is what is kept.
"""

from datetime import date

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.desk.door import CHILDREN
from omonat.desk.visit import Answer, Visit
from omonat.flows.child_cases import ChildCase
from omonat.flows.children import Agreement
from omonat.promises.children.consent import SCOPES, Scope

_LONGEST = 254
_FIELDS = ("scope", "method", "reference", "born", "guardian")
_BESIDE = {
    "reference-incomplete": "reference", "birth-date-needed": "born", "child-of-age": "born",
    "consent-method-refused": "method", "guardian-unknown": "guardian", "guardian-several": "guardian",
}  # fmt: skip
"""Beside which field a refusal stands; the others stand on top of the page."""


async def everybody(visit: Visit) -> Answer:
    """The list, and a field to say that somebody is a child."""
    return await _list(visit)


async def signal(visit: Visit) -> Answer:
    """Somebody is a child: closed for every purpose before the next page is shown."""
    typed = visit.form.get("person", "").strip()[:100]
    try:
        closed = await visit.house.child_cases.signal(visit.member, typed)
    except Refused as refused:
        if refused.code != "person-unknown":
            raise
        return await _list(visit, error=refused.code, typed=typed)
    return visit.go(f"{CHILDREN}/{closed.person}")


async def one(visit: Visit) -> Answer:
    """One child."""
    return await _page(visit, await _case(visit))


async def act(visit: Visit) -> Answer:
    """A parent agrees, or takes it back."""
    case = await _case(visit)
    here, flow = f"{CHILDREN}/{case.person}", visit.house.child_cases
    match visit.form.get("do", ""):
        case "agree":
            return await _agree(visit, case)
        case "withdraw":
            try:
                await flow.take_back(visit.member, case.person, _scope(visit))
            except Refused as refused:
                return await _page(visit, await _case(visit), refused=refused)
        case _:
            raise BadInput("form-unclear")
    return visit.go(here)


async def _agree(visit: Visit, case: ChildCase) -> Answer:
    typed = {name: visit.form.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    scope = _scope(visit)
    try:
        born = date.fromisoformat(typed["born"]) if typed["born"] else None
    except ValueError:
        return await _page(visit, case, typed=typed, refused=BadInput("birth-date-needed"))
    agreement = Agreement(
        person=case.person, method=typed["method"], reference=typed["reference"], guardian=typed["guardian"],
        born=born, scope=scope,
    )  # fmt: skip
    try:
        await visit.house.child_cases.agree(visit.member, agreement)
    except (BadInput, Refused) as error:
        return await _page(visit, await _case(visit), typed=typed, refused=error)
    return visit.go(f"{CHILDREN}/{case.person}")


def _scope(visit: Visit) -> Scope:
    for scope in SCOPES:
        if visit.form.get("scope") == scope:
            return scope
    raise BadInput("form-unclear")


async def _case(visit: Visit) -> ChildCase:
    return await visit.house.child_cases.one(visit.member, visit.request.path_params["person"])


async def _list(visit: Visit, *, error: str = "", typed: str = "") -> Answer:
    return visit.page(
        "children.html",
        status=registry()[error].status if error else 200,
        children=await visit.house.child_cases.all(visit.member),
        methods=await _methods(visit),
        error=error,
        typed=typed,
    )


async def _methods(visit: Visit) -> dict[str, str]:
    return {method.id: method.says[visit.language] for method in await visit.house.child_cases.methods()}


async def _page(
    visit: Visit, case: ChildCase, *, typed: dict[str, str] | None = None, refused: OmonatError | None = None
) -> Answer:
    faults: dict[str, str] = {}
    if refused is not None and typed is not None:
        field = _BESIDE.get(refused.code) or ("guardian" if refused.code.startswith("value-") else "")
        if field:
            about = visit.named(refused.about)
            faults[field] = (
                f"{sentence(refused.code, visit.language, about)} {advice(refused.code, visit.language, about)}"
            )
    methods = await _methods(visit)
    open_to: list[Scope] = ["data"] if case.closed_at is not None else []
    if case.images_closed:
        open_to.append("images")
    words = visit.words
    scopes = {"data": words("The child’s data"), "images": words("Photos, videos and recordings")}
    return visit.page(
        "child.html",
        status=registry()[refused.code].status if refused else 200,
        case=case,
        here=f"{CHILDREN}/{case.person}",
        methods=methods,
        scopes=scopes,
        open_to=[(scope, scopes[scope]) for scope in open_to],
        standing=[each for scope in SCOPES if (each := case.standing(scope)) is not None],
        typed=typed or dict.fromkeys(_FIELDS, ""),
        faults=faults,
        error=refused.code if refused and not faults else "",
        about=visit.named(refused.about) if refused else {},
        promise=registry()[refused.code].promise if refused else "",
    )
