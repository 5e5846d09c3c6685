"""A living installation, backups of it, and restores into homes of their own, each on a fresh real database."""
# ruff: noqa: F401, F811 - fixtures

import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from omonat.backup import manifest as manifests
from omonat.backup.parts import identities_of
from omonat.backup.restore import Report, Restoring
from omonat.backup.shipper import Shipper
from omonat.backup.sources import Sources, bring_journal, bring_keys, bring_log
from omonat.backup.take import Taking, take
from omonat.base.instants import SECOND
from omonat.base.settings import Settings
from omonat.database.embedded import Server
from omonat.database.home import USER
from omonat.database.migrate import migrate
from omonat.database.pool import Database
from omonat.evidence.sequencer import Sequencer
from omonat.flows.choose import Choosing
from omonat.flows.use import UseRequest
from omonat.house import House, log_keys, open_house, root_key, stores_of
from omonat.vault.vault import Vault
from tests.adversary.conftest import ordered
from tests.flows.conftest import Clock, Shop, clock, house, settings, shop

_numbers = itertools.count(1)


@dataclass
class Town:
    """BESHQOZON with its shipper and sequencer, turned by hand, and a place for backups and copies."""

    shop: Shop
    place: Path
    sequencer: Sequencer
    shipper: Shipper
    empty: Callable[[], Awaitable[str]]
    clock: Clock

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def home(self) -> Path:
        return self.house.settings.home

    @property
    def copies(self) -> Path:
        """The second place."""
        return self.place / "second"

    async def settle(self) -> None:
        """Everything committed is in log and journal, as it is seconds later."""
        self.clock.forward(10 * SECOND)
        assert await self.sequencer.open()
        await self.sequencer.advance()
        assert await self.shipper.open()
        await self.shipper.ship()

    async def backup(self, *, keys: bool = True, **more: Any) -> Path:
        """A backup as of now, in a folder of its own; its keys elsewhere."""
        await self.settle()
        n = next(_numbers)
        taking = Taking(
            folder=self.place / f"backups-{n}", keys=self.place / f"keys-{n}" if keys else None,
            recipients=more.pop("recipients", []), keys_recipients=more.pop("keys_recipients", []),
        )  # fmt: skip
        folder, _ = await take(
            self.house.stores, self.house.settings.keys, taking, self.house.grounds.journal, clock=self.clock, **more
        )
        self.clock.forward(SECOND)
        return folder

    async def order(self, **more: Any) -> str:
        """Somebody orders; their person id."""
        return (await ordered(self.shop, **more)).person

    async def choose(self, person: str, kind: Any, state: Any, purpose: str = "") -> None:
        self.clock.forward(SECOND)
        await self.house.choose(Choosing(person=person, kind=kind, purpose=purpose, state=state))

    def newest_of_home(self) -> Path:
        """A copy of keys, log and journal as they lie in the home now."""
        copy = self.place / f"old-{next(_numbers)}"
        for name in ("keys", "log", "journal"):
            if (self.home / name).exists():
                shutil.copytree(self.home / name, copy / name)
        return copy


@dataclass
class Ruin:
    """An empty home to restore into, with what is at hand."""

    home: Path
    dsn: str
    settings: Settings
    clock: Clock
    reached: Callable[[str], None] = field(default=lambda _step: None)

    async def restore(
        self, backup: Path, *, keys: Path | None = None, copies: tuple[Path, ...] = (), **more: Any
    ) -> Report:
        """What `omonat restore` does."""
        manifest, signed = manifests.read(backup)
        sources = Sources(
            backup=backup,
            manifest=manifest,
            signed=signed,
            identities=more.pop("identities", []),
            keys=keys,
            copies=copies,
        )
        bring_keys(self.home, sources)
        vault = Vault.open(self.home, root_key(self.settings.root_key), copying_storage_ok=True)
        bring_journal(self.home, sources, vault)
        bring_log(self.home, sources)
        database = await Database.connect(self.dsn, size=4)
        try:
            stores = stores_of(self.settings, database, vault, log_keys(vault, manifest.origin))
            work = Restoring(stores, sources, self.home, self.clock, reached=self.reached, **more)
            return await work.run()
        finally:
            await database.close()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[House]:
        async with open_house(self.settings, clock=self.clock) as house:
            yield house


@pytest_asyncio.fixture(loop_scope="session")
async def town(
    shop: Shop, tmp_path: Path, clock: Clock, server: Server, owner: asyncpg.Connection
) -> AsyncIterator[Town]:
    made: list[str] = []

    async def empty() -> str:
        name = f"ruin_{next(_numbers)}"
        await owner.execute(f"create database {name} owner {USER}")
        made.append(name)
        return server.address.dsn(name)

    house = shop.house
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=clock)
    shipper = Shipper(house.stores, [tmp_path / "second"], clock=clock)
    assert await sequencer.open()
    assert await shipper.open()
    yield Town(shop, tmp_path, sequencer, shipper, empty, clock)
    for name in made:
        await owner.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture(loop_scope="session")
async def ruin(town: Town) -> Callable[[], Awaitable[Ruin]]:
    async def make() -> Ruin:
        home = town.place / f"home-{next(_numbers)}"
        home.mkdir(mode=0o700)
        chosen = {name: getattr(town.house.settings, name) for name in town.house.settings.__struct_fields__}
        dsn = await town.empty()
        return Ruin(home, dsn, Settings(**{**chosen, "home": home, "database": dsn}), town.clock)

    return make
