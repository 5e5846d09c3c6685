"""Proving a new phone or e-mail that a request puts in: a code sent there, typed on the request's own page (Q1, Q2).

Which request and what the flow gave for the code is kept by the browser, sealed, ten minutes; nothing is stored here.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar.datastructures import Cookie

from omonat.base.errors import OmonatError, Refused
from omonat.base.instants import MINUTE, Instant
from omonat.center.visit import Answer, Visit

COOKIE: Final = "__Host-proving"
_CONTEXT: Final = "request-proving"
_LIFE: Final = 10 * MINUTE
ACTS: Final = frozenset({"prove", "proof-code"})
"""What the forms of this step ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Which code is waited for. `second`: the one to the channel known before."""

    number: str
    kept: str
    second: bool
    until: Instant


def shown(visit: Visit, number: str, error: str = "") -> dict[str, Any]:
    """What the page of a request says of this step."""
    step = _find(visit, number)
    return {"typing": step is not None, "second": step is not None and step.second, "error": error}


async def act(visit: Visit, number: str, here: str, *, code: str = "", person: str | None = None) -> Answer:
    """Send the code, or try the one that was typed. Raises Refused, `code-wrong` for a wrong one."""
    flow, caller = visit.house.put_right, visit.request.client.host if visit.request.client else ""
    if visit.form.get("do") == "prove":
        kept = await flow.send_code(number, language=visit.language, code=code, person=person, caller=caller)
        return visit.go(here, cookies=[_keep(visit, number, kept, second=False)])
    step = _find(visit, number)
    if step is None:
        raise Refused("correction-begin-again")
    typed = "".join(visit.form.get("proof-code", "").split())[:20]
    more = await flow.enter_code(
        number, step.kept, typed, language=visit.language, code=code, person=person, caller=caller
    )
    if more is not None:
        return visit.go(here, cookies=[_keep(visit, number, more, second=True)])
    return visit.go(f"{here}?proved=1", cookies=[_cookie("", 0)])


def _find(visit: Visit, number: str) -> Step | None:
    try:
        sealed = urlsafe_b64decode(visit.request.cookies.get(COOKIE, ""))
        step = msgspec.json.decode(visit.house.grounds.vault.open_value(_CONTEXT, sealed), type=Step)
    except (ValueError, OmonatError):
        return None
    return step if step.until > visit.now and step.number == number else None


def _keep(visit: Visit, number: str, kept: str, *, second: bool) -> Cookie:
    step = Step(number=number, kept=kept, second=second, until=Instant(visit.now + _LIFE))
    sealed = visit.house.grounds.vault.seal_value(_CONTEXT, msgspec.json.encode(step))
    return _cookie(urlsafe_b64encode(sealed).decode(), _LIFE // 1_000_000)


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
