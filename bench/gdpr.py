"""GDPRbench's four workloads, in the house and on plain PostgreSQL: the same operations, the same records at the end.

After each workload every record of every side is compared with what must be true, field by field; a read that brings
anything else, or a record that differs, ends the bench without a table.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import proof
from bench.figures import Figure, in_rounds, percentile, ratio
from bench.gdpr_house import InHouse
from bench.gdpr_plain import LOG, Plain
from bench.gdpr_work import EACH, MIXES, OVERDUE, Operation, Record, World
from bench.town import Clock, Town, settings_of
from omonat.app import settle
from omonat.base.instants import DAY, HOUR, Instant
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.house import open_house

GATE, AIM = 1.5, 2.0
Side = InHouse | Plain


@dataclass(frozen=True, slots=True)
class Studies:
    """What is true, and those who keep it: the house, plain PostgreSQL with an audit log, and without one."""

    town: Town
    world: World
    house: InHouse
    plain: Plain
    unlogged: Plain

    @property
    def sides(self) -> Mapping[str, Side]:
        """All three by name."""
        return {"house": self.house, "plain": self.plain, "unlogged": self.unlogged}


@asynccontextmanager
async def studies(folder: Path, *, records: int) -> AsyncIterator[Studies]:
    """A house of its own with so many records, ten of each user, and the same in plain tables; all stopped after."""
    server = Server.start(folder / "server")
    try:
        await migrate(server.dsn)
        settings, clock = settings_of(folder, server.dsn), Clock()
        async with open_house(settings, clock=clock) as house:
            town, world, pool = Town(house, settings, folder, 0, clock), World(records), house.grounds.database.pool
            here = Studies(
                town, world, InHouse(town, world.terms),
                Plain(pool, clock, "gdpr_plain", logged=True), Plain(pool, clock, "gdpr_unlogged", logged=False),
            )  # fmt: skip
            await here.house.open()
            await pool.execute(LOG)
            all_of_them, at = list(world.state().values()), Instant(clock() - HOUR)
            await here.house.settle(all_of_them, [at] * records)
            for side in (here.plain, here.unlogged):
                await side.settle(all_of_them, at)
            await pool.execute("vacuum analyze")
            await house.sweeper.round()
            settle()
            async with proof.sequencing(town):
                yield here
    finally:
        server.stop()


async def figures(here: Studies, *, rounds: int, operations: int) -> list[Figure]:
    """The rows: the sum of the four, and each beside it. Raises AssertionError when anything differs."""
    taken: dict[str, dict[str, list[float]]] = {}
    for mix in MIXES:
        taken[mix] = await _measured(here, mix, rounds, operations)
        await compare(here)
    await _all_noted(here)
    sums = {
        side: [sum(times) for times in zip(*(taken[mix][side] for mix in MIXES), strict=True)] for side in here.sides
    }
    unlogged = ratio("", _faster(sums["house"], sums["unlogged"])).value
    name = f"GDPRbench, {here.world.users * EACH:,} records"
    rows = [
        ratio(
            f"{name}: sum of the four workloads, beside plain PostgreSQL with an audit log",
            _faster(sums["house"], sums["plain"]),
            gate=GATE,
            durable=True,
            more={"aim": AIM, "beside one without a log": unlogged},
        )
    ]
    for mix in MIXES:
        each = {side: 1000 * percentile(times, 0.5) / operations for side, times in taken[mix].items()}
        more = {
            "ours, ms an operation": each["house"],
            "plain": each["plain"],
            "without a log": each["unlogged"],
        }
        pairs = _faster(taken[mix]["house"], taken[mix]["plain"])
        rows.append(ratio(f"{name}: {mix}", pairs, durable=True, more=more))
    return rows


def _faster(ours: Sequence[float], theirs: Sequence[float]) -> list[tuple[float, float]]:
    """Rates (ours, theirs) of the same work from the seconds it took."""
    return [(1 / mine, 1 / other) for mine, other in zip(ours, theirs, strict=True)]


async def _measured(here: Studies, mix: str, rounds: int, operations: int) -> dict[str, list[float]]:
    """Seconds of each side, round by round; the first round warms them."""
    taken: dict[str, list[float]] = {side: [] for side in here.sides}
    for turn in range(-1, rounds):
        expiring = operations if mix == "controller" else 0
        await _plant(here, expiring)
        drawn = here.world.draw(mix, operations)
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            name: partial(_seconds, side, drawn, expiring=expiring) for name, side in here.sides.items()
        }
        for name, (seconds,) in (await in_rounds(ways, 1)).items():
            if turn >= 0:
                taken[name].append(seconds)
    return taken


async def _seconds(side: Side, drawn: Sequence[Operation], *, expiring: int) -> float:
    """One client: first what expires, then one operation after another. Every answer is checked."""
    start = time.perf_counter()
    if expiring:
        expired = await side.expire()
        assert expired == expiring, f"{expired} records expired, {expiring} were due"
    for operation in drawn:
        answer = await side.run(operation)
        if operation.kind == "log":
            assert isinstance(answer, int)
            assert 0 < answer <= operation.length
        else:
            assert (answer or {}) == operation.expected, f"{operation.kind} brought something else"
    return time.perf_counter() - start


async def _plant(here: Studies, many: int) -> None:
    """Records whose time to live is over, on every side: one for each operation."""
    if not many:
        return
    records, now = here.world.planted(many), here.town.clock()
    collected = [Instant(now - (record.term + OVERDUE) * DAY) for record in records]
    await here.house.settle(records, collected)
    for side in (here.plain, here.unlogged):
        await side.plant(records, collected)


async def compare(here: Studies) -> None:
    """Every record of every side, field by field. Raises AssertionError that names fields, never values."""
    expected = here.world.state()
    for name, side in here.sides.items():
        found = await side.state()
        assert found.keys() == expected.keys(), f"{name}: other records are left than should be"
        for key, record in expected.items():
            differs = [each for each in Record.__slots__ if getattr(record, each) != getattr(found[key], each)]
            assert not differs, f"{name}: a record differs in {', '.join(differs)}"


async def _all_noted(here: Studies) -> None:
    """Every answer of the house has its entry, every operation of the audited table its row."""
    await proof.check(here.town, {})
    rows = await here.town.house.grounds.database.pool.fetchval("select count(*) from gdpr_log")
    assert rows == here.plain.noted, f"{rows} rows in the audit log, {here.plain.noted} operations"
