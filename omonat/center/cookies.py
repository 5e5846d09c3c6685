"""Cookies: what this browser chose, to be changed without script, signed in or not (L7, C2).

The choice is this browser's own. Of somebody signed in it is written to their choices as well, when it says something
new: the purpose is the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from litestar.datastructures import Cookie as Crumb

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND
from omonat.center.door import COOKIES
from omonat.center.visit import Answer, Visit
from omonat.flows.choose import Choosing
from omonat.policy.model import Cookie
from omonat.policy.prose_words import PHRASES, in_words
from omonat.promises.cookies.rule import (
    CHOICE,
    How,
    Register,
    names_of,
    not_allowed,
    read_choice,
    register_of,
    signalled,
    written,
)

_EVERY: Final = "*"
_STATES: Final = ("given", "withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One registered cookie, key or pixel, in words."""

    label: str
    names: str
    owner: str
    lasts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One purpose to choose about. `state` is empty while this browser said nothing."""

    purpose: str
    label: str
    tells: str
    state: str
    cookies: Sequence[Stored]


async def show(visit: Visit) -> Answer:
    """The register, and how this browser chose about it."""
    register = _register(visit)
    chosen = read_choice(register, visit.request.cookies.get(CHOICE), visit.now)
    signal = signalled(visit.request.headers)
    allowed = frozenset[str]() if chosen is None or signal else chosen.allowed
    answered = chosen is not None or signal
    return visit.page(
        "cookies.html",
        groups=[_group(visit, register, p, allowed=p in allowed, answered=answered) for p in register.optional],
        necessary=[_stored(visit, cookie) for cookie in register.cookies.values() if cookie.necessary],
        signal=signal,
        overruled=signal and chosen is not None and bool(chosen.allowed),
        chosen=chosen,
        lasts=register.lasts,
        saved="saved" in visit.query,
    )


async def choose(visit: Visit) -> Answer:
    """Set the browser's choice; with a signal that asks for none, none it is. Raises BadInput for anything else."""
    register, cookies = _register(visit), visit.request.cookies
    purpose, state = visit.form.get("purpose", ""), visit.form.get("state", "")
    if state not in _STATES or purpose not in (_EVERY, *register.optional):
        raise BadInput("form-unclear")
    before = read_choice(register, cookies.get(CHOICE), visit.now)
    allowed = set(before.allowed if before else ())
    named = set(register.optional) if purpose == _EVERY else {purpose}
    allowed = allowed | named if state == "given" else allowed - named
    if signalled(visit.request.headers):
        allowed = set()
    await visit.house.cookies.count(register=register.digest, allowed=sorted(allowed), how=_how(visit, purpose, state))
    if visit.signed_in:
        await _remember(visit, register, allowed)
    ended = [
        Crumb(key=name, value="", max_age=0, path="/", secure=name.startswith("__"))
        for name in not_allowed(register, allowed, cookies)
    ]
    kept = Crumb(
        key=CHOICE, value=written(register, allowed, visit.now), max_age=register.lasts // SECOND, path="/",
        secure=True, samesite="lax",
    )  # fmt: skip
    return visit.go(f"{COOKIES}?saved=1#{'all' if purpose == _EVERY else purpose}", cookies=[kept, *ended])


async def _remember(visit: Visit, register: Register, allowed: set[str]) -> None:
    """Write what is new to the choices of whoever is signed in."""
    live = visit.standing.consents if visit.standing is not None else frozenset[str]()
    for purpose in register.optional:
        if (purpose in allowed) != (purpose in live):
            state = _STATES[purpose not in allowed]
            await visit.house.choose(
                Choosing(person=visit.person, kind="consent", state=state, purpose=purpose, door="me")  # type: ignore[arg-type]
            )


def _how(visit: Visit, purpose: str, state: str) -> How:
    if signalled(visit.request.headers):
        return "signal"
    if purpose != _EVERY:
        return "some"
    return "all" if state == "given" else "none"


def _register(visit: Visit) -> Register:
    return register_of(visit.policy.policy, visit.policy.digest)


def _group(visit: Visit, register: Register, purpose: str, *, allowed: bool, answered: bool) -> Group:
    known = visit.policy.purposes[purpose]
    return Group(
        purpose=purpose,
        label=known.says[visit.language],
        tells=known.tells[visit.language],
        state="given" if allowed else "withdrawn" if answered else "",
        cookies=[_stored(visit, cookie) for cookie in register.of(purpose)],
    )


def _stored(visit: Visit, cookie: Cookie) -> Stored:
    language = visit.language
    lasts = in_words(cookie.lifetime, language) if cookie.lifetime else PHRASES["session"][language]
    return Stored(label=cookie.says[language], names=", ".join(names_of(cookie)), owner=cookie.owner, lasts=lasts)
