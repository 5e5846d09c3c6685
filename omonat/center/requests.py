"""Requests and complaints: what works by itself, what one asks for, and how far one's own requests are (A2, Q2)."""

from omonat.base.errors import BadInput, Refused
from omonat.center import proving
from omonat.center.door import REQUESTS
from omonat.center.visit import Answer, Visit
from omonat.flows.follow_request import Followed


async def show(visit: Visit) -> Answer:
    """What one can ask for, and one's own requests."""
    return visit.page("requests.html", mine=await visit.house.follow_request.mine(visit.person))


async def one(visit: Visit) -> Answer:
    """One of them, with what was asked and answered. Raises Refused for anybody else's."""
    number = visit.request.path_params["number"]
    found = await visit.house.follow_request.one_of_mine(visit.person, number)
    return _page(visit, found)


def _page(visit: Visit, found: Followed, *, error: str = "") -> Answer:
    return visit.page(
        "request.html", status=401 if error else 200, request=found, code="", new="new" in visit.query,
        here=f"{REQUESTS}/{found.number}", error="", again=False, step=proving.shown(visit, found.number, error),
        proved="proved" in visit.query, thing=visit.label("item", found.item) if found.item else "",
    )  # fmt: skip


async def act(visit: Visit) -> Answer:
    """The answer did not settle it; or a new phone or e-mail is proved."""
    number = visit.request.path_params["number"]
    if visit.form.get("do") in proving.ACTS:
        found = await visit.house.follow_request.one_of_mine(visit.person, number)
        try:
            return await proving.act(visit, found.number, f"{REQUESTS}/{found.number}", person=visit.person)
        except Refused as refused:
            if refused.code != "code-wrong":
                raise
            return _page(visit, found, error=refused.code)
    if visit.form.get("do") != "reopen":
        raise BadInput("form-unclear")
    await visit.house.follow_request.reopen_mine(visit.person, number)
    return visit.go(f"{REQUESTS}/{number}")
