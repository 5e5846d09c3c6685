"""The door on a real house: what was published is what people read; which version is in force is asked each time."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from litestar import Litestar

from omonat.base.instants import DAY, Instant, from_rfc3339
from omonat.base.settings import RootSource, Settings
from omonat.flows.publish_policy import Publication
from omonat.house import House, open_house
from omonat.site import handlers

POLICIES = Path(__file__).parents[2] / "policies"
HOME = "/page/privacy-policy"
START = from_rfc3339("2026-11-22T09:00:00+05:00")


class Clock:
    """Time that stands still until somebody turns it."""

    now = START

    def __call__(self) -> Instant:
        return self.now


@pytest_asyncio.fixture(name="clock", loop_scope="session")
async def a_clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture(name="house", loop_scope="session")
async def an_open_house(dsn: str, tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    home, key = tmp_path / "home", tmp_path / "root.key"
    home.mkdir(mode=0o700)
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    source = RootSource("key-file", key)
    settings = Settings(home=home, database=dsn, root_key=source, origin="https://privacy.beshqozon.uz", demo=True)
    async with open_house(settings, clock=clock) as house:
        yield house


def _reader(house: House) -> httpx.AsyncClient:
    app = Litestar(handlers(lambda: house), openapi_config=None, logging_config=None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://privacy.beshqozon.uz")


async def _publish(house: House, version: str, effective: str) -> bytes:
    text = (POLICIES / "beshqozon.yaml").read_text("utf-8")
    text = text.replace('version: "1"', f'version: "{version}"', 1)
    text = text.replace("effective: 2026-11-01", f"effective: {effective}", 1)
    packs = {"uz": (POLICIES / "packs" / "uz.yaml").read_text("utf-8")}
    await house.publish(Publication(document=text, packs=packs, author="staff:1", approver="staff:2"))
    return text.encode()


async def test_P1_P3_the_published_version_is_read_and_the_next_one_when_its_day_has_come(
    house: House, clock: Clock
) -> None:
    async with _reader(house) as reader:
        assert (await reader.get(HOME)).status_code == 404

        first = await _publish(house, "1", "2026-11-01")
        page = await reader.get(HOME, params={"lang": "en"})
        assert "Version 1, in force since" in page.text
        assert "max-age" in page.headers["strict-transport-security"]
        assert (await reader.get(f"{HOME}/v/1/policy.yaml")).content == first

        await _publish(house, "2", "2026-12-01")
        assert "Version 1, in force since" in (await reader.get(HOME, params={"lang": "en"})).text
        coming = (await reader.get(f"{HOME}/v/2", params={"lang": "en"})).text
        assert "takes effect on 1\u00a0December\u00a02026" in coming
        assert "another version than the one in force" in coming

        clock.now = Instant(START + 10 * DAY)
        await house.publish.activate_due()
        assert "Version 2, in force since" in (await reader.get(HOME, params={"lang": "en"})).text
        assert "Version 1" in (await reader.get(f"{HOME}/history", params={"lang": "en"})).text


async def test_before_the_first_checkpoint_the_foot_claims_no_proof(house: House) -> None:
    await _publish(house, "1", "2026-11-01")
    async with _reader(house) as reader:
        page = await reader.get(HOME, params={"lang": "en"})
    assert page.status_code == 200
    assert "checkpoint" not in page.text.partition('<footer class="foot">')[2]


async def test_P3_the_policy_can_be_read_while_the_database_is_away(house: House) -> None:
    await _publish(house, "1", "2026-11-01")
    async with _reader(house) as reader:
        before = await reader.get(HOME, params={"lang": "ru"})
        await house.grounds.database.close()
        away = await reader.get(HOME, params={"lang": "ru"})
    assert (before.status_code, away.status_code) == (200, 200)
    assert away.text == before.text
