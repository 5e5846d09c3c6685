"""My data: what is held, why, from where, until when; each value masked until its owner asks for it (A3, R1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.errors import BadInput
from omonat.base.instants import MINUTE, Instant
from omonat.center.door import DATA
from omonat.center.visit import Answer, Visit
from omonat.flows.held import Held
from omonat.flows.my_data import MyData
from omonat.pages import N_
from omonat.pages.masks import Masked, mask
from omonat.pages.values import readable
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.prose_words import BASES, lowered
from omonat.policy.words import Anchor, Basis, Factor, Keep
from omonat.promises.accuracy.rule import may_be_said

_ALL: Final = "all"
_NAME: Final = "contact.name"

BECAUSE: Final[Mapping[str, str]] = {
    Factor.OBLIGATION: N_("because a law asks for it"),
    Factor.NORM: N_("because it is the rule of the trade"),
    Factor.CONTRACT: N_("because we need it to do what you ordered"),
    Factor.DISPUTE: N_("in case there is a dispute"),
    Factor.CONSENT: N_("because you agreed to it"),
    Factor.INTEREST: N_("because we have a lawful interest in it"),
    Factor.RELEVANCE: N_("because it is still needed for its purpose"),
}
WHILE: Final[Mapping[str, str]] = {
    Anchor.CASE_CLOSED: N_("while the order or request is open"),
    Anchor.CONSENT_WITHDRAWN: N_("as long as you agree"),
    Anchor.ACCOUNT_CLOSED: N_("while the account is open"),
}
IF_NOW: Final[Mapping[str, str]] = {
    Anchor.CASE_CLOSED: N_("If it were completed today, until"),
    Anchor.CONSENT_WITHDRAWN: N_("If you withdrew your consent today, until"),
    Anchor.ACCOUNT_CLOSED: N_("If it were closed today, until"),
}


WHILE_ANYTHING: Final = N_("while what it is needed for goes on")
IF_ANYTHING: Final = N_("If it ended today, until")
_UNRULED: Final = N_("Nobody may use it. It stays closed until it is decided what becomes of it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One purpose an item is held for, in the policy's words."""

    label: str
    tells: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One record's value of an item. `lines` is empty until it was asked for; `mask` is None for verify-only."""

    mask: Masked | None
    lines: tuple[str, ...]
    record: str
    correctable: bool
    why: tuple[Why, ...]
    waiting: tuple[str, ...]
    service: str
    came_from: str
    version: str
    case: str
    collected_at: Instant
    due: Instant | None
    meanwhile: str
    if_now: str
    ends: Instant | None
    at_once: bool
    reason: str
    law: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item of the page, its newest holding first."""

    id: str
    label: str
    because: str
    revealed: bool
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One category."""

    id: str
    label: str
    lines: tuple[Line, ...]


async def home(visit: Visit) -> Answer:
    """The first screen: whose it is, and the doors."""
    mine = await visit.house.my_data(visit.person, frozenset({"contact"}))
    held = mine.newest().get(_NAME)
    name = mask(visit.words, held.declared.kind, str(held.value)) if held else None
    news = await visit.house.my_notices.untold(visit.person) or await visit.house.tell_many.untold(visit.person)
    return visit.page("home.html", name=name, news=news, nav=[])


async def show(visit: Visit) -> Answer:
    """Everything, masked."""
    return await _page(visit, frozenset())


async def reveal(visit: Visit) -> Answer:
    """The same page with what was asked for open. Nothing is remembered: leaving the page closes it."""
    before = visit.form.get("shown", "").split(",")
    return await _page(visit, frozenset((*before, visit.form.get("reveal", ""))))


async def still_right(visit: Visit) -> Answer:
    """What is old is still right, in one tap; or no more letters about it, or letters again (Q1)."""
    match visit.form.get("do", ""):
        case "right":
            item = visit.form.get("item", "")
            await visit.house.remind.still_right(visit.person, item)
            return visit.go(f"{DATA}?right={item}#{item}")
        case "quiet" | "ask" as wish:
            await visit.house.remind.set_quiet(visit.person, quiet=wish == "quiet")
            return visit.go(f"{DATA}#reminders")
    raise BadInput("form-unclear")


async def _page(visit: Visit, shown: frozenset[str]) -> Answer:
    mine = await visit.house.my_data(visit.person)
    found = groups(visit, mine, shown)
    open_now = [line.id for group in found for line in group.lines if line.revealed]
    return visit.page(
        "data.html",
        groups=found,
        shown=",".join(open_now),
        some_open=bool(open_now),
        some_covered=some_covered(found),
        mine=mine,
        asks=await visit.house.remind.asks(mine),
        thanked=visit.label("item", right) if (right := visit.query.get("right", "")) in mine.newest() else "",
        corrected=visit.label("item", corrected)
        if (corrected := visit.query.get("corrected", "")) in mine.newest()
        else "",
    )


def some_covered(found: Iterable[Group]) -> bool:
    """Whether a value is still covered that may be shown."""
    lines = (line for group in found for line in group.lines if not line.revealed)
    return any(line.holdings[0].mask is not None for line in lines)


def groups(visit: Visit, mine: MyData, shown: frozenset[str]) -> list[Group]:
    """By category, in the order of the document; what the version in force has no more stands behind the rest."""
    by_item: dict[str, list[Held]] = {}
    for held in mine.held:
        by_item.setdefault(held.item, []).append(held)
    place = {item: number for number, item in enumerate(mine.policy.items)}
    lines: dict[str, list[Line]] = {}
    labels_of: dict[str, str] = {}
    for item in sorted(by_item, key=lambda item: place.get(item, len(place))):
        newest = by_item[item][0]
        category = newest.declared.category
        labels_of.setdefault(category, newest.law.label("category", category, visit.language))
        lines.setdefault(category, []).append(_line(visit, item, mine, by_item[item], shown))
    return [Group(id=category, label=labels_of[category], lines=tuple(lines[category])) for category in lines]


def _line(visit: Visit, item: str, mine: MyData, held: Sequence[Held], shown: frozenset[str]) -> Line:
    law = held[0].declared
    revealed = law.keep is not Keep.VERIFY_ONLY and bool(shown & {item, _ALL})
    return Line(
        id=item,
        label=law.says[visit.language],
        because=law.because[visit.language] if law.because else "",
        revealed=revealed,
        holdings=tuple(_holding(visit, mine, each, revealed) for each in held),
    )


def _holding(visit: Visit, mine: MyData, held: Held, revealed: bool) -> Holding:
    law, words = held.declared, visit.words
    verify_only = law.keep is Keep.VERIFY_ONLY
    live = [p for p in held.purposes if _in_force(mine, p)]
    return Holding(
        mask=None if verify_only else mask(words, law.kind, held.value if isinstance(held.value, str) else ""),
        lines=readable(words, law, held.value) if revealed else (),
        record=held.record,
        correctable=held.due is not None and may_be_said(law, group_of(held.law, held.item)),
        why=tuple(_why(visit, mine, purpose) for purpose in live),
        waiting=tuple(visit.label("purpose", p) for p in held.purposes if p not in live),
        service=held.law.label("service", held.service, visit.language),
        came_from=held.law.label("source", held.came_from, visit.language),
        version=held.version,
        case=_case(visit, held),
        collected_at=held.collected_at,
        due=held.due,
        meanwhile=_meanwhile(visit, held),
        if_now=visit.words(IF_NOW.get(held.waits_for, IF_ANYTHING)),
        ends=held.ends,
        at_once=held.ends is not None and held.ends - visit.now < MINUTE,
        reason=_reason(visit, held),
        law=law_named(visit, held.law, held.source),
    )


def group_of(law: CompiledPolicy, item: str) -> str:
    """The promise that names the group of an item's category."""
    return law.policy.categories[item.partition(".")[0]].group or ""


def _in_force(mine: MyData, purpose: str) -> bool:
    return mine.policy.purposes[purpose].basis is not Basis.CONSENT or purpose in mine.consents


def _why(visit: Visit, mine: MyData, purpose: str) -> Why:
    law, language = mine.policy.purposes[purpose], visit.language
    return Why(label=law.says[language], tells=law.tells[language], basis=BASES[law.basis][language])


def _case(visit: Visit, held: Held) -> str:
    kind, _, number = (held.case or "").partition(":")
    return f"{held.law.label('case', kind, visit.language)} {number}" if number else ""


def _meanwhile(visit: Visit, held: Held) -> str:
    """What keeps it until the event that brings its end; empty where the date is known already."""
    if not held.waits_for:
        return ""
    case = _case(visit, held)
    if held.waits_for == Anchor.CASE_CLOSED and case:
        return visit.words("while this is open: %(case)s", case=case)
    return visit.words(WHILE.get(held.waits_for, WHILE_ANYTHING))


def _reason(visit: Visit, held: Held) -> str:
    """Why then and not earlier."""
    if held.due is None:
        return visit.words(_UNRULED)
    if held.factor in BECAUSE:
        return visit.words(BECAUSE[held.factor])
    return visit.words("Nothing is kept longer than this.")


def law_named(visit: Visit, law: CompiledPolicy, source: str) -> str:
    """The label of the law that names a period."""
    for pack in law.packs:
        named = pack.retention.get(source) or pack.laws.get(source)
        if named is not None:
            return named.says[visit.language]
    return ""


def labels(visit: Visit, items: Iterable[str]) -> list[str]:
    """Items by their labels, for a sentence: only the first keeps its capital."""
    said = [visit.label("item", item) for item in items]
    return [word if place == 0 else lowered(word) for place, word in enumerate(said)]
