"""Signing in: name, password and a one-time code on one page; one answer for every failure (S4, B2)."""

from omonat.base.errors import Refused
from omonat.desk.door import HOME
from omonat.desk.visit import Answer, Visit
from omonat.pages.http import end_session, session_cookie

_COOKIE_LIFE = 12 * 3600  # the row behind it ends after thirty idle minutes


def welcome(visit: Visit, *, error: Refused | None = None) -> Answer:
    """The sign-in page."""
    return visit.page("sign_in.html", status=401 if error else 200, error=error.code if error else "")


async def enter(visit: Visit) -> Answer:
    """Try to sign in."""
    login, password = visit.form.get("login", ""), visit.form.get("password", "")
    code = "".join(visit.form.get("code", "").split())
    try:
        member = await visit.house.staff.sign_in(login[:200], password[:500], code[:12])
    except Refused as error:
        return welcome(visit, error=error)
    token = await visit.house.sessions.open("desk", member.id)
    return visit.go(HOME, cookies=[session_cookie("desk", token, _COOKIE_LIFE)])


async def sign_out(visit: Visit) -> Answer:
    """End the session on this device, and here."""
    await visit.house.sessions.end(visit.token)
    return visit.go(HOME, cookies=[end_session("desk")], clear=True)
