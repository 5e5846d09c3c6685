"""Reckon: the sweeper's index of due instants follows policy and events, in the background (R1).

The read reckons for itself, so nothing here is urgent and nothing here decides: an index that is late makes the sweeper
late, one that is early makes it look for nothing. A new policy concerns the records of those services alone for which
it keeps anything otherwise than the policy that the index was made under.
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.flows.grounds import Grounds
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.choice.standing import choice_anchors
from omonat.promises.retention.rule import anchors_of

_queries = load("omonat.promises.retention")
_BATCH: Final = 1_000
_TO: Final = ".."
"""Between the policy that the index was made under and the one that moved it; without it, all is reckoned anew."""


async def note_moved(connection: asyncpg.Connection, scope: str, targets: Sequence[str], now: Instant) -> None:
    """Inside the transaction that changes them: what cases or people are kept by has moved."""
    if targets:
        many = len(targets)
        await _queries.add_reckonings(
            connection, id=[new_id("rkn") for _ in targets], scope=[scope] * many, target=list(targets), at=[now] * many
        )


class Reckon:
    """Works off what was noted, a bounded batch in each transaction."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._law = grounds.law
        self._clock = grounds.clock

    async def __call__(self) -> bool:
        """One batch; whether there may be more."""
        policy, now = await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            await self._begin(connection, policy, now)
            task = await _queries.claim_reckoning(connection)
            if task is None:
                return False
            rows, last = await self._rows(connection, task, policy)
            changed = [(r["id"], due, policy.ordinal) for r in rows if (due := due_of(policy, r)) != _index(r, policy)]
            if changed:
                ids, dues, ordinals = (list(column) for column in zip(*changed, strict=True))
                await _queries.set_due(connection, id=ids, due_at=dues, due_under=ordinals)
            if last is not None:
                await _queries.move_reckoning(connection, id=task["id"], after=last)
            else:
                await _queries.end_reckoning(connection, id=task["id"])
            reach("reckon.followed")
        return True

    async def _begin(self, connection: asyncpg.Connection, policy: CompiledPolicy, now: Instant) -> None:
        """Note what a policy has moved that came into force since: nothing, where it keeps everything as before."""
        before = await _queries.begin_reckoning(connection, ordinal=policy.ordinal)
        if before is None or self._unchanged(policy, before) >= policy.services.keys():
            return
        await note_moved(connection, "policy", [f"{before}{_TO}{policy.ordinal}"], now)

    def _unchanged(self, policy: CompiledPolicy, before: int) -> set[str]:
        """The services of which both policies keep everything alike; none when nothing was reckoned before.

        A service that the policy no longer knows is not among them: its records have no due instant.
        """
        old = next((p for p in self._law.history() if p.ordinal == before), None)
        if old is None or old.services.keys() - policy.services.keys():
            return set()
        return {name for name in policy.services if name in old.services and old.keeping(name) == policy.keeping(name)}

    async def _rows(
        self, connection: asyncpg.Connection, task: Any, policy: CompiledPolicy
    ) -> tuple[list[Any], str | None]:
        """One batch, and the last record it reaches to; None when it reaches to the end."""
        after = task["after"]
        if task["scope"] == "policy":
            before, since, _ = task["target"].partition(_TO)
            unchanged = sorted(self._unchanged(policy, int(before))) if since else []
            last = await _queries.last_of_batch(connection, after=after, most=_BATCH)
            found = _queries.to_reckon(connection, after=after, until=last, unchanged=unchanged)
            return [r async for r in found], last
        find = _queries.to_reckon_of_case if task["scope"] == "case" else _queries.to_reckon_of_person
        rows = [r async for r in find(connection, target=task["target"], after=after, most=_BATCH)]
        return rows, rows[-1]["id"] if len(rows) == _BATCH else None


def _index(row: Any, policy: CompiledPolicy) -> Instant | None:
    """What stands there, unless it was reckoned under another policy: then it is written anew in any case."""
    return row["due_at"] if row["due_under"] == policy.ordinal else Instant(-1)


def due_of(policy: CompiledPolicy, row: Any) -> Instant | None:
    """When something of the record becomes due; None where the policy doesn't know its service."""
    if row["service"] not in policy.services:
        return None
    case = None if row["opened_at"] is None else (row["opened_at"], row["closed_at"], row["case_anchors"])
    person = choice_anchors(policy, row["service"], row["standing"])
    anchors = anchors_of(own=row["anchors"], collected=row["collected_at"], person=person, case=case)
    return policy.due_record(row["service"], anchors)
