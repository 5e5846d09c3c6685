"""A privacy officer writes to a parent, where the law lists it: one page, without script (K2)."""

from typing import cast

import pytest

from omonat.base.instants import DAY, SECOND
from tests.desk.conftest import Desk
from tests.desk.test_in_chromium import looked_at
from tests.flows.conftest import Shop
from tests.flows.test_parent_asks import link, listing

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


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_the_list_of_children_names_how_a_parent_agreed_never_by_an_id(desk: Desk, language: str) -> None:
    child = (await desk.order()).person
    await desk.house.children.signal(child, "staff", by="test")
    desk.clock.forward(SECOND)
    async with desk.worker("102", language) as worker:
        await worker.go(f"/desk/children/{child}")
        await worker.page.fill("#address", desk.phone())
        assert await worker.press(WRITE) == 200
        shop = cast(Shop, desk)
        await desk.house.parent_asks.answer(await link(shop, child))
        desk.clock.forward(DAY + SECOND)
        await desk.house.parent_asks.confirm(await link(shop, child, "parent-confirm"))
    async with desk.worker("102", language) as worker:
        await worker.go("/desk/children")
        said = await worker.page.inner_text(f"a[href='/desk/children/{child}']")
        assert {"uz": "Xabar", "ru": "Сообщение", "en": "A message"}[language] in said
        assert "message-plus" not in said
