"""A privacy officer writes to a parent, where the law lists it: one page, without script (K2)."""

import pytest

from tests.desk.conftest import Desk
from tests.desk.test_in_chromium import looked_at
from tests.flows.test_parent_asks import listing

WRITE = "form:has(input[value=ask]) button"


@pytest.fixture(scope="module")
def law() -> dict[str, str]:
    """The law lists messages."""
    return listing()


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_an_officer_writes_to_a_parent_sees_how_it_stands_and_calls_it_back(desk: Desk, language: str) -> None:
    own, phone = desk.phone(), desk.phone()
    child = await desk.order(mobile=own)
    await desk.house.children.signal(child.person, "staff", by="test")
    async with desk.worker("102", language) as worker:
        await worker.go(f"/desk/children/{child.person}")
        await looked_at(worker.page, language)
        await worker.page.fill("#address", own)
        assert await worker.press(WRITE) == 409
        assert await worker.page.locator("#address-error").count() == 1
        await looked_at(worker.page, language)
        await worker.page.fill("#address", phone)
        assert await worker.press(WRITE) == 200
        assert phone not in await worker.page.content()
        await looked_at(worker.page, language)
        (asked,) = await desk.house.parent_asks.of(child.person)
        assert (asked.state, asked.channel) == ("asked", "contact.mobile")
        assert await worker.press("form:has(input[value=stop]) button") == 200
        (asked,) = await desk.house.parent_asks.of(child.person)
        assert asked.state == "stopped"
