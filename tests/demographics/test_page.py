"""The questions in a real browser: three languages, a small screen, dark, without script, nothing from elsewhere."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from omonat.site import SITE, visitor_routes
from tests.center.test_in_chromium import looked_at
from tests.flows.conftest import Shop, clock, house, settings, shop  # noqa: F401 - fixtures
from tests.site_server import serving


@pytest_asyncio.fixture
async def served(shop: Shop) -> AsyncIterator[str]:
    routes = [*visitor_routes(lambda: shop.house), static_handler([KIT_STATIC, SITE.static])]
    async with serving(routes) as address:
        yield address


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_L4_the_questions_read_well_and_are_answered_without_script(served: str, language: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = await browser.new_context(locale=language)
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{served}/page/about-visitors?lang={language}")
        await looked_at(page, language)
        await page.locator("label[for='q2-1']").click()
        async with page.expect_navigation():
            await page.locator("main form button").click()
        assert await page.locator(".notice").count() == 1
        await looked_at(page, language)
        assert await context.cookies() == []
        assert [url for url in asked if not url.startswith(f"{served}/")] == []
        bare = await (await browser.new_context(java_script_enabled=False)).new_page()
        await bare.goto(f"{served}/page/about-visitors?lang={language}")
        async with bare.expect_navigation():
            await bare.locator("main form button").click()
        assert await bare.locator(".notice").count() == 1
        await browser.close()
