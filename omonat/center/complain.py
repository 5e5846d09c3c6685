"""Complaining and asking, with or without an account (A2, Q2): a form, a receipt, the status.

Nothing of it stands in an address. Number and code of the request one looks at are kept by the browser itself: sealed
by the vault, an hour, nothing stored here.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final

import msgspec
from litestar.datastructures import Cookie

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.instants import HOUR, Instant
from omonat.center import proving
from omonat.center.door import REQUEST, REQUESTS, STATUS
from omonat.center.visit import Answer, Visit
from omonat.center.visit_link import case_named
from omonat.flows.asked import NewRequest
from omonat.pages.requests import KINDS
from omonat.promises.requests.facts import Kind

COOKIE: Final = "__Host-request"
_CONTEXT: Final = "request-followed"
_LIFE: Final = HOUR
_LONGEST: Final = 4_000
_NEVER_REPEATED: Final = frozenset({"value-card-number", "value-card-verification"})
_FIELDS: Final = {"contact.name": "name", "contact.email": "contact", "contact.mobile": "contact"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Which request this browser follows."""

    number: str
    code: str
    until: Instant


async def form(visit: Visit) -> Answer:
    """The one question: what happened, or what is wanted."""
    kind = visit.query.get("kind", "")
    case = await visit.house.visit_links.about(visit.query.get("visit", ""))
    text = "" if case is None else visit.words("This is about: %(case)s.", case=case_named(visit, case)) + "\n"
    return await _form(visit, typed={"kind": kind if kind in KINDS else "complaint", "text": text})


async def send(visit: Visit) -> Answer:
    """Take it in. The same form sent twice is one request."""
    typed = {name: visit.form.get(name, "") for name in ("kind", "text", "name", "contact", "item", "value")}
    try:
        kind = Kind(typed["kind"])
    except ValueError:
        raise BadInput("form-unclear") from None
    if not typed["text"].strip() or len(typed["text"]) > _LONGEST:
        return await _form(visit, typed=typed, errors={"text": visit.words("Say in a few sentences what it is about.")})
    if kind is not Kind.CORRECTION and (typed["item"] or typed["value"].strip()):
        said = visit.words(
            "You named what is to be put right. Choose “%(kind)s” at the top; or, if that isn’t it, empty these two.",
            kind=visit.words(KINDS[Kind.CORRECTION.value]),
        )
        return await _form(visit, typed=typed, errors={"item": said})
    try:
        answer = await visit.house.ask(
            NewRequest(
                credential=await visit.house.inner_credential("requests"),
                kind=kind,
                text=typed["text"],
                door="privacy-center" if _bound(visit) else "site",
                language=visit.language,
                name=typed["name"],
                contact=typed["contact"],
                person=visit.person if _bound(visit) else None,
                caller=_caller(visit),
                form=visit.form.get("once", "")[:60],
                item=typed["item"],
                value=typed["value"][:500],
            )
        )
    except Refused as refused:
        if refused.code != "request-sent-before":
            raise
        return visit.go(REQUESTS if _bound(visit) else REQUEST)
    except BadInput as error:
        if error.code in _NEVER_REPEATED:
            typed["text"] = ""
        if error.about.get("of") == "value":
            typed["value"] = ""
        return await _form(visit, typed=typed, errors=_faults(visit, error))
    if _bound(visit):
        return visit.go(f"{REQUESTS}/{answer.number}?new=1")
    return visit.go(f"{REQUEST}?new=1", cookies=[_kept(visit, answer.number, answer.code)])


async def ask(visit: Visit) -> Answer:
    """Number and code, to see how far a request is."""
    return visit.page("status.html", error="", typed="")


async def find(visit: Visit) -> Answer:
    """Try them; a wrong number and a wrong code read alike."""
    number, code = visit.form.get("number", "")[:60], visit.form.get("code", "")[:60]
    try:
        found = await visit.house.follow_request.by_code(number, code, caller=_caller(visit))
    except Refused as error:
        return visit.page("status.html", status=_status(error), error=error.code, typed=number)
    return visit.go(REQUEST, cookies=[_kept(visit, found.number, code)])


async def show(visit: Visit, *, error: str = "", proof_error: str = "") -> Answer:
    """The request this browser follows: receipt, code to type, status, answer."""
    followed = _find(visit)
    if followed is None:
        return visit.go(STATUS)
    try:
        found = await visit.house.follow_request.by_code(followed.number, followed.code, caller=_caller(visit))
    except Refused as refused:
        if refused.code != "request-unknown":
            raise
        return visit.go(STATUS, cookies=[_cookie("", 0)])  # deleted since
    code = " ".join(followed.code[at : at + 4] for at in range(0, len(followed.code), 4))
    new = "new" in visit.query
    return visit.page(
        "request.html", status=401 if error or proof_error else 200, request=found, code=code, new=new, here=REQUEST,
        error=error, again="again" in visit.query, step=proving.shown(visit, found.number, proof_error),
        proved="proved" in visit.query, thing=visit.label("item", found.item) if found.item else "",
    )  # fmt: skip


async def act(visit: Visit) -> Answer:
    """Type the code from the message, have another one sent, take the request up again, or forget it here."""
    followed = _find(visit)
    if followed is None:
        return visit.go(STATUS)
    ask, number, code = visit.house.ask, followed.number, followed.code
    match visit.form.get("do"):
        case "confirm":
            try:
                await ask.confirm(number, code, visit.form.get("proof", "")[:20])
            except Refused as refused:
                return await show(visit, error=refused.code)
        case "again":
            await ask.send_again(number, code)
            return visit.go(f"{REQUEST}?again=1")
        case "reopen":
            await visit.house.follow_request.reopen(number, code, caller=_caller(visit))
        case "prove" | "proof-code":
            try:
                return await proving.act(visit, number, REQUEST, code=code)
            except Refused as refused:
                if refused.code != "code-wrong":
                    raise
                return await show(visit, proof_error=refused.code)
        case "forget":
            return visit.go(STATUS, cookies=[_cookie("", 0)])
        case _:
            raise BadInput("form-unclear")
    return visit.go(REQUEST)


async def _form(visit: Visit, *, typed: dict[str, str], errors: dict[str, str] | None = None) -> Answer:
    return visit.page(
        "complain.html",
        status=422 if errors else 200,
        kinds=[(kind, visit.words(words)) for kind, words in KINDS.items()],
        things=[("", visit.words("I say it in my words"))]
        + [(item, visit.label("item", item)) for item in await visit.house.put_right.askable()],
        typed={"kind": "complaint", "text": "", "name": "", "contact": "", "item": "", "value": "", **typed},
        errors={"text": "", "name": "", "contact": "", "item": "", "value": "", **(errors or {})},
        faults=[(name, said) for name, said in (errors or {}).items()],
        once=token_urlsafe(16),
        bound=_bound(visit),
        apart=visit.signed_in and not _bound(visit),
        longest=_LONGEST,
    )


def _bound(visit: Visit) -> bool:
    """Whether it belongs to the reader's account: not while they restrict its use, for nobody could read it."""
    return visit.standing is not None and visit.standing.restricted_at is None


def _faults(visit: Visit, error: OmonatError) -> dict[str, str]:
    """Beside which field it is said; what was typed stays in the form, but for a text with a card number."""
    about = visit.named(error.about)
    said = f"{sentence(error.code, visit.language, about)} {advice(error.code, visit.language, about)}"
    if error.code == "request-contact-needed":
        return {"contact": said}
    if error.code == "correction-item-needed":
        return {"item": said}
    if error.about.get("of") == "value":
        return {"value": said}
    item = error.about.get("item", "")
    if not item:
        return {
            "contact": visit.words("This is neither a phone number nor an e-mail address. For example: 90 123 45 67")
        }
    return {_FIELDS.get(item, "text"): said}


def _status(error: OmonatError) -> int:
    return 429 if error.code == "too-many-requests" else 404


def _caller(visit: Visit) -> str:
    client = visit.request.client
    return client.host if client else ""


def _kept(visit: Visit, number: str, code: str) -> Cookie:
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    followed = Followed(number=number, code=plain, until=Instant(visit.now + _LIFE))
    sealed = visit.house.grounds.vault.seal_value(_CONTEXT, msgspec.json.encode(followed))
    return _cookie(urlsafe_b64encode(sealed).decode(), _LIFE // 1_000_000)


def _find(visit: Visit) -> Followed | None:
    """None when there is none, its hour is over, or somebody else made it up."""
    try:
        sealed = urlsafe_b64decode(visit.request.cookies.get(COOKIE, ""))
        opened: Any = visit.house.grounds.vault.open_value(_CONTEXT, sealed)
        followed = msgspec.json.decode(opened, type=Followed)
    except (ValueError, OmonatError):
        return None
    return followed if followed.until > visit.now else None


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
