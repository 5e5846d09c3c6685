"""What is held of a person: one item with why, from where and until when, and how that is reckoned (A3, R1, R2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omonat.base.instants import Instant
from omonat.policy.compiled import CompiledPolicy, Due
from omonat.policy.model import Item
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import items_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One item as held. `value` is None for a verify-only item: nobody reads those back, not even their owner.

    `declared` and `law` are the item and the newest version that still had it and its service, mostly the one in force.
    `purposes` are what it is kept for; `due` is when it goes, `factor` which of R2's reasons keeps it until then and
    `source` the law that names the period, if one does. `waits_for` names the event that brings `due` forward, or "".
    `ends` is when it would go if that event came now.
    A None `due`: the version in force has no rule for it, nobody may use it, and it is held all the same.
    """

    item: str
    declared: Item
    law: CompiledPolicy
    value: Any
    service: str
    record: str
    case: str | None
    came_from: str
    version: str
    collected_at: Instant
    due: Instant | None
    factor: str
    source: str
    waits_for: str
    ends: Instant | None
    purposes: tuple[str, ...]


def dues_of(policy: CompiledPolicy, section: Any) -> tuple[dict[str, Due], dict[str, Instant]]:
    """When each item the category has goes, and from which events that is reckoned; nothing for a service the version
    in force dropped."""
    service = section["service"]
    if service not in policy.services:
        return {}, {}
    anchors = _anchors(policy, section)
    return policy.dues(service, items_of(policy, section["category"]), anchors), anchors


def ends_of(
    policy: CompiledPolicy, service: str, dues: Mapping[str, Due], anchors: Mapping[str, Instant], now: Instant
) -> dict[str, Instant]:
    """When items would go if what they wait for came now; none that wait for nothing, or for more than that."""
    found = {}
    for event in {due.waits_for for due in dues.values()} - {""}:
        waiting = [item for item, due in dues.items() if due.waits_for == event]
        then = policy.dues(service, waiting, {**anchors, event: now})
        found.update({item: due.instant for item, due in then.items() if not due.waits_for})
    return found


def _anchors(policy: CompiledPolicy, section: Any) -> dict[str, Instant]:
    anchors: dict[str, Instant] = {
        **(section["anchors"] or {}),
        "collected": section["collected_at"],
        **choice_anchors(policy, section["service"], section["standing"]),
    }
    if section["opened_at"] is not None:
        anchors |= {"case-opened": section["opened_at"], **section["case_anchors"]}
        if section["closed_at"] is not None:
            anchors["case-closed"] = section["closed_at"]
    return anchors
