"""A link for a bill by hand, as an operator types it (A3)."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from omonat.flows.visit_links import MADE
from omonat.house import open_house, system_clock
from tests.erasure.stories import ordered
from tests.flows.conftest import Clock, furnish, settings_for

ROOT = Path(__file__).parents[2]


async def test_A3_an_operator_gets_a_link_and_its_qr_in_a_file_and_it_is_an_entry(dsn: str, tmp_path: Path) -> None:
    settings, drawn = settings_for(dsn, tmp_path), tmp_path / "bill.svg"
    async with open_house(settings) as house:
        order = await ordered(await furnish(house, Clock(system_clock())))

    async def omonat(*words: str) -> "subprocess.CompletedProcess[str]":
        assert settings.root_key is not None
        own = {
            "OMONAT_HOME": str(settings.home),
            "OMONAT_ROOT_KEY": f"key-file:{settings.root_key.path}",
            "OMONAT_DATABASE": dsn,
            "OMONAT_DEMO": "true",
            "OMONAT_LANGUAGE": "en",
            "OMONAT_ORIGIN": settings.origin,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        return await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "omonat", "visit", "link", *words], env={**clean, **own}, cwd=ROOT,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    made = await omonat(order.case or "", "--qr", str(drawn))
    assert made.returncode == 0, made.stderr
    address, _, until = made.stdout.strip().partition("\t")
    assert until.endswith("Z")
    assert drawn.read_text("ascii").startswith("<svg ")
    assert drawn.stat().st_mode & 0o077 == 0
    unknown = await omonat("order:nobody-1")
    assert (unknown.returncode, unknown.stdout) == (6, "")
    async with open_house(settings) as house:
        assert await house.visit_links.look(address.rpartition("/")[2]) is not None
        (entry,) = [e for e in await house.my_data.everybody_who_looked(order.person) if e.act == MADE]
        assert entry.facts["by"] == "operator"
