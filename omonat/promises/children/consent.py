"""A child's data that was found: closed at once, opened only by a parent's verified consent (K2). Pure rules."""

from collections.abc import Sequence
from typing import Final, Literal

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import Pack, shared_methods
from omonat.policy.words import VerifiedBy

Scope = Literal["data", "images"]
SCOPES: Final[Sequence[Scope]] = ("data", "images")
"""What a parent agrees to: that a child's data is kept and used, or that a young person's images are."""

Signal = Literal["declared", "staff", "parent", "birth-date", "identity-number"]
SIGNALS: Final[Sequence[Signal]] = ("declared", "staff", "parent", "birth-date", "identity-number")
"""Who or what says that somebody is a child. None of them has to be right to close the data."""


CHILD_CONSENT: Final = "child-consent"
"""The packs' period in which a parent's consent may come; afterwards the data goes."""


def waits_until(policy: CompiledPolicy, since: Instant) -> Instant | None:
    """Until when a parent is waited for whose child was closed at `since`; None, nothing is waited for: where the packs
    name no period, or can't agree on one."""
    wait = policy.deadline(CHILD_CONSENT)
    end = wait if isinstance(wait, CannotTell) else wait.end(since, policy.zone)
    return None if isinstance(end, CannotTell) else end.at


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
    methods = shared_methods(packs)
    if not methods:
        return CannotTell(("parental-consent",), (Reason("consent-method-unknown", "K2"),))
    if method not in methods:
        return Deny((Reason("consent-method-refused", "K2", {"methods": ", ".join(methods)}),))
    if any(pack.parental_consent[method].by is not by for pack in packs if method in pack.parental_consent):
        others = ", ".join(name for name, each in methods.items() if each.by is by)
        return Deny((Reason("consent-method-refused", "K2", {"methods": others}),))
    return Allow()
