"""Children that were found: since when closed, until when a parent may agree, by whose consent open (K2, K3).

For privacy officers alone. It knows ids, never a name: a form is checked on paper, and its number is what is kept.
"""

from collections.abc import Mapping
from datetime import date

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.desk.door import CHILDREN
from omonat.desk.visit import Answer, Visit
from omonat.flows.child_cases import ChildCase
from omonat.flows.children import Agreement
from omonat.flows.clear_child import Clearing
from omonat.flows.parent_question import Asked, Question
from omonat.pages import N_
from omonat.pages.words import OWN_NAMES
from omonat.policy.words import VerifiedBy
from omonat.promises.children.consent import SCOPES, Scope

_LONGEST = 254
_FIELDS = ("scope", "method", "reference", "born", "guardian")
_CAUSES = {
    "age-proved": N_("The person showed who they are"),
    "somebody-else": N_("The signal was about somebody else"),
    "mistyped": N_("A date was mistyped"),
}
_CLEARED = ("cause", "proof", "proved-born")
_BESIDE_CLEARED = {
    "reference-incomplete": "proof",
    "proof-of-age-needed": "proved-born",
    "a-child-indeed": "proved-born",
}
_ASKED = ("ask-method", "address", "language", "ask-born")
_BESIDE_ASKED = {"birth-date-needed": "ask-born", "child-of-age": "ask-born", "parent-address-childs": "address"}
_BESIDE = {
    "reference-incomplete": "reference", "birth-date-needed": "born", "child-of-age": "born",
    "consent-method-refused": "method", "guardian-unknown": "guardian", "guardian-several": "guardian",
    "guardian-already-agreed": "guardian",
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
        case "ask":
            return await _ask(visit, case)
        case "clear":
            return await _clear(visit, case)
        case "stop":
            try:
                await flow.stop(visit.member, case.person, visit.form.get("ask", ""))
            except Refused as refused:
                return await _page(visit, case, refused=refused)
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


async def _ask(visit: Visit, case: ChildCase) -> Answer:
    """A parent is written to."""
    typed = {name: visit.form.get(name, "").strip()[:_LONGEST] for name in _ASKED}
    try:
        born = date.fromisoformat(typed["ask-born"]) if typed["ask-born"] else None
    except ValueError:
        return await _page(visit, case, typed=typed, refused=BadInput("birth-date-needed"), beside=_BESIDE_ASKED)
    question = Question(
        person=case.person, method=typed["ask-method"], address=typed["address"], language=typed["language"], born=born
    )
    try:
        await visit.house.child_cases.ask(visit.member, question)
    except (BadInput, Refused) as error:
        return await _page(visit, await _case(visit), typed=typed, refused=error, beside=_BESIDE_ASKED)
    return visit.go(f"{CHILDREN}/{case.person}#asked")


async def _clear(visit: Visit, case: ChildCase) -> Answer:
    """Somebody was taken for a child by mistake."""
    typed = {name: visit.form.get(name, "").strip()[:_LONGEST] for name in _CLEARED}
    try:
        born = date.fromisoformat(typed["proved-born"]) if typed["proved-born"] else None
        clearing = Clearing(person=case.person, cause=typed["cause"], reference=typed["proof"], born=born)
        await visit.house.child_cases.clear(visit.member, clearing)
    except ValueError:
        return await _page(visit, case, typed=typed, refused=Refused("proof-of-age-needed"), beside=_BESIDE_CLEARED)
    except (BadInput, Refused) as error:
        return await _page(visit, case, typed=typed, refused=error, beside=_BESIDE_CLEARED)
    return visit.go(f"{CHILDREN}?cleared=1")


def _scope(visit: Visit) -> Scope:
    for scope in SCOPES:
        if visit.form.get("scope") == scope:
            return scope
    raise BadInput("form-unclear")


def _state(visit: Visit, ask: Asked) -> tuple[str, str]:
    """How a question stands: the badge and its word."""
    words = visit.words
    if ask.state == "answered" and ask.confirm_from is None:
        return "wait", words("Waits for the payment")
    return {
        "asked": ("wait", words("Waits for the first answer")),
        "answered": ("wait", words("Waits for the confirmation")),
        "stands": ("good", words("A parent agreed")),
        "withdrawn": ("none", words("Taken back")),
        "refused": ("none", words("Said no")),
        "stopped": ("none", words("Called back")),
        "over": ("none", words("Nobody answered in time")),
    }[ask.state]


async def _case(visit: Visit) -> ChildCase:
    return await visit.house.child_cases.one(visit.member, visit.request.path_params["person"])


async def _list(visit: Visit, *, error: str = "", typed: str = "") -> Answer:
    return visit.page(
        "children.html",
        status=registry()[error].status if error else 200,
        children=await visit.house.child_cases.all(visit.member),
        methods=await _methods(visit, *VerifiedBy),
        error=error,
        typed=typed,
        cleared="cleared" in visit.query,
    )


async def _methods(visit: Visit, *by: VerifiedBy) -> dict[str, str]:
    found = await visit.house.child_cases.methods()
    return {method.id: method.says[visit.language] for method in found if method.by in by}


async def _by_writing(visit: Visit, by: VerifiedBy) -> dict[str, str]:
    """The ways in which a parent may be written to; by payment, where a provider is set up."""
    paid = by is VerifiedBy.PAYMENT
    return {} if paid and not visit.house.parent_payments.set_up else await _methods(visit, by)


async def _page(
    visit: Visit,
    case: ChildCase,
    *,
    typed: dict[str, str] | None = None,
    refused: OmonatError | None = None,
    beside: Mapping[str, str] = _BESIDE,
) -> Answer:
    faults: dict[str, str] = {}
    if refused is not None and typed is not None:
        address = "address" if beside is _BESIDE_ASKED else "guardian"
        field = beside.get(refused.code) or (address if refused.code.startswith("value-") else "")
        if field:
            about = visit.named(refused.about)
            faults[field] = (
                f"{sentence(refused.code, visit.language, about)} {advice(refused.code, visit.language, about)}"
            )
    methods = await _methods(visit, *VerifiedBy)
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
        by_staff=await _methods(visit, VerifiedBy.STAFF),
        by_message=await _by_writing(visit, VerifiedBy.MESSAGE) if case.closed_at is not None else {},
        by_payment=await _by_writing(visit, VerifiedBy.PAYMENT) if case.closed_at is not None else {},
        asks=[(ask, *_state(visit, ask)) for ask in await visit.house.child_cases.asks(visit.member, case.person)],
        spoken=list(OWN_NAMES.items()),
        scopes=scopes,
        causes=[(cause, visit.words(says)) for cause, says in _CAUSES.items()],
        open_to=[(scope, scopes[scope]) for scope in open_to],
        standing=[each for scope in SCOPES if (each := case.standing(scope)) is not None],
        typed={**dict.fromkeys((*_FIELDS, *_ASKED, *_CLEARED), ""), **(typed or {})},
        faults=faults,
        error=refused.code if refused and not faults else "",
        about=visit.named(refused.about) if refused else {},
        promise=registry()[refused.code].promise if refused else "",
    )
