"""Enforced reads in process, 64 in flight: decision, fetch, opening and durable evidence, beside bare point reads."""

import random
from typing import Any

from bench.figures import Figure, in_rounds, percentile, rate, ratio
from bench.town import COURIERS, Town, delivery, some_order
from omonat.flows.coalesce import Coalescer
from omonat.flows.use import UseRequest

IN_FLIGHT = 64
_ONE = "select name, mobile, address, landmark from plain_orders where id = $1"
_MANY = "select id, name, mobile, address, landmark from plain_orders where id = any($1::bigint[])"


class Reads:
    """The ways to read an order's delivery, each checked against what was written."""

    def __init__(self, town: Town, seed: int = 11) -> None:
        self._town = town
        self._pool = town.house.grounds.database.pool
        self._chance = random.Random(seed)
        self._shared: Coalescer[int, Any] = Coalescer(self._fetch_many, limit=64, lanes=2)
        self.entries = 0
        """How many uses were answered, each of which must be in the log."""

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
        self.entries += 1
        assert [answer.items[f"contact.{name}"] for name in _NAMES] == list(delivery(number).values())

    async def _fetch_many(self, numbers: Any) -> list[Any]:
        rows = {row[0]: row for row in await self._pool.fetch(_MANY, numbers)}
        return [rows[number] for number in numbers]


_NAMES = tuple(delivery(0))


async def figures(town: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """The rows. Raises AssertionError when any read brings anything but what was written."""
    reads = Reads(town)
    ways = {"bare": reads.bare, "shared": reads.shared, "enforced": reads.enforced, "courier": reads.by_courier}
    for way in ways.values():
        await rate(way, IN_FLIGHT, min(seconds, 0.5))
    measured = await in_rounds(
        {name: lambda way=way: rate(way, IN_FLIGHT, seconds) for name, way in ways.items()}, rounds
    )
    middle = {f"{name}/s": percentile(rates, 0.5) for name, rates in measured.items()}
    bare, shared, enforced, courier = (measured[name] for name in ways)
    return [
        ratio(
            "enforced read, beside bare point reads",
            list(zip(enforced, bare, strict=True)),
            gate=1.0,
            durable=True,
            more=middle,
        ),
        ratio(
            "enforced read, beside bare reads sharing a statement",
            list(zip(enforced, shared, strict=True)),
            gate=0.4,
            durable=True,
        ),
        ratio(
            "enforced read by a courier, caps counted, beside bare point reads",
            list(zip(courier, bare, strict=True)),
            durable=True,
        ),
    ]
