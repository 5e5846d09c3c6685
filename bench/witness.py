"""Durable evidence entries, shared flushes beside a committed INSERT for each."""

from bench.figures import Figure, percentile, ratio
from bench.reads import measure
from bench.town import Town
from omonat.base.ids import new_id
from omonat.evidence.entry import Entry, encode

GATES = {8: 2.0, 64: 8.0, 256: 15.0}
_ACT = "bench:entry:written"
_FACTS = {
    "actor": "stf_k3v7q2m5x4w6z2y3a7b5c4d6e2",
    "case": "c1:5f0c8a1be2d94b7790",
    "items": ["contact.name", "contact.mobile", "contact.postal-address"],
    "policy": 1,
    "purpose": "deliver-order",
    "role": "courier",
}
_INSERT = "insert into plain_log (id, act, body) values ($1, $2, $3)"


async def figures(town: Town, *, rounds: int, seconds: float) -> list[Figure]:
    """The rows. Raises AssertionError when an acknowledged entry, or row, isn't there afterwards."""
    grounds, inserted = town.house.grounds, 0
    pool, people = grounds.database.pool, [new_id("per") for _ in range(1000)]

    def entry() -> Entry:
        return Entry(new_id("ev"), town.clock(), _ACT, _FACTS, (people[town.answered[_ACT] % 1000],))

    async def submitted() -> None:
        await grounds.journal.submit(entry())
        town.answered[_ACT] += 1

    async def committed() -> None:
        nonlocal inserted
        one = entry()
        await pool.execute(_INSERT, one.id, one.act, encode(one))
        inserted += 1

    ways = {
        f"{name} {many}": (way, many) for many in GATES for name, way in (("ours", submitted), ("plain", committed))
    }
    measured = await measure(ways, rounds, seconds)
    assert await pool.fetchval("select count(*) from plain_log") == inserted
    return [
        ratio(
            f"durable evidence entries, {many} in flight, beside a committed INSERT each",
            list(zip(measured[f"ours {many}"], measured[f"plain {many}"], strict=True)),
            gate=gate,
            durable=True,
            more={
                "ours/s": percentile(measured[f"ours {many}"], 0.5),
                "plain/s": percentile(measured[f"plain {many}"], 0.5),
            },
        )
        for many, gate in GATES.items()
    ]
