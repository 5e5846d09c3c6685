"""The door on a whole house: BESHQOZON's policy in force, its systems, a case with data in it, and somebody to ask.

One house serves a module; each story opens its own orders.
"""

import asyncio
import io
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from litestar import Litestar

from omonat.api import log_route, route
from omonat.base.instants import DAY, Instant, from_rfc3339
from omonat.base.settings import RootSource, Settings
from omonat.database.pool import Database
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import House, open_house
from tests.kept_log import kept_log

POLICIES = Path(__file__).parents[2] / "policies"
START = from_rfc3339("2026-12-01T09:00:00+05:00")
SYSTEMS = {
    "site": ("site", ["system"]),
    "panel": ("counter", ["counter", "courier", "call-centre"]),
    "courier-app": ("courier", ["courier"]),
    "campaigns": ("site", ["marketing"]),
    "officer": ("privacy-center", ["privacy-officer"]),
}


@dataclass
class Clock:
    """Time that stands still until somebody turns it."""

    now: Instant = START

    def __call__(self) -> Instant:
        return self.now


@dataclass
class Door:
    """The door as a caller sees it. `http` speaks to it in process; `credentials` are its systems' by name."""

    house: House
    clock: Clock
    app: Litestar
    http: httpx.AsyncClient
    credentials: dict[str, str]
    logged: io.StringIO
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(41877))

    def bearer(self, system: str = "site", **more: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.credentials[system]}", **more}

    async def ask(
        self, path: str, body: Any = None, *, by: str = "site", method: str = "POST", **headers: str
    ) -> httpx.Response:
        """One request as JSON, by one of the systems."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=body, headers=self.bearer(by, **named))

    async def order(self, **changed: Any) -> dict[str, Any]:
        """An order whose data was taken in and which is assigned to the courier 204."""
        case = f"order:{next(self.numbers)}"
        answer = await self.ask("/v1/collect", {**order_body(case), **changed})
        assert answer.status_code == 201, answer.text
        assigned = await self.ask(f"/v1/cases/{case}", {"assigned": ["204"]}, by="panel", method="PUT")
        assert assigned.status_code == 200, assigned.text
        return answer.json()


def order_body(case: str, **items: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "contact.name": "Dilnoza Karimova",
        "contact.mobile": "+998901234567",
        "contact.postal-address": "Toshkent, Chilonzor, 5-mavze, 12-uy, 34-xonadon",
        "contact.landmark": "Makro doʻkoni yonida",
        "transaction.order-lines": [{"item": "Osh", "count": 2, "price": 4_500_000}],
        "transaction.amount": 9_000_000,
    }
    wanted = {name: value for name, value in (given | items).items() if value is not None}
    return {"service": "order", "version": "1", "case": case, "items": wanted, "accepted": True}


def delivery(case: str, *items: str) -> dict[str, Any]:
    body: dict[str, Any] = {"purpose": "deliver-order", "case": case, "on-behalf-of": "204"}
    return body | ({"items": list(items)} if items else {})


@pytest.fixture(scope="module")
def logged() -> Iterator[io.StringIO]:
    """What this module's door writes into its log."""
    with kept_log() as stream:
        yield stream


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(module_dsn: str, tmp_path_factory: pytest.TempPathFactory, logged: io.StringIO) -> AsyncIterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    home, key, clock = folder / "home", folder / "root.key", Clock()
    home.mkdir(mode=0o700)
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    settings = Settings(
        home=home, database=module_dsn, root_key=RootSource("key-file", key), origin="http://localhost:8600", demo=True
    )
    async with open_house(settings, clock=clock) as house:
        document = (POLICIES / "beshqozon.yaml").read_text("utf-8")
        pack = (POLICIES / "packs" / "uz.yaml").read_text("utf-8")
        await house.publish(Publication(document=document, packs={"uz": pack}, author="staff:1", approver="staff:2"))
        credentials = {
            name: await house.clients.issue(name=name, source=source, roles=roles)
            for name, (source, roles) in SYSTEMS.items()
        }
        trained = Instant(clock.now + 365 * DAY)
        for ref, role in (("204", "courier"), ("501", "marketing")):
            await house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="test")
        app = Litestar([route(lambda: house), log_route(lambda: house)], openapi_config=None, logging_config=None)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as http:
            yield Door(house, clock, app, http, credentials, logged)


@dataclass(frozen=True)
class Served:
    """A real web server on loopback."""

    url: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(door: Door) -> AsyncIterator[Served]:
    """The door behind uvicorn, on this test's own event loop: as in production, but for the number of processes."""
    config = uvicorn.Config(door.app, host="127.0.0.1", port=0, log_config=None, server_header=False, lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign]  # the test run keeps its own
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn offers no event to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}")
    server.should_exit = True
    await serving


async def everything_written(database: Database) -> str:
    """All rows of all tables as text, sealed and binary columns as they lie there (hex and escaped)."""
    written = []
    async with database.connection() as connection:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'omonat'")
        for table in tables:
            name = table["tablename"]
            rows = await connection.fetch(f'select t::text as row from "{name}" t')
            written += [row["row"] for row in rows]
        raw = await connection.fetch("select encode(body, 'escape') as body from entries")
        written += [row["body"] for row in raw]
    return "\n".join(written)
