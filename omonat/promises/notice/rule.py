"""How people come to be told (P2): in which way, when that counts, and how `told` advances. Pure.

1. The first way there is: e-mail, then SMS, then the Privacy Center (`ways`).
2. What was handed over counts once it can no longer come back (`RETURNS_WITHIN`); what is shown counts at once.
3. Which purposes wait for a yes to what was given before (`agreements_open`).
4. A notice says all that is new between two versions; `told` moves so that nothing a person never heard of counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from omonat.base.instants import DAY, HOUR, Instant
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis, Purpose
from omonat.policy.words import Keep, Messages, RoleKind

EMAIL, SMS, CENTER = "email", "sms", "center"
ADDRESSES: Mapping[str, str] = {EMAIL: "contact.email", SMS: "contact.mobile"}
RETURNS_WITHIN: Mapping[str, int] = {EMAIL: 5 * DAY, SMS: 3 * DAY}
"""How long a relay may go on trying before it gives a letter back (RFC 5321, 4.5.4.1), and a gateway a text message."""

LOOK_AGAIN: Final = HOUR
"""Data may still come in under an older version (a form that was open): then somebody is concerned who wasn't."""


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


def goes_there(purpose: Purpose, item: str) -> bool:
    """Whether messages of this purpose may go to an address of this item."""
    return any(address == item and _declares(purpose, way) for way, address in ADDRESSES.items())


def is_to_search(searching: bool, looked_at: Instant | None, now: Instant) -> bool:
    """Whether people are to be looked for now: a pass is under way, there was none yet, or the last one is long ago."""
    return searching or looked_at is None or looked_at <= now - LOOK_AGAIN


def agreements_open(
    policy: CompiledPolicy, records: Sequence[tuple[str, str, int]], agreed: Mapping[str, int]
) -> tuple[str, ...]:
    """The purposes that reach something given before they did so, and wait for the person's agreement.

    `records` are (service, category, oldest version). A legal obligation waits for nobody, and a consent is asked for
    by itself.
    """
    found = []
    for purpose in policy.purposes.values():
        if purpose.basis in (Basis.LEGAL_OBLIGATION, Basis.CONSENT):
            continue
        uses = ((item, role) for role in purpose.roles for item in purpose.items_for(role))
        if any(_waits(policy, purpose, item, role, records, agreed.get(purpose.id, 0)) for item, role in uses):
            found.append(purpose.id)
    return tuple(found)


def _waits(  # noqa: PLR0917 - the parts of one use
    policy: CompiledPolicy, purpose: Purpose, item: str, role: str, records: Sequence[tuple[str, str, int]], agreed: int
) -> bool:
    since = policy.tables.uses[purpose.id, item, role].ordinal
    if since <= agreed or policy.items[item].keep is Keep.VERIFY_ONLY:
        return False
    relation = policy.grant(purpose.id, role).relation
    return any(
        version < since and category == policy.items[item].category and _may_hold(policy, service, item)
        for service, category, version in records
        if relation is None or service in relation
    )


def _may_hold(policy: CompiledPolicy, service: str, item: str) -> bool:
    """Whether a record of the service may have the item; one the policy no longer has may have anything."""
    return service not in policy.forms or item in policy.forms[service].items
