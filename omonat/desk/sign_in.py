"""Signing in: name, password and a one-time code on one page; one answer for every failure (S4, B2)."""

from typing import Final

from omonat.base.errors import Refused
from omonat.desk.door import HOME
from omonat.desk.visit import Answer, Visit
from omonat.pages.http import end_session, session_cookie

_COOKIE_LIFE: Final = 12 * 3600  # the row behind it ends after thirty idle minutes
_AFTER_BOTH_FACTORS: Final = frozenset({"role-ended", "training-lapsed"})


def welcome(visit: Visit, *, error: str = "") -> Answer:
    """The sign-in page. `error` is a code of a refusal the reader may know, or `no` for all the others."""
    return visit.page("sign_in.html", status=401 if error else 200, error=error)


async def enter(visit: Visit) -> Answer:
    """Try to sign in. A wrong name, password or code and a closed sign-in read alike: none of them tells who exists."""
    login, password = visit.form.get("login", ""), visit.form.get("password", "")
    code = "".join(visit.form.get("code", "").split())
    try:
        client = visit.request.client
        caller = client.host if client else ""
        member = await visit.house.staff.sign_in(login[:200], password[:500], code[:12], caller=caller)
    except Refused as refused:
        return welcome(visit, error=refused.code if refused.code in _AFTER_BOTH_FACTORS else "no")
    if visit.signed_in:
        await visit.house.sessions.end(visit.token)
    token = await visit.house.sessions.open("desk", member.id)
    return visit.go(HOME, cookies=[session_cookie("desk", token, _COOKIE_LIFE)])


async def sign_out(visit: Visit) -> Answer:
    """End the session on this device, and here."""
    await visit.house.sessions.end(visit.token)
    return visit.go(HOME, cookies=[end_session("desk")], clear=True)
