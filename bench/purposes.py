"""A new purpose for everyone, in force by one committed row, beside writing it into the rows it concerns."""

import time

from bench.figures import Figure, in_rounds, percentile, ratio
from bench.pages import POLICIES
from bench.town import Town, delivery, publication
from omonat.base.instants import SECOND, Instant, to_rfc3339
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import House, open_house

_NAMED = "deliver-order"
_AHEAD = 3600 * SECOND
_FILL = """insert into plain_purposed
           select n, array['take-order', 'deliver-order', 'take-payment'], repeat('x', 900)
             from generate_series(1, $1::int) as n"""
_TELL = "update persons set told = $1, standing = $2 where id = (select person from cases where id = 'order:1')"
"""As telling and agreeing leave it behind."""


def _document(text: str, versions: int, effective: Instant) -> str:
    """The shipped document with so many more purposes, each like the delivery of an order."""
    start = text.index(f"  {_NAMED}:\n")
    end = text.index("\n\n", start)
    block, names = text[start:end], [_name(number) for number in range(versions)]
    added = "\n\n".join(block.replace(_NAMED, name, 1) for name in names)
    text = f"{text[:end]}\n\n{added}{text[end:]}"
    text = text.replace(f"for: [take-order, {_NAMED},", f"for: [take-order, {_NAMED}, {', '.join(names)},", 1)
    text = text.replace('version: "1"', f'version: "{versions + 1}"', 1)
    line = next(line for line in text.splitlines() if line.startswith("effective: "))
    return text.replace(line, f"effective: {to_rfc3339(effective)}", 1)


def _name(number: int) -> str:
    return f"bring-order-{number + 1}"


async def figures(town: Town, *, rounds: int, rows: int) -> list[Figure]:
    """The row. Versions are published beforehand, as policies are; what is measured is that one comes into force.

    From that commit on every use of every worker meets it in its own statement: two houses on one database show it,
    and that whoever wasn't told of it is left out. Raises AssertionError when they don't.
    """
    house, pool = town.house, town.house.grounds.database.pool
    text, base = (POLICIES / "beshqozon.yaml").read_text("utf-8"), Instant(town.clock() + _AHEAD)
    base = Instant(base - base % SECOND)
    for number in range(rounds):
        await house.publish(publication(_document(text, number + 1, Instant(base + number * SECOND))))
    await pool.execute(_FILL, rows)
    await pool.execute("vacuum analyze plain_purposed")
    turn, until = 0, []

    async with open_house(town.settings, clock=town.clock) as other:
        for each in (house, other):
            await each.grounds.law.current()

        async def activate() -> float:
            nonlocal turn
            town.clock.ahead += base + turn * SECOND - town.clock() + 1
            await pool.execute(_TELL, turn + 2, {"agreed": {_name(turn): turn + 2}})
            start = time.perf_counter()
            assert await house.publish.activate_due() == turn + 2
            taken = time.perf_counter() - start
            for each in (house, other):
                await _respected(town, each, _name(turn))
            until.append(time.perf_counter() - start)
            turn += 1
            return taken

        async def update() -> float:
            start = time.perf_counter()
            done = await pool.execute("update plain_purposed set purposes = purposes || $1::text", f"p{turn}")
            taken = time.perf_counter() - start
            assert done == f"UPDATE {rows}"
            return taken

        taken = await in_rounds({"ours": activate, "update": update}, rounds)
    return [
        ratio(
            f"a new purpose for everyone ({town.people:,} people), beside UPDATE of {rows:,} rows",
            list(zip(taken["update"], taken["ours"], strict=True)),
            gate=20,
            durable=True,
            more={
                "ours, ms": 1000 * percentile(taken["ours"], 0.5),
                "UPDATE, ms": 1000 * percentile(taken["update"], 0.5),
                "until two workers had answered four uses, ms": 1000 * percentile(until, 0.5),
            },
        )
    ]


async def _respected(town: Town, house: House, purpose: str) -> None:
    """Whoever was told and agreed is used for the new purpose, whoever wasn't is not."""
    told, not_told = [await _use(town, house, purpose, number) for number in (1, 2)]
    assert told.items["contact.name"] == delivery(1)["name"]
    assert not not_told.items, "somebody who wasn't told of a purpose was used for it"


async def _use(town: Town, house: House, purpose: str, number: int) -> UseAnswer:
    request = UseRequest(credential=town.credentials["site"], purpose=purpose, case=f"order:{number}")
    return await house.use(request)
