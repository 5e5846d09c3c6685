"""No statement of the witness reads more as the log grows."""

from typing import Any

import pytest

from omonat.database import statements
from omonat.database.codecs import FOREVER
from omonat.database.pool import Database

SAMPLES = {
    "running": [5, 7],
    "unseen": 30_000,
    "ahead": 30_100,
    "most": 100,
    "start": 21_908,
    "until": 30_100,
    "id": "ev_77",
    "person": "per_5",
    "before_at": FOREVER,
    "before_entry": "",
}
READS = [
    ("sequencer.sql", "border"),
    ("sequencer.sql", "fresh"),
    ("sequencer.sql", "to_publish"),
    ("reader.sql", "placed"),
    ("reader.sql", "waiting"),
    ("reader.sql", "of_person"),
]
FILL = """
insert into entries (txid, id, at, act, body, leaf)
    select n, 'ev_' || n, now(), 'a:b', 'x'::bytea, sha256('x'::bytea) from generate_series(1, 30000) n;
insert into placements select n, 'ev_' || n, n from generate_series(1, 30000) n;
insert into ledger (person, at, entry, txid)
    select 'per_' || n % 1000, now(), 'ev_' || n, n from generate_series(1, 30000) n;
analyze entries, placements, ledger;
"""


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_design_nothing_hot_scans_the_log(module_database: Database, mode: str) -> None:
    async with module_database.transaction() as connection:
        if not await connection.fetchval("select exists (select from entries)"):
            await connection.execute(FILL)
        await connection.execute(f"set local plan_cache_mode = {mode}")
        for file, name in READS:
            queries: Any = statements.load("omonat.evidence", file)
            values = [SAMPLES[parameter] for parameter in statements.order(queries, name)]
            plan = await connection.fetch(f"explain (costs off) {getattr(queries, name).sql}", *values)
            lines = [row[0] for row in plan]
            assert not [line for line in lines if "Seq Scan" in line and "evidence_log" not in line], (name, lines)
