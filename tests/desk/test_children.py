"""The privacy officer's work with children that were found: one page, without script, and nobody else's (K2)."""

import pytest

from omonat.base.instants import SECOND
from omonat.flows.children import Agreement
from tests.desk.conftest import Desk
from tests.desk.test_in_chromium import looked_at


async def test_K2_an_officer_closes_a_childs_data_and_a_checked_form_opens_it(desk: Desk) -> None:
    phone = desk.phone()
    parent, child = await desk.order(mobile=phone), await desk.order()
    async with desk.worker("102", java_script_enabled=False) as worker:
        await worker.press("nav a[href='/desk/children']")
        await worker.page.fill("#person", "per_nobody")
        assert await worker.press("form[action='/desk/children'] button") == 404
        await worker.page.fill("#person", child.person)
        assert await worker.press("form[action='/desk/children'] button") == 200
        assert worker.path == f"/desk/children/{child.person}"
        said = await worker.text()
        assert "Closed" in said
        assert "Dilnoza" not in await worker.page.content()
        await worker.go("/desk/children")
        assert child.person in await worker.text()
        assert parent.person not in await worker.text()

        desk.clock.forward(SECOND)
        await worker.go(f"/desk/children/{child.person}")
        await worker.page.fill("#reference", "2026-114")
        await worker.page.fill("#guardian", phone)
        agree = "form:has(input[value=agree]) button"
        assert await worker.press(agree) == 422
        assert await worker.page.locator("#born-error").count() == 1
        await worker.page.fill("#born", "2016-03-01")
        assert await worker.press(agree) == 200
        said = await worker.text()
        assert "A parent agreed" in said
        assert "signed form" in said.lower()
        assert phone not in await worker.page.content()
        assert [each.person for each in await desk.house.guardians.wards(parent.person)] == [child.person]

        desk.clock.forward(SECOND)
        assert await worker.press("form:has(input[value=withdraw]) button") == 200
        assert "Closed" in await worker.text()
        assert await desk.house.guardians.wards(parent.person) == ()


async def test_K3_beside_a_consent_that_stands_the_officer_reads_what_to_do_about_a_guardian(desk: Desk) -> None:
    child, phone = await desk.order(), "+998 90 111 22 33"
    await desk.order(mobile=phone)
    await desk.house.children.signal(child.person, "staff", by="test")
    desk.clock.forward(SECOND)
    agreement = Agreement(person=child.person, method="signed-form", reference="2026-114")
    await desk.house.children.agree(agreement, by="102")
    desk.clock.forward(SECOND)
    async with desk.house.grounds.database.connection() as connection:
        closed = "update persons set quarantined_at = $2 where id = $1"
        await connection.execute(closed, child.person, desk.clock())
    async with desk.worker("102") as worker:
        await worker.go(f"/desk/children/{child.person}")
        await worker.page.fill("#reference", "2026-115")
        await worker.page.fill("#guardian", phone)
        await worker.page.fill("#born", "2016-03-01")
        agree = "form:has(input[value=agree]) button"
        assert await worker.press(agree) == 409
        assert "leave the guardian empty" in await worker.page.inner_text("#guardian-error")
        await worker.page.fill("#guardian", "")
        assert await worker.press(agree) == 200
        assert "A parent agreed" in await worker.text()


async def test_K2_nobody_but_an_officer_sees_it(desk: Desk) -> None:
    child = await desk.order()
    await desk.house.children.signal(child.person, "staff", by="test")
    async with desk.worker("301") as worker:
        assert await worker.page.locator("nav a[href='/desk/children']").count() == 0
        for path in ("/desk/children", f"/desk/children/{child.person}"):
            assert await worker.go(path) == 403
            assert child.person not in await worker.text()
    async with desk.worker("102") as worker:
        for unknown in (f"per_{'a' * 26}", "x"):
            assert await worker.go(f"/desk/children/{unknown}") == 404
    async with desk.worker() as worker:
        await worker.go("/desk/children")
        assert worker.path == "/desk"


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_the_pages_speak_the_language_and_are_accessible(desk: Desk, language: str) -> None:
    child = await desk.order()
    await desk.house.children.signal(child.person, "staff", by="test")
    async with desk.worker("102", language) as worker:
        for path in ("/desk/children", f"/desk/children/{child.person}"):
            assert await worker.go(path) == 200
            await looked_at(worker.page, language)
        await worker.page.fill("#guardian", "90 000 00 00")
        await worker.press("form:has(input[value=agree]) button")
        await looked_at(worker.page, language)


async def test_K2_where_no_law_lists_a_message_the_page_says_so_and_offers_none(desk: Desk) -> None:
    child = await desk.order()
    await desk.house.children.signal(child.person, "staff", by="test")
    async with desk.worker("102", java_script_enabled=False) as worker:
        assert await worker.go(f"/desk/children/{child.person}") == 200
        assert await worker.page.locator("form:has(input[value=ask])").count() == 0
        assert "nobody is written to" in await worker.text()
