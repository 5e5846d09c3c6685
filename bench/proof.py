"""After the measuring: every answer is in the log, and an outsider's program says it is intact; how long that takes."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from bench.figures import Figure, amount
from bench.leaving import LEFT
from bench.town import Town
from omonat.base.errors import Unavailable
from omonat.evidence import verifier
from omonat.evidence.entry import leaf_hash
from omonat.evidence.proofs import TileCache, TreeView
from omonat.evidence.sequencer import Sequencer
from omonat.evidence.tree import check_inclusion

_PROOFS = 2_000
_OVER_HTTP = {
    "/v1/use": "use:person:authorised",
    "/v1/collect": "collect:record:accepted",
    f"{LEFT}?lang=en": "choice:consent:withdrawn",
}
_BODY = "select e.body from placements p join entries e on e.txid = p.txid and e.id = p.entry where p.index = $1"


async def catch_up(town: Town) -> None:
    """Place everything. What takes longer than the lease takes it anew, as a service does."""
    sequencer = _sequencer(town)
    placed = -1
    while placed < await town.house.grounds.database.pool.fetchval("select count(*) from entries"):
        assert await sequencer.open()
        with suppress(Unavailable):
            placed = (await sequencer.advance()).size


def _sequencer(town: Town) -> Sequencer:
    house = town.house
    return Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock, holder="bench")


@asynccontextmanager
async def sequencing(town: Town) -> AsyncIterator[None]:
    """A sequencer at work beside what is measured, as in a service: without proofs, workers soon refuse uses."""
    await catch_up(town)
    sequencer = _sequencer(town)
    work = asyncio.create_task(sequencer.run())
    try:
        yield
    finally:
        sequencer.stop()
        await work


async def check(town: Town, answered: Mapping[str, int]) -> None:
    """Every answer has its entry. `answered` counts the answers over HTTP by path. Raises AssertionError."""
    rows = await town.house.grounds.database.pool.fetch("select act, count(*) as many from entries group by act")
    counted = {row["act"]: row["many"] for row in rows}
    expected = dict(town.answered)
    for path, act in _OVER_HTTP.items():
        expected[act] = expected.get(act, 0) + answered.get(path, 0)
    for act, many in expected.items():
        written = counted.get(act, 0)
        exactly = act != "use:person:authorised"  # those that warmed and checked are uses as well
        assert written >= many > 0, f"{written} of {act} in the log, {many} answered"
        assert written == many or not exactly, f"{written} of {act} in the log, {many} answered"


async def figures(town: Town, *, rounds: int) -> list[Figure]:
    """Sequence what was written, verify all of it, and prove entries drawn from it.

    Raises AssertionError when the log isn't intact, is too short, or a proof doesn't hold.
    """
    house = town.house
    await catch_up(town)
    pinned = verifier.Pinned.of([key.vkey for key in house.keys.pinned])
    per_million, size = [], 0
    for _ in range(min(rounds, 3)):
        start = time.perf_counter()
        report = await asyncio.to_thread(verifier.verify_log, house.settings.log, pinned)
        per_million.append((time.perf_counter() - start) / max(1, report.size) * 1_000_000)
        size = report.size
        assert report.code == verifier.INTACT, verifier.show(report, as_json=False)
    entries = await house.grounds.database.pool.fetchval("select count(*) from entries")
    assert size == entries, f"{entries} entries written, {size} in the log"
    return [
        amount(
            f"verify the log ({size:,} entries, scaled to 1,000,000)", per_million, unit="s", gate=30, at_most=True,
        ),
        amount(
            f"make an inclusion proof ({size:,} entries)", await _proofs(town, size, rounds), unit="µs", gate=30,
            at_most=True,
        ),
    ]  # fmt: skip


async def _proofs(town: Town, size: int, rounds: int) -> list[float]:
    """Microseconds a proof, tiles at hand."""
    view = TreeView(TileCache(town.house.log, most=8192), size)
    root = town.house.evidence.checkpoint().checkpoint.root
    places = [number * 7919 % size for number in range(_PROOFS)]
    for place in places[:50]:
        row = await town.house.grounds.database.pool.fetchrow(_BODY, place)
        check_inclusion(place, size, leaf_hash(row["body"]), view.inclusion(place), root)
    for place in places:
        view.inclusion(place)
    prices = []
    for _ in range(rounds):
        start = time.perf_counter()
        for place in places:
            view.inclusion(place)
        prices.append((time.perf_counter() - start) / len(places) * 1e6)
    return prices
