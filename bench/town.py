"""A town to measure in: a server of its own on a real disk, a house with the policy in force, 100,000 people's orders.

Beside the house's tables stand plain ones with the same values in the clear, as one would write them without us.
People are sealed with the real vault and written with COPY: the rows are those that `collect` would have written.
"""

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.pages import POLICIES
from omonat.app import settle
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, Instant
from omonat.base.settings import RootSource, Settings
from omonat.database.embedded import Server
from omonat.database.migrate import migrate
from omonat.flows.clients import parse_credential
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import Credential
from omonat.house import House, open_house, set_up_doors, system_clock

BUILD = Path(__file__).parents[1] / "build"
COURIERS = 20_000
MOBILE = "contact.mobile"
_NAMES = ("Dilnoza Karimova", "Gulnora Yusupova", "Jasur Toshmatov", "Нодира Рахимова", "Oybek Saidov", "Мария Ким")
_OPERATORS = (90, 91, 93, 94, 95, 97, 98, 99, 88, 77)  # whose numbers of seven digits are all valid
_STREETS = ("Amir Temur koʻchasi", "Chilonzor, 5-mavze", "Yunusobod, 12-mavze", "Buyuk Ipak Yoʻli", "ул. Навои")
_BATCH = 5_000
_PLAIN = """
create table plain_orders (
    id bigint primary key, name text not null, mobile text not null, address text not null, landmark text not null
);
create table plain_taken (id text primary key, at timestamptz not null default now(), document jsonb not null);
create table plain_records (
    id text primary key, person text not null, service text not null, case_id text, version integer not null,
    source text not null, collected_at timestamptz not null, due_at timestamptz, document text not null
);
create index plain_records_by_person on plain_records (person, collected_at desc);
create index plain_records_by_case on plain_records (case_id);
create index plain_records_by_due on plain_records (due_at);
create table plain_readers (id bigint primary key, reads boolean not null);
create table plain_purposed (id bigint primary key, purposes text[] not null, document text not null);
create table plain_log (
    id text primary key, at timestamptz not null default now(), act text not null, body bytea not null
)
"""


class Clock:
    """The machine's time, `ahead` microseconds of it."""

    ahead = 0

    def __call__(self) -> Instant:
        return Instant(system_clock() + self.ahead)


@dataclass(frozen=True, slots=True)
class Town:
    """What the rows of the bench share. `cases` of the house are `order:1` … `order:<people>`, as in `plain_orders`.

    `answered` counts by act what the house answered in this process: each must be in the log.
    """

    house: House
    settings: Settings
    folder: Path
    people: int
    clock: Clock
    answered: Counter[str] = field(default_factory=Counter)
    tokens: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)


def delivery(number: int) -> dict[str, str]:
    """What is known for the delivery of an order: a function of its number, so that every answer can be checked."""
    return {
        "name": _NAMES[number % len(_NAMES)],
        "mobile": f"+998{_OPERATORS[number % len(_OPERATORS)]}{number % 10**7:07d}",
        "postal-address": f"Toshkent, {_STREETS[number % len(_STREETS)]}, {number}-uy",
        "landmark": f"{number % 97}-maktab yonida",
    }


def payment(number: int) -> dict[str, Any]:
    """What else an order's record holds."""
    return {"order-lines": [{"item": "Osh", "count": 1 + number % 4, "price": 4_500_000}], "amount": 4_500_000}


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """A folder of this run below `build/`, gone afterwards: a real disk, which a temporary folder may not be."""
    BUILD.mkdir(exist_ok=True)
    BUILD.chmod(BUILD.stat().st_mode | 0o011)  # the demo makes it closed, and root's PostgreSQL must pass through
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def town(folder: Path, *, people: int) -> AsyncIterator[Town]:
    """The town with its people; everything is stopped at the end."""
    server = Server.start(folder / "server")
    try:
        await migrate(server.dsn)
        settings, clock = settings_of(folder, server.dsn), Clock()
        async with open_house(settings, clock=clock) as house:
            await house.publish(publication((POLICIES / "beshqozon.yaml").read_text("utf-8")))
            await set_up_doors(house)
            here = Town(house, settings, folder, people, clock)
            for name, source, roles in (("site", "site", ["system"]), ("courier-app", "courier", ["courier"])):
                here.tokens[name] = await house.clients.issue(name=name, source=source, roles=roles)
                here.credentials[name] = parse_credential(here.tokens[name])
            await _hire(house)
            await _populate(here)
            settle()  # as a worker does: plain reads gain from it as much as ours
            yield here
    finally:
        server.stop()


def publication(document: str) -> Publication:
    """A document on its way to be published, with the shipped pack."""
    packs = {"uz": (POLICIES / "packs" / "uz.yaml").read_text("utf-8")}
    return Publication(document=document, packs=packs, author="staff:1", approver="staff:2")


def settings_of(folder: Path, dsn: str) -> Settings:
    """Settings of a house below this folder, with a root key of its own."""
    home, key = folder / "house", folder / "root.key"
    home.mkdir(mode=0o700)
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    root = RootSource("key-file", key)
    return Settings(home=home, database=dsn, root_key=root, origin="http://localhost:8600", log_level="warning")


async def _hire(house: House) -> None:
    """Couriers enough that none reaches the hourly cap: one through the flow, the others as copies of its row."""
    trained = Instant(system_clock() + 365 * DAY)
    await house.staff.put(Registration(ref="1", name="Xodim", role="courier", trained_until=trained), by="bench")
    await house.grounds.database.pool.execute(
        """insert into staff (id, ref, role, trained_until, profile, created_at)
           select 'stf_' || n, n::text, s.role, s.trained_until, s.profile, s.created_at
             from staff s, generate_series(2, $1) as n where s.ref = '1'""",
        COURIERS,
    )


async def _populate(here: Town) -> None:
    pool, client = here.house.grounds.database.pool, here.credentials["site"].client
    await pool.execute(_PLAIN)
    for first in range(1, here.people + 1, _BATCH):
        await _populate_some(here, range(first, min(first + _BATCH, here.people + 1)), client)
    await pool.execute("vacuum analyze")


async def _populate_some(here: Town, numbers: range, client: str) -> None:
    """Each person with one open order: two sections under one record, made an hour ago; found by their number."""
    vault, count = here.house.grounds.vault, len(numbers)
    policy, epoch = await here.house.grounds.law.current(), vault.lookup_epoch
    slots = iter(vault.reserve_slots(3 * count))
    at = Instant(system_clock() - HOUR)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
    for number in numbers:
        person, record, case = new_id("per"), new_id("rec"), f"order:{number}"
        person_slot, evidence_slot, record_slot = next(slots), next(slots), next(slots)
        rows["persons"].append((person, person_slot, evidence_slot, "uz", 1, at))
        rows["cases"].append((case, "order", "order", person, client, at, [str(1 + number % COURIERS)]))
        rows["records"].append((record, person, "order", case, 1, record_slot, "site", at, at + DAY, 1))
        for category, items in (("contact", delivery(number)), ("transaction", payment(number))):
            sealed = vault.seal_section(
                person=person, person_slot=person_slot, record=record, record_slot=record_slot,
                category=category, version=1, items=items,
            )  # fmt: skip
            rows["sections"].append((record, category, person, at, sealed))
        found_by = policy.normalise(MOBILE, delivery(number)["mobile"]).lookup or ""
        rows["lookups"].append((person, MOBILE, epoch, vault.lookup_digest(MOBILE, found_by, epoch=epoch), at))
        rows["plain_orders"].append((number, *delivery(number).values()))
    async with here.house.grounds.database.transaction() as connection:
        for table, columns in _TABLES.items():
            await connection.copy_records_to_table(table, records=rows[table], columns=columns)


_TABLES = {
    "persons": ("id", "slot", "evidence_slot", "language", "told", "created_at"),
    "cases": ("id", "kind", "service", "person", "opened_by", "opened_at", "assigned"),
    "records": (
        "id",
        "person",
        "service",
        "case_id",
        "version",
        "slot",
        "source",
        "collected_at",
        "due_at",
        "due_under",
    ),
    "sections": ("record", "category", "person", "collected_at", "sealed"),
    "lookups": ("person", "item", "epoch", "digest", "since"),
    "plain_orders": ("id", "name", "mobile", "address", "landmark"),
}


def some_order(town: Town, chance: random.Random) -> int:
    """The number of an order, drawn by lot."""
    return chance.randint(1, town.people)
