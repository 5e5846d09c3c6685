"""One installation is made for the run, as an operator makes it; each test gets a copy of its own to treat badly."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from omonat.base.instants import DAY, Instant
from omonat.base.settings import RootSource, Settings
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import House, open_house, set_up_doors, system_clock
from tests.whole.lines import Line, one_to_each
from tests.whole.serving import Installation, Service, serving

POLICIES = Path(__file__).parents[2] / "policies"
SYSTEMS = {
    "site": ("site", ["system"]),
    "panel": ("counter", ["counter", "courier", "call-centre"]),
    "campaigns": ("site", ["marketing"]),
    "officer": ("privacy-center", ["privacy-officer"]),
    "books": ("counter", ["finance"]),
}
_numbers = itertools.count(1)


def new_key(path: Path) -> Path:
    """A root key of its own."""
    path.touch(mode=0o600)
    path.write_bytes(os.urandom(32))
    return path


async def furnish(house: House) -> Installation:
    """The policy in force, the company's systems, two couriers."""
    document = (POLICIES / "beshqozon.yaml").read_text("utf-8")
    packs = {"uz": (POLICIES / "packs" / "uz.yaml").read_text("utf-8")}
    await house.publish(Publication(document=document, packs=packs, author="staff:1", approver="staff:2"))
    await set_up_doors(house)
    credentials = {
        name: await house.clients.issue(name=name, source=source, roles=roles)
        for name, (source, roles) in SYSTEMS.items()
    }
    trained = Instant(house.grounds.clock() + 365 * DAY)
    for ref in ("204", "205"):
        await house.staff.put(Registration(ref=ref, name=f"Xodim {ref}", role="courier", trained_until=trained), by="t")
    security = Registration(ref="801", name="Xodim 801", role="security", trained_until=trained)
    await house.staff.put(security, by="t")
    for name in await house.places.unregistered():  # else it says, rightly, that this machine isn't in the register
        await house.places.add("host", name, proof="Inventar 14", by="801")
    root = house.settings.root_key
    assert root is not None
    return Installation(house.settings.home, root.path, credentials, [key.vkey for key in house.keys.pinned])


def settings_of(home: Path, root_key: Path, dsn: str) -> Settings:
    """The settings `omonat serve` will have, for opening the house from here. The log's name is fixed by the origin."""
    return Settings(home=home, database=dsn, root_key=RootSource("key-file", root_key))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def first(short_folder: Path) -> AsyncIterator[Installation]:
    """An installation that was made and stopped; it is only copied."""
    name = f"w{next(_numbers)}"  # another folder's tests may have made one as well
    home, key = short_folder / name, new_key(short_folder / f"{name}.key")
    server = Server.start(home)
    try:
        await migrate(server.dsn)
        async with open_house(settings_of(home, key, server.dsn), clock=system_clock) as house:
            made = await furnish(house)
    finally:
        server.stop()
    yield made


@pytest.fixture
def installation(first: Installation) -> Iterator[Installation]:
    """A copy for one test."""
    copy = first.copy(first.home.with_name(f"w{next(_numbers)}"))
    yield copy
    shutil.rmtree(copy.home, ignore_errors=True)


@pytest.fixture(scope="session")
def running(first: Installation) -> Iterator[Service]:
    """A service with two web workers, for all tests that leave it running and well."""
    with serving(first.copy(first.home.with_name(f"w{next(_numbers)}"))) as service:
        yield service


@pytest.fixture
def lines(running: Service) -> Iterator[tuple[Line, Line]]:
    """A connection to each of its workers."""
    first, second = one_to_each(running)
    yield first, second
    first.close()
    second.close()
