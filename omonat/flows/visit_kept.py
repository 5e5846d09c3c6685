"""What of a visit is kept, until when and why, reckoned from names and instants alone: nothing is opened for it.

Which items were given stands in the entry of their collecting. Special and biometric items are left out, and so is what
only they are needed for: that such a thing is kept says something about the person already.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.base.instants import Instant
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import ItemClass
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import anchors_of, items_of

_UNSAID: Final = frozenset({ItemClass.SPECIAL, ItemClass.BIOMETRIC})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Items that go together. `waits_for` names the event that brings `due` forward, or ""; `ends` is when they would
    go if it came now."""

    items: tuple[str, ...]
    due: Instant
    factor: str
    source: str
    waits_for: str
    ends: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of one category of one record. Without `terms` the version in force has no rule for it, and nobody
    may use it."""

    category: str
    service: str
    came_from: str
    version: str
    collected_at: Instant
    terms: tuple[Term, ...]
    purposes: tuple[str, ...]


def may_be_named(policy: CompiledPolicy, item: str) -> bool:
    """Whether somebody who isn't proved to be the person may read that this is kept."""
    known = policy.items.get(item)
    return known is not None and known.class_ not in _UNSAID


def may_be_told(policy: CompiledPolicy, facts: Mapping[str, Any]) -> bool:
    """Whether somebody who isn't proved to be the person may read of this use: its purpose and who asked tell of the
    items as well, so it is left out where none of them may be named. `facts` are those of its entry."""
    used = facts.get("allowed") or [item for items in facts.get("withheld", {}).values() for item in items]
    purpose = policy.purposes.get(facts.get("purpose", ""))
    if not used and purpose is not None:  # refused as a whole: what it is there to get
        used = list(purpose.items)
    return any(may_be_named(policy, item) for item in used)


def kept_of(policy: CompiledPolicy, row: Any, given: Collection[str], *, version: str, now: Instant) -> Kept | None:
    """What is kept of a section, of the items its record was given; None where nothing is that may be named. What is
    due is gone from its second, held by an order or not."""
    service, category = row["service"], row["category"]
    items = [item for item in items_of(policy, category) if item in given and may_be_named(policy, item)]
    if not items:
        return None
    terms: tuple[Term, ...] = ()
    if service in policy.services:
        terms = _terms(policy, service, items, _anchors(policy, row), now)
        if not terms:
            return None
    still = [item for term in terms for item in term.items]
    return Kept(
        category=category,
        service=service,
        came_from=row["source"],
        version=version,
        collected_at=row["collected_at"],
        terms=terms,
        purposes=tuple(dict.fromkeys(p for item in still for p in policy.needed_by(service, item))),
    )


def _anchors(policy: CompiledPolicy, row: Any) -> dict[str, Instant]:
    return anchors_of(
        own=row["anchors"],
        collected=row["collected_at"],
        person=choice_anchors(policy, row["service"], row["standing"]),
        case=(row["opened_at"], row["closed_at"], row["case_anchors"]),
    )


def _terms(
    policy: CompiledPolicy, service: str, items: Sequence[str], anchors: Mapping[str, Instant], now: Instant
) -> tuple[Term, ...]:
    """What is kept until when and why, the first to go first; nothing of what is due."""
    together: dict[tuple[Any, ...], list[str]] = {}
    for item, due in policy.dues(service, items, anchors).items():
        if due.instant > now:
            together.setdefault((due.instant, due.factor, due.source, due.waits_for), []).append(item)
    return tuple(
        Term(
            items=tuple(names),
            due=key[0],
            factor=key[1],
            source=key[2],
            waits_for=key[3],
            ends=_if_it_ended(policy, service, names, {**anchors, key[3]: now}) if key[3] else None,
        )
        for key, names in sorted(together.items(), key=lambda one: one[0])
    )


def _if_it_ended(
    policy: CompiledPolicy, service: str, items: Sequence[str], anchors: Mapping[str, Instant]
) -> Instant | None:
    then = policy.dues(service, items, anchors).values()
    return None if any(due.waits_for for due in then) else max((due.instant for due in then), default=None)
