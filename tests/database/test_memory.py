"""How much memory the embedded server takes: an eighth of what there is, so that what is asked for stays in it."""

from pathlib import Path

import pytest

from omonat.database.embedded import memory, memory_settings
from omonat.database.pool import Database


@pytest.mark.parametrize(
    ("there", "shared", "cached"),
    [(400, 64, 200), (2_048, 256, 1_024), (24_576, 3_072, 12_288), (10**6, 4_096, 500_000)],
)
def test_growth_the_database_takes_more_where_there_is_more_and_never_more_than_it_may(
    there: int, shared: int, cached: int
) -> None:
    assert memory_settings(there) == {"shared_buffers": f"{shared}MB", "effective_cache_size": f"{cached}MB"}


@pytest.mark.parametrize(
    ("listed", "limit"),
    [
        ("0::/shop.slice/omonat.service", "memory.max"),
        ("4:cpu,memory:/shop.slice/omonat.service", "memory.limit_in_bytes"),
    ],
)
def test_growth_a_container_or_a_unit_that_is_given_less_than_the_machine_has_counts(
    tmp_path: Path, listed: str, limit: str
) -> None:
    ours = tmp_path / "ours"
    root = tmp_path if listed.startswith("0:") else tmp_path / "memory"
    unit = root / "shop.slice/omonat.service"
    unit.mkdir(parents=True)
    whole = memory(tmp_path, ours)
    assert whole > 400, "nothing is said of any limit"
    ours.write_text(f"9:name=systemd:/\n{listed}\n", "ascii")
    (unit / limit).write_text("max\n", "ascii")
    assert memory(tmp_path, ours) == whole
    (unit.parent / limit).write_text(f"{400 * 2**20}\n", "ascii")
    assert memory(tmp_path, ours) == 400, "one around it"
    (unit / limit).write_text(f"{300 * 2**20}\n", "ascii")
    assert memory(tmp_path, ours) == 300
    ours.write_text("0::/../../elsewhere\n", "ascii")
    (root / limit).write_text(f"{350 * 2**20}\n", "ascii")
    assert memory(tmp_path, ours) == 350, "what the container itself is given"


async def test_growth_the_server_runs_with_what_was_reckoned(database: Database) -> None:
    bytes_of = "select setting::bigint * 8192 from pg_settings where name = 'shared_buffers'"
    reckoned = int(memory_settings(memory())["shared_buffers"].removesuffix("MB")) * 2**20
    assert await database.pool.fetchval(bytes_of) == reckoned
