"""The demo's shop shows somebody's last order to who said yes, and to nobody else (U9): a real browser, no script."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from litestar import Litestar
from playwright.async_api import Browser, Page, async_playwright

from examples.site.api import Api
from examples.site.door import SHOP, Frame
from examples.site.routes import Site, routes
from examples.site.state import State
from omonat import api, center
from omonat.base.instants import SECOND
from omonat.center import CENTER
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer
from omonat.house import House, open_house
from omonat.pages.assets import static_handler
from omonat.pages.http import SESSION_COOKIES
from omonat.pages.render import KIT_STATIC
from tests.center.test_in_chromium import looked_at
from tests.erasure.stories import ordered
from tests.flows.conftest import Clock, Shop, furnish, settings_for
from tests.ports import free_port

LAST = {"uz": "Oxirgi marta", "ru": "В прошлый раз", "en": "You had this last time"}
DISHES = [{"item": "Toʻy oshi", "count": 2, "price": 4_500_000}, {"item": "Yetkazib berish", "count": 1, "price": 1}]


@dataclass
class Street:
    shop: Shop
    state: State
    base: str

    async def customer(self) -> tuple[CollectAnswer, str]:
        """Somebody who ordered, and the cookie of the browser they signed up with."""
        number = 1_000_000 + self.shop.orders
        order = await ordered(
            self.shop, contact_mobile=f"+99890{number}", **{"transaction_order-lines": DISHES}
        )  # fmt: skip
        browser = self.state.begin(self.shop.clock.now // SECOND)
        self.state.sign_up(browser, order.person)
        return order, browser.token

    async def uses(self, person: str) -> list[tuple[str, dict[str, Any]]]:
        """What the evidence says was asked about somebody for personalising."""
        entries = (await self.shop.house.my_data.who_looked(person)).entries
        found = [(e.act, dict(e.facts)) for e in entries if e.act.startswith("use:")]
        return [(act, facts) for act, facts in found if facts.get("purpose") == "personalisation"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def street(module_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    clock = Clock()
    async with open_house(settings_for(module_dsn, tmp_path_factory.mktemp("personal")), clock=clock) as house:
        shop = await furnish(house, clock)
        port = free_port()
        base = f"http://localhost:{port}"
        credential = await house.clients.issue(name="shop-pages", source="site", roles=["system"])
        state = State(Path(tmp_path_factory.mktemp("shop")) / "shop.db")

        def open_one() -> House:
            return house

        async with Api(base, lambda: credential) as shop_api:
            site = Site(shop_api, state, Frame(https=False))
            files = static_handler([KIT_STATIC, SHOP.static, CENTER.static])
            handlers = [api.route(open_one), *center.handlers(open_one), *routes(site), files]
            app = Litestar(handlers, openapi_config=None, logging_config=None)
            server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
            task = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
                await asyncio.sleep(0.01)
            yield Street(shop, state, base)
            server.should_exit = True
            await task
        state.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser, street: Street, token: str, language: str = "en", **more: Any
) -> AsyncIterator[Page]:
    context = await browser.new_context(locale=language, java_script_enabled=False, **more)
    url = street.base.replace("http:", "https:")
    cookie = {"name": SESSION_COOKIES["site"], "value": token, "url": url, "secure": True}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    yield page
    await context.close()


async def menu(page: Page, street: Street) -> str:
    await page.goto(f"{street.base}/menu")
    return await page.inner_text("main")


async def pressed(page: Page) -> None:
    async with page.expect_navigation():
        await page.click("form[action='/for-you'] button")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_U9_the_last_order_stands_on_the_menu_of_who_said_yes_until_they_take_it_back(
    street: Street, browser: Browser, language: str
) -> None:
    account, token = await street.customer()
    async with visiting(browser, street, token, language) as page:
        assert LAST[language] not in await menu(page, street)
        assert await street.uses(account.person) == []  # off: nothing is asked about them
        await page.click("a[href='/for-you']")
        await pressed(page)
        assert page.url == f"{street.base}/menu"
        assert LAST[language] in await page.inner_text("main")
        assert await page.locator(".own li").count() == 1
        ((act, facts),) = await street.uses(account.person)
        assert (act, facts["allowed"]) == ("use:person:authorised", ["transaction.order-lines"])
        # taken back in the Privacy Center: the next page is everybody's, and the one after asks nothing
        street.shop.clock.forward(SECOND)
        await street.shop.house.choose(
            Choosing(person=account.person, kind="consent", purpose="personalisation", state="withdrawn")
        )
        assert LAST[language] not in await menu(page, street)
        assert [act for act, _ in await street.uses(account.person)] == ["use:person:refused", "use:person:authorised"]
        await menu(page, street)
        assert len(await street.uses(account.person)) == 2


async def test_U9_it_is_turned_off_where_it_was_turned_on(street: Street, browser: Browser) -> None:
    account, token = await street.customer()
    async with visiting(browser, street, token) as page:
        await page.goto(f"{street.base}/for-you")
        await pressed(page)
        await page.goto(f"{street.base}/for-you")
        await pressed(page)
        asked = len(await street.uses(account.person))
        assert LAST["en"] not in await menu(page, street)
        assert len(await street.uses(account.person)) == asked
    standing = await street.shop.house.my_data.standing(account.person)
    assert "personalisation" not in standing.consents


async def test_U9_global_privacy_control_is_a_no_however_the_person_chose(street: Street, browser: Browser) -> None:
    account, token = await street.customer()
    async with visiting(browser, street, token) as page:
        await page.goto(f"{street.base}/for-you")
        await pressed(page)
    asked = await street.uses(account.person)
    async with visiting(browser, street, token, extra_http_headers={"Sec-GPC": "1"}) as page:
        assert LAST["en"] not in await menu(page, street)
        await page.goto(f"{street.base}/for-you")
        assert "Global Privacy Control" in await page.inner_text("main")
        await pressed(page)  # what stands can be taken back all the same, and nothing can be turned on
        assert await page.locator("form[action='/for-you']").count() == 0
    assert await street.uses(account.person) == asked
    assert "personalisation" not in (await street.shop.house.my_data.standing(account.person)).consents


async def test_U9_a_child_and_a_stranger_get_everybodys_page(street: Street, browser: Browser) -> None:
    account, token = await street.customer()
    async with visiting(browser, street, token) as page:
        await page.goto(f"{street.base}/for-you")
        await pressed(page)
        await street.shop.house.children.signal(account.person, "birth-date", by="person")
        assert LAST["en"] not in await menu(page, street)
        await page.goto(f"{street.base}/for-you")
        await pressed(page)  # and may not be turned on again: it says why, and nothing is asked about them
        assert await page.locator("section.refusal").count() == 1
        assert LAST["en"] not in await menu(page, street)
    acts = [act for act, _ in await street.uses(account.person)]
    assert acts.count("use:person:authorised") == 1  # from before it was known
    assert acts.count("use:person:refused") == 1
    young, own = await street.customer()
    turned_away = street.base.replace("http:", "https:")
    async with visiting(browser, street, own) as page:
        cookie = {"name": "__Host-age", "value": "0", "url": turned_away, "secure": True}
        await page.context.add_cookies([cookie])  # type: ignore[list-item]
        await page.goto(f"{street.base}/for-you")
        assert await page.locator("form[action='/for-you']").count() == 0
    assert await street.uses(young.person) == []
    async with visiting(browser, street, "nobody") as page:
        assert LAST["en"] not in await menu(page, street)
        assert await page.locator("a[href='/for-you']").count() == 0
        await page.goto(f"{street.base}/for-you")
        assert await page.locator("form[action='/for-you']").count() == 0


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_U9_the_pages_speak_the_language_fit_a_small_screen_and_are_accessible(
    street: Street, browser: Browser, language: str
) -> None:
    _, token = await street.customer()
    context = await browser.new_context(locale=language)
    url = street.base.replace("http:", "https:")
    cookie = {"name": SESSION_COOKIES["site"], "value": token, "url": url, "secure": True}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    away: list[str] = []
    page.on("request", lambda each: away.append(each.url) if not each.url.startswith(street.base) else None)
    await page.goto(f"{street.base}/for-you")
    await looked_at(page, language)
    await pressed(page)
    await looked_at(page, language)
    await page.goto(f"{street.base}/for-you")
    await looked_at(page, language)
    assert away == []
    await context.close()
