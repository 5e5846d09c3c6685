"""The cookies page of the Privacy Center: the same choice, without script, for whoever is signed in or not (L7, C2)."""

from omonat.base.instants import SECOND
from tests.center.test_in_chromium import looked_at
from tests.cookies.conftest import Town

SPEED = "optimise-technology"


async def test_C2_a_browser_without_script_chooses_on_a_page(town: Town) -> None:
    async with town.reader("en", java_script_enabled=False) as reader:
        await reader.go("/me/cookies")
        assert "No answer yet" in await reader.text()
        await reader.press("Accept all")
        assert "You agreed" in await reader.text()
        await reader.page.locator(f"#{SPEED} button[value=withdrawn]").click()
        assert "You refused" in await reader.page.inner_text(f"#{SPEED}")
        assert "You agreed" in await reader.text()  # of the other category
        await reader.press("Refuse all")
        assert "You agreed" not in await reader.text()


async def test_C2_page_and_dialog_keep_the_same_choice(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.press("Accept all")
        await visitor.page.wait_for_function("window.measured === true")
        await visitor.page.goto(f"{town.base}/me/cookies")
        async with visitor.page.expect_navigation():
            await visitor.page.get_by_role("button", name="Refuse all").click()
        assert "speed" not in await visitor.cookies()
        await visitor.go()
        assert not await visitor.ran()
        assert not await visitor.asks.is_visible()


async def test_L7_the_page_says_that_the_signal_is_a_refusal(town: Town) -> None:
    async with town.reader("en") as reader:
        await reader.go("/me/cookies")
        await reader.press("Accept all")
        await reader.page.context.set_extra_http_headers({"sec-gpc": "1"})
        await reader.go("/me/cookies")
        assert "Global Privacy Control" in await reader.text()
        assert "You agreed" not in await reader.text()
        assert await reader.page.locator("main button").count() == 0


async def test_C2_of_somebody_signed_in_the_choice_is_written_with_its_proof(town: Town) -> None:
    order, phone = await town.customer()
    async with town.reader("en") as reader:
        await town.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        await reader.press("See and change it")
        await reader.press("Accept all")
        assert SPEED in (await town.house.my_data.standing(order.person)).consents
        town.clock.forward(SECOND)
        await reader.press("Refuse all")
        assert SPEED not in (await town.house.my_data.standing(order.person)).consents
        history = [c for c in await town.house.my_data.choices(order.person) if c.purpose == SPEED]
        assert [c.state for c in history] == ["withdrawn", "given"]
        before = len(await town.house.my_data.choices(order.person))
        await reader.press("Refuse all")
        assert len(await town.house.my_data.choices(order.person)) == before  # said before: nothing new is written


async def test_C2_another_site_cannot_choose_for_a_browser(town: Town) -> None:
    async with town.reader("en") as reader:
        await reader.go("/me/cookies")
        answer = await reader.page.request.post(
            f"{town.base}/me/cookies",
            form={"purpose": "*", "state": "given"},
            headers={"sec-fetch-site": "cross-site"},
        )
        assert answer.status == 403
        unknown = await reader.page.request.post(
            f"{town.base}/me/cookies", form={"purpose": "marketing-email", "state": "given"}
        )
        assert unknown.status == 422
        assert await reader.page.context.cookies() == []


async def test_L7_the_page_is_accessible_in_every_language_and_fits_a_phone(town: Town) -> None:
    for language in ("uz", "ru", "en"):
        async with town.reader(language) as reader:
            await reader.go("/me/cookies")
            await looked_at(reader.page, language)
            assert all(url.startswith(f"{town.base}/") for url in reader.asked)
            assert not any(url.endswith(".js") for url in reader.asked)
