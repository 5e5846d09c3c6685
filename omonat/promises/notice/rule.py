"""How people come to be told (P2): in which way, when that counts, and how `told` advances. Pure.

1. The first way there is: e-mail, then SMS, then the Privacy Center (`ways`).
2. What was handed over counts once it can no longer come back (`RETURNS_WITHIN`); what is shown counts at once.
3. A notice says all that is new between two versions; `told` moves so that nothing a person never heard of counts.
"""

from collections.abc import Iterable, Mapping

from omonat.base.instants import DAY
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis, Purpose
from omonat.policy.words import Messages, RoleKind

EMAIL, SMS, CENTER = "email", "sms", "center"
ADDRESSES: Mapping[str, str] = {EMAIL: "contact.email", SMS: "contact.mobile"}
RETURNS_WITHIN: Mapping[str, int] = {EMAIL: 5 * DAY, SMS: 3 * DAY}
"""How long a relay may go on trying before it gives a letter back (RFC 5321, 4.5.4.1), and a gateway a text message."""


def told_after(told: int, versions: Iterable[int], accepted: int = 0) -> int:
    """The newest ordinal of which nothing is left untold.

    `versions` are the ordinals whose notice reached the person, in any order: such a notice says what is new in its own
    version, so one that is missing holds back all after it. `accepted` is the newest version accepted as a whole, 0 for
    none: it says all that holds in it, whatever came before (decision 0008).
    """
    heard = set(versions)
    told = max(told, accepted)
    while told + 1 in heard:
        told += 1
    return told


def notice_purpose(policy: CompiledPolicy) -> Purpose | None:
    """The purpose under which this policy tells of itself: a service message of a program, best one that names P2.

    None when it has none: then notices wait in the Privacy Center.
    """
    able = [purpose for purpose in policy.purposes.values() if _may_tell(policy, purpose)]
    return next((purpose for purpose in able if "P2" in purpose.promises), able[0] if able else None)


def _may_tell(policy: CompiledPolicy, purpose: Purpose) -> bool:
    if purpose.messages is not Messages.SERVICE or purpose.basis is Basis.CONSENT or purpose.cases:
        return False
    return any(policy.roles[role].kind is RoleKind.SYSTEM for role in purpose.roles)


def ways(purpose: Purpose | None, *, has_email: bool, has_mobile: bool, after: str = "") -> str:
    """The way to take: the first there is, or the first after one that led nowhere. The Center is always there."""
    has = {EMAIL: has_email, SMS: has_mobile}
    order = (EMAIL, SMS)
    left = order[order.index(after) + 1 :] if after in order else order
    return next((way for way in left if has[way] and purpose is not None and _declares(purpose, way)), CENTER)


def _declares(purpose: Purpose, way: str) -> bool:
    return ADDRESSES[way] in purpose.items and (not purpose.channels or way in {c.value for c in purpose.channels})
