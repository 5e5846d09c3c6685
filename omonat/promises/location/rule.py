"""Grants of location (L5): what one says, when it ends, and how exact a place may be. Pure.

A grant is a consent with a term, kept in the person's standing under `terms`: `{purpose: {kind, precision, at, until?,
case?, used?}}`. A consent without one, a tick in a form, is a permanent grant of a coarse place.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, Literal, get_args

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Basis, Kind

Lasting = Literal["once", "until", "while-open", "permanent"]
Precision = Literal["exact", "street", "district", "city"]
PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)
"""From the finest to the coarsest."""
_DECIMALS: Final[Mapping[Precision, int]] = {"exact": 5, "street": 3, "district": 2, "city": 1}
_METRES: Final[Mapping[Precision, int]] = {"exact": 1, "street": 100, "district": 1_000, "city": 10_000}
LONGEST: Final = 366 * DAY
"""What is to hold longer is called permanent, and shown so."""
BARE: Final[Precision] = "street"
_EVER: Final = Instant(0)
_OF_A_CASE: Final = frozenset({"once", "while-open"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long a grant lasts and how exact the place may be. `case` is the order it is for; `used` when it was."""

    kind: Lasting
    precision: Precision = BARE
    at: Instant = _EVER
    until: Instant | None = None
    case: str | None = None
    used: Instant | None = None

    def stored(self) -> dict[str, Any]:
        """The term as the standing keeps it."""
        every = {name: getattr(self, name) for name in ("kind", "precision", "at", "until", "case", "used")}
        return {name: value for name, value in every.items() if value is not None}


PERMANENT: Final = Term(kind="permanent")


def place_items(policy: CompiledPolicy) -> frozenset[str]:
    """The items that say where somebody is."""
    return frozenset(name for name, item in policy.items.items() if item.kind is Kind.GEO_POINT)


def asks_for_place(policy: CompiledPolicy, purpose: str) -> bool:
    """Whether consent to this purpose opens a location, so that it may have a term."""
    asked = policy.purposes[purpose]
    places = place_items(policy)
    return asked.basis is Basis.CONSENT and any(item in places for item in (*asked.needs, *asked.may_use))


def term_of(standing: Mapping[str, Any] | None, purpose: str) -> Term | None:
    """The grant for a purpose as it was given; None when there is none, or a restore left it in doubt."""
    known = standing or {}
    if purpose not in known.get("consents", ()) or purpose in known.get("doubt", ()):
        return None
    kept = known.get("terms", {}).get(purpose)
    return PERMANENT if kept is None else Term(**kept)


def decide_term(policy: CompiledPolicy, purpose: str, term: Term, now: Instant) -> Verdict:
    """Whether such a grant can be given: it is about a place, it says when it ends, and that is still to come."""
    if not asks_for_place(policy, purpose):
        return _denied("term-not-asked", purpose)
    if (term.until is not None) != (term.kind == "until") or (term.case is not None) != (term.kind in _OF_A_CASE):
        return _denied("term-unclear", purpose)
    if term.until is not None and not now < term.until <= now + LONGEST:
        return _denied("term-over", purpose)
    if term.case is not None and term.case.partition(":")[0] not in policy.purposes[purpose].cases:
        return _denied("term-unclear", purpose)
    return Allow()


def decide_place(term: Term | None, purpose: str, *, case: str | None, now: Instant, taking: bool) -> Verdict:
    """Whether the grant covers this: `taking` a place in, or reading one. The case's own state is judged elsewhere:
    a closed one opens nothing."""
    if term is None or (term.until is not None and term.until <= now):
        return _denied("location-not-granted", purpose)
    if term.case is not None and term.case != case:
        return _denied("location-not-granted", purpose)
    if taking and term.used is not None:
        return _denied("location-not-granted", purpose)
    return Allow()


def covering(
    standing: Mapping[str, Any] | None, purposes: Collection[str], *, case: str | None, now: Instant
) -> tuple[str, Term] | None:
    """The purpose under which a place may be taken in now, and its grant: of several the finest. None: under none."""
    live = [
        (purpose, term)
        for purpose in purposes
        if (term := term_of(standing, purpose)) is not None
        and isinstance(decide_place(term, purpose, case=case, now=now, taking=True), Allow)
    ]
    return min(live, key=lambda each: PRECISIONS.index(each[1].precision), default=None)


def coarsened(place: Mapping[str, Any], precision: Precision) -> dict[str, Any]:
    """The place no finer than this, by rounding; its accuracy says so."""
    rough = {name: _rounded(place[name], _DECIMALS[precision]) for name in ("lat", "lon")}
    if "accuracy" in place or precision != "exact":
        return {**rough, "accuracy": max(place.get("accuracy", 0), _METRES[precision])}
    return rough


def _rounded(degrees: str, decimals: int) -> str:
    exact = Decimal(degrees)
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= decimals:
        return degrees
    return format(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN), "f")


def _denied(code: str, purpose: str) -> Deny:
    return Deny((Reason(code, "L5", {"purpose": purpose}),))
