"""My choices: every consent the policy asks for, objections, and the restriction; to refuse is as easy as to accept.

What was asked of this person comes first, the rest lies folded below. A box left empty is no refusal: it says that the
person didn't agree, and only a choice of theirs against it, or a consent taken back, says that they refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, HOUR, Instant
from omonat.center.door import CHOICES
from omonat.center.visit import Answer, Visit
from omonat.flows.choose import Choosing
from omonat.flows.my_data import Choice, MyStanding
from omonat.pages import N_
from omonat.policy.model import Purpose
from omonat.policy.words import Basis, Messages
from omonat.promises.choice.standing import Kind, State
from omonat.promises.location.rule import PERMANENT, PRECISIONS, Term, asks_for_place

_STATES: Final[Mapping[str, State]] = {"given": "given", "withdrawn": "withdrawn"}
_KINDS: Final[Mapping[str, Kind]] = {"consent": "consent", "objection": "objection", "restriction": "restriction"}

_SAID: Final[Mapping[tuple[str, str], str]] = {
    ("consent", "given"): N_("You agreed"),
    ("consent", "withdrawn"): N_("You refused"),
    ("consent", "left"): N_("You did not agree"),
    ("objection", "given"): N_("You objected"),
    ("objection", "withdrawn"): N_("You took back your objection"),
    ("restriction", "given"): N_("You restricted the use of your data"),
    ("restriction", "withdrawn"): N_("You lifted the restriction"),
    ("acceptance", "given"): N_("You accepted the policy"),
    ("agreement", "given"): N_("You agreed to a new use"),
}
DOORS: Final[Mapping[str, str]] = {
    "me": N_("in the Privacy Center"),
    "form": N_("in a form"),
    "api": N_("through the company’s program"),
    "mail": N_("by the link in a letter"),
    "mailbox": N_("by writing to us"),
    "guardian": N_("by the guardian"),
}

_FOR: Final[Mapping[str, int]] = {"hour": HOUR, "day": DAY}
_LASTS: Final[Mapping[str, str]] = {
    "once": N_("once, in order %(order)s"),
    "while-open": N_("while order %(order)s is open"),
    "permanent": N_("always"),
}
_EXACT: Final[Mapping[str, str]] = {
    "exact": N_("the exact place"),
    "street": N_("to about 100 metres"),
    "district": N_("to about 1 kilometre"),
    "city": N_("to about 10 kilometres"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One purpose to choose about. `state` is `given`, `withdrawn` (refused), `left` (a form offered it and it wasn't
    taken), `doubt` (given, and it can't be told whether that still holds), or empty while nothing was said.
    """

    kind: Kind
    purpose: str
    label: str
    tells: str
    interest: str
    state: str
    at: Instant | None
    place: bool = False
    """Whether it opens a location, and is given for a time."""
    lasts: str = ""
    """How long the live grant of a location lasts, in words; `until` where that is an instant."""
    until: Instant | None = None
    precision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One line of the history."""

    at: Instant
    mark: str
    said: str
    purpose: str
    where: str
    entry: str
    receipt: str = ""
    """The address of its receipt; a consent alone has one."""


async def show(visit: Visit) -> Answer:
    """Everything there is to choose, as it stands now."""
    history = await visit.house.my_data.choices(visit.person)
    services = await visit.house.my_data.services(visit.person)
    wanted = [visit.policy.purposes[name] for name in visit.policy.policy.consent_needed]
    open_to = [p for p in visit.policy.purposes.values() if p.may_be_objected_to and p.basis is not Basis.CONSENT]
    asked, mine = asked_of(visit, history, services), visit.standing
    return visit.page(
        "choices.html",
        asked=options(visit, mine, history, "consent", [p for p in wanted if p.id in asked]),
        letters=options(
            visit, visit.standing, history, "consent", [p for p in wanted if p.id not in asked and _is_letter(p)]
        ),
        others=options(
            visit, visit.standing, history, "consent", [p for p in wanted if p.id not in asked and not _is_letter(p)]
        ),
        interests=options(visit, mine, history, "objection", open_to),
        history=[past(visit, history, place) for place in range(len(history))],
        version=visit.policy.version,
        saved="saved" in visit.query,
    )


async def choose(visit: Visit) -> Answer:
    """Write one choice; in force before the answer. Raises BadInput for a form this page never sent."""
    kind, state = said(visit)
    purpose = "" if kind == "restriction" else visit.form.get("purpose", "")
    shown = visit.form.get("version") or None
    await visit.house.choose(
        Choosing(
            person=visit.person, kind=kind, state=state, purpose=purpose, version=shown, door="me", term=term(visit)
        )
    )
    return visit.go(f"{CHOICES}?saved=1#{purpose or 'restriction'}")


def said(visit: Visit) -> tuple[Kind, State]:
    """What a form chooses. Raises BadInput for a form this page never sent."""
    kind, state = _KINDS.get(visit.form.get("kind", "")), _STATES.get(visit.form.get("state", ""))
    if kind is None or state is None:
        raise BadInput("form-unclear")
    return kind, state


def asked_of(visit: Visit, history: Sequence[Choice], services: Collection[str]) -> frozenset[str]:
    """The consents somebody asked this person for: offered or needed by a service they came for, or chosen about."""
    known = [visit.policy.services[name] for name in services if name in visit.policy.services]
    offered = {purpose for service in known for purpose in (*service.for_, *service.offers)}
    chosen = {choice.purpose for choice in history if choice.kind == "consent"}
    return frozenset(offered | chosen)


def term(visit: Visit) -> Term | None:
    """How long a location may be used, as its form says; None for every other choice."""
    lasts, precision = visit.form.get("lasts", ""), visit.form.get("precision", "street")
    if not lasts or visit.form.get("state") != "given":
        return None
    exact = next((each for each in PRECISIONS if each == precision), None)
    if exact is None or lasts not in (*_FOR, "always"):
        raise BadInput("form-unclear")
    if lasts == "always":
        return Term(kind="permanent", precision=exact)
    return Term(kind="until", until=Instant(visit.now + _FOR[lasts]), precision=exact)


def _is_letter(purpose: Purpose) -> bool:
    return purpose.messages in (Messages.MARKETING, Messages.SURVEY)


def options(
    visit: Visit, standing: MyStanding | None, history: Sequence[Choice], kind: Kind, purposes: Sequence[Purpose]
) -> list[Option]:
    """How these purposes stand with somebody: the reader, or a child of theirs."""
    return [_option(visit, standing, history, kind, purpose) for purpose in purposes]


def _option(
    visit: Visit, standing: MyStanding | None, history: Sequence[Choice], kind: Kind, purpose: Purpose
) -> Option:
    place = next((n for n, c in enumerate(history) if c.kind == kind and c.purpose == purpose.id), None)
    live = standing is not None and purpose.id in (standing.consents if kind == "consent" else standing.objections)
    over = standing is not None and kind == "consent" and purpose.id in standing.over
    language = visit.language
    return Option(
        kind=kind,
        purpose=purpose.id,
        label=purpose.says[language],
        tells=purpose.tells[language],
        interest=purpose.interest[language] if purpose.interest else "",
        state="given" if live else "" if place is None else "over" if over else _ended(history, place),
        at=None if place is None else history[place].at,
        **_grant(visit, standing, purpose, live=live),
    )


def _ended(history: Sequence[Choice], place: int) -> str:
    """What the newest choice about something not in force says."""
    if history[place].state == "given":
        return "doubt"
    return "left" if _left_empty(history, place) else "withdrawn"


def _grant(visit: Visit, standing: MyStanding | None, purpose: Purpose, *, live: bool) -> dict[str, Any]:
    """What stands of a grant of location; nothing for other purposes."""
    if not asks_for_place(visit.policy, purpose.id):
        return {}
    terms = standing.terms if standing is not None else {}
    term = terms.get(purpose.id, PERMANENT)
    if not live:
        return {"place": True}
    words = visit.words
    lasts = words(_LASTS[term.kind], order=(term.case or "").partition(":")[2]) if term.kind in _LASTS else ""
    return {"place": True, "lasts": lasts, "until": term.until, "precision": words(_EXACT[term.precision])}


def _left_empty(history: Sequence[Choice], place: int) -> bool:
    """Whether this choice is a form's empty box, and nothing else was ever said: no consent and no refusal."""
    about = ("consent", history[place].purpose)
    about_it = [c for c in history[place:] if (c.kind, c.purpose) == about]
    return bool(about_it) and all(c.state == "withdrawn" and c.door == "form" for c in about_it)


def past(visit: Visit, history: Sequence[Choice], place: int) -> Past:
    """One line of the history, in words."""
    choice = history[place]
    left = choice.kind == "consent" and _left_empty(history, place)
    words = _SAID.get((choice.kind, "left" if left else choice.state), N_("You chose"))
    yes = (choice.kind, choice.state) in {("consent", "given"), ("restriction", "withdrawn"), ("acceptance", "given")}
    against = not left and (choice.state == "given" or choice.kind == "consent")
    return Past(
        at=choice.at,
        mark="good" if yes else "bad" if against else "none" if left else "open",
        said=visit.words(words),
        purpose=visit.label("purpose", choice.purpose) if choice.purpose else "",
        where=visit.words(DOORS[choice.door]) if choice.door in DOORS else "",
        entry=choice.entry,
        receipt=f"{CHOICES}/{choice.id}" if choice.kind == "consent" else "",
    )
