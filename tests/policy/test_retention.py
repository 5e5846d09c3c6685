"""How long things are kept: the calendar of the place, an end always in sight, reasons by their weight."""
# ruff: noqa: E501 - a table of cases reads best with one case a line

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from omonat.base.errors import Fault
from omonat.base.instants import DAY, HOUR, Instant, from_datetime
from omonat.policy.durations import Duration, is_shorter, parse_duration
from omonat.policy.model import AtMost, Rule, Schedule, Words
from omonat.policy.retention import Terms, terms_of
from omonat.policy.words import KNOWN_FROM_THE_START, Anchor, Factor
from tests.policy.documents import shipped_compiled, small_compiled, small_packs

TASHKENT = ZoneInfo("Asia/Tashkent")
ZONES = ["Asia/Tashkent", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]


def at(text: str) -> Instant:
    """An instant from local Tashkent time."""
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=TASHKENT))


ORDER = {"collected": at("2026-12-01T12:00"), "case-opened": at("2026-12-01T12:00")}
CLOSED = ORDER | {"case-closed": at("2026-12-02T20:30")}


def test_R2_a_tax_duty_keeps_the_amount_and_not_the_phone_number() -> None:
    policy = small_compiled()

    amount, phone = (policy.due("order", item, CLOSED) for item in ("transaction.amount", "contact.mobile"))

    assert (amount.instant, amount.factor, amount.source) == (at("2031-12-02T20:30"), "obligation", "uz/tax")
    assert (phone.instant, phone.factor, phone.anchor) == (at("2026-12-02T20:30"), "contract", "case-closed")


def test_R1_while_the_case_is_open_the_end_is_already_in_sight() -> None:
    due = small_compiled().due("order", "contact.mobile", ORDER)

    assert (due.instant, due.factor, due.waits_for) == (at("2032-12-01T12:00"), "at-most", "case-closed")


def test_R2_a_complaint_keeps_for_as_long_as_it_may_be_disputed() -> None:
    anchors = CLOSED | {"last-complaint": at("2027-08-31T10:00")}

    due = small_compiled().due("order", "contact.mobile", anchors)

    assert (due.instant, due.factor) == (at("2028-02-29T10:00"), "dispute"), "six months after 31 August, clipped"


def test_R2_an_interest_ends_where_relevance_does() -> None:
    due = small_compiled().due("visit", "transaction.visit", {"collected": at("2026-01-01T00:00")})

    assert due.instant == at("2026-01-31T00:00"), "ninety days of interest, thirty of relevance"
    assert due.factor == "interest", "of two that end together the weightier is named"


def test_R2_an_item_nothing_keeps_is_due_when_collected() -> None:
    year = parse_duration("P1Y")
    terms = Terms((), "collected", year, year.floor, ())

    due = terms.due({"collected": at("2026-01-01T00:00")}, TASHKENT)

    assert (due.instant, due.factor) == (at("2026-01-01T00:00"), "none")


def test_R2_nothing_outlives_its_at_most() -> None:
    late = {
        "collected": at("2020-01-01T00:00"),
        "case-opened": at("2020-01-01T00:00"),
        "case-closed": at("2025-06-01T00:00"),
    }

    due = small_compiled().due("order", "transaction.amount", late)

    assert (due.instant, due.factor, due.waits_for) == (at("2026-01-01T00:00"), "at-most", "")


def test_R1_without_the_time_of_collection_nothing_is_guessed() -> None:
    with pytest.raises(Fault):
        small_compiled().due("order", "contact.name", {})


def test_R1_the_sweeper_is_called_for_the_first_item_to_go() -> None:
    policy = small_compiled()

    assert policy.due_record("order", CLOSED) == policy.due("order", "contact.name", CLOSED).instant


def test_R1_every_item_of_the_shipped_policy_has_an_end_in_sight() -> None:
    policy = shipped_compiled()
    collected = at("2026-12-01T12:00")
    for service in policy.services:
        for item in policy.form(service).items:
            due = policy.due(service, item, {"collected": collected})
            assert collected <= due.instant < collected + 30 * 366 * DAY, (service, item)


PERIODS = st.builds(
    Duration,
    years=st.integers(0, 8), months=st.integers(0, 30), weeks=st.integers(0, 10), days=st.integers(0, 400), hours=st.integers(0, 99),
)  # fmt: skip
INSTANTS = st.integers(at("1990-01-01T00:00"), at("2040-01-01T00:00")).map(Instant)


@st.composite
def _rules(draw: st.DrawFn, factors: list[Factor] | None = None) -> Rule:
    factor = draw(st.sampled_from(factors or list(Factor)))
    anchor = draw(st.sampled_from(list(Anchor)))
    if draw(st.booleans()):
        return Rule(factor=factor, keep_until=anchor)
    return Rule(factor=factor, after=anchor, keep=draw(PERIODS))


@st.composite
def _schedules(draw: st.DrawFn):
    words = Words(uz="x", ru="x", en="x")
    cap = AtMost(after=draw(st.sampled_from(sorted(KNOWN_FROM_THE_START))), keep=draw(PERIODS))
    return Schedule(id="s", says=words, rules=tuple(draw(st.lists(_rules(), max_size=5))), at_most=cap)


@st.composite
def _anchors(draw: st.DrawFn) -> dict[str, Instant]:
    known = draw(st.lists(st.sampled_from(list(Anchor)), unique=True))
    return {"collected": draw(INSTANTS), **{str(a): draw(INSTANTS) for a in known if a is not Anchor.COLLECTED}}


@given(_schedules(), _rules(), _anchors(), st.sampled_from(ZONES))
def test_R2_adding_a_reason_never_makes_anything_due_earlier(schedule, rule, anchors, zone) -> None:
    before = terms_of(schedule, "a.b", small_packs()).due(anchors, ZoneInfo(zone))
    more = replace(schedule, rules=(*schedule.rules, rule))
    after = terms_of(more, "a.b", small_packs()).due(anchors, ZoneInfo(zone))

    assume(before.factor != "none")  # with no reason at all, the due instant is the collection's, not a rule's
    assert after.instant >= before.instant


@given(_schedules(), _anchors(), st.sampled_from(ZONES))
def test_R2_at_most_always_caps_and_the_reason_named_is_one_of_the_rules(schedule, anchors, zone) -> None:
    due = terms_of(schedule, "a.b", small_packs()).due(anchors, ZoneInfo(zone))

    start = anchors.get(schedule.at_most.after, anchors["collected"])
    cap = schedule.at_most.keep.after(start, ZoneInfo(zone))
    assert due.instant <= max(cap, anchors["collected"])
    assert due.factor in {"none", "at-most", *(rule.factor for rule in schedule.rules)}


@given(_schedules(), _anchors(), st.sampled_from(ZONES))
def test_R2_an_interest_never_outlives_relevance(schedule, anchors, zone) -> None:
    others = tuple(rule for rule in schedule.rules if rule.factor is not Factor.INTEREST)
    assume(any(rule.factor is Factor.RELEVANCE for rule in others))

    with_interest = terms_of(schedule, "a.b", small_packs()).due(anchors, ZoneInfo(zone))
    without = terms_of(replace(schedule, rules=others), "a.b", small_packs()).due(anchors, ZoneInfo(zone))

    assert with_interest.instant == without.instant or without.factor == "none"


@given(_schedules(), _anchors(), st.sampled_from(ZONES))
def test_R1_the_cheap_bound_never_promises_too_much(schedule, anchors, zone) -> None:
    terms = terms_of(schedule, "a.b", small_packs())

    assert terms.surely_until(anchors) <= terms.due(anchors, ZoneInfo(zone)).instant


@settings(max_examples=400)
@given(PERIODS, INSTANTS, st.sampled_from(ZONES))
def test_R1_floor_and_ceiling_bound_a_duration_anywhere(duration, start, zone) -> None:
    lasted = duration.after(start, ZoneInfo(zone)) - start

    assert duration.floor <= lasted <= duration.ceiling


@given(PERIODS, PERIODS, INSTANTS, st.sampled_from(ZONES))
def test_P5_shorter_means_shorter_from_any_day(one, other, start, zone) -> None:
    shorter = is_shorter(one, other)
    ends = one.after(start, ZoneInfo(zone)), other.after(start, ZoneInfo(zone))

    if shorter is True:
        assert ends[0] <= ends[1] + HOUR * 25, "up to a jump of the zone itself"
    if shorter is False:
        assert ends[1] <= ends[0] + HOUR * 25


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2026-01-31T10:00", "P1M", "2026-02-28T10:00"),
        ("2024-01-31T10:00", "P1M", "2024-02-29T10:00"),
        ("2024-02-29T10:00", "P1Y", "2025-02-28T10:00"),
        ("2024-02-29T10:00", "P4Y", "2028-02-29T10:00"),
        ("2026-12-31T23:59:59", "P2M1D", "2027-03-01T23:59:59"),
        ("2026-12-01T00:00", "P2W", "2026-12-15T00:00"),
        ("2026-12-01T00:00", "PT72H", "2026-12-04T00:00"),
        ("2026-12-01T00:00", "PT0S", "2026-12-01T00:00"),
    ],
)
def test_R1_months_end_where_the_calendar_says(start: str, period: str, end: str) -> None:
    assert parse_duration(period).after(at(start), TASHKENT) == at(end)


def test_R1_a_day_is_a_day_of_the_calendar_and_24_hours_are_24_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    eve = from_datetime(datetime(2026, 3, 28, 12, tzinfo=berlin))  # the clocks go forward that night

    assert parse_duration("P1D").after(eve, berlin) - eve == 23 * HOUR
    assert parse_duration("PT24H").after(eve, berlin) - eve == 24 * HOUR


def _reads(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


@given(PERIODS)
def test_R1_a_duration_prints_as_it_reads(duration) -> None:
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "P1", "1Y", "P-1D", "P1.5D", "P1YT", "p1y", "P1D2M", "P99999D", "P٣D"])
def test_R1_what_is_no_duration_is_refused(text: str) -> None:
    assert not _reads(text)


def test_R1_many_items_of_a_record_are_due_when_each_alone_is() -> None:
    policy = shipped_compiled()
    asked = {"erasure": at("2026-12-05T10:00")}
    for service in policy.services:
        for anchors in (
            ORDER,
            CLOSED,
            CLOSED | asked,
            CLOSED | {"erasure": Instant(0), "erasure:contact.name": asked["erasure"]},
        ):
            assert policy.dues(service, policy.items, anchors) == {
                item: policy.due(service, item, anchors) for item in policy.items
            }
