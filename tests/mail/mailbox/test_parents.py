"""A parent's pages behind the links: read and used by everybody, without script, no value of the child on them (K2)."""
# ruff: noqa: F811 - a fixture that is asked for is meant to have its name

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from omonat.base.instants import DAY
from omonat.mail import parent_pages
from omonat.mail.leave import MAIL as DOOR
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from tests.center.test_in_chromium import looked_at
from tests.erasure.stories import delivered
from tests.flows.conftest import Shop, clock, settings  # noqa: F401 - fixtures
from tests.flows.test_children import refused
from tests.flows.test_parent_asks import asking, found, lenient, link  # noqa: F401 - a fixture
from tests.requests.conftest import browser  # noqa: F401 - a fixture
from tests.requests.test_in_chromium import opened, pressed
from tests.site_server import serving


@pytest_asyncio.fixture(loop_scope="session")
async def served(lenient: Shop) -> AsyncIterator[str]:
    """The pages of the link, with their files."""
    routes = [*parent_pages.handlers(lambda: lenient.house), static_handler([KIT_STATIC, DOOR.static])]
    async with serving(routes) as address:
        yield f"{address}/parent"


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_a_parent_reads_agrees_confirms_and_takes_it_back(
    lenient: Shop, served: str, browser: Browser, language: str
) -> None:
    child, by = await found(lenient)
    await lenient.house.parent_asks.ask(asking(child.person), by=by)
    first = f"{served}/{await link(lenient, child.person)}?lang={language}"
    async with opened(browser) as page:
        await page.goto(first)
        await looked_at(page, language)
        assert "Dilnoza" not in await page.content()
        assert child.person not in await page.content()
        await pressed(page, "button[value=agree]")
        await looked_at(page, language)
        assert await page.locator("button[value=agree]").count() == 0
        assert await refused(lenient, child) == "person-quarantined"
        lenient.clock.forward(DAY)
        await page.goto(f"{served}/{await link(lenient, child.person, 'parent-confirm')}?lang={language}")
        await looked_at(page, language)
        assert await refused(lenient, child) == "person-quarantined", "looking confirms nothing"
        await pressed(page, "button[value=confirm]")
        await looked_at(page, language)
        assert (await delivered(lenient, child)).items
        await page.goto(first)
        await pressed(page, "button[value=take-back]")
        await looked_at(page, language)
        assert await refused(lenient, child) == "person-quarantined"
        answer = await page.goto(first)
        assert answer is not None
        assert answer.status == 404
        await looked_at(page, language)


async def test_K2_a_parent_says_no(lenient: Shop, served: str, browser: Browser) -> None:
    child, by = await found(lenient)
    asked = await lenient.house.parent_asks.ask(asking(child.person), by=by)
    async with opened(browser) as page:
        await page.goto(f"{served}/{await link(lenient, child.person)}?lang=en")
        await pressed(page, "button[value=refuse]")
        assert "You said no" in await page.inner_text("body")
    (said,) = await lenient.house.parent_asks.of(child.person)
    assert (said.id, said.state) == (asked.id, "refused")
