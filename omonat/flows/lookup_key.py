"""The look-up key is changed, so that digests of erased channels in old backups find nobody any more (R3: *final*).

    begin     a new key; whoever is looked for is looked for under both
    renew     channels of the living are digested anew, a batch of people at a time; each value comes out of a living
              record, so a channel that no record holds any more is dropped
    end       once a whole pass, begun more than a minute after the new key, found nothing under an older one, the older
              keys are destroyed; what waited for that is final

It begins by itself when an erasure has waited a month, or when an operator asks.
"""

import asyncio
from typing import Any, Final

import asyncpg

from omonat.base.errors import Fault, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, MINUTE, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.judging import Judge
from omonat.flows.removing import digest_of
from omonat.policy.compiled import CompiledPolicy

_queries = load("omonat.promises.retention")
_erasures = load("omonat.promises.retention", "erasures.sql")
WAITS_AT_MOST: Final = 30 * DAY
"""How long an erasure waits to become final before the look-up key is changed by itself."""
_SETTLED: Final = MINUTE
"""Whoever read the old key as the current one has written what they had to by then."""
_BATCH: Final = 500
_AT_ONCE: Final = 16


class LookupKey:
    """Changes the look-up key; `advance` is asked every round of the sweeper."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault

    async def begin(self, *, by: str) -> int:
        """Begin with a new key, unless a change is under way; its epoch comes back."""
        now, epoch = self._grounds.clock(), self._vault.lookup_epoch
        if self._vault.oldest_lookup_epoch < epoch:
            return epoch
        epoch = self._vault.begin_lookup_epoch(after=epoch)
        reach("lookup-key.made")
        entry = Entry(new_id("ev"), now, "retention:lookups:begun", {"epoch": epoch, "by": by})
        async with self._database.transaction() as connection:
            await _queries.state(connection, now=now)
            await _queries.begin_rotation(connection, now=now)
            await self._grounds.journal.append(connection, [entry], now=now)
        return epoch

    async def advance(self) -> bool:
        """One batch of a change under way; whether there is more to do at once."""
        now = self._grounds.clock()
        if self._vault.oldest_lookup_epoch == self._vault.lookup_epoch:
            async with self._database.connection() as connection:
                since = await _erasures.waiting_since(connection)
            if since is None or since > now - WAITS_AT_MOST:
                return False
            await self.begin(by="sweeper")
            return True
        with self._vault.openings.for_an_entry() as entry:
            async with self._database.transaction() as connection:
                more, ended = await self._next(connection, now, entry)
        if ended:
            reach("lookup-key.over")
        for epoch in ended:  # only now: no key goes without its entry
            await asyncio.to_thread(self._vault.end_lookup_epoch, epoch)
        return more

    async def _next(self, connection: asyncpg.Connection, now: Instant, entry: str) -> tuple[bool, range]:
        """One batch of a pass; whether there is more to do at once, and the epochs that are over.

        What has to be opened is opened for the entry of this id.
        """
        policy = await self._grounds.law.current()
        await _queries.state(connection, now=now)
        await _queries.begin_rotation(connection, now=now)  # the key was made, and then the process died
        state = await _queries.rotation(connection)
        first = state["lookups_after"] == ""
        settled = now > state["lookups_since"] + _SETTLED  # a pass begun before may be too early to be the last
        clean = settled if first else not state["lookups_left"]
        rows = await self._people_after(connection, state["lookups_after"])
        clean = not await self._renew(connection, policy, rows, now, entry) and clean
        if rows:
            await _queries.move_rotation(connection, after=rows[-1]["person"], left=not clean)
            return True, range(0)
        if not clean:
            await _queries.move_rotation(connection, after="", left=True)
            return False, range(0)
        ended = range(self._vault.oldest_lookup_epoch, self._vault.lookup_epoch)
        await _queries.end_rotation(connection)
        over = Entry(new_id("ev"), now, "retention:lookups:ended", {"epochs": list(ended)})
        await self._grounds.journal.append(connection, [over], now=now)
        return True, ended

    async def _people_after(self, connection: asyncpg.Connection, after: str) -> list[Any]:
        """Whole people: one whose channels were cut by the limit waits for the next batch."""
        rows = [r async for r in _queries.lookups_after(connection, after=after, most=_BATCH)]
        if len(rows) == _BATCH and rows[0]["person"] != rows[-1]["person"]:
            return [row for row in rows if row["person"] != rows[-1]["person"]]
        return rows

    async def _renew(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, rows: list[Any], now: Instant, entry: str
    ) -> bool:
        """Digest anew what is under an older key; whether anything was."""
        epoch = self._vault.lookup_epoch
        old = {(r["person"], r["item"], r["digest"]): r for r in rows if r["epoch"] < epoch}
        if not old:
            return False
        people = sorted({person for person, _, _ in old})
        standing = {r["id"]: r async for r in _queries.persons_standing(connection, ids=people)}
        old = {key: row for key, row in old.items() if key[0] in standing}
        judge = Judge(self._grounds, policy, now, entry=entry)
        renewed = await self._found(connection, policy, judge, dict(old), standing)
        if renewed:
            renewed.sort(key=lambda row: (row[3], row[1], row[0]))
            names = ("person", "item", "epoch", "digest", "since", "verified_at")
            columns = {name: [row[n] for row in renewed] for n, name in enumerate(names)}
            await _queries.renew_lookups(connection, **columns)
        if old:
            keys = sorted(old)
            await _queries.drop_lookups(
                connection, person=[k[0] for k in keys], item=[k[1] for k in keys], digest=[k[2] for k in keys]
            )
        facts = {"epoch": epoch, "renewed": len(renewed), "dropped": len(old) - len(renewed), "opened": judge.opened}
        reach("lookup-key.renewed")
        renewal = Entry(entry, now, "retention:lookups:renewed", facts)
        await self._grounds.journal.append(connection, [renewal], now=now)
        return True

    async def _found(
        self,
        connection: asyncpg.Connection,
        policy: CompiledPolicy,
        judge: Judge,
        wanted: dict[tuple[str, str, bytes], Any],
        standing: dict[str, Any],
    ) -> list[tuple[Any, ...]]:
        """The channels whose value a living record holds, as rows under the new key."""
        epoch, skip, renewed = self._vault.lookup_epoch, 0, list[tuple[Any, ...]]()
        while wanted:
            pairs = sorted({(person, item.partition(".")[0]) for person, item, _ in wanted})
            sections = [
                s
                async for s in _queries.sections_holding(
                    connection, person=[p for p, _ in pairs], category=[c for _, c in pairs], most=_AT_ONCE, skip=skip
                )
            ]
            if not sections:
                break
            skip += _AT_ONCE
            for section in sections:
                mine = [
                    key
                    for key in wanted
                    if key[0] == section["person"] and key[1].startswith(section["category"] + ".")
                ]
                values = self._values(judge, section, standing) if mine else {}
                for key in mine:
                    row, value = wanted[key], values.get(key[1].partition(".")[2])
                    if value is None or digest_of(policy, self._vault, key[1], value, row["epoch"]) != key[2]:
                        continue
                    digest = digest_of(policy, self._vault, key[1], value, epoch)
                    renewed.append((key[0], key[1], epoch, digest, row["since"], row["verified_at"]))
                    del wanted[key]
        return renewed

    def _values(self, judge: Judge, section: Any, standing: dict[str, Any]) -> dict[str, Any]:
        person = section["person"]
        record = {"id": section["record"], "person": person, "slot": section["slot"], "version": section["version"]}
        try:
            return judge.open(record, section, standing[person]["slot"])
        except (Fault, Refused):  # what can't be opened finds nobody either
            return {}
