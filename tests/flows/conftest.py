"""A whole house on a fresh database, BESHQOZON's policy in force, and a clock the test turns."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.instants import DAY, Instant, from_rfc3339
from omonat.base.settings import RootSource, Settings
from omonat.flows.clients import parse_credential
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import Credential
from omonat.house import House, open_house, set_up_doors

POLICIES = Path(__file__).parents[2] / "policies"
START = from_rfc3339("2026-11-22T09:00:00+05:00")


@dataclass
class Clock:
    """Time that stands still until somebody turns it."""

    now: Instant = START

    def __call__(self) -> Instant:
        return self.now

    def forward(self, microseconds: int) -> None:
        self.now = Instant(self.now + microseconds)


@dataclass
class Shop:
    """BESHQOZON with its systems and staff: what most stories need."""

    house: House
    clock: Clock
    credentials: dict[str, Credential] = field(default_factory=dict)
    orders: int = 0

    def order_items(self, **changed: object) -> dict[str, object]:
        items: dict[str, object] = {
            "contact.name": "Dilnoza Karimova",
            "contact.mobile": "+998901234567",
            "contact.postal-address": "Toshkent, Chilonzor, 5-mavze, 12-uy, 34-xonadon",
            "contact.landmark": "Makro doʻkoni yonida",
            "transaction.order-lines": [{"item": "Osh", "count": 2, "price": 4_500_000}],
            "transaction.amount": 9_000_000,
        }
        return {k: v for k, v in (items | changed).items() if v is not None}


def document(**replaced: str) -> str:
    """BESHQOZON's policy as text, with exact pieces of it replaced."""
    text = (POLICIES / "beshqozon.yaml").read_text("utf-8")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def without_newsletter() -> str:
    """A second version that has no newsletter any more, nor the channel it asks for."""
    text = document()
    start = text.index("\n  newsletter:\n", text.index("\nservices:"))
    dropped = text[:start] + text[text.index("\n  survey:\n", start) :]
    return dropped.replace('version: "1"', 'version: "2"', 1)


def packs() -> dict[str, str]:
    return {"uz": (POLICIES / "packs" / "uz.yaml").read_text("utf-8")}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings_for(dsn: str, folder: Path) -> Settings:
    """Settings of a fresh installation in `folder`."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    key = folder / "root.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    return Settings(
        home=home, database=dsn, root_key=RootSource("key-file", key), origin="http://localhost:8600", demo=True
    )


async def furnish(house: House, clock: Clock) -> Shop:
    """The policy in force, the company's systems, and a few of its staff."""
    await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
    await set_up_doors(house)
    return await staffed(house, clock)


async def at_the_command_line(shop: Shop, *words: str) -> "subprocess.CompletedProcess[str]":
    """What `omonat …` says of this house, in English, in a process of its own."""
    settings = shop.house.settings
    assert settings.root_key is not None
    environment = {
        **os.environ,
        "OMONAT_HOME": str(settings.home),
        "OMONAT_DATABASE": str(settings.database),
        "OMONAT_ROOT_KEY": f"{settings.root_key.kind}:{settings.root_key.path}",
        "OMONAT_ORIGIN": settings.origin,
        "OMONAT_DEMO": "yes",
        "OMONAT_LANGUAGE": "en",
    }
    command = [sys.executable, "-m", "omonat", *words]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )


async def staffed(house: House, clock: Clock) -> Shop:
    shop = Shop(house, clock)
    systems = {
        "site": ("site", ["system"]),
        "panel": ("counter", ["counter", "courier", "call-centre"]),
        "courier-app": ("courier", ["courier"]),
        "campaigns": ("site", ["marketing"]),
        "books": ("counter", ["finance"]),
    }
    for name, (source, roles) in systems.items():
        shop.credentials[name] = parse_credential(await house.clients.issue(name=name, source=source, roles=roles))
    trained = Instant(clock.now + 365 * DAY)
    for ref, role in (
        ("204", "courier"),
        ("205", "courier"),
        ("301", "counter"),
        ("401", "call-centre"),
        ("501", "marketing"),
    ):
        await house.staff.put(Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained), by="test")
    return shop


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return settings_for(dsn, tmp_path)


@pytest_asyncio.fixture(loop_scope="session")
async def house(settings: Settings, clock: Callable[[], Instant]) -> AsyncIterator[House]:
    async with open_house(settings, clock=clock) as house:
        await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def shop(house: House, clock: Clock) -> Shop:
    return await staffed(house, clock)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """As `shop`, shared by the tests of one module that leave each other's people alone."""
    clock = Clock()
    async with open_house(settings_for(module_dsn, tmp_path_factory.mktemp("street")), clock=clock) as house:
        yield await furnish(house, clock)
