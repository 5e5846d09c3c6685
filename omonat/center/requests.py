"""Requests and complaints: what works by itself, what one asks for, and how far one's own requests are (A2, Q2)."""

from omonat.base.errors import BadInput
from omonat.center.door import REQUESTS
from omonat.center.visit import Answer, Visit


async def show(visit: Visit) -> Answer:
    """What one can ask for, and one's own requests."""
    return visit.page("requests.html", mine=await visit.house.follow_request.mine(visit.person))


async def one(visit: Visit) -> Answer:
    """One of them, with what was asked and answered. Raises Refused for anybody else's."""
    number = visit.request.path_params["number"]
    found = await visit.house.follow_request.one_of_mine(visit.person, number)
    return visit.page(
        "request.html", request=found, code="", new="new" in visit.query, here=f"{REQUESTS}/{found.number}", error="",
        again=False,
    )  # fmt: skip


async def reopen(visit: Visit) -> Answer:
    """The answer did not settle it."""
    if visit.form.get("do") != "reopen":
        raise BadInput("form-unclear")
    number = visit.request.path_params["number"]
    await visit.house.follow_request.reopen_mine(visit.person, number)
    return visit.go(f"{REQUESTS}/{number}")
