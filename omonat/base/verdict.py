"""Verdicts: what a rule answers. Never a bare bool (design: Verdict, never a bool).

A reason carries a stable code (see `omonat.base.codes`), the promise it keeps, and the names a sentence about it
needs. Combined, Deny beats CannotTell beats Allow: silence and doubt are refusals.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct


class Reason(Struct, frozen=True):
    """Why. `about` holds only names from the policy (item, purpose, role, service): never a value of personal data."""

    code: str
    promise: str
    about: Mapping[str, str] = {}


class Allow(Struct, frozen=True):
    """Granted, and what granted it."""

    reasons: tuple[Reason, ...] = ()


class Deny(Struct, frozen=True):
    """Refused; at least one reason."""

    reasons: tuple[Reason, ...]


class CannotTell(Struct, frozen=True):
    """Refused for now, because a fact is missing; becomes a work item, one per rule, person and missing fact."""

    missing: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()


Verdict = Allow | Deny | CannotTell


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict of many: Deny > CannotTell > Allow, all reasons of the winning kind kept in order.

    No verdict at all is a CannotTell: nothing said yes.
    """
    seen = list(verdicts)
    denied = [v for v in seen if isinstance(v, Deny)]
    if denied:
        return Deny(tuple(r for v in denied for r in v.reasons))
    unsure = [v for v in seen if isinstance(v, CannotTell)]
    if unsure:
        return CannotTell(tuple(m for v in unsure for m in v.missing), tuple(r for v in unsure for r in v.reasons))
    allowed = [v for v in seen if isinstance(v, Allow)]
    if not allowed:
        return CannotTell(("any-verdict",))
    return Allow(tuple(r for v in allowed for r in v.reasons))
