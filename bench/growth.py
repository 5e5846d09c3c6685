"""What an operation costs when there are ten times as many records: a small town and the large one in turns."""

import random
from collections.abc import Awaitable, Callable
from functools import partial

from bench.figures import Figure, percentile, ratio
from bench.reads import Reads, measure
from bench.taking import collect
from bench.town import MOBILE, Town, delivery, some_order
from omonat.flows.lookup import LookupRequest

_SOUGHT = 20_000  # people who may be looked up: enough that no town's are all at hand


async def figures(small: Town, large: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """One row for each operation: how many times the price in the small town it has in the large one."""
    ways: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {}
    for name, town in (("small", small), ("large", large)):
        ways |= {
            f"{name} use": (Reads(town).enforced, 64),
            f"{name} collect": (partial(collect, town), 64),
            f"{name} access": (partial(_look, town, await _some(town)), 8),
            f"{name} look-up": (partial(_look_up, town, await _owners(town)), 8),
        }
    measured = await measure(ways, rounds, seconds)
    return [
        ratio(
            f"price of {label}, {large.people:,} people's records beside {small.people:,}",
            list(zip(measured[f"small {what}"], measured[f"large {what}"], strict=True)),
            gate=1.3,
            at_most=True,
            durable=True,
            more={f"{name}/s": percentile(measured[f"{name} {what}"], 0.5) for name in ("small", "large")},
        )
        for what, label in (
            ("use", "an enforced read"),
            ("collect", "collecting"),
            ("access", "an access request"),
            ("look-up", "a look-up by mobile number"),
        )
    ]


async def _some(town: Town) -> list[str]:
    rows = await town.house.grounds.database.pool.fetch("select person from cases where id like 'order:%' limit 1000")
    return [row[0] for row in rows]


async def _look(town: Town, people: list[str]) -> None:
    found = await town.house.my_data(random.choice(people))
    town.answered["access:person:viewed"] += 1
    assert found.held


async def _owners(town: Town) -> list[tuple[int, str]]:
    """Numbers of orders, drawn by lot, and whose they are."""
    chance = random.Random(17)
    numbers = sorted({some_order(town, chance) for _ in range(_SOUGHT)})
    found = "select id, person from cases where id = any($1::text[])"
    rows = await town.house.grounds.database.pool.fetch(found, [f"order:{number}" for number in numbers])
    return [(int(row["id"].removeprefix("order:")), row["person"]) for row in rows]


async def _look_up(town: Town, owners: list[tuple[int, str]]) -> None:
    """One look-up by the number given for the delivery: exactly its person, with the order that is open."""
    number, person = random.choice(owners)
    answer = await town.house.lookup(
        LookupRequest(
            credential=town.credentials["site"], purpose="take-order", item=MOBILE, value=delivery(number)["mobile"]
        )
    )
    town.answered["lookup:person:found"] += 1
    assert (answer.person, answer.cases, answer.several) == (person, (f"order:{number}",), False)
