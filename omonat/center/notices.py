"""What changed: what is new in the policy for the reader, what needs their yes, and accepting it (P2, P4)."""

from dataclasses import dataclass
from typing import Final

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.center.door import NOTICES
from omonat.center.visit import Answer, Visit
from omonat.flows.choose import Choosing
from omonat.flows.my_notices import Notice
from omonat.flows.tell_many import Heard
from omonat.pages import N_
from omonat.policy.prose_changes import Told, told
from omonat.promises.choice.standing import State

_WAYS: Final = {
    "email": N_("by e-mail"),
    "sms": N_("by SMS"),
    "center": N_("here, in the Privacy Center"),
}
_KINDS: Final = {
    "system-error": N_("A failure of our system"),
    "security-breach": N_("A breach of data security"),
    "service-change": N_("A change of our service"),
}
_STATES: Final[dict[str, State]] = {"given": "given", "withdrawn": "withdrawn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One notice on the page: between which versions, since when, and what is new."""

    old: str
    new: str
    effective: Instant
    way: str
    state: str
    at: Instant
    changes: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A purpose that needs the reader's yes for what they gave before, or has it."""

    purpose: str
    label: str
    tells: str
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the company had to say: what about, by which way, since when, and in which words."""

    kind: str
    title: str
    paragraphs: tuple[str, ...]
    way: str
    at: Instant


async def show(visit: Visit) -> Answer:
    """Everything that is new, newest first; whatever wasn't told yet has been told by this."""
    news = await visit.house.my_notices.show(visit.person)
    heard = [_said(visit, one) for one in await visit.house.tell_many.shown(visit.person)]
    questions = [_question(visit, purpose, given=False) for purpose in news.open]
    questions += [_question(visit, purpose, given=True) for purpose in news.agreed if purpose not in news.open]
    return visit.page(
        "notices.html",
        notices=[_shown(visit, one) for one in news.notices],
        heard=heard,
        questions=questions,
        accepted=news.accepted,
        newest=news.newest.version,
        version=visit.policy.version,
        saved=visit.query.get("saved", ""),
    )


async def answer(visit: Visit) -> Answer:
    """Agree to a new use, take that back, or accept a version. Raises BadInput for a form this page never sent."""
    version = visit.form.get("version", "")
    if visit.form.get("what") == "acceptance":
        await visit.house.my_notices.accept(visit.person, version, door="me")
        return visit.go(f"{NOTICES}?saved=accepted#accept")
    state = _STATES.get(visit.form.get("state", ""))
    purpose = visit.form.get("purpose", "")
    if visit.form.get("what") != "agreement" or state is None:
        raise BadInput("form-unclear")
    await visit.house.choose(
        Choosing(person=visit.person, kind="agreement", state=state, purpose=purpose, version=version, door="me")
    )
    return visit.go(f"{NOTICES}?saved=1#{purpose}")


def _question(visit: Visit, name: str, *, given: bool) -> Question:
    purpose = visit.policy.purposes[name]
    language = visit.language
    return Question(purpose=name, label=purpose.says[language], tells=purpose.tells[language], given=given)


def _said(visit: Visit, one: Heard) -> Said:
    words = one.said[visit.language]
    return Said(
        kind=visit.words(_KINDS[one.kind]),
        title=words.title,
        paragraphs=tuple(part.strip() for part in words.text.split("\n\n") if part.strip()),
        way=visit.words(_WAYS[one.channel]),
        at=one.at,
    )


def _shown(visit: Visit, one: Notice) -> Shown:
    found = told(one.since, one.version, visit.language)
    return Shown(
        old=one.since.version,
        new=one.version.version,
        effective=one.version.policy.effective,
        way=visit.words(_WAYS[one.channel]),
        state=one.state,
        at=one.at,
        changes=tuple(change for change in found if change.change.tell),
    )
