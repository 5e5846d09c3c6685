"""After the measuring: every answered use and collection is in the log, and an outsider's program says it is intact."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from bench.town import Town
from omonat.base.errors import Unavailable
from omonat.evidence import verifier
from omonat.evidence.sequencer import Sequencer


async def _catch_up(sequencer: Sequencer, size: int) -> None:
    """Place everything. So much at once outlasts the lease, which is then taken anew, as the service does."""
    placed = 0
    while placed < size:
        assert await sequencer.open()
        with suppress(Unavailable):
            placed = (await sequencer.advance()).size


async def check(town: Town, answered: Mapping[str, int]) -> None:
    """Sequence what was written, then verify it. Raises AssertionError when an entry is missing or the log is not
    intact. `answered` counts the answers over HTTP by path."""
    house, pool = town.house, town.house.grounds.database.pool
    rows = await pool.fetch("select act, count(*) as many from entries group by act")
    counted = {row["act"]: row["many"] for row in rows}
    uses, taken = counted.get("use:person:authorised", 0), counted.get("collect:record:accepted", 0)
    assert uses >= answered.get("/v1/use", 0) > 0, f"{uses} uses in the log, {answered} answered"
    assert taken == answered.get("/v1/collect", 0) > 0, f"{taken} collections in the log, {answered} answered"
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock)
    await _catch_up(sequencer, sum(counted.values()))
    pinned = verifier.Pinned.of([key.vkey for key in house.keys.pinned])
    report = await asyncio.to_thread(verifier.verify_log, house.settings.log, pinned)
    assert report.code == verifier.INTACT, verifier.show(report, as_json=False)
    assert report.size >= sum(counted.values()), "the log is shorter than what was written"
