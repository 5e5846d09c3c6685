"""Safeguards at the Desk: how each stands, what its owner found, and the hosts and rooms of personal data (S3, S5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.codes import registry
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow
from omonat.desk.door import SAFEGUARDS
from omonat.desk.visit import Answer, Visit
from omonat.flows.safeguards import DRILL, Standing, owner_of_places, shown_to
from omonat.pages.words import N_
from omonat.promises.security.rule import HOST, ROOM, may_review

_SOON: Final = 30 * DAY
_LONGEST: Final = 300
_AT_ONCE: Final = ("safeguard-broken", "safeguard-unproved", "safeguard-ahead")
"""What waits for no day."""
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "safeguard-overdue": ("bad", N_("Overdue")),
    "drill-overdue": ("bad", N_("Overdue")),
    "safeguard-broken": ("bad", N_("Broken")),
    "safeguard-ahead": ("bad", N_("From the future")),
    "safeguard-unplanned": ("soon", N_("Nobody knows")),
    "safeguard-unproved": ("bad", N_("The log doesn’t say so")),
    "soon": ("soon", N_("Due soon")),
    "": ("good", N_("In place")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One of the register, in the reader's language."""

    about: str
    label: str
    owner: str
    room: str
    state: str
    due: Instant | None
    last: Instant | None
    proof: str
    entry: str


async def every(visit: Visit) -> Answer:
    """The register, and what the reader may say of it."""
    return await _page(visit)


async def act(visit: Visit) -> Answer:
    """A review, a new host or room, or the end of one."""
    house, by = visit.house, visit.member.ref
    field = {name: value.strip()[:_LONGEST] for name, value in visit.form.items()}
    try:
        match field.get("do", ""):
            case "review":
                about, kept = field.get("about", ""), field.get("kept", "")
                if kept not in ("yes", "no"):
                    raise BadInput("finding-missing")
                await house.safeguards.review(about, kept=kept == "yes", proof=field.get("proof", ""), by=by)
            case "add":
                kind, name, room = (field.get(each, "") for each in ("kind", "name", "room"))
                await house.places.add(kind, name, room=room, proof=field.get("seen", ""), by=by)
            case "end":
                kind, _, name = field.get("ended", "").partition("/")
                await house.places.end(kind, name, by=by)
            case _:
                raise BadInput("form-unclear")
    except (BadInput, Refused) as error:
        if error.code == "form-unclear":
            raise
        return await _page(visit, typed=field, error=error)
    return visit.go(SAFEGUARDS)


async def _page(visit: Visit, *, typed: Mapping[str, str] | None = None, error: OmonatError | None = None) -> Answer:
    if not isinstance(shown_to(visit.policy, visit.member.role), Allow):
        return visit.page("safeguards.html", may=False)
    role, standing = visit.member.role, await visit.house.safeguards.standing()
    lines = [_line(visit, one) for one in standing]
    keeps = isinstance(may_review(role, owner_of_places(visit.policy)), Allow)
    mine = [one.about for one in standing if one.about != DRILL and isinstance(may_review(role, one.owner), Allow)]
    return visit.page(
        "safeguards.html",
        may=True,
        status=registry()[error.code].status if error else 200,
        safeguards=[line for line, one in zip(lines, standing, strict=True) if not one.is_place],
        places=[line for line, one in zip(lines, standing, strict=True) if one.is_place],
        states=STATES,
        missing=await visit.house.places.unregistered(),
        mine=[(line.about, line.label) for line in lines if line.about in mine],
        keeps=keeps,
        kinds=[(HOST, visit.words("Host")), (ROOM, visit.words("Room"))],
        rooms=[("", "–"), *((name, name) for name in _rooms(standing))],
        ends=[("", "–"), *((line.about, line.label) for line in lines if "/" in line.about)],
        here=SAFEGUARDS,
        typed=typed or {},
        error=error.code if error else "",
        about=visit.named(error.about) if error else {},
        promise=registry()[error.code].promise if error else "",
    )


def _rooms(standing: Sequence[Standing]) -> list[str]:
    return [one.about.partition("/")[2] for one in standing if one.about.startswith(f"{ROOM}/")]


def _line(visit: Visit, one: Standing) -> Line:
    last: Any = one.last
    return Line(
        about=one.about,
        label=_label(visit, one),
        owner=visit.label("role", one.owner),
        room=one.room,
        state=_state(visit, one),
        due=None if _state(visit, one) in _AT_ONCE else one.due,
        last=last.at if last else None,
        proof=last.proof if last else "",
        entry=last.entry if last else "",
    )


def _label(visit: Visit, one: Standing) -> str:
    if not one.is_place:
        return visit.label("safeguard", one.about)
    kind, _, name = one.about.partition("/")
    return f"{visit.words('Host') if kind == HOST else visit.words('Room')} {name}"


def _state(visit: Visit, one: Standing) -> str:
    if not isinstance(one.verdict, Allow):
        return one.verdict.reasons[0].code
    return "soon" if one.due is not None and one.due - visit.now < _SOON else ""
