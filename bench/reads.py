"""Enforced reads in process: decision, fetch, opening and durable evidence, beside bare point reads; and all of a
person's records at once."""

import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from bench.figures import Figure, in_rounds, percentile, rate, ratio
from bench.people import kilobyte, settle
from bench.town import COURIERS, Town, delivery, some_order
from omonat.flows.coalesce import Coalescer
from omonat.flows.use import UseRequest

GATES = {8: 0.7, 64: 1.8, 256: 3.5}
"""How many times bare point reads, by how many are in flight."""
RECORDS = 10
_ONE = "select name, mobile, address, landmark from plain_orders where id = $1"
_MANY = "select id, name, mobile, address, landmark from plain_orders where id = any($1::bigint[])"
_PERSONS = "select id, document from plain_records where person = $1 order by collected_at desc, id"


class Reads:
    """The ways to read an order's delivery, each checked against what was written."""

    def __init__(self, town: Town, seed: int = 11) -> None:
        self._town = town
        self._pool = town.house.grounds.database.pool
        self._chance = random.Random(seed)
        self._shared: Coalescer[int, Any] = Coalescer(self._fetch_many, limit=64, lanes=2)

    async def bare(self) -> None:
        """What people write: one point read on the pool."""
        number = some_order(self._town, self._chance)
        row = await self._pool.fetchrow(_ONE, number)
        assert tuple(row) == tuple(delivery(number).values())

    async def shared(self) -> None:
        """Bare reads that share a statement the way ours do."""
        number = some_order(self._town, self._chance)
        row = await self._shared(number)
        assert tuple(row)[1:] == tuple(delivery(number).values())

    async def enforced(self) -> None:
        """A use by the company's site: nothing of it is left out."""
        number = some_order(self._town, self._chance)
        await self._use(
            number,
            UseRequest(credential=self._town.credentials["site"], purpose="deliver-order", case=f"order:{number}"),
        )

    async def by_courier(self) -> None:
        """A use on behalf of the courier the order is assigned to: caps are counted as well."""
        number = some_order(self._town, self._chance)
        request = UseRequest(
            credential=self._town.credentials["courier-app"],
            purpose="deliver-order",
            case=f"order:{number}",
            on_behalf_of=str(1 + number % COURIERS),
        )
        await self._use(number, request)

    async def _use(self, number: int, request: UseRequest) -> None:
        answer = await self._town.house.use(request)
        self._town.answered["use:person:authorised"] += 1
        assert [answer.items[f"contact.{name}"] for name in _NAMES] == list(delivery(number).values())

    async def _fetch_many(self, numbers: Any) -> list[Any]:
        rows = {row[0]: row for row in await self._pool.fetch(_MANY, numbers)}
        return [rows[number] for number in numbers]


class Access:
    """All that is held of a person, ten records of a kilobyte: ours and a bare batch."""

    def __init__(self, town: Town, people: list[str], seed: int = 13) -> None:
        self._town, self._people = town, people
        self._pool = town.house.grounds.database.pool
        self._chance = random.Random(seed)
        self._texts = sorted(msgspec.json.encode(kilobyte(number)).decode() for number in range(RECORDS))
        self._values = sorted(value for number in range(RECORDS) for value in kilobyte(number).values())

    async def bare(self) -> None:
        """One statement that brings the person's rows."""
        rows = await self._pool.fetch(_PERSONS, self._chance.choice(self._people))
        assert sorted(row[1] for row in rows) == self._texts

    async def ours(self) -> None:
        """The access request: every record opened, every item with why and until when, an entry."""
        found = await self._town.house.my_data(self._chance.choice(self._people))
        self._town.answered["access:person:viewed"] += 1
        assert sorted(held.value for held in found.held) == self._values


_NAMES = tuple(delivery(0))


async def figures(town: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """The rows. Raises AssertionError when any read brings anything but what was written."""
    reads = Reads(town)
    ways: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {}
    for in_flight in GATES:
        ways |= {f"bare {in_flight}": (reads.bare, in_flight), f"enforced {in_flight}": (reads.enforced, in_flight)}
    ways |= {"shared 64": (reads.shared, 64), "courier 64": (reads.by_courier, 64)}
    measured = await measure(ways, rounds, seconds)
    rows = [
        ratio(
            f"enforced read, {in_flight} in flight, beside bare point reads",
            list(zip(measured[f"enforced {in_flight}"], measured[f"bare {in_flight}"], strict=True)),
            gate=gate,
            durable=True,
            more={
                "ours/s": percentile(measured[f"enforced {in_flight}"], 0.5),
                "bare/s": percentile(measured[f"bare {in_flight}"], 0.5),
            },
        )
        for in_flight, gate in GATES.items()
    ]
    enforced = measured["enforced 64"]
    return [
        *rows,
        ratio(
            "enforced read, 64 in flight, beside bare reads sharing a statement",
            list(zip(enforced, measured["shared 64"], strict=True)),
            gate=0.5,
            durable=True,
            more={"shared/s": percentile(measured["shared 64"], 0.5)},
        ),
        ratio(
            "enforced read by a courier, caps counted, 64 in flight, beside bare point reads",
            list(zip(measured["courier 64"], measured["bare 64"], strict=True)),
            durable=True,
        ),
    ]


async def access(town: Town, *, people: int, rounds: int, seconds: float) -> list[Figure]:
    """The row of access requests."""
    asked = Access(town, await settle(town, people, [("newsletter", 3_600_000_000)] * RECORDS))
    await town.house.grounds.database.pool.execute("vacuum analyze")
    measured = await measure({"ours": (asked.ours, 8), "bare": (asked.bare, 8)}, rounds, seconds)
    return [
        ratio(
            "a person's 10 records (access request), 8 in flight, beside a bare batch",
            list(zip(measured["ours"], measured["bare"], strict=True)),
            gate=0.7,
            durable=True,
            more={name + "/s": percentile(rates, 0.5) for name, rates in measured.items()},
        )
    ]


async def measure(
    ways: Mapping[str, tuple[Callable[[], Awaitable[None]], int]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Rates of several ways with so many in flight each, in rounds, after warming each."""
    for way, in_flight in ways.values():
        await rate(way, in_flight, min(seconds, 0.3))
    return await in_rounds({name: partial(rate, way, many, seconds) for name, (way, many) in ways.items()}, rounds)
