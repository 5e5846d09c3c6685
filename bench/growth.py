"""What an operation costs when there are ten times as many records: a small town and the large one in turns."""

import random
from collections.abc import Awaitable, Callable
from functools import partial

from bench.figures import Figure, percentile, ratio
from bench.reads import Reads, measure
from bench.taking import collect
from bench.town import Town


async def figures(small: Town, large: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """One row for each operation: how many times the price in the small town it has in the large one."""
    ways: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {}
    for name, town in (("small", small), ("large", large)):
        ways |= {
            f"{name} use": (Reads(town).enforced, 64),
            f"{name} collect": (partial(collect, town), 64),
            f"{name} access": (partial(_look, town, await _some(town)), 8),
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
        for what, label in (("use", "an enforced read"), ("collect", "collecting"), ("access", "an access request"))
    ]


async def _some(town: Town) -> list[str]:
    rows = await town.house.grounds.database.pool.fetch("select person from cases where id like 'order:%' limit 1000")
    return [row[0] for row in rows]


async def _look(town: Town, people: list[str]) -> None:
    found = await town.house.my_data(random.choice(people))
    town.answered["access:person:viewed"] += 1
    assert found.held
