"""Where a person's own act stands while its code is on the way, kept by the browser itself: sealed, ten minutes.

Nothing is stored here, so nobody can read what is about to be deleted, or the new number before it is proved. The form
that takes the code names the ticket it was made for: a code typed into an older tab does nothing but begin anew.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

import msgspec
from litestar.datastructures import Cookie

from omonat.base.errors import OmonatError
from omonat.base.instants import MINUTE, Instant
from omonat.center.visit import Visit

COOKIE: Final = "__Host-me-act"
_CONTEXT: Final = "me-act"
_LIFE: Final = 10 * MINUTE
_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An act that waits for its code. `receipt` is the address its receipt will have, `channel` where the code went,
    `child` whose data it is about where a guardian acts."""

    until: Instant
    person: str
    ticket: str
    channel: str
    receipt: str = ""
    record: str | None = None
    item: str | None = None
    value: str = ""
    second: str = ""
    child: str = ""


def until(visit: Visit) -> Instant:
    """When an act that begins now is over."""
    return Instant(visit.now + _LIFE)


def keep(visit: Visit, step: Step) -> Cookie:
    """The cookie of a step."""
    sealed = visit.house.grounds.vault.seal_value(_CONTEXT, msgspec.json.encode(step))
    return _cookie(urlsafe_b64encode(sealed).decode(), _SECONDS)


def forget() -> Cookie:
    """The act is done or given up."""
    return _cookie("", 0)


def find(visit: Visit) -> Step | None:
    """The step of this browser; None when there is none, it is over, or somebody else made it up."""
    try:
        sealed = urlsafe_b64decode(visit.request.cookies.get(COOKIE, ""))
        step = msgspec.json.decode(visit.house.grounds.vault.open_value(_CONTEXT, sealed), type=Step)
    except (ValueError, OmonatError):
        return None
    return step if step.until > visit.now else None


def mine(visit: Visit, child: str = "") -> Step | None:
    """The step, if it is the signed-in person's own, about this child or themself, and the form was made for it."""
    step = find(visit)
    if step is None or not visit.signed_in or (step.person, step.child) != (visit.person, child):
        return None
    if visit.request.method == "POST" and not _same(visit.form.get("ticket", ""), step.ticket):
        return None
    return step


def _same(given: str, wanted: str) -> bool:
    return compare_digest(given.encode(), wanted.encode())


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
