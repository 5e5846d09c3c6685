"""Law packs: what a country's law says, as data, each value with its source and how sure we are of it (P5).

When several packs apply, the stricter of two compatible values wins: the higher age, the earlier deadline. Where it
depends on the calendar which is stricter, or one law demands what another forbids, the answer is CannotTell.
"""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo

from omonat.base.instants import Instant
from omonat.base.verdict import CannotTell, Reason
from omonat.policy.complaints import Complaints, InvalidPolicy
from omonat.policy.durations import Duration, is_shorter
from omonat.policy.model import Words
from omonat.policy.reader import read_as
from omonat.policy.shapes import (
    EMPTY,
    Choice,
    Day,
    Flag,
    Many,
    Name,
    Period,
    Struct,
    Table,
    Text,
    Whole,
    Zone,
    key,
    own_id,
)
from omonat.policy.words import Days, Language, Mark, VerifiedBy
from omonat.policy.working_days import End, WorkingDays, after_working_days

_WORDS = Struct(Words)
_SOURCE = Text(600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """An act, or a part of one, that a purpose may rest on."""

    id: str = own_id()
    says: Words = key(_WORDS)
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """A person younger than `under`, in whole years, is treated as the law's minor for this."""

    id: str = own_id()
    under: int = key(Whole(1, 25))
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    says: Words | None = key(_WORDS, default=None)
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """Something must be done within this period of calendar or working days.

    `calendar` is that of the pack it was taken from, where the pack has one: no key of its own.
    """

    id: str = own_id()
    within: Duration = key(Period())
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    days: Days = key(Choice(Days), default=Days.CALENDAR)
    says: Words | None = key(_WORDS, default=None)
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)
    calendar: WorkingDays | None = None

    @property
    def in_whole_days(self) -> bool:
        """Whether the period is written in days alone, so that working days can be counted."""
        span = self.within
        return not (span.years or span.months or span.weeks or span.exact)

    def end(self, start: Instant, zone: tzinfo) -> End | CannotTell:
        """When it ends that began at `start`: the computed date, never one later than the law's.

        CannotTell for a span of working days that isn't written in days: what a working month is, no pack says.
        """
        span = self.within
        if self.days is Days.CALENDAR:
            return End(span.after(start, zone))
        if not self.in_whole_days:
            return CannotTell((self.id,), (Reason("pack-conflict", "P5", {"name": self.id}),))
        return after_working_days(span.days, start, zone, self.calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class LawfulPeriod:
    """How long the law has something kept."""

    id: str = own_id()
    keep: Duration = key(Period())
    says: Words = key(_WORDS)
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentForm:
    """What a consent must contain."""

    fields: tuple[str, ...] = key(Many(Name(), least=1))
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    says: Words | None = key(_WORDS, default=None)
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalNotice:
    """A notice the law asks for."""

    id: str = key(Name())
    says: Words = key(_WORDS)
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertising:
    """What an advertisement must read like: the language that leads, and how much of the area a translation beside it
    may take, in per cent."""

    language: Language = key(Choice(Language))
    translation_at_most: int = key(Whole(0, 99))
    says: Words = key(_WORDS)
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who supervises, to whom people may complain."""

    says: Words = key(_WORDS)
    address: Words | None = key(_WORDS, default=None)
    site: str | None = key(Text(200), default=None)
    source: str | None = key(_SOURCE, default=None)
    mark: Mark | None = key(Choice(Mark), default=None)
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentMethod:
    """A way to make sure that it is a parent who agrees.

    `answer_within`: how long a parent who was written to may take. By message alone: `confirm_after`, the delay before
    the second message, and `undisclosed_only`, that it counts only for data that goes to no recipient.
    """

    id: str = own_id()
    says: Words = key(_WORDS)
    source: str = key(_SOURCE)
    mark: Mark = key(Choice(Mark))
    effective_from: date | None = key(Day(), default=None)
    verified_by_counsel: bool = key(Flag(), default=False)
    by: VerifiedBy = key(Choice(VerifiedBy), default=VerifiedBy.STAFF)
    answer_within: Duration | None = key(Period(), default=None)
    confirm_after: Duration | None = key(Period(), default=None)
    undisclosed_only: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The law of one country, or one act that reaches across them."""

    pack: str = key(Name())
    says: Words = key(_WORDS)
    time_zone: str = key(Zone())
    authority: Authority | None = key(Struct(Authority), default=None)
    laws: Mapping[str, Law] = key(Table(Struct(Law), key=Name("source")), default=EMPTY)
    ages: Mapping[str, Age] = key(Table(Struct(Age)), default=EMPTY)
    deadlines: Mapping[str, Deadline] = key(Table(Struct(Deadline)), default=EMPTY)
    working_days: WorkingDays | None = key(Struct(WorkingDays), default=None)
    parental_consent: Mapping[str, ConsentMethod] = key(Table(Struct(ConsentMethod)), default=EMPTY)
    consent_form: ConsentForm | None = key(Struct(ConsentForm), default=None)
    advertising: Advertising | None = key(Struct(Advertising), default=None)
    retention: Mapping[str, LawfulPeriod] = key(Table(Struct(LawfulPeriod), key=Name("source")), default=EMPTY)
    notices: tuple[LegalNotice, ...] = key(Many(Struct(LegalNotice)), default=())


def read_pack(text: bytes | str, name: str = "pack.yaml") -> Pack:
    """Read one pack. Raises InvalidPolicy with every complaint."""
    complaints = Complaints(name)
    pack, places = read_as(Pack, text, complaints)
    if pack is not None:
        for table in ("laws", "retention"):
            for entry in (e for e in getattr(pack, table) if not e.startswith(f"{pack.pack}/")):
                about = {"path": f"{table}.{entry}", "value": entry, "expected": f"{pack.pack}/…"}
                complaints.add(places[(table, entry)], "policy-wrong-value", **about)
        for place, about in (*_wrong_days(pack), *_wrong_spans(pack)):
            complaints.add(places[place], "policy-wrong-value", **about)
    if pack is None or complaints:
        raise InvalidPolicy(list(complaints))
    return pack


def _wrong_days(pack: Pack) -> Iterable[tuple[tuple[str, ...], dict[str, str]]]:
    """Where the calendar contradicts itself: a day in another year's list, off and worked at once, a year twice."""
    years = pack.working_days.years if pack.working_days else ()
    for number, year in enumerate(years):
        place = ("working-days", "years", str(number))
        for day in year.misplaced():
            yield place, {"path": ".".join(place), "value": day.isoformat(), "expected": f"{year.year}, once"}
        if year.year in (one.year for one in years[:number]):
            yield place, {"path": ".".join(place), "value": str(year.year), "expected": "each year once"}


def _wrong_spans(pack: Pack) -> Iterable[tuple[tuple[str, ...], dict[str, str]]]:
    """Deadlines in working days that aren't written in days: nobody knows what a working month is, or half a day."""
    for name, deadline in pack.deadlines.items():
        if deadline.days is Days.WORKING and not deadline.in_whole_days:
            place = ("deadlines", name, "within")
            yield place, {"path": ".".join(place), "value": str(deadline.within), "expected": "P10D"}


def known_sources(packs: Iterable[Pack]) -> frozenset[str]:
    """Everything a `source:` may name."""
    return frozenset(name for pack in packs for name in (*pack.laws, *pack.retention))


def strictest_age(packs: Sequence[Pack], name: str, *, policy: int) -> int:
    """The highest of the policy's age and every pack's; a pack that is silent asks nothing."""
    return max([policy, *(pack.ages[name].under for pack in packs if name in pack.ages)])


def strictest_deadline(packs: Sequence[Pack], name: str) -> Deadline | CannotTell:
    """The earliest deadline of all packs.

    CannotTell when no pack has one, or when it depends on the calendar which is earlier (`P1M` and `P30D`, ten working
    days and twelve calendar days, working days of two countries).
    """
    found = [replace(pack.deadlines[name], calendar=pack.working_days) for pack in packs if name in pack.deadlines]
    best = next((one for one in found if all(_is_earlier(one, other) for other in found)), None)
    if best is None:
        missing = f"{name}: {' or '.join(sorted(pack.pack for pack in packs))}"
        return CannotTell((missing,), (Reason("pack-conflict", "P5", {"name": name}),))
    return best


def _is_earlier(one: Deadline, other: Deadline) -> bool:
    """Whether `one` surely ends before or with `other`. Working days last at least as long as calendar days."""
    if one.days is Days.WORKING and (other.days is Days.CALENDAR or one.calendar != other.calendar):
        return False
    return is_shorter(one.within, other.within) is True


def consent_fields(packs: Iterable[Pack]) -> tuple[str, ...]:
    """Everything any of the laws wants in a consent, each once."""
    return tuple(dict.fromkeys(f for pack in packs if pack.consent_form for f in pack.consent_form.fields))


def strictest_advertising(packs: Iterable[Pack]) -> Advertising | CannotTell | None:
    """How an advertisement must read; None where every pack is silent, CannotTell where two want different languages
    to lead."""
    found = [pack.advertising for pack in packs if pack.advertising is not None]
    if len({one.language for one in found}) > 1:
        return CannotTell(("advertising",), (Reason("advertising-language", "P5"),))
    return min(found, key=lambda one: one.translation_at_most, default=None)


def shared_methods(packs: Sequence[Pack]) -> Mapping[str, ConsentMethod]:
    """The ways to verify a parent that every law with an opinion accepts; a law that is silent forbids none."""
    named = [pack.parental_consent for pack in packs if pack.parental_consent]
    shared = set.intersection(*(set(each) for each in named)) if named else set()
    return {name: method for name, method in (named[0].items() if named else ()) if name in shared}


def lawful_period(packs: Sequence[Pack], source: str) -> Duration | None:
    """The period a `source` names, or None when no pack knows it."""
    return next((pack.retention[source].keep for pack in packs if source in pack.retention), None)
