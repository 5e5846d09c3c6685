"""The Desk as staff meet it: a real house, a real server on this machine, a real browser.

One house and one browser serve the whole module; each story is an hour later than the one before, so that limits and
sessions of the one before are over.
"""

import itertools
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from omonat import desk
from omonat.base.instants import DAY, HOUR, SECOND, Instant
from omonat.base.settings import RootSource, Settings
from omonat.desk import DESK
from omonat.evidence.sequencer import Sequencer
from omonat.flows.cases import PutCase
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.house import House, open_house, set_up_doors
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from tests.flows.conftest import Clock, Shop, document, packs
from tests.site_server import serving

PASSWORD = "toʻrtta uzun oddiy soʻz"
STAFF = {
    "204": "courier",
    "205": "courier",
    "301": "counter",
    "401": "call-centre",
    "501": "marketing",
    "502": "marketing",
    "206": "courier",
    "207": "courier",
    "102": "privacy-officer",
    "103": "privacy-officer",
    "801": "security",
}
_numbers = itertools.count(2_345_600)
_DRAWING = re.compile(r"<svg.*?</svg>", re.DOTALL)
_orders = itertools.count(51_877)
_SYSTEMS = {"site": ("site", ["system"]), "panel": ("counter", ["counter", "courier", "call-centre"])}


@dataclass
class Worker:
    """A staff member's browser: what it asked for and what it complained about."""

    page: Page
    base: str
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    status: int = 0

    async def go(self, path: str) -> int:
        answer = await self.page.goto(self.base + path)
        return answer.status if answer else 0

    async def text(self) -> str:
        return await self.page.inner_text("main")

    async def source(self) -> str:
        """The page as it came, but for its drawings: their coordinates look like the end of any telephone number."""
        return _DRAWING.sub("", await self.page.content())

    async def press(self, selector: str) -> int:
        """Press this and wait for the page it leads to; its status comes back."""
        async with self.page.expect_navigation() as led:
            await self.page.locator(selector).first.click()
        return (await led.value).status

    async def reveal(self, item: str) -> int:
        return await self.press(f"form:has(input[name=item][value='{item}']) button")

    async def look_up(self, by: str, value: str) -> int:
        await self.go("/desk/find")
        await self.page.select_option("#by", by)
        await self.page.fill("#value", value)
        return await self.press("form[action='/desk/find'] button")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base)


@dataclass
class Desk:
    """The door, the house behind it, the staff and the people they work for."""

    shop: Shop
    base: str
    browser: Browser
    sequencer: Sequencer
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def clock(self) -> Clock:
        return self.shop.clock

    def phone(self) -> str:
        return f"+99891{next(_numbers)}"

    async def order(self, *couriers: str, mobile: str | None = None, **more: Any) -> CollectAnswer:
        """Somebody's open order, assigned to these couriers."""
        case = f"order:{next(_orders)}"
        answer = await self.house.collect(
            CollectRequest(
                credential=self.shop.credentials["site"],
                service="order",
                items=self.shop.order_items(**{"contact.mobile": mobile or self.phone()}, **more.pop("items", {})),
                version="1",
                case=case,
                consents=more.pop("consents", {}),
                accepted=True,
                **more,
            )
        )
        await self.house.cases.put(PutCase(credential=self.shop.credentials["panel"], case=case, assigned=couriers))
        return answer

    async def account(self, person: str, mobile: str) -> CollectAnswer:
        """Somebody who ordered opens an account as well."""
        items = self.shop.order_items()
        given = {"contact.name": items["contact.name"], "contact.mobile": mobile, "relationship.age-band": "35-44"}
        credential = self.shop.credentials["site"]
        return await self.house.collect(
            CollectRequest(
                credential=credential, service="registration", items=given, version="1", consents={}, person=person
            )
        )

    async def put_staff(self, ref: str, **changed: Any) -> None:
        """Register a staff member, or change what is said of them."""
        registration = Registration(
            ref=ref,
            name=f"Xodim {ref}",
            role=changed.get("role", STAFF[ref]),
            trained_until=changed.get("trained_until", Instant(self.clock.now + 3650 * DAY)),
            role_until=changed.get("role_until", Instant(self.clock.now + 3650 * DAY)),
            login=f"xodim{ref}",
        )
        await self.house.staff.put(registration, by="test")

    def code(self, ref: str) -> str:
        """The authenticator's next code: half a minute passes, so it was never used."""
        self.clock.forward(30 * SECOND)
        return pyotp.TOTP(self.secrets[ref]).generate_otp(self.clock.now // (30 * SECOND))

    @asynccontextmanager
    async def worker(
        self, ref: str | None = None, language: str = "en", width: int = 1280, scheme: Any = "light", **more: Any
    ) -> AsyncIterator[Worker]:
        """A fresh browser that prefers this language; with `ref` that staff member has signed in."""
        context: BrowserContext = await self.browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, locale=language, **more
        )
        worker = Worker(await context.new_page(), self.base)
        worker.page.on("request", lambda request: worker.asked.append(request.url))
        worker.page.on("console", lambda message: worker.said.append(message.text))
        worker.page.on("pageerror", lambda error: worker.said.append(str(error)))
        if ref is not None:
            assert await self.sign_in(worker, ref) == 200
            assert worker.path == "/desk"
        yield worker
        await context.close()

    async def sign_in(self, worker: Worker, ref: str, *, password: str = PASSWORD, code: str = "") -> int:
        await worker.go("/desk")
        await worker.page.fill("#login", f"xodim{ref}")
        await worker.page.fill("#password", password)
        await worker.page.fill("#code", code or self.code(ref))
        return await worker.press("form[action='/desk/sign-in'] button")

    async def checkpoint(self) -> None:
        """Place and sign what is waiting: in an installation the jobs worker does this every few seconds."""
        assert await self.sequencer.open()
        await self.sequencer.advance()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk_house(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("desk")
    home = folder / "home"
    home.mkdir(mode=0o700)
    key = folder / "root.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(32))
    settings = Settings(
        home=home, database=module_dsn, root_key=RootSource("key-file", key), origin="http://localhost:8600", demo=True
    )
    clock = Clock()
    async with open_house(settings, clock=clock) as house:
        yield Shop(house, clock)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(desk_house: Shop) -> AsyncIterator[str]:
    """The door alone, with the kit's files and its own."""
    routes = [*desk.handlers(lambda: desk_house.house), static_handler([KIT_STATIC, DESK.static])]
    async with serving(routes) as address:
        yield address


@pytest.fixture(scope="module")
def law() -> dict[str, str]:
    """The law packs in force; a module may need others."""
    return packs()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def the_desk(desk_house: Shop, served: str, browser: Browser, law: dict[str, str]) -> Desk:
    house = desk_house.house
    await house.publish(Publication(document=document(), packs=law, author="staff:1", approver="staff:2"))
    await set_up_doors(house)
    for name, (source, roles) in _SYSTEMS.items():
        credential = await house.clients.issue(name=name, source=source, roles=roles)
        desk_house.credentials[name] = parse_credential(credential)
    sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=house.grounds.clock)
    found = Desk(desk_house, served, browser, sequencer)
    for ref in STAFF:
        await found.put_staff(ref)
        found.secrets[ref] = await house.staff.set_secrets(ref, PASSWORD)
    return found


@pytest.fixture(name="desk")
def an_hour_later(the_desk: Desk) -> Desk:
    """The same house, an hour later: limits and sessions of the story before are over."""
    the_desk.clock.forward(HOUR)
    return the_desk
