"""The cookie dialog as people meet it: a real house, a shop's pages on the same origin, a real browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from litestar import Litestar, Request, get
from litestar.params import FromPath
from litestar.response import Response
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from omonat import center, site
from omonat.base.instants import Instant
from omonat.center import CENTER
from omonat.evidence.sequencer import Sequencer
from omonat.house import House, open_house, system_clock
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.promises.cookies.rule import CHOICE
from tests.center.conftest import Center, opened, settings_in
from tests.flows.conftest import Clock, Shop
from tests.ports import free_port

STRANGER = "stats.tracker.example"
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">
<script src="/site/consent.js" defer></script>
<script type="text/plain" data-omonat="optimise-technology" src="/shop/speed.js"></script>{more}</head>
<body><main><h1>Shop</h1><p>{text}</p><form><label>Dish <input name="dish"></label></form></main>
<footer><p><a href="/me/cookies" data-omonat-open>Cookies</a></p></footer></body></html>"""
_SPEED = 'window.measured = true; document.cookie = "speed=slow; path=/; max-age=9999"'
_FILES = {
    "speed.js": _SPEED,
    "rogue.js": 'document.cookie = "_visitor_48213=secret-value; path=/";'
    ' localStorage.setItem("_seen", "secret-value"); sessionStorage.setItem("tab-<img src=x>", "1")',
    "early.js": 'document.cookie = "speed=fast; path=/"',
}
_MORE = {
    "rogue": '<script src="/shop/rogue.js" defer></script>',
    "early": '<script src="/shop/early.js" defer></script>',
    "stranger": f'<link rel="icon" href="data:,"><img src="https://{STRANGER}/pixel.gif?who=secret-value" alt="">'
    '<script type="text/plain" data-omonat="tell-the-world" src="/shop/speed.js"></script>'
    f'<script type="text/plain" data-omonat="speed" src="https://{STRANGER}/x.js"></script>',
}


@get("/shop", include_in_schema=False)
async def shop_page(request: Request[Any, Any, Any]) -> Response[str]:
    asked = {name: values[-1] for name, values in request.query_params.dict().items()}
    more, lang = "".join(_MORE[each] for each in asked.get("with", "").split(",") if each), asked.get("lang", "en")
    return Response(_PAGE.format(lang=lang, more=more, text="word " * 900), media_type="text/html")


@get("/shop/{name:str}", include_in_schema=False)
async def shop_file(name: FromPath[str]) -> Response[str]:
    return Response(_FILES[name], media_type="text/javascript")


@dataclass
class Visitor:
    """Somebody with a browser at the shop."""

    page: Page
    base: str
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def go(self, path: str = "/shop") -> None:
        async with self.page.expect_response(lambda answer: "/site/cookies.json" in answer.url):
            await self.page.goto(self.base + path)
        await self.page.wait_for_timeout(60)

    async def press(self, label: str) -> None:
        async with self.page.expect_response(lambda answer: "/site/cookie-choice" in answer.url):
            await self.page.get_by_role("button", name=label).click()

    async def choice(self) -> list[str] | None:
        """The purposes the browser's cookie allows; None without one."""
        for each in await self.page.context.cookies():
            if each["name"] == CHOICE:
                return str(each["value"]).split(".")[3:]
        return None

    async def cookies(self) -> set[str]:
        return {str(each["name"]) for each in await self.page.context.cookies()}

    @property
    def asks(self) -> Any:
        return self.page.get_by_role("dialog")

    async def ran(self) -> bool:
        return bool(await self.page.evaluate("window.measured === true"))


@dataclass
class Ticking(Clock):
    """The machine's own time, which the browser has as well, and as much later as a test likes."""

    later: int = 0

    def __call__(self) -> Instant:
        return Instant(system_clock() + self.later)

    def forward(self, microseconds: int) -> None:
        self.later += microseconds


@dataclass
class Town(Center):
    """The house, the doors, and the shop beside them."""

    @asynccontextmanager
    async def visitor(self, width: int = 1280, scheme: Any = "light", **more: Any) -> AsyncIterator[Visitor]:
        context: BrowserContext = await self.browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, **more
        )

        async def stand_in(route: Route) -> None:
            await route.fulfill(status=200, body="window.measured = true", content_type="text/javascript")

        await context.route(f"https://{STRANGER}/**", stand_in)
        visitor = Visitor(await context.new_page(), self.base)
        visitor.page.on("request", lambda request: visitor.asked.append(request.url))
        visitor.page.on(
            "request",
            lambda request: (
                visitor.told.append(json.loads(request.post_data or "{}"))
                if request.url.endswith("/site/report")
                else None
            ),
        )
        yield visitor
        await context.close()

    async def rows(self, statement: str) -> list[Any]:
        return [tuple(row) for row in await self.house.grounds.database.pool.fetch(statement)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def the_town(module_dsn: str, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> AsyncIterator[Town]:
    clock = Ticking(system_clock())
    async with open_house(settings_in(tmp_path_factory.mktemp("cookies"), module_dsn), clock=clock) as house:
        shop = Shop(house, clock)
        await opened(shop)
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(_app(house), host="127.0.0.1", port=port, log_config=None))
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
            await asyncio.sleep(0.01)
        sequencer = Sequencer(house.grounds.database, house.log, house.keys, clock=clock)
        yield Town(shop, f"http://localhost:{port}", browser, sequencer)
        server.should_exit = True
        await task


def _app(house: House) -> Litestar:
    routes = [*center.handlers(lambda: house), *site.consent_routes(lambda: house), shop_page, shop_file]
    return Litestar(
        [*routes, static_handler([KIT_STATIC, CENTER.static, site.SITE.static])],
        openapi_config=None,
        logging_config=None,
    )


@pytest_asyncio.fixture(loop_scope="session")
async def town(the_town: Town) -> Town:
    """The same town with nothing seen and nothing counted."""
    pool = the_town.house.grounds.database.pool
    await pool.execute(
        "delete from site_sightings; delete from cookie_choices; delete from work_items; delete from rates"
    )
    return the_town
