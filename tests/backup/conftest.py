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
from omonat.backup import marker as markers
from omonat.backup.frames import BEGINNING, Frame, Place, image
from omonat.backup.parts import members
from omonat.backup.replay import frames_after
from omonat.backup.restore import Report, Restoring, prove_again
from omonat.backup.shipper import Shipper
from omonat.backup.sources import Sources, bring_journal, bring_keys, bring_log
from omonat.backup.standing import Stores, check
from omonat.backup.tables import load_tables
from omonat.backup.take import Taking, take
from omonat.base.errors import Refused
from omonat.base.instants import SECOND
from omonat.base.settings import Settings
from omonat.database.embedded import Server
from omonat.database.home import USER
from omonat.database.migrate import migrate
from omonat.database.pool import Database
from omonat.evidence.entry import Entry
from omonat.evidence.sequencer import Sequencer
from omonat.flows.choose import Choosing
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
        folder = await self.backup_into(
            self.place / f"backups-{n}", keys=self.place / f"keys-{n}" if keys else None, **more
        )
        self.clock.forward(SECOND)
        return folder

    async def backup_into(self, folder: Path, *, keys: Path | None = None, **more: Any) -> Path:
        """A backup in a folder of backups, at once."""
        taking = Taking(
            folder=folder, keys=keys, recipients=more.pop("recipients", []),
            keys_recipients=more.pop("keys_recipients", []),
        )  # fmt: skip
        stores, journal = self.house.stores, self.house.grounds.journal
        made, _ = await take(stores, self.house.settings.keys, taking, journal, clock=self.clock, **more)
        return made

    def keys_of(self, backup: Path) -> Path:
        """The keys that were copied with a backup."""
        return self.place / backup.parent.name.replace("backups", "keys") / backup.name

    async def order(self, **more: Any) -> str:
        """Somebody orders; their person id."""
        return (await ordered(self.shop, **more)).person

    async def choose(self, person: str, kind: Any, state: Any, purpose: str = "") -> None:
        self.clock.forward(SECOND)
        await self.house.choose(Choosing(person=person, kind=kind, purpose=purpose, state=state))

    async def check(self) -> None:
        """What a start of this home does."""
        await check(self.house.stores)

    def frames(self) -> list[tuple[Place, Frame]]:
        return list(frames_after(self.house.stores, BEGINNING))

    def images(self) -> list[dict[str, Any]]:
        """Every row of the journal that can still be read."""
        vault = self.house.grounds.vault
        changes = (change for _, frame in self.frames() for deed in frame.deeds for change in deed.changes)
        return [row for change in changes if (row := image(vault, change)) is not None]

    def newest_of_home(self) -> Path:
        """A copy of keys, log and journal as they lie in the home now."""
        copy = self.place / f"old-{next(_numbers)}"
        for name in ("keys", "log", "journal"):
            if (self.home / name).exists():
                shutil.copytree(self.home / name, copy / name)
        return copy


async def subscriber(town: Town) -> str:
    email = {"contact.email": "dilnoza@example.uz"}
    person = await town.order(items=town.shop.order_items(**email))
    await town.choose(person, "consent", "given", "marketing-email")
    return person


async def erase(town: Town, person: str) -> None:
    """What the vault and the tables go through when somebody is erased."""
    house = town.house
    async with house.grounds.database.transaction() as connection:
        row = await connection.fetchrow("select slot, evidence_slot from persons where id = $1", person)
        await connection.execute(
            "update persons set erased_at = $2, standing = null where id = $1", person, town.clock()
        )
        await connection.execute("delete from lookups where person = $1", person)
        now = town.clock()
        entry = Entry("ev_" + person[4:], now, "erasure:person:hidden", {})
        await house.grounds.journal.append(connection, [entry], now=now)
    house.grounds.vault.destroy_slots([row["slot"], row["evidence_slot"]])


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
        sources = _sources(backup, keys=keys, copies=copies, identities=more.pop("identities", []))
        bring_keys(self.home, sources)
        vault = Vault.open(self.home, root_key(self.settings.root_key), copying_storage_ok=True)
        bring_journal(self.home, sources, vault)
        bring_log(self.home, sources)
        async with self._stores(self.home, vault, sources.manifest.origin) as stores:
            return await Restoring(stores, sources, self.home, self.clock, reached=self.reached, **more).run()

    async def load_data_only(self, backup: Path) -> None:
        """The tables as they were, by hand, without anything else."""
        manifest, _ = manifests.read(backup)
        await migrate(self.dsn)
        connection = await asyncpg.connect(self.dsn, server_settings={"search_path": "omonat"})
        async with connection.transaction():
            await connection.execute("select control_notes(false)")
            await load_tables(connection, manifest.tables, members(backup, manifest.part("data"), []))
            await connection.execute("select control_notes(true)")
        await connection.close()

    async def check_beside(self, home: Path) -> None:
        """What a start does with this database beside the keys, log and journal of `home`. Raises Fault."""
        settings = Settings(**{**_values(self.settings), "home": home})
        vault = Vault.open(home, root_key(settings.root_key), copying_storage_ok=True)
        async with self._stores(home, vault, "localhost:8600/log") as stores:
            await check(stores)

    @asynccontextmanager
    async def _stores(self, home: Path, vault: Vault, origin: str) -> AsyncIterator[Stores]:
        database = await Database.connect(self.dsn, size=4)
        try:
            settings = Settings(**{**_values(self.settings), "home": home})
            yield stores_of(settings, database, vault, log_keys(vault, origin))
        finally:
            await database.close()

    async def prove_again(self, house: House) -> Report:
        return await prove_again(house.stores, self.home, clock=self.clock)

    def refuses_to_serve(self) -> bool:
        try:
            markers.refuse(self.home)
        except Refused:
            return True
        return False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[House]:
        async with open_house(self.settings, clock=self.clock) as house:
            yield house


def _values(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def _sources(backup: Path, *, keys: Path | None, copies: tuple[Path, ...], identities: list[Any]) -> Sources:
    manifest, signed = manifests.read(backup)
    return Sources(backup=backup, manifest=manifest, signed=signed, identities=identities, keys=keys, copies=copies)


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
        dsn = await town.empty()
        settings = Settings(**{**_values(town.house.settings), "home": home, "database": dsn})
        return Ruin(home, dsn, settings, town.clock)

    return make
