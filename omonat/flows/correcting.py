"""What a correction is made of: the place, the value, the request behind it, and what waits for a code (Q1, Q2)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Verdict
from omonat.flows.confirm import Act
from omonat.flows.judging import Around
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import Normalised
from omonat.policy.words import Kind
from omonat.promises.accuracy.rule import decide_correction

_LONGEST: Final = 500
AGES: Final = frozenset({Kind.BIRTH_DATE, Kind.AGE_BAND, Kind.PINFL})
"""What says how old somebody is: only their own word counts there, never what was asked for or typed for them."""
Still = Callable[[asyncpg.Connection], Awaitable[None]]
"""Asks once more, in the transaction, whether whoever acts still may; raises Refused."""
NEWEST: Final = ""
"""In the place of a record: wherever the newest value stands and may be changed."""


class Asked(Struct, frozen=True, kw_only=True):
    """The request a correction is made for. `before` locks it and asks whether it may be; `after` gets the entry
    (None: it was right by then) and writes what came of it, both in the correction's transaction. `facts` go into the
    entry, `by` is who asked for the erasure of the old value. `proved`: a channel of the person was proved for it."""

    number: str
    by: str
    facts: Mapping[str, Any]
    before: Still
    after: Callable[[asyncpg.Connection, str | None], Awaitable[None]]
    proved: bool = False


class Pending(Struct, frozen=True, kw_only=True):
    """A new channel that waits for its code. `proved`: its own code was right, and the one to `asked` is waited for."""

    person: str
    record: str
    item: str
    value: str
    ticket: str
    until: Instant
    asked: str = ""
    proved: bool = False

    @property
    def act(self) -> Act:
        """What the code confirms: this value in this place, at this step."""
        return Act(
            person=self.person, deed="correct",
            exactly=f"{self.record} {self.item} {self.value} {'known' if self.proved else 'new'}",
        )  # fmt: skip


class Place(Struct, frozen=True):
    """Where a value is to be replaced: the record chosen, and the others of the person."""

    policy: CompiledPolicy
    person: Any
    records: Sequence[Any]
    around: Around
    record: str
    item: str

    def section(self, record: Mapping[str, Any], category: str) -> Any:
        """The record's section of this category."""
        return next((s for s in self.around.sections.get(record["id"], ()) if s["category"] == category), None)

    def at_newest(self, opened: Mapping[str, Mapping[str, Any]], name: str, value: object, now: Instant) -> "Place":
        """The same, at the newest record where the newest value of the item stands and that may be changed to this one.

        Raises BadInput `correction-same`, Refused `correction-not-held`, `correction-must-stay`."""
        holding = [record for record in self.records if name in opened.get(record["id"], ())]
        if not holding:
            raise Refused("correction-not-held", item=self.item)
        wrong = opened[max(holding, key=_collected)["id"]][name]
        if wrong == value:
            raise BadInput("correction-same")
        open_ones = [each for each in holding if opened[each["id"]][name] == wrong and self.may(each, now)]
        if not open_ones:
            raise Refused("correction-must-stay", item=self.item)
        return msgspec.structs.replace(self, record=max(open_ones, key=_collected)["id"])

    def may(self, record: Any, now: Instant) -> bool:
        """Whether the rule lets the person replace the item in this record."""
        return isinstance(verdict_on(self.policy, record, self.around, self.item, now), Allow)


def _collected(record: Mapping[str, Any]) -> Instant:
    at: Instant = record["collected_at"]
    return at


def normal_value(policy: CompiledPolicy, item: str, typed: str) -> Normalised:
    """What was typed, in its one spelling. Raises BadInput."""
    if len(typed) > _LONGEST:
        raise BadInput("value-too-long", kind=policy.item(item).kind.value, most=str(_LONGEST))
    if not typed.strip():
        raise BadInput("value-empty", kind=policy.item(item).kind.value)
    return policy.normalise(item, typed.strip())


def verdict_on(policy: CompiledPolicy, record: Any, around: Around, item: str, now: Instant) -> Verdict:
    """Whether the rule lets the item of this record be replaced now."""
    known = item in policy.items and record["service"] in policy.services
    due = policy.due(record["service"], item, around.anchors(policy, record, record["anchors"])) if known else None
    group = policy.policy.categories[item.partition(".")[0]].group
    return decide_correction(
        policy.item(item), group=group or "", due=due.instant if due else None, factor=due.factor if due else "",
        held=around.held(record).covers(item), now=now,
    )  # fmt: skip
