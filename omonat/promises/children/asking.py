"""A parent who is written to: by a message and a later confirmation, where the law lists it (K2). Pure rules.

A message proves that somebody reads at an address, not who: the child may have given its own. So this way is open only
where every law with an opinion lists it, and where it says so, only while the data goes to no recipient: that is asked
before the parent is, when they confirm, and again whenever more is taken in.
"""

from collections.abc import Collection, Sequence
from datetime import tzinfo

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import ConsentMethod, Pack, shared_methods
from omonat.policy.words import RecipientKind, VerifiedBy
from omonat.promises.children.consent import decide_parental_consent

_NO_DISCLOSURE = frozenset({RecipientKind.PROCESSOR, RecipientKind.AUTHORITY})
"""A processor works for the company itself; what an authority may ask for, the law says, not a parent."""


def asked_by(packs: Sequence[Pack], by: VerifiedBy) -> tuple[ConsentMethod, ...]:
    """The ways of this kind that every law with an opinion lists."""
    return tuple(method for method in shared_methods(packs).values() if method.by is by)


def decide_ask(
    packs: Sequence[Pack], method: str, *, by: VerifiedBy, quarantined: bool, goes_to: Collection[str] | None
) -> Verdict:
    """Whether a parent may be asked, and may confirm, in this way. Asked anew at each step: law and policy change.

    `goes_to` are the recipients the child's data goes to, None where nobody can tell.
    """
    verdict = decide_parental_consent(packs, method, quarantined=quarantined, by=by)
    if not isinstance(verdict, Allow):
        return verdict
    said = _said(packs, method)
    if any(_periods_missing(each) for each in said):
        return CannotTell(("confirm-after",), (Reason("consent-period-unknown", "K2", {"method": method}),))
    if any(each.undisclosed_only for each in said):
        if goes_to is None:
            return CannotTell(("recipients",), (Reason("consent-recipients-unknown", "K2"),))
        if goes_to:
            return Deny((Reason("consent-data-disclosed", "K2", {"recipients": ", ".join(sorted(goes_to))}),))
    return Allow()


def decide_more(packs: Sequence[Pack], method: str, *, goes_to: Collection[str] | None) -> Verdict:
    """Whether more may be taken in of a child whose parent agreed in this way. `goes_to` as for `decide_ask`."""
    if not any(each.undisclosed_only for each in _said(packs, method)):
        return Allow()
    if goes_to is None:
        return CannotTell(("recipients",), (Reason("consent-recipients-unknown", "K2"),))
    if goes_to:
        return Deny((Reason("consent-not-for-disclosure", "K2", {"recipients": ", ".join(sorted(goes_to))}),))
    return Allow()


def undisclosed_only(packs: Sequence[Pack]) -> tuple[str, ...]:
    """The ways that count, by some law, only while nothing is disclosed."""
    return tuple(dict.fromkeys(m.id for pack in packs for m in pack.parental_consent.values() if m.undisclosed_only))


def goes_to(policy: CompiledPolicy, services: Collection[str], categories: Collection[str]) -> tuple[str, ...] | None:
    """The recipients that data of these categories, collected by these services, is disclosed to.

    Who is named for a purpose without its items counts as getting them all. None: a service the policy in force does
    not know, so nobody can tell.
    """
    if any(service not in policy.services for service in services):
        return None
    purposes = {each for name in services for each in (*policy.services[name].for_, *policy.services[name].offers)}
    return tuple(
        recipient.id
        for recipient in policy.policy.recipients.values()
        if recipient.kind not in _NO_DISCLOSURE
        and purposes.intersection(recipient.purposes)
        and (not recipient.items or {item.partition(".")[0] for item in recipient.items}.intersection(categories))
    )


def over_at(packs: Sequence[Pack], method: str, since: Instant, zone: tzinfo) -> Instant | None:
    """When a message nobody answered is over: the earliest that a law says."""
    return min(
        (each.answer_within.after(since, zone) for each in _said(packs, method) if each.answer_within), default=None
    )


def confirm_from(packs: Sequence[Pack], method: str, answered: Instant, zone: tzinfo) -> Instant | None:
    """When the second message goes: the latest that a law says."""
    return max(
        (each.confirm_after.after(answered, zone) for each in _said(packs, method) if each.confirm_after), default=None
    )


def _said(packs: Sequence[Pack], method: str) -> list[ConsentMethod]:
    return [pack.parental_consent[method] for pack in packs if method in pack.parental_consent]


def _periods_missing(method: ConsentMethod) -> bool:
    return method.answer_within is None or (method.by is VerifiedBy.MESSAGE and method.confirm_after is None)
