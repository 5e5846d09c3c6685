"""Where a sign-in stands, kept by the browser itself: sealed by the vault, ten minutes, nothing stored here.

So somebody unknown leaves no trace of the number they typed, and the code page looks the same for everybody.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

import msgspec
from litestar.datastructures import Cookie

from omonat.base.errors import OmonatError
from omonat.base.instants import MINUTE, Instant
from omonat.center.visit import Visit

COOKIE: Final = "__Host-me-step"
_CONTEXT: Final = "me-step"
_LIFE: Final = 10 * MINUTE
_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`ticket` waits for its code, which was asked for `typed`; or `proof` waits for an order number.
    `to` is the page that was asked for."""

    until: Instant
    ticket: str = ""
    typed: str = ""
    proof: str = ""
    to: str = ""


def keep(visit: Visit, *, ticket: str = "", typed: str = "", proof: str = "", to: str = "") -> Cookie:
    """The cookie of a step."""
    step = Step(until=Instant(visit.now + _LIFE), ticket=ticket, typed=typed, proof=proof, to=to)
    sealed = visit.house.grounds.vault.seal_value(_CONTEXT, msgspec.json.encode(step))
    return _cookie(urlsafe_b64encode(sealed).decode(), _SECONDS)


def forget() -> Cookie:
    """The step is over."""
    return _cookie("", 0)


def find(visit: Visit) -> Step | None:
    """The step of this browser; None when there is none, it is over, or somebody else made it up."""
    try:
        sealed = urlsafe_b64decode(visit.request.cookies.get(COOKIE, ""))
        step = msgspec.json.decode(visit.house.grounds.vault.open_value(_CONTEXT, sealed), type=Step)
    except (ValueError, OmonatError):
        return None
    return step if step.until > visit.now else None


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
