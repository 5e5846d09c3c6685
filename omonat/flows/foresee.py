"""Foresee: what a version would do before it is published, as numbers (P1, P2).

* whom it concerns: how many people would be told, and by which way; counted, never named
* which uses of the last days it would still allow: the evidence is read again, use by use, without a value, and each is
  asked of the new version. What the new version grants anew, on old data, waits until each person was told.

The live half of a decision (consent, case, cap, training) stays as it was that day: only what the document decides is
decided anew, and where it now asks for a consent, whether the person has given it is counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, Instant
from omonat.database.statements import load
from omonat.evidence.entry import decode
from omonat.flows.grounds import Grounds
from omonat.policy.changes import reached_by_told
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Basis

_notices = load("omonat.promises.notice")
_queries = load("omonat.flows", "foresee.sql")
DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """How many people a version has something new for, and the first way to each of them."""

    people: int = 0
    by_email: int = 0
    by_sms: int = 0

    @property
    def in_center(self) -> int:
        """Those without an address."""
        return self.people - self.by_email - self.by_sms


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Uses of one kind: purpose and role, how many there were, and what the new version says to them.

    `allowed` would go on as they were. `waiting` would be given once the person was told (and agreed). `refused` would
    be given no more, or less than they were; `codes` says why, as often as it happened. `opened` were refused then by
    what the document said, and wouldn't be now.
    """

    purpose: str
    role: str
    uses: int = 0
    allowed: int = 0
    waiting: int = 0
    refused: int = 0
    opened: int = 0
    codes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the document decides a use by."""

    purpose: str
    role: str
    given: tuple[str, ...]
    withheld: tuple[str, ...]
    recipient: str | None = None


class Foresee:
    """The flow: reads, and writes nothing."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._clock = grounds.clock

    async def concerned(self, history: Sequence[CompiledPolicy]) -> Concerned:
        """Whom the last of these versions has something new for, after what each was told of."""
        reaches = reached_by_told(history) if len(history) > 1 else ()
        if not reaches:
            return Concerned()
        told, since, services, categories = (list(column) for column in zip(*reaches, strict=True))
        async with self._database.connection() as connection:
            row = await _notices.count_concerned(
                connection, version=history[-1].ordinal, told=told, since=since, services=services,
                categories=categories,
            )  # fmt: skip
        return Concerned(people=row["people"], by_email=row["by_email"], by_sms=row["by_sms"])

    async def simulate(self, new: CompiledPolicy, *, days: int = DAYS) -> tuple[Outcome, ...]:
        """What became of the uses of the last `days`, were `new` in force; the most affected first."""
        kinds = await self._uses(days)
        asked = {
            purpose.id for purpose in new.purposes.values() if purpose.basis is Basis.CONSENT
        } & {kind.purpose for kind in kinds if kind.given}  # fmt: skip
        lacking = await self._without_consent(sorted(asked), days)
        grouped: dict[tuple[str, str], list[tuple[_Kind, int]]] = {}
        for kind, many in kinds.items():
            grouped.setdefault((kind.purpose, kind.role), []).append((kind, many))
        found = [_outcome(new, *pair, parts, lacking.get(pair, 0)) for pair, parts in grouped.items()]
        return tuple(sorted(found, key=lambda one: (-one.refused, -one.waiting, -one.uses, one.purpose, one.role)))

    async def _uses(self, days: int) -> Counter[_Kind]:
        """Uses since then by kind: names and counts, nobody's."""
        found: Counter[_Kind] = Counter()
        async with self._database.connection() as connection:
            async for row in _queries.uses_since(connection, after=Instant(self._clock() - days * DAY)):
                facts = decode(row["body"]).facts
                if "role" in facts and "purpose" in facts:
                    withheld = tuple(item for items in facts.get("withheld", {}).values() for item in items)
                    given = tuple(facts.get("allowed", ()))
                    found[_Kind(facts["purpose"], facts["role"], given, withheld, facts.get("recipient"))] += 1
        return found

    async def _without_consent(self, purposes: Sequence[str], days: int) -> dict[tuple[str, str], int]:
        """Of the uses that gave something for these purposes: those whose person has no consent to it now."""
        if not purposes:
            return {}
        since = Instant(self._clock() - days * DAY)
        async with self._database.connection() as connection:
            rows = _queries.uses_without_consent(connection, purposes=list(purposes), since=since)
            return {(row["purpose"], row["role"]): row["many"] async for row in rows}


def _outcome(new: CompiledPolicy, purpose: str, role: str, parts: Sequence[tuple[_Kind, int]], lacking: int) -> Outcome:
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for kind, many in parts:
        verdict, why = _asked_of(new, kind)
        counts[verdict] += many
        codes.update(dict.fromkeys(why, many))
    if lacking and counts["allowed"]:
        lost = min(lacking, counts["allowed"])
        counts["allowed"] -= lost
        counts["refused"] += lost
        codes["no-consent"] += lost
    return Outcome(
        purpose=purpose,
        role=role,
        uses=sum(many for _, many in parts),
        allowed=counts["allowed"],
        waiting=counts["waiting"],
        refused=counts["refused"],
        opened=counts["opened"],
        codes=tuple(sorted(codes.items())),
    )


def _asked_of(new: CompiledPolicy, kind: _Kind) -> tuple[str, tuple[str, ...]]:
    """What the new document says to a use: `allowed`, `waiting`, `refused`, `opened` or `unchanged`; and why."""
    try:
        items = tuple(dict.fromkeys((*kind.given, *kind.withheld)))
        grant = new.grant(kind.purpose, kind.role, items, kind.recipient)
    except (BadInput, Refused) as error:
        return ("refused" if kind.given else "unchanged"), (error.code,)
    lost = sorted({grant.withheld[item].code for item in kind.given if item in grant.withheld})
    if lost:
        return "refused", tuple(lost)
    if any(grant.since_of[item] == new.ordinal for item in kind.given if item in grant.since_of):
        return "waiting", ("not-told-yet",)
    if any(grant.goes_since.get(item) == new.ordinal for item in kind.given):
        return "waiting", ("recipient-not-told-yet",)
    if kind.given:
        return "allowed", ()
    opened = [item for item in kind.withheld if grant.since_of.get(item) == new.ordinal]
    return ("opened" if opened else "unchanged"), ()
