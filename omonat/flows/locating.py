"""Where a collection holds a place: whether a grant covers it, and how exact it may be (L5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.model import Kind
from omonat.promises.location.rule import coarsened, covering

if TYPE_CHECKING:
    from omonat.flows.handed_in import Parsed


@dataclass(frozen=True, slots=True)
class Located:
    """The values to seal, the precision they were brought to ("" without a place), and the standing afterwards."""

    values: Mapping[str, Any]
    precision: str
    standing: Mapping[str, Any] | None


def _places(parsed: "Parsed") -> list[str]:
    """The places handed in that only a consent lets in."""
    items, form = parsed.policy.items, parsed.form
    return [name for name in parsed.values if items[name].kind is Kind.GEO_POINT and name in form.offered]


def decide_places(parsed: "Parsed", standing: Mapping[str, Any] | None, now: Instant) -> Verdict:
    """Whether every place has its grant: one that stands, or the yes that comes with the form itself."""
    for name in _places(parsed):
        offered = parsed.form.offered[name]
        if any(parsed.request.consents.get(purpose) for purpose in offered):
            continue
        open_to = [purpose for purpose in offered if parsed.request.consents.get(purpose) is not False]
        if covering(standing, open_to, case=parsed.request.case, now=now) is None:
            return Deny((Reason("location-not-granted", "L5", {"purpose": offered[0]}),))
    return Allow()


def locate(parsed: "Parsed", standing: Mapping[str, Any] | None, now: Instant) -> Located | None:
    """Bring each place to its grant's precision; None when one has no grant any more. `standing` is the locked one,
    with the choices of this very form."""
    values, precision = dict(parsed.values), ""
    for name in _places(parsed):
        found = covering(standing, parsed.form.offered[name], case=parsed.request.case, now=now)
        if found is None:
            return None
        purpose, term = found
        precision = term.precision
        values[name] = coarsened(values[name], precision)
        if term.kind == "once":
            terms = dict((standing or {})["terms"])
            terms[purpose] = {**terms[purpose], "used": now}
            standing = {**(standing or {}), "terms": terms}
    return Located(values if precision else parsed.values, precision, standing)
