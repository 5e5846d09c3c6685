"""My choices: every consent the policy asks for, objections, and the restriction; to refuse is as easy as to accept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.center.door import CHOICES
from omonat.center.visit import Answer, Visit
from omonat.flows.choose import Choosing
from omonat.flows.my_data import Choice
from omonat.pages import N_
from omonat.policy.model import Purpose
from omonat.policy.words import Basis, Messages
from omonat.promises.choice.standing import Kind, State

_STATES: Final[Mapping[str, State]] = {"given": "given", "withdrawn": "withdrawn"}
_KINDS: Final[Mapping[str, Kind]] = {"consent": "consent", "objection": "objection", "restriction": "restriction"}

_SAID: Final[Mapping[tuple[str, str], str]] = {
    ("consent", "given"): N_("You agreed"),
    ("consent", "withdrawn"): N_("You refused"),
    ("objection", "given"): N_("You objected"),
    ("objection", "withdrawn"): N_("You took back your objection"),
    ("restriction", "given"): N_("You restricted the use of your data"),
    ("restriction", "withdrawn"): N_("You lifted the restriction"),
    ("acceptance", "given"): N_("You accepted the policy"),
    ("agreement", "given"): N_("You agreed to a new use"),
}
_DOORS: Final[Mapping[str, str]] = {
    "me": N_("in the Privacy Center"),
    "form": N_("in a form"),
    "api": N_("through the company’s program"),
    "link": N_("by the link in a letter"),
    "mailbox": N_("by writing to us"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One purpose to choose about. `state` is `given`, `withdrawn`, or empty while nothing was said."""

    kind: Kind
    purpose: str
    label: str
    tells: str
    interest: str
    state: str
    at: Instant | None
    by_itself: bool
    """Whether a refusal was an act of its own, and not a box left empty in a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One line of the history."""

    at: Instant
    mark: str
    said: str
    purpose: str
    where: str
    entry: str


async def show(visit: Visit) -> Answer:
    """Everything there is to choose, as it stands now."""
    history = await visit.house.my_data.choices(visit.person)
    wanted = [visit.policy.purposes[name] for name in visit.policy.policy.consent_needed]
    open_to = [p for p in visit.policy.purposes.values() if p.may_be_objected_to and p.basis is not Basis.CONSENT]
    others = _options(visit, history, "consent", [p for p in wanted if not _is_letter(p)])
    return visit.page(
        "choices.html",
        letters=_options(visit, history, "consent", [p for p in wanted if _is_letter(p)]),
        others=[option for option in others if option.state],
        unasked=[option for option in others if not option.state],
        interests=_options(visit, history, "objection", open_to),
        history=[past(visit, choice, history) for choice in history],
        version=visit.policy.version,
        saved="saved" in visit.query,
    )


async def choose(visit: Visit) -> Answer:
    """Write one choice; in force before the answer. Raises BadInput for a form this page never sent."""
    kind, state = _KINDS.get(visit.form.get("kind", "")), _STATES.get(visit.form.get("state", ""))
    if kind is None or state is None:
        raise BadInput("form-unclear")
    purpose = "" if kind == "restriction" else visit.form.get("purpose", "")
    shown = visit.form.get("version") or None
    await visit.house.choose(
        Choosing(person=visit.person, kind=kind, state=state, purpose=purpose, version=shown, door="me")
    )
    return visit.go(f"{CHOICES}?saved=1#{purpose or 'restriction'}")


def _is_letter(purpose: Purpose) -> bool:
    return purpose.messages in (Messages.MARKETING, Messages.SURVEY)


def _options(visit: Visit, history: Sequence[Choice], kind: Kind, purposes: Sequence[Purpose]) -> list[Option]:
    return [_option(visit, history, kind, purpose) for purpose in purposes]


def _option(visit: Visit, history: Sequence[Choice], kind: Kind, purpose: Purpose) -> Option:
    last = next((c for c in history if c.kind == kind and c.purpose == purpose.id), None)
    standing = visit.standing
    live = standing is not None and purpose.id in (standing.consents if kind == "consent" else standing.objections)
    language = visit.language
    return Option(
        kind=kind,
        purpose=purpose.id,
        label=purpose.says[language],
        tells=purpose.tells[language],
        interest=purpose.interest[language] if purpose.interest else "",
        state="given" if live else "withdrawn" if last is not None else "",
        at=last.at if last is not None else None,
        by_itself=last is not None and not _left_empty(last, history),
    )


def _left_empty(choice: Choice, history: Sequence[Choice]) -> bool:
    """A box that was not ticked, by somebody who had not agreed before: nothing was taken back."""
    asked = (c for c in history if (c.kind, c.purpose) == (choice.kind, choice.purpose))
    return choice.door == "form" and choice.state == "withdrawn" and all(c.state == "withdrawn" for c in asked)


def past(visit: Visit, choice: Choice, history: Sequence[Choice]) -> Past:
    """One line of the history, in words."""
    empty = choice.kind == "consent" and _left_empty(choice, history)
    said = N_("You did not agree") if empty else _SAID.get((choice.kind, choice.state), N_("You chose"))
    yes = (choice.kind, choice.state) in {("consent", "given"), ("restriction", "withdrawn"), ("acceptance", "given")}
    return Past(
        at=choice.at,
        mark="good"
        if yes
        else "none"
        if empty
        else "bad"
        if choice.state == "given" or choice.kind == "consent"
        else "open",
        said=visit.words(said),
        purpose=visit.label("purpose", choice.purpose) if choice.purpose else "",
        where=visit.words(_DOORS[choice.door]) if choice.door in _DOORS else "",
        entry=choice.entry,
    )
