"""A child's data that was found: closed at once, opened only by a parent's verified consent (K2). Pure rules."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.packs import ConsentMethod, Pack
from omonat.policy.words import VerifiedBy

Scope = Literal["data", "images"]
SCOPES: Final[Sequence[Scope]] = ("data", "images")
"""What a parent agrees to: that a child's data is kept and used, or that a young person's images are."""

Signal = Literal["declared", "staff", "parent", "birth-date", "identity-number"]
SIGNALS: Final[Sequence[Signal]] = ("declared", "staff", "parent", "birth-date", "identity-number")
"""Who or what says that somebody is a child. None of them has to be right to close the data."""


def methods_of(packs: Sequence[Pack]) -> Mapping[str, ConsentMethod]:
    """The ways to verify a parent that every law with an opinion accepts; a law that is silent forbids none."""
    named = [pack.parental_consent for pack in packs if pack.parental_consent]
    shared = set.intersection(*(set(each) for each in named)) if named else set()
    return {name: method for name, method in (named[0].items() if named else ()) if name in shared}


def decide_parental_consent(
    packs: Sequence[Pack],
    method: str,
    *,
    quarantined: bool,
    scope: Scope = "data",
    by: VerifiedBy = VerifiedBy.STAFF,
) -> Verdict:
    """Whether this consent opens again what is closed: `quarantined` says so of a child's data, or of their images.

    `by` is what verifies it here: nobody of the staff may say that a payment or a message came. `CannotTell` where no
    pack names a method at all.
    """
    if not quarantined:
        return Deny((Reason("not-quarantined" if scope == "data" else "images-not-closed", "K2"),))
    methods = methods_of(packs)
    if not methods:
        return CannotTell(("parental-consent",), (Reason("consent-method-unknown", "K2"),))
    if method not in methods:
        return Deny((Reason("consent-method-refused", "K2", {"methods": ", ".join(methods)}),))
    if any(pack.parental_consent[method].by is not by for pack in packs if method in pack.parental_consent):
        others = ", ".join(name for name, each in methods.items() if each.by is by)
        return Deny((Reason("consent-method-refused", "K2", {"methods": others}),))
    return Allow()
