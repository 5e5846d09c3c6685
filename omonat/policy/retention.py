"""How long an item is kept (R1, R2): rules as data, calendar arithmetic in the pack's zone, always an end in sight.

An item is kept while any factor still needs it: the latest end among its rules, never past `at-most`. A rule whose
anchor may never come (`last-complaint`) is not in force until it has; one whose anchor is awaited (`case-closed`)
keeps the item until then. An interest ends with relevance at the latest. With no rule in force the item is due from
the moment it was collected.

Adding a rule therefore never makes anything due earlier, and nothing but a legal hold moves `at-most`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from omonat.base.errors import Fault
from omonat.base.instants import Instant
from omonat.policy.durations import Duration, is_shorter
from omonat.policy.model import AtMost, Rule, Schedule
from omonat.policy.packs import Pack, lawful_period
from omonat.policy.words import MAY_NEVER_COME, Anchor, Factor

_NO_END = Instant(2**62)
_WEIGHT = {factor: place for place, factor in enumerate(Factor)}
AT_MOST, NOTHING = "at-most", "none"


@dataclass(frozen=True, slots=True)
class Due:
    """When an item must be gone, and why not earlier.

    `instant` stands as things are: while `waits_for` names an event that has not come (an open case), it is the
    `at-most`, and the event can only bring it forward. `factor` is R2's word, `at-most`, or `none` when nothing keeps
    the item. `source` is the pack's law or empty; `anchor` the event counted from.
    """

    instant: Instant
    factor: str
    source: str
    anchor: str
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A rule ready to be computed: after `anchor` for `span`, or until `anchor` where `span` is None."""

    factor: Factor
    anchor: Anchor
    span: Duration | None
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Everything that decides about one item of one schedule; items under the same rules share one object."""

    terms: tuple[Term, ...]
    cap: AtMost

    def due(self, anchors: Mapping[str, Instant], zone: tzinfo) -> Due:
        """The due instant of an item with these anchors. Raises Fault when `collected` is missing."""
        collected = _collected(anchors)
        cap = self.cap.keep.after(_start_of_cap(self.cap, anchors, collected), zone)
        ends = [(_end(term, anchors, zone), term) for term in self.terms]
        found = [(end, term) for end, term in _in_force(ends) if end is not None]
        if not found:
            return Due(collected, NOTHING, "", Anchor.COLLECTED)
        end, term = max(found, key=lambda pair: (pair[0], -_WEIGHT[pair[1].factor]))
        if end <= cap:
            return Due(end, term.factor, term.source, term.anchor)
        waits_for = term.anchor if end == _NO_END else ""
        return Due(cap, AT_MOST, "", self.cap.after, waits_for)

    def surely_until(self, anchors: Mapping[str, Instant]) -> Instant:
        """An instant the due one is never earlier than, without a calendar."""
        collected = _collected(anchors)
        cap = _start_of_cap(self.cap, anchors, collected) + self.cap.keep.floor
        ends = [(_floor(term, anchors), term) for term in self.terms]
        latest = max((end for end, _ in _in_force(ends) if end is not None), default=collected)
        return Instant(min(latest, cap))


def _collected(anchors: Mapping[str, Instant]) -> Instant:
    collected = anchors.get(Anchor.COLLECTED)
    if collected is None:
        raise Fault("anchor-missing", anchor=Anchor.COLLECTED)
    return collected


def _start_of_cap(cap: AtMost, anchors: Mapping[str, Instant], collected: Instant) -> Instant:
    return anchors.get(cap.after, collected)  # reading first counts as seen, and collecting as opening the case


def _start(term: Term, anchors: Mapping[str, Instant]) -> Instant | None:
    """The event's instant; None when the rule is not in force, _NO_END when it is awaited."""
    if term.anchor in anchors:
        return anchors[term.anchor]
    if term.anchor is Anchor.LAST_SEEN:
        return anchors[Anchor.COLLECTED]
    return None if term.anchor in MAY_NEVER_COME else _NO_END


def _end(term: Term, anchors: Mapping[str, Instant], zone: tzinfo) -> Instant | None:
    start = _start(term, anchors)
    return start if start is None or start == _NO_END or term.span is None else term.span.after(start, zone)


def _floor(term: Term, anchors: Mapping[str, Instant]) -> Instant | None:
    start = _start(term, anchors)
    return start if start is None or start == _NO_END or term.span is None else Instant(start + term.span.floor)


def _in_force(ends: Sequence[tuple[Instant | None, Term]]) -> Iterable[tuple[Instant | None, Term]]:
    """The ends, an interest's cut where relevance ends; an interest in what is no longer relevant is none."""
    relevance = max((end for end, t in ends if t.factor is Factor.RELEVANCE and end is not None), default=None)
    for end, term in ends:
        if term.factor is not Factor.INTEREST or end is None:
            yield end, term
        elif relevance is not None:
            yield min(end, relevance), term


def terms_of(schedule: Schedule, item: str, packs: Sequence[Pack]) -> Terms:
    """The terms of one item: the rules that cover it, with the packs' periods filled in."""
    return Terms(tuple(_term(rule, packs) for rule in schedule.rules if rule.covers(item)), schedule.at_most)


def _term(rule: Rule, packs: Sequence[Pack]) -> Term:
    anchor = rule.after or rule.keep_until
    assert anchor is not None, "the reader refuses a rule without an anchor"
    span = None
    if rule.after is not None:
        span = rule.keep or lawful_period(packs, rule.source or "")
        if span is None:
            raise Fault("policy-source-unknown", name=rule.source or "")
    return Term(rule.factor, anchor, span, rule.source or "")


def lasts_longer(new: Terms, old: Terms) -> bool:
    """Whether `new` may keep an item longer than `old`: a later cap, or a term that no old one covers (P2)."""
    cap_holds = new.cap.after is old.cap.after and is_shorter(new.cap.keep, old.cap.keep) is True
    return not cap_holds or any(not any(_covers(before, term) for before in old.terms) for term in new.terms)


def _covers(old: Term, new: Term) -> bool:
    """Whether `new` surely ends no later than `old`. An interest's end is cut, so it covers interests only."""
    if old.anchor is not new.anchor or (old.factor is Factor.INTEREST and new.factor is not Factor.INTEREST):
        return False
    if new.span is None or old.span is None:
        return new.span is None
    return is_shorter(new.span, old.span) is True
