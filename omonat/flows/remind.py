"""Remind: data has an age, and its person is asked whether it is still right (Q1).

The policy says of what, given to which service, after how long (`confirm`). In the Privacy Center it stands beside the
value, always, with “Still right” and “Change”. Once a period the person is written to as well, under the purpose the
policy names: never a child, nor whose data is closed or restricted, nor who objected or doesn't want to be asked.

A row for each person says when to look next; only who is due is looked at, and nothing is opened for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.my_data import MyData
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.accuracy.rule import REMIND_APART, Ageing, ages_of, decide_reminder, rule_for, sure_of
from omonat.promises.messages import Channel, Message, put

_queries = load("omonat.promises.accuracy")
_CHANNELS: Final = {"contact.email": Channel.EMAIL, "contact.mobile": Channel.SMS}
_BATCH: Final = 100
TEMPLATE: Final = "confirm-data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one person is asked: by item when it became old, and whether they don't want to be written to. `may_come`:
    whether they may be written to about it, now or later, so that they may say that they don't want it."""

    old: Mapping[str, Instant]
    quiet: bool
    may_come: bool = False


class Remind:
    """The flow of reminders."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vault = grounds.vault

    # Now and then ----------------------------------------------------------------------------------------------------

    async def round(self) -> int:
        """Write to those about whose data it is time to ask; how many people were looked at. Part of tidying."""
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            claimed = [row async for row in _queries.claim_ageing(connection, now=now, most=_BATCH)]
            people = [row["person"] for row in claimed]
            guarded = {row["person"] async for row in _queries.guarded_of(connection, people=people)}
            rows = [{**row, "guarded": row["person"] in guarded} for row in claimed]
            given = await self._given(connection, policy, people)
            sure = await self._sure(connection, policy, people)
            looked = []
            for row in rows:
                ageing = _ageing(policy, row, given.get(row["person"], {}), sure[row["person"]])
                looked.append(await self._look(connection, policy, row, ageing, now))
            entries = [entry for entry in looked if entry is not None]
            if entries:
                await self._grounds.journal.append(connection, entries, now=now)
            reach("remind.written")
        reach("remind.committed")
        return len(rows)

    async def _look(
        self, connection: Any, policy: CompiledPolicy, row: Any, ageing: Ageing, now: Instant
    ) -> Entry | None:
        dues = ages_of(policy, ageing)
        if not dues:
            await _queries.forget_ageing(connection, person=row["person"])
            return None
        old = frozenset(item for item, due in dues.items() if due <= now)
        written = None
        if isinstance(decide_reminder(policy, ageing, now), Allow):
            written = await self._write(connection, policy, row, old & ageing.sure, now)
        later = [due for due in dues.values() if due > now]
        again = Instant(now + REMIND_APART) if old else min(later)
        await _queries.note_asked(
            connection, person=row["person"], due_at=min(again, *later) if later else again,
            asked_at=now if written is not None else None,
        )  # fmt: skip
        return written

    async def _write(
        self, connection: Any, policy: CompiledPolicy, row: Any, old: frozenset[str], now: Instant
    ) -> Entry | None:
        """The message and its entry; None where the policy names no purpose for it, or nobody can be reached."""
        rule = rule_for(policy, old)
        channel = await self._channel(connection, row["person"])
        if rule is None or rule.by is None or channel is None:
            return None
        message = Message(
            person=row["person"], template=TEMPLATE, purpose=rule.by, channel=_CHANNELS[channel], address_item=channel,
            language=row["language"], params={}, once=f"{TEMPLATE}:{now}",
        )  # fmt: skip
        await put(connection, message, seal=partial(self._vault.seal_value, slot=row["slot"]), now=now)
        return self._entry("accuracy:person:reminded", row, now, items=sorted(old), purpose=rule.by, channel=channel)

    async def _channel(self, connection: Any, person: str) -> str | None:
        found = [r["item"] async for r in _queries.channels_of(connection, person=person, items=list(_CHANNELS))]
        return found[0] if found else None

    async def _given(
        self, connection: Any, policy: CompiledPolicy, people: list[str]
    ) -> dict[str, dict[tuple[str, str], Instant]]:
        services = sorted({service for rule in policy.policy.confirm for service in rule.services})
        found: dict[str, dict[tuple[str, str], Instant]] = {}
        if people and services:
            async for row in _queries.given_of(connection, people=people, services=services):
                found.setdefault(row["person"], {})[row["category"], row["service"]] = row["at"]
        return found

    async def _sure(self, connection: Any, policy: CompiledPolicy, people: list[str]) -> dict[str, frozenset[str]]:
        """By person, the items of which it is known that there is one to be asked about."""
        items = sorted({item for rule in policy.policy.confirm for item in rule.items})
        categories = sorted({item.partition(".")[0] for item in items})
        newest: dict[str, dict[str, tuple[str, Instant]]] = {person: {} for person in people}
        reached: dict[str, dict[str, Instant]] = {person: {} for person in people}
        if people and items:
            async for row in _queries.newest_of(connection, people=people, categories=categories):
                newest[row["person"]][row["category"]] = row["service"], row["at"]
            async for row in _queries.reached_by(connection, people=people, items=items):
                reached[row["person"]][row["item"]] = row["since"]
        return {person: sure_of(policy, newest[person], reached[person]) for person in people}

    # In the Privacy Center -------------------------------------------------------------------------------------------

    async def asks(self, mine: MyData) -> Standing:
        """What is asked beside what somebody sees of theirs: only where the newest value itself was given to one of the
        services the policy asks about, and is that old."""
        policy, found, newest = await self._grounds.law.current(), await self.standing(mine.person), mine.newest()
        old = {}
        for item in found.old.keys() & newest.keys():
            held = newest[item]
            rules = [r for r in policy.policy.confirm if item in r.items and held.service in r.services]
            if any(rule.after.after(held.collected_at, policy.zone) <= self._grounds.clock() for rule in rules):
                old[item] = found.old[item]
        return Standing(old=old, quiet=found.quiet, may_come=found.may_come)

    async def standing(self, person: str) -> Standing:
        """What may be old enough to be asked about, told by its kind alone, nothing opened; nothing for a child, or
        while data is restricted."""
        policy, now = await self._grounds.law.current(), self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            row = await _queries.ageing_of(connection, person=person)
            if row is None:
                return Standing(old={}, quiet=False)
            old = await self._old(connection, policy, row, now)
            return Standing(old=old, quiet=row["quiet"], may_come=not row["closed"] and not row["guarded"])

    async def _old(self, connection: Any, policy: CompiledPolicy, row: Any, now: Instant) -> dict[str, Instant]:
        if row["closed"] or row["restricted"] or row["guarded"]:
            return {}
        given = await self._given(connection, policy, [row["person"]])
        dues = ages_of(policy, _ageing(policy, row, given.get(row["person"], {})))
        return {item: due for item, due in dues.items() if due <= now}

    async def still_right(self, person: str, item: str) -> None:
        """The person says that it is right as it is: it is as old as today. Raises Refused `reminder-not-now`."""
        async with self._grounds.database.transaction() as connection:
            now = self._grounds.clock()
            policy = await self._grounds.law.at_hand()
            row = await _queries.ageing_of(connection, person=person)
            if row is None or item not in await self._old(connection, policy, row, now):
                raise Refused("reminder-not-now")
            await _queries.confirm_item(connection, person=person, item=item, at=now, now=now)
            said = self._entry("accuracy:item:confirmed", row, now, items=[item])
            await self._grounds.journal.append(connection, [said], now=now)
            reach("remind.confirmed")

    async def set_quiet(self, person: str, *, quiet: bool) -> None:
        """The person doesn't want to be written to about it, or does again."""
        async with self._grounds.database.transaction() as connection:
            now = self._grounds.clock()
            row = await _queries.ageing_of(connection, person=person)
            if row is None:
                raise Refused("reminder-not-now")
            await _queries.set_quiet(connection, person=person, quiet=quiet, now=now)
            said = self._entry(f"accuracy:reminders:{'stopped' if quiet else 'wanted'}", row, now)
            await self._grounds.journal.append(connection, [said], now=now)
            reach("remind.silenced")

    def _entry(self, act: str, row: Any, now: Instant, **facts: Any) -> Entry:
        entry = new_id("ev")
        whose = self._vault.commitment(
            evidence_slot=row["evidence_slot"], entry=entry, field="person", value=row["person"]
        )
        return Entry(entry, now, act, {**facts, "person": whose}, (row["person"],))


def _ageing(
    policy: CompiledPolicy, row: Any, given: Mapping[tuple[str, str], Instant], sure: frozenset[str] = frozenset()
) -> Ageing:
    objected = frozenset((row["standing"] or {}).get("objections", ()))
    by = {rule.by for rule in policy.policy.confirm if rule.by is not None}
    return Ageing(
        given=given, confirmed={item: Instant(at) for item, at in row["confirmed"].items()}, asked_at=row["asked_at"],
        closed=row["closed"], restricted=row["restricted"], guarded=row["guarded"], objected=bool(objected & by),
        quiet=row["quiet"], sure=sure,
    )  # fmt: skip
