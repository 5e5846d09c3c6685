"""How long an item is kept (R1, R2): rules as data, calendar arithmetic in the pack's zone, always an end in sight.

An item is kept while any factor still needs it: the latest end among its rules, never past `at-most`. A rule whose
anchor may never come (`last-complaint`) is not in force until it has; one whose anchor is awaited (`case-closed`)
keeps the item until then. An interest ends with relevance at the latest. With no rule in force the item is due from
the moment it was collected.

Adding a rule therefore never makes anything due earlier, and nothing but a legal hold moves `at-most`.

Who asks for erasure takes consent, relevance and interest away: from then on only duties, norms, open contracts and
disputes keep an item. The request is an anchor of the record (`ERASURE`), so the read obeys it like any other event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from omonat.base.errors import Fault
from omonat.base.instants import Instant
from omonat.policy.durations import Duration, is_shorter
from omonat.policy.model import Rule, Schedule
from omonat.policy.packs import Pack, lawful_period
from omonat.policy.words import MAY_NEVER_COME, Anchor, Factor

_NO_END = Instant(2**62)
_WEIGHT = {factor: place for place, factor in enumerate(Factor)}
AT_MOST, NOTHING = "at-most", "none"
_COLLECTED, _LAST_SEEN = Anchor.COLLECTED.value, Anchor.LAST_SEEN.value
_NEVER = -_NO_END
_MAY_NEVER_COME = frozenset(anchor.value for anchor in MAY_NEVER_COME)

ERASURE = "erasure"
"""The anchor of a record whose erasure was asked for: of all of it, or, at `SOME_ITEMS`, of the items that have an
anchor `erasure:<item>` beside it."""
SOME_ITEMS = Instant(0)
OUTLIVE_A_REQUEST = frozenset({Factor.OBLIGATION, Factor.NORM, Factor.CONTRACT, Factor.DISPUTE})
"""Why an item stays although its person asked for its erasure (R2)."""
_ABSENT = {_LAST_SEEN: _NEVER, **dict.fromkeys(_MAY_NEVER_COME, _NEVER)}
"""Where a period starts whose anchor is absent, for a lower bound: nowhere, so that it keeps nothing."""


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
    """A rule ready to be computed: after `anchor` for `span`, or until `anchor` where `span` is None.

    `anchor` is a plain string and `floor` the microseconds `span` lasts at least, because hot reads compare them.
    """

    factor: Factor
    anchor: str
    span: Duration | None
    source: str
    floor: int


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Everything that decides about one item of one schedule; items under the same rules share one object.

    `floors` is all that a hot read needs: (anchor, microseconds it keeps at least, where to start when it is absent).
    """

    terms: tuple[Term, ...]
    cap_anchor: str
    cap: Duration
    cap_floor: int
    floors: tuple[tuple[str, int, int], ...]

    def due(self, anchors: Mapping[str, Instant], zone: tzinfo, *, asked: bool = False) -> Due:
        """The due instant of an item with these anchors; `asked`: its erasure was asked for.

        Raises Fault when `collected` is missing.
        """
        collected = _collected(anchors)
        cap = self.cap.after(anchors.get(self.cap_anchor, collected), zone)
        terms = [term for term in self.terms if term.factor in OUTLIVE_A_REQUEST] if asked else self.terms
        ends = [(_end(term, anchors, zone), term) for term in terms]
        found = [(end, term) for end, term in _in_force(ends) if end is not None]
        if not found:
            return Due(collected, NOTHING, "", _COLLECTED)
        end, term = max(found, key=lambda pair: (pair[0], -_WEIGHT[pair[1].factor]))
        if end <= cap:
            return Due(end, term.factor.value, term.source, term.anchor)
        return Due(cap, AT_MOST, "", self.cap_anchor, term.anchor if end == _NO_END else "")

    def surely_until(self, anchors: Mapping[str, Instant]) -> Instant:
        """An instant the due one is never earlier than, without a calendar.

        Interests can be left out: they end with relevance, whose own rule counts.
        """
        collected = anchors.get(_COLLECTED)
        if collected is None:
            raise Fault("anchor-missing", anchor=_COLLECTED)
        latest = -1
        for anchor, floor, awaited in self.floors:
            end = anchors.get(anchor, awaited) + floor
            if end > latest:  # noqa: PLR1730 - on every read, and a call costs more than the comparison
                latest = end
        cap = anchors.get(self.cap_anchor, collected) + self.cap_floor
        if latest < 0:
            latest = collected
        return Instant(latest if latest < cap else cap)


def is_asked(anchors: Mapping[str, Instant], item: str) -> bool:
    """Whether the erasure of this item of the record was asked for."""
    at = anchors.get(ERASURE)
    return at is not None and (at != SOME_ITEMS or f"{ERASURE}:{item}" in anchors)


def _collected(anchors: Mapping[str, Instant]) -> Instant:
    collected = anchors.get(_COLLECTED)
    if collected is None:
        raise Fault("anchor-missing", anchor=_COLLECTED)
    return collected


def _start(term: Term, anchors: Mapping[str, Instant]) -> Instant | None:
    """The event's instant; None when the rule is not in force, _NO_END when it is awaited."""
    start = anchors.get(term.anchor)
    if start is not None:
        return start
    if term.anchor == _LAST_SEEN:
        return anchors[_COLLECTED]  # giving something counts as being seen
    return None if term.anchor in _MAY_NEVER_COME else _NO_END


def _end(term: Term, anchors: Mapping[str, Instant], zone: tzinfo) -> Instant | None:
    start = _start(term, anchors)
    return start if start is None or start == _NO_END or term.span is None else term.span.after(start, zone)


def _in_force(ends: Sequence[tuple[Instant | None, Term]]) -> Sequence[tuple[Instant | None, Term]]:
    """The ends, an interest's cut where relevance ends; an interest in what is no longer relevant is none."""
    if not any(term.factor is Factor.INTEREST for _, term in ends):
        return ends
    relevance = max((end for end, t in ends if t.factor is Factor.RELEVANCE and end is not None), default=None)
    cut = []
    for end, term in ends:
        if term.factor is not Factor.INTEREST or end is None:
            cut.append((end, term))
        elif relevance is not None:
            cut.append((min(end, relevance), term))
    return cut


def terms_of(schedule: Schedule, item: str, packs: Sequence[Pack]) -> Terms:
    """The terms of one item: the rules that cover it, with the packs' periods filled in."""
    terms = tuple(_term(rule, packs) for rule in schedule.rules if rule.covers(item))
    cap = schedule.at_most
    lasting = (term for term in terms if term.factor is not Factor.INTEREST)
    floors = tuple((term.anchor, term.floor, _ABSENT.get(term.anchor, _NO_END)) for term in lasting)
    return Terms(terms, cap.after.value, cap.keep, cap.keep.floor, floors)


def _term(rule: Rule, packs: Sequence[Pack]) -> Term:
    anchor = rule.after or rule.keep_until
    assert anchor is not None, "the reader refuses a rule without an anchor"
    span = None
    if rule.after is not None:
        span = rule.keep or lawful_period(packs, rule.source or "")
        if span is None:
            raise Fault("policy-source-unknown", name=rule.source or "")
    return Term(rule.factor, anchor.value, span, rule.source or "", span.floor if span else 0)


def lasts_longer(new: Terms, old: Terms) -> bool:
    """Whether `new` may keep an item longer than `old`: a later cap, or a term that no old one covers (P2)."""
    cap_holds = new.cap_anchor == old.cap_anchor and is_shorter(new.cap, old.cap) is True
    return not cap_holds or any(not any(_covers(before, term) for before in old.terms) for term in new.terms)


def _covers(old: Term, new: Term) -> bool:
    """Whether `new` surely ends no later than `old`. An interest's end is cut, so it covers interests only."""
    if old.anchor != new.anchor or (old.factor is Factor.INTEREST and new.factor is not Factor.INTEREST):
        return False
    if new.span is None or old.span is None:
        return new.span is None
    return is_shorter(new.span, old.span) is True
