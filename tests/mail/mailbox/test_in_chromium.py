"""What the links in letters open, in a browser: three languages, 320 px, light and dark, nothing from elsewhere."""
# ruff: noqa: F811 - a fixture that is asked for is meant to have its name

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from omonat.base.instants import DAY
from omonat.flows.choose import Choosing
from omonat.flows.letter_links import confirm_link, preferences_link
from omonat.mail import links
from omonat.mail.leave import MAIL as DOOR
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from tests.center.test_in_chromium import looked_at
from tests.mail.mailbox.conftest import Post
from tests.requests.conftest import browser  # noqa: F401 - a fixture
from tests.requests.test_in_chromium import opened, pressed
from tests.site_server import serving

GUIDE = "guide-courier"


@pytest_asyncio.fixture(loop_scope="session")
async def served(post: Post) -> AsyncIterator[str]:
    """The pages of the links, with their files."""
    routes = [*links.handlers(lambda: post.shop.house), static_handler([KIT_STATIC, DOOR.static])]
    async with serving(routes) as address:
        yield address


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_L6_A2_the_pages_behind_the_links_are_read_and_used_by_everybody(
    post: Post,
    served: str,
    browser: Browser,
    language: str,
) -> None:
    person = await post.customer()
    yes = Choosing(person=person, kind="consent", state="given", purpose=GUIDE, door="me")
    await post.shop.house.choose(yes)
    await post.write("Удалите мои данные")
    vault, now = post.shop.house.grounds.vault, post.shop.clock()
    preferences = f"{served}/preferences/{preferences_link(vault, person, 'change', now=now)}?lang={language}"
    (row,) = await post.fetch("select number from requests")
    confirm = f"{served}/confirm/{confirm_link(vault, row['number'])}?lang={language}"
    async with opened(browser, language) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(preferences)
        await looked_at(page, language)
        assert await pressed(page, "button[value='end']") == 200
        await looked_at(page, language)
        assert await pressed(page, "button[value='allow']") == 200
        assert len(await post.consents(person)) == 2
        assert await pressed(page, "button[value='end-all']") == 200
        assert await post.consents(person) == frozenset()
        await page.goto(confirm)
        await looked_at(page, language)
        assert await pressed(page, "main form button") == 200
        await looked_at(page, language)
        assert await post.requests() == [("deletion", "confirmed")]
        post.shop.clock.forward(4 * DAY)
        await page.goto(preferences)
        await looked_at(page, language)
        assert all(url.startswith(served) for url in asked)
