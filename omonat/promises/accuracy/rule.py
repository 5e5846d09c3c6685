"""What of a person's data they may correct by themselves now (Q1, Q2). Pure.

1. only what people say of themselves: not what happened, what was seen, or what nobody may read back
2. what is no longer kept is not changed, and what no rule keeps can't be told
3. what a duty, a norm or a dispute keeps as it was, and what a hold covers, somebody has to look at: the answer is the
   same for each, so that nobody learns of a hold from it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from omonat.base.instants import DAY, SECOND, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Item
from omonat.policy.model_duties import Confirming
from omonat.policy.words import Factor, Keep, Kind

SAID_BY_PEOPLE: Final = frozenset({Kind.PERSON_NAME, Kind.ADDRESS, Kind.EMAIL, Kind.PHONE, Kind.TEXT, Kind.BIRTH_DATE})
_GROUPS: Final = frozenset({"G1", "G2"})
"""Contact data, and relationship and location: the groups of what people say of themselves."""
REMIND_APART: Final = 30 * DAY
"""Nobody is written to more often than this, whatever the policy says."""
_SPREAD: Final = 90 * DAY
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


# Asking whether it is still right ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """Somebody's data and its age. `given`: when the newest of a category was given to a service; `confirmed`: when
    they last said of an item that it is right; `asked_at`: when they were last written to. `objected` to the purpose
    they would be written to under. `sure`: the items of which it is known, without opening anything, that they hold
    one and gave the newest to a service the policy asks about (`sure_of`)."""

    given: Mapping[tuple[str, str], Instant]
    confirmed: Mapping[str, Instant]
    sure: frozenset[str] = frozenset()
    asked_at: Instant | None = None
    closed: bool = False
    restricted: bool = False
    guarded: bool = False
    objected: bool = False
    quiet: bool = False


def confirm_after(policy: CompiledPolicy, service: str, given: Instant) -> Instant | None:
    """When somebody is first asked about what they gave to this service; None: the policy asks nothing of it."""
    found = [each.after.after(given, policy.zone) for each in policy.policy.confirm if service in each.services]
    return min(found, default=None)


def ages_of(policy: CompiledPolicy, ageing: Ageing) -> dict[str, Instant]:
    """By item, when it is old enough to be asked about: counted from when it was given, or confirmed since."""
    found: dict[str, Instant] = {}
    for rule in policy.policy.confirm:
        for item in rule.items:
            given = [at for (category, service), at in ageing.given.items()
                     if category == item.partition(".")[0] and service in rule.services]  # fmt: skip
            if given:
                since = max(*given, ageing.confirmed.get(item, Instant(0)))
                due = rule.after.after(since, policy.zone)
                found[item] = min(due, found.get(item, due))
    return found


def sure_of(
    policy: CompiledPolicy, newest: Mapping[str, tuple[str, Instant]], reached: Mapping[str, Instant]
) -> frozenset[str]:
    """Of which items it is known that there is one to be asked about, so that nobody is written to for nothing.

    `newest`: by category, the service of somebody's newest section and when it was given; `reached`: by item, since
    when the newest phone or e-mail leads to them. What was given last to a service the policy doesn't ask about isn't
    asked about; of what else may stand in a section, only what its service can't do without stands there for certain.
    """
    found = set()
    for rule in policy.policy.confirm:
        for item in rule.items:
            service, at = newest.get(item.partition(".")[0], ("", Instant(0)))
            if service not in rule.services:
                continue
            if policy.items[item].kind in (Kind.EMAIL, Kind.PHONE):
                held = reached.get(item, Instant(-1)) >= at
            else:
                held = service in policy.services and item in policy.form(service).required
            if held:
                found.add(item)
    return frozenset(found)


def first_look(due: Instant, person: str, now: Instant) -> Instant:
    """When somebody's data is to be looked at first: when it is old. What was old when it came in (an import) on a day
    of each person's own within ninety, so that not everybody is written to at once."""
    return due if due > now else Instant(now + crc32(person.encode()) % (_SPREAD // SECOND) * SECOND)


def rule_for(policy: CompiledPolicy, items: frozenset[str]) -> Confirming | None:
    """The first rule about any of these items that says under which purpose somebody is written to."""
    return next((rule for rule in policy.policy.confirm if rule.by is not None and items & set(rule.items)), None)


def decide_reminder(policy: CompiledPolicy, ageing: Ageing, now: Instant) -> Verdict:
    """Whether somebody may be written to about what is old now (Q1).

    1. never about a child, and never for somebody whose data is closed, restricted or erased
    2. not who objected, or doesn't want to be asked
    3. at most once a period, and no more often than every thirty days
    4. only where something is old of which it is known that they hold it
    """
    if ageing.closed or ageing.restricted or ageing.guarded:  # 1
        return Deny((Reason("reminder-not-now", "Q1"),))
    if ageing.objected or ageing.quiet:  # 2
        return Deny((Reason("objected", "Q1"),))
    old = {item for item, due in ages_of(policy, ageing).items() if due <= now and item in ageing.sure}
    rules = [rule for rule in policy.policy.confirm if old & set(rule.items)]
    if not rules:  # 4
        return Deny((Reason("reminder-not-now", "Q1"),))
    if ageing.asked_at is not None:  # 3
        again = min(rule.after.after(ageing.asked_at, policy.zone) for rule in rules)
        if now < max(again, ageing.asked_at + REMIND_APART):
            return Deny((Reason("reminder-not-now", "Q1"),))
    return Allow()
