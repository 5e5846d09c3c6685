"""`omonat prove` as an operator types it, and as the machine cuts it off."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from omonat.base.errors import Unavailable
from omonat.base.settings import Settings
from omonat.flows.publish_policy import Publication
from omonat.house import open_house, set_up_doors
from omonat.proving.run import prove
from tests.flows.conftest import document, packs, settings_for
from tests.proving.conftest import places_in_the_register

ROOT = Path(__file__).parents[2]


@dataclass
class Place:
    """An installation whose service is not running, and a way to look at its tables."""

    settings: Settings
    connection: asyncpg.Connection

    def prove(self, *words: str) -> "subprocess.Popen[str]":
        assert self.settings.root_key is not None
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}
        own = {
            "OMONAT_HOME": str(self.settings.home),
            "OMONAT_ROOT_KEY": f"key-file:{self.settings.root_key.path}",
            "OMONAT_DATABASE": str(self.settings.database),
            "OMONAT_DEMO": "true",
            "OMONAT_LANGUAGE": "uz",
            "OMONAT_PORT": "1",
            "OMONAT_ORIGIN": self.settings.origin,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "omonat", "prove", *words],
            env={**clean, **own}, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    async def ended(self, *words: str) -> tuple[int, str, str]:
        """One command, to its end."""
        command = self.prove(*words)
        said, told = await asyncio.to_thread(command.communicate, timeout=120)
        return command.returncode, said, told

    async def value(self, statement: str) -> Any:
        return await self.connection.fetchval(statement)

    async def living(self) -> int:
        return int(await self.value("select count(*) from persons where erased_at is null"))


@pytest_asyncio.fixture(loop_scope="session")
async def place(dsn: str, tmp_path: Path) -> AsyncIterator[Place]:
    settings = settings_for(dsn, tmp_path)
    async with open_house(settings) as house:
        await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        await places_in_the_register(house, house.grounds.clock())
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "omonat"})
    yield Place(settings, connection)
    await connection.close()


async def test_A1_a_run_killed_half_way_is_cleaned_up_after_by_the_next(place: Place) -> None:
    command = place.prove()
    end = time.monotonic() + 60
    while await place.living() < 3:  # somebody is there, in the middle of it all
        assert command.poll() is None
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    command.send_signal(signal.SIGKILL)
    await asyncio.to_thread(command.communicate)
    left = await place.living()
    assert left >= 3
    assert await place.value("select count(*) from cases where closed_at is null") > 0
    assert await place.value("select count(*) from work_items where rule = 'proving' and closed_at is null") == 1

    async with open_house(place.settings) as house:
        with pytest.raises(Unavailable):  # the one that died is still waited for
            await prove(house, ["C1"])
        await place.connection.execute("update leases set until = now() where name = 'proving'")  # two minutes later
        proof = await prove(house, ["C1", "S2"])
    assert proof.exit == 0
    assert proof.seen_off >= left + 2
    assert proof.left == []

    assert await place.living() == 0
    for nothing in (
        "select count(*) from cases where closed_at is null or person is not null",
        "select count(*) from clients where name like 'omonat-prove%' and until > now()",
        "select count(*) from staff where role_until > now() and ref <> '801'",
        "select count(*) from work_items where closed_at is null",
        "select count(*) from sections",
        "select count(*) from lookups",
        "select count(*) from outbox",
        "select count(*) from system_notices where state <> 'acknowledged'",
    ):
        assert await place.value(nothing) == 0, nothing


async def test_A1_the_table_is_for_people_and_the_exit_code_for_machines(place: Place) -> None:
    code, said, told = await place.ended("--only", "P3,L4")
    assert code == 3, told
    assert "?" in said
    assert "ochiq manzilda xizmat ishlamayapti" in said
    assert "qurilmagan" in said
