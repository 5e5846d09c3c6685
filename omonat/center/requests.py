"""Requests and complaints: what works by itself today, and where to write for the rest. Nothing is pretended."""

from omonat.center.visit import Answer, Visit


async def show(visit: Visit) -> Answer:
    """What one can ask for, and how."""
    return visit.page("requests.html", mailbox=visit.policy.policy.controller.mailbox)
