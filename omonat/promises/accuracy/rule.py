"""What of a person's data they may correct by themselves now (Q1, Q2). Pure.

1. only what people say of themselves: not what happened, what was seen, or what nobody may read back
2. what is no longer kept is not changed, and what no rule keeps can't be told
3. what a duty, a norm or a dispute keeps as it was, and what a hold covers, somebody has to look at: the answer is the
   same for each, so that nobody learns of a hold from it
"""

from typing import Final

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.model import Item
from omonat.policy.words import Factor, Keep, Kind

SAID_BY_PEOPLE: Final = frozenset({Kind.PERSON_NAME, Kind.ADDRESS, Kind.EMAIL, Kind.PHONE, Kind.TEXT, Kind.BIRTH_DATE})
_GROUPS: Final = frozenset({"G1", "G2"})
"""Contact data, and relationship and location: the groups of what people say of themselves."""
_KEPT_AS_IT_WAS: Final = frozenset({Factor.OBLIGATION.value, Factor.NORM.value, Factor.DISPUTE.value})


def may_be_said(item: Item, group: str) -> bool:
    """Whether this is something people say of themselves, so that they know better."""
    return item.kind in SAID_BY_PEOPLE and group in _GROUPS and item.keep is not Keep.VERIFY_ONLY


def decide_correction(item: Item, *, group: str, due: Instant | None, factor: str, held: bool, now: Instant) -> Verdict:
    """Whether this value may be replaced by its owner's word now. `due` and `factor` as the policy in force says."""
    if not may_be_said(item, group):  # 1
        return Deny((Reason("correction-not-here", "Q2", {"item": item.id}),))
    if due is not None and due <= now:  # 2
        return Deny((Reason("no-longer-kept", "R3", {"item": item.id}),))
    if due is None or held or factor in _KEPT_AS_IT_WAS:  # 3
        return CannotTell((item.id,), (Reason("correction-to-be-looked-at", "Q2", {"item": item.id}),))
    return Allow()
