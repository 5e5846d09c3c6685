"""Erasing people and sweeping what is due, to *key destroyed*, beside what one would do to plain rows."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from bench.figures import Figure, in_rounds, percentile, ratio
from bench.people import DUE, NEWSLETTER, STANDS, settle
from bench.town import Town
from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, Instant
from omonat.flows.erase import Erase, ErasureRequest

_INSERT = "insert into plain_taken (id, document) values ($1, '{}')"
_COMMITS = 5
_EACH = 10


class Watched:
    """An eraser that notes when the keys were gone and the database knew it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._erase = Erase(town.house.grounds, reached=self._reached)
        self._destroyed, self._known = False, 0.0

    def _reached(self, step: str) -> None:
        self._destroyed = self._destroyed or step == "destroyed"
        if step == "stepped" and self._destroyed and not self._known:
            self._known = time.perf_counter()

    async def one_of(self, people: list[str]) -> float:
        """As `one`, for somebody of these, who then is no longer among them."""
        return await self.one(people.pop())

    async def one(self, person: str) -> float:
        """Seconds until *key destroyed*; the rest is finished as well. Raises AssertionError when it isn't true."""
        house, pool = self._town.house, self._town.house.grounds.database.pool
        slot = await pool.fetchval("select slot from persons where id = $1", person)
        self._destroyed, self._known = False, 0.0
        start = time.perf_counter()
        erasure = await self._erase(ErasureRequest(person=person))
        assert erasure.destroyed_at is not None
        assert erasure.swept_at is not None
        assert house.grounds.vault.is_destroyed(slot)
        assert await pool.fetchval("select count(*) from records where person = $1", person) == 0
        try:
            await house.my_data(person)
        except Refused:
            return self._known - start
        raise AssertionError("an erased person was read")


async def persons(town: Town, *, rounds: int, sizes: dict[int, int]) -> list[Figure]:
    """The rows of erasing a person. `sizes`: how many people by how many records each; with fewer people than rounds
    the last sizes are measured less often."""
    pool = town.house.grounds.database.pool
    people = {n: await _readers(town, min(many, rounds) + 1, n) for n, many in sizes.items()}
    await pool.execute("vacuum analyze")
    eraser = Watched(town)

    async def commit() -> float:
        start = time.perf_counter()
        for _ in range(_COMMITS):
            await pool.execute(_INSERT, new_id("row"))
        return (time.perf_counter() - start) / _COMMITS

    for few in people.values():
        await eraser.one_of(few)
    figures, first = [], None
    for number, many in people.items():
        turns = len(many)
        ways: dict[str, Callable[[], Awaitable[float]]] = {"ours": partial(eraser.one_of, many), "commit": commit}
        if first is not None:
            first_people = await _readers(town, turns, first)
            ways["first"] = partial(eraser.one_of, first_people)
        taken = await in_rounds(ways, turns)
        figures.append(
            ratio(
                f"erase a person with {number:,} records to key destroyed, beside one commit of one row",
                list(zip(taken["ours"], taken["commit"], strict=True)),
                gate=3.5,
                at_most=True,
                durable=True,
                more={
                    "ours, ms": 1000 * percentile(taken["ours"], 0.5),
                    "commit, ms": 1000 * percentile(taken["commit"], 0.5),
                },
            )
        )
        if first is not None:
            figures.append(
                ratio(
                    f"the same, {number:,} records beside {first:,}",
                    list(zip(taken["ours"], taken["first"], strict=True)),
                    gate=1.3,
                    at_most=True,
                    durable=True,
                )
            )
        first = first or number
    return figures


async def _readers(town: Town, people: int, records: int) -> list[str]:
    """People with so many records each, nothing of which has to stay."""
    return await settle(town, people, [(NEWSLETTER, HOUR)] * records, plain=False)


async def expiry(town: Town, *, rounds: int, records: int) -> list[Figure]:
    """The row of expiry: records of living people are due; nobody reads them, and a sweep takes their keys."""
    pool = town.house.grounds.database.pool
    await rest(town)
    pairs = [await _expire(town, records, swept_first=turn % 2 == 0) for turn in range(rounds)]
    assert await pool.fetchval("select count(*) from records where due_at <= $1", town.clock()) == 0
    return [
        ratio(
            f"{records:,} records of living people expire, to key destroyed, beside DELETE and VACUUM",
            [(theirs, ours) for ours, theirs in pairs],
            gate=5,
            durable=True,
            more={
                "ours, ms": 1000 * percentile([pair[0] for pair in pairs], 0.5),
                "plain, ms": 1000 * percentile([pair[1] for pair in pairs], 0.5),
            },
        )
    ]


async def _expire(town: Town, records: int, *, swept_first: bool) -> tuple[float, float]:
    """One pair of seconds (ours, theirs) on newly made rows."""
    pool, vault = town.house.grounds.database.pool, town.house.grounds.vault
    people = await settle(town, max(1, records // _EACH), [*STANDS, *[DUE] * _EACH])
    slots = [row[0] for row in await pool.fetch("select slot from records where due_at <= $1", town.clock())]
    assert len(slots) == len(people) * _EACH
    await pool.execute("analyze records, sections, plain_records")
    await _nothing_due_is_read(town, people[:20])
    now = town.clock()
    theirs = 0.0 if swept_first else await _delete(town, now)
    ours = await sweep(town)
    theirs = theirs or await _delete(town, now)
    assert all(vault.is_destroyed(slot) for slot in slots), "a key of what expired is still there"
    await _nothing_due_is_read(town, people[:20])
    return ours, theirs


async def sweep(town: Town) -> float:
    """Seconds until nothing is due any more, keys destroyed and rows gone."""
    start = time.perf_counter()
    while (await town.house.sweeper.round()).more:
        pass
    return time.perf_counter() - start


async def rest(town: Town) -> None:
    """Until the sweeper has nothing left to do: its first round remembers the time, the next ones follow the policy."""
    for _ in range(2):
        await sweep(town)


async def _delete(town: Town, now: Instant) -> float:
    pool = town.house.grounds.database.pool
    start = time.perf_counter()
    await pool.execute("delete from plain_records where due_at <= $1", now)
    await pool.execute("vacuum plain_records")
    return time.perf_counter() - start


async def _nothing_due_is_read(town: Town, people: list[str]) -> None:
    """With or without the sweeper, from the due second on."""
    for person in people:
        found = await town.house.my_data(person)
        town.answered["access:person:viewed"] += 1
        assert {held.service for held in found.held} == {NEWSLETTER}, "an expired record was read"
