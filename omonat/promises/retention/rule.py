"""What of a record goes and what stays, item by item (R2, R3). Pure functions of facts and `now`.

    item goes ⇔ it is known to the policy ∧ its due instant has come ∧ no hold covers it

What the policy doesn't know can't be told: it is hidden by the read and destroyed by nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from omonat.base.instants import DAY, Instant
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.retention import ERASURE, SOME_ITEMS

HOLD, UNKNOWN, OBLIGATION = "hold", "unknown", "obligation"
APPROVED_WITHIN: Final = 3 * DAY
"""How long a hold stands that no second person approved."""
_NOTHING: Mapping[str, Any] = {}


class Stay(Struct, frozen=True):
    """Why something stays: R2's factor, `at-most`, `hold`, or `unknown` to the policy.

    `until` is None where nobody can tell, and a hold's review; `waits_for` names the event that brings it forward.
    `count` records share it. `quiet`: the person may not be told that it is a hold.
    """

    item: str
    service: str
    factor: str
    source: str
    until: Instant | None
    waits_for: str
    count: int = 1
    quiet: bool = False


class Held(Struct, frozen=True):
    """What holds cover of one record: everything, or some items and categories; until when they are to be reviewed."""

    everything: bool = False
    names: frozenset[str] = frozenset()
    review: Instant | None = None
    quiet: bool = False

    def covers(self, item: str) -> bool:
        """Whether the item may not be destroyed."""
        return self.everything or item in self.names or item.partition(".")[0] in self.names


class Weighed(Struct, frozen=True):
    """What of some items goes and why the rest stays."""

    goes: tuple[str, ...]
    stays: tuple[Stay, ...]

    @property
    def next(self) -> Instant | None:
        """When to look again; None when no date brings anything: a hold ends, or a policy comes that knows more."""
        dates = [stay.until for stay in self.stays if stay.until is not None and stay.factor != HOLD]
        return min(dates, default=None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Items nobody can tell about: a work item each."""
        return tuple(stay.item for stay in self.stays if stay.factor == UNKNOWN)


def held_by(holds: Iterable[Mapping[str, Any]]) -> Held:
    """What these holds (`items`, `review_at`, `may_tell`) cover together; one without items covers everything."""
    rows = list(holds)
    if not rows:
        return NOT_HELD
    return Held(
        everything=any(not row["items"] for row in rows),
        names=frozenset(item for row in rows for item in row["items"]),
        review=max(row["review_at"] for row in rows),
        quiet=not all(row["may_tell"] for row in rows),
    )


NOT_HELD = Held()


def anchors_of(
    *,
    own: Mapping[str, Instant] | None,
    collected: Instant,
    person: Mapping[str, Instant],
    case: tuple[Instant, Instant | None, Mapping[str, Instant] | None] | None,
) -> dict[str, Instant]:
    """The named instants that decide how long a record is kept; `case`: opened, closed, its events."""
    anchors = {**(own or _NOTHING), "collected": collected, **person}
    if case is not None:
        opened, closed, events = case
        anchors |= {"case-opened": opened, **(events or _NOTHING)}
        if closed is not None:
            anchors["case-closed"] = closed
    return anchors


def asking(
    own: Mapping[str, Instant] | None, *, items: Sequence[str], at: Instant, leaving: bool
) -> dict[str, Instant]:
    """A record's own anchors after its erasure was asked for; no `items`: all of it. What was asked first counts.

    `leaving`: the person takes back everything, so that what waits for the end of an account or a consent waits no
    longer.
    """
    after = dict(own or _NOTHING)
    if items:
        after.setdefault(ERASURE, SOME_ITEMS)
        for item in items:
            after.setdefault(f"{ERASURE}:{item}", at)
    else:
        after[ERASURE] = after.get(ERASURE) or at
    if leaving:
        after.setdefault("account-closed", at)
        after.setdefault("consent-withdrawn", at)
    return after


def weigh(
    policy: CompiledPolicy,
    service: str,
    items: Iterable[str],
    anchors: Mapping[str, Instant],
    *,
    held: Held,
    now: Instant,
) -> Weighed:
    """What of these items goes now, and why the rest stays."""
    goes: list[str] = []
    stays: list[Stay] = []
    items, known = tuple(items), service in policy.services
    dues = policy.dues(service, [item for item in items if item in policy.items], anchors) if known else {}
    for item in items:
        due = dues.get(item)
        if due is None:
            stays.append(Stay(item, service, UNKNOWN, "", None, ""))
        elif due.instant > now:
            stays.append(Stay(item, service, due.factor, due.source, due.instant, due.waits_for))
        elif held.covers(item):
            stays.append(Stay(item, service, HOLD, "", held.review, "", quiet=held.quiet))
        else:
            goes.append(item)
    return Weighed(tuple(goes), tuple(stays))


def all_go(
    policy: CompiledPolicy,
    service: str,
    items: tuple[str, ...],
    anchors: Mapping[str, Instant],
    *,
    held: Held,
    now: Instant,
) -> bool:
    """Whether `weigh` lets all of these items of the policy go, without saying why or when each would."""
    if service not in policy.services or (held != NOT_HELD and any(held.covers(item) for item in items)):
        return False
    return policy.all_due(service, items, anchors, now)


def items_of(policy: CompiledPolicy, category: str) -> tuple[str, ...]:
    """The items of a category the policy knows, as they may lie in a section nobody has opened."""
    found = policy.policy.categories.get(category)
    return () if found is None else tuple(item.id for item in found.items.values())


def knew_more(policy: CompiledPolicy, collected_under: CompiledPolicy | None, category: str) -> bool:
    """Whether a section may hold items the policy in force doesn't know, so that it must be opened to be judged."""
    if collected_under is None or category not in policy.policy.categories:
        return True
    return not set(items_of(collected_under, category)) <= set(items_of(policy, category))


def together(stays: Iterable[Stay]) -> tuple[Stay, ...]:
    """Stays of many records, those for the same reason as one: how many, and the latest end."""
    found: dict[tuple[str, str, str, str, str], Stay] = {}
    for stay in stays:
        key = (stay.item, stay.service, stay.factor, stay.source, stay.waits_for)
        before = found.get(key)
        if before is None:
            found[key] = stay
            continue
        ends = [end for end in (before.until, stay.until) if end is not None]
        quiet = before.quiet or stay.quiet
        found[key] = Stay(*key[:4], max(ends, default=None), stay.waits_for, before.count + stay.count, quiet)
    return tuple(found[key] for key in sorted(found))


def as_told(stays: Iterable[Stay]) -> tuple[Stay, ...]:
    """What the person may be told: a hold that must not be spoken of is called what it is in law, a duty without a
    date, and stands with the other duties."""
    return together(
        Stay(s.item, s.service, OBLIGATION if s.factor == HOLD else s.factor, s.source, None, s.waits_for, s.count)
        if s.quiet
        else s
        for s in stays
    )
