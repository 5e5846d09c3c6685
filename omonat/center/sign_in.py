"""Signing in: one question a page. The same words whether or not somebody is known (S6)."""

from omonat.base.errors import BadInput, Refused
from omonat.center import steps
from omonat.center.door import ASKED_FOR, CODE, HOME, ORDER, SIGN_OUT
from omonat.center.visit import Answer, Visit
from omonat.flows.sign_in import SecondProofNeeded, SignedIn
from omonat.pages.http import end_session, session_cookie
from omonat.pages.masks import Masked, mask
from omonat.policy.words import Kind

_LONGEST = 254
_COOKIE_LIFE = 12 * 3600  # the row behind it ends after thirty idle minutes

__all__ = ["HOME", "SIGN_OUT", "again", "ask", "code", "enter", "order", "prove", "sign_out", "welcome"]


def welcome(visit: Visit, *, error: str = "", typed: str = "", status: int = 200) -> Answer:
    """The one question: phone or e-mail."""
    left = "left" in visit.query
    return visit.page("sign_in.html", status=status, error=error, typed=typed, left=left, to=_asked_for(visit))


async def ask(visit: Visit) -> Answer:
    """Send a code, to somebody known; on to the code page, for everybody."""
    typed = visit.form.get("who", "").strip()
    if not typed or len(typed) > _LONGEST:
        return _unreadable(visit, "")
    try:
        ticket = await _send(visit, typed)
    except BadInput:
        return _unreadable(visit, typed)
    return visit.go(CODE, cookies=[steps.keep(visit, ticket=ticket, typed=typed, to=_asked_for(visit))])


async def again(visit: Visit) -> Answer:
    """A new code to the same phone or e-mail; the old one stays good for its ten minutes."""
    step = steps.find(visit)
    if step is None or not step.ticket:
        return visit.go(HOME)
    ticket = await _send(visit, step.typed)
    return visit.go(f"{CODE}?again=1", cookies=[steps.keep(visit, ticket=ticket, typed=step.typed, to=step.to)])


async def code(visit: Visit) -> Answer:
    """The page that takes the code."""
    return _code_page(visit)


async def enter(visit: Visit) -> Answer:
    """Try the code."""
    step = steps.find(visit)
    if step is None or not step.ticket:
        return visit.go(HOME)
    digits = "".join(visit.form.get("code", "").split())
    try:
        outcome = await visit.house.sign_in.enter(step.ticket, digits[:20])
    except Refused as refused:
        return _code_page(visit, error=refused.code)
    if isinstance(outcome, SecondProofNeeded):
        return visit.go(ORDER, cookies=[steps.keep(visit, proof=outcome.token, to=step.to)])
    return _signed_in(visit, outcome, step.to)


async def order(visit: Visit) -> Answer:
    """The page that asks for a second proof."""
    return _order_page(visit)


async def prove(visit: Visit) -> Answer:
    """Try the order number. After five wrong ones the sign-in begins anew."""
    step = steps.find(visit)
    if step is None or not step.proof:
        return visit.go(HOME)
    number = visit.form.get("order", "").strip().lstrip("№#").strip()
    try:
        outcome = await visit.house.sign_in.prove(step.proof, number[:100])
    except Refused as refused:
        if refused.code == "proof-wrong":
            return _order_page(visit, error=refused.code)
        over = visit.words("That was one try too many, or it took longer than ten minutes. Please begin again.")
        return welcome(visit, error=over, status=401)
    return _signed_in(visit, outcome, step.to)


async def sign_out(visit: Visit) -> Answer:
    """End the session on this device, and here."""
    await visit.house.sessions.end(visit.token)
    return visit.go(f"{HOME}?left=1", cookies=[end_session("center"), steps.forget()], clear=True)


async def _send(visit: Visit, typed: str) -> str:
    client = visit.request.client
    return await visit.house.sign_in.ask(typed, language=visit.language, caller=client.host if client else "")


def _unreadable(visit: Visit, typed: str) -> Answer:
    error = visit.words("This is neither a phone number nor an e-mail address. For example: 90 123 45 67")
    return welcome(visit, error=error, typed=typed, status=422)


def _code_page(visit: Visit, *, error: str = "") -> Answer:
    step = steps.find(visit)
    if step is None or not step.ticket:
        return visit.go(HOME)
    return visit.page(
        "code.html",
        status=401 if error else 200,
        error=error,
        where=_masked(visit, step.typed),
        by_mail="@" in step.typed,
        again="again" in visit.query and not error,
    )


def _order_page(visit: Visit, *, error: str = "") -> Answer:
    step = steps.find(visit)
    if step is None or not step.proof:
        return visit.go(HOME)
    mailbox = visit.policy.policy.controller.mailbox
    return visit.page("order.html", status=401 if error else 200, error=error, mailbox=mailbox)


def _masked(visit: Visit, typed: str) -> Masked:
    return mask(visit.words, Kind.EMAIL if "@" in typed else Kind.PHONE, typed)


def _asked_for(visit: Visit) -> str:
    """The page somebody came for; empty for anything that isn't one of ours."""
    said = visit.form.get("to", "") if visit.request.method == "POST" else visit.query.get("to", "")
    return said if f"{HOME}/{said}" in ASKED_FOR else ""


def _signed_in(visit: Visit, outcome: SignedIn, to: str) -> Answer:
    place = f"{HOME}/{to}" if to else HOME
    return visit.go(place, cookies=[session_cookie("center", outcome.token, _COOKIE_LIFE), steps.forget()])
