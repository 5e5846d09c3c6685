"""Where the law packs of a policy contradict each other, or don't say what a deadline needs (P5). Pure.

Two rules that are compatible give one answer, the stricter, and are no conflict: of two ages the higher, of two lists
of notices or consent fields both, of two periods for keeping a proof the one its flow names. A conflict is where no
answer satisfies both packs, or where the calendar decides which is stricter: then the rule answers CannotTell wherever
it is asked, and a person has to decide.

    deadline/NAME       which of two deadlines ends earlier depends on when they begin
    advertising         two laws want different languages to lead
    parental-consent    no way to verify a parent is accepted, in the same way, by every law that lists any
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from omonat.base.verdict import CannotTell
from omonat.policy.packs import (
    Advertising,
    Deadline,
    Pack,
    shared_methods,
    strictest_advertising,
    strictest_deadline,
)
from omonat.policy.words import Days


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one pack says: `rule` in the pack's own words and values, `source` and `mark` as it has them."""

    pack: str
    rule: str
    source: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One contradiction: `about` names what of the law, `sides` are the packs that speak of it, in their order."""

    about: str
    sides: tuple[Side, ...]


def conflicts(packs: Sequence[Pack]) -> tuple[Conflict, ...]:
    """Every contradiction between these packs, by name; none between packs of which one alone speaks."""
    return tuple(sorted((*_deadlines(packs), *_advertising(packs), *_consent(packs)), key=lambda one: one.about))


def _deadlines(packs: Sequence[Pack]) -> Iterable[Conflict]:
    for name in sorted({name for pack in packs for name in pack.deadlines}):
        if isinstance(strictest_deadline(packs, name), CannotTell):
            said = ((pack, pack.deadlines[name]) for pack in packs if name in pack.deadlines)
            sides = tuple(_side(pack, f"{one.within} {one.days.value}", one) for pack, one in said)
            yield Conflict(about=f"deadline/{name}", sides=sides)


def _advertising(packs: Sequence[Pack]) -> Iterable[Conflict]:
    if isinstance(strictest_advertising(packs), CannotTell):
        said = ((pack, pack.advertising) for pack in packs if pack.advertising is not None)
        yield Conflict(about="advertising", sides=tuple(_side(pack, one.language.value, one) for pack, one in said))


def _consent(packs: Sequence[Pack]) -> Iterable[Conflict]:
    speaking = [pack for pack in packs if pack.parental_consent]
    alike = [
        name
        for name in shared_methods(packs)
        if len({pack.parental_consent[name].by for pack in speaking}) == 1
    ]  # fmt: skip
    if len(speaking) < 2 or alike:
        return
    sides = []
    for pack in speaking:
        ways = pack.parental_consent.values()
        sides.append(
            Side(
                pack=pack.pack,
                rule=", ".join(f"{way.id} ({way.by.value})" for way in ways),
                source="; ".join(dict.fromkeys(way.source for way in ways)),
                mark=", ".join(dict.fromkeys(way.mark.value for way in ways)),
            )
        )
    yield Conflict(about="parental-consent", sides=tuple(sides))


def _side(pack: Pack, rule: str, said: Deadline | Advertising) -> Side:
    return Side(pack=pack.pack, rule=rule, source=said.source, mark=said.mark.value)


def unlisted_years(packs: Sequence[Pack], start: date, end: date) -> tuple[tuple[str, int], ...]:
    """Packs that count working days, and the years between the two days, both included, that they don't list."""
    counting = (pack for pack in packs if any(one.days is Days.WORKING for one in pack.deadlines.values()))
    years = range(start.year, end.year + 1)
    return tuple((pack.pack, year) for pack in counting for year in years if year not in _listed(pack))


def longest_in_working_days(packs: Sequence[Pack]) -> int:
    """The most working days any pack gives; 0 where none counts in them."""
    counted = (one for pack in packs for one in pack.deadlines.values() if one.days is Days.WORKING)
    return max((one.within.days for one in counted), default=0)


def _listed(pack: Pack) -> frozenset[int]:
    return frozenset(one.year for one in pack.working_days.years) if pack.working_days else frozenset()
