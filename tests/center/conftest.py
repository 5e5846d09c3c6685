"""The Privacy Center as people meet it: a real house, a real server on this machine, a real browser.

One house and one browser serve the whole module; each story brings its own people, with phone numbers nobody else has.
"""

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from omonat import center
from omonat.base.instants import DAY, HOUR, SECOND, Instant
from omonat.base.settings import RootSource, Settings
from omonat.center import CENTER
from omonat.evidence.sequencer import Sequencer
from omonat.flows.cases import PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import House, open_house, set_up_doors
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.promises.messages import sealing_context, unpack
from tests.flows.conftest import Clock, Shop, document, packs
from tests.site_server import serving

_numbers = itertools.count(1_000_000)
_orders = itertools.count(41_877)
_SYSTEMS = {
    "site": ("site", ["system"]),
    "panel": ("counter", ["counter", "courier", "call-centre"]),
    "courier-app": ("courier", ["courier"]),
    "campaigns": ("site", ["marketing"]),
}


@dataclass
class Reader:
    """Somebody with a browser: what it asked for and what it complained about."""

    page: Page
    base: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def go(self, path: str) -> int:
        answer = await self.page.goto(self.base + path)
        return answer.status if answer else 0

    async def text(self) -> str:
        return await self.page.inner_text("main")

    async def press(self, label: str) -> None:
        """Press the button or link of this name, and wait for the page it leads to."""
        target = self.page.locator(f"main button:has-text('{label}'), main a:has-text('{label}')").first
        async with self.page.expect_navigation():
            await target.click()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base)


@dataclass
class Center:
    """The door, the house behind it, and the people it is for."""

    shop: Shop
    base: str
    browser: Browser
    sequencer: Sequencer

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def clock(self) -> Clock:
        return self.shop.clock

    def phone(self) -> str:
        return f"+99890{next(_numbers)}"

    async def customer(self, mobile: str | None = None, **more: Any) -> tuple[CollectAnswer, str]:
        """Somebody who ordered, and the phone they gave."""
        phone = mobile or self.phone()
        wanted = CollectRequest(
            credential=self.shop.credentials["site"],
            service="order",
            items=self.shop.order_items(**{"contact.mobile": phone}, **more.pop("items", {})),
            version="1",
            consents=more.pop("consents", {}),
            case=f"order:{next(_orders)}",
            accepted=True,
            **more,
        )
        return await self.house.collect(wanted), phone

    async def deliver(self, case: str | None, staff: str = "204", *items: str) -> UseAnswer:
        """The courier looks at what the delivery needs."""
        return await self.house.use(
            UseRequest(
                credential=self.shop.credentials["courier-app"],
                purpose="deliver-order",
                case=case,
                on_behalf_of=staff,
                items=items,
            )
        )

    async def assign(self, case: str | None, *refs: str) -> None:
        await self.house.cases.put(PutCase(credential=self.shop.credentials["panel"], case=case or "", assigned=refs))

    async def code(self, person: str | None = None, template: str = "sign-in-code") -> str:
        """The newest code on its way, to this person or to anybody, read as the jobs worker reads it."""
        pool = self.house.grounds.database.pool
        row = await pool.fetchrow(
            "select o.id, o.sealed, p.slot from outbox o join persons p on p.id = o.person "
            "where coalesce(o.person = $1, true) and o.template = $2 "
            "order by o.created_at desc, o.id desc limit 1",
            person,
            template,
        )
        assert row is not None
        vault = self.house.grounds.vault
        return str(unpack(vault.open_value(sealing_context(row["id"]), row["sealed"], slot=row["slot"]))["code"])

    @asynccontextmanager
    async def reader(
        self, language: str = "en", width: int = 390, scheme: Any = "light", **more: Any
    ) -> AsyncIterator[Reader]:
        """A fresh browser that prefers this language."""
        context: BrowserContext = await self.browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language, **more
        )
        reader = Reader(await context.new_page(), self.base)
        reader.page.on("request", lambda request: reader.asked.append(request.url))
        reader.page.on("console", lambda message: reader.said.append(message.text))
        reader.page.on("pageerror", lambda error: reader.said.append(str(error)))
        yield reader
        await context.close()

    async def ask_code(self, reader: Reader, typed: str) -> None:
        self.clock.forward(SECOND)
        await reader.go("/me")
        await reader.page.fill("#who", typed)
        await reader.page.locator("main form button").click()

    async def enter(self, reader: Reader, code: str) -> None:
        await reader.page.fill("#code", code)
        async with reader.page.expect_navigation():
            await reader.page.locator("main form[action='/me/code'] button").click()

    async def prove(self, reader: Reader, number: str) -> None:
        await reader.page.fill("#order", number)
        async with reader.page.expect_navigation():
            await reader.page.locator("form[action='/me/order'] button").click()

    async def sign_in(self, reader: Reader, phone: str, person: str) -> None:
        await self.ask_code(reader, phone)
        await self.enter(reader, await self.code(person))
        assert reader.path == "/me"

    async def checkpoint(self) -> None:
        """Place and sign what is waiting: in an installation the jobs worker does this every few seconds."""
        assert await self.sequencer.open()
        await self.sequencer.advance()


def settings_in(folder: Path, dsn: str) -> Settings:
    """Settings of a new installation with its keys in this folder."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    key = folder / "root.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    return Settings(
        home=home, database=dsn, root_key=RootSource("key-file", key), origin="http://localhost:8600", demo=True
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def center_house(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    clock = Clock()
    async with open_house(settings_in(tmp_path_factory.mktemp("center"), module_dsn), clock=clock) as house:
        yield Shop(house, clock)


async def opened(shop: Shop) -> None:
    """Put the policy into force and the company's systems and staff into place."""
    house, clock = shop.house, shop.clock
    await house.publish(Publication(document=document(), packs=packs(), author="staff:1", approver="staff:2"))
    await set_up_doors(house)
    for name, (source, roles) in _SYSTEMS.items():
        shop.credentials[name] = parse_credential(await house.clients.issue(name=name, source=source, roles=roles))
    trained = Instant(clock.now + 3650 * DAY)
    for ref, role in (("204", "courier"), ("205", "courier"), ("501", "marketing")):
        await house.staff.put(Registration(ref=ref, name=f"Xodim {ref}", role=role, trained_until=trained), by="test")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(center_house: Shop) -> AsyncIterator[str]:
    """The door alone, with the kit's files and its own."""
    routes = [*center.handlers(lambda: center_house.house), static_handler([KIT_STATIC, CENTER.static])]
    async with serving(routes) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def the_center(center_house: Shop, served: str, browser: Browser) -> Center:
    await opened(center_house)
    house = center_house.house
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock)
    return Center(center_house, served, browser, sequencer)


@pytest.fixture(name="center")
def an_hour_later(the_center: Center) -> Center:
    """The same house, an hour later: limits and sessions of the story before are over."""
    the_center.clock.forward(HOUR)
    return the_center
