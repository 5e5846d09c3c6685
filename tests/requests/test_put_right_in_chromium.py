"""A correction from the form to what was done, and what staff find wrong, in a browser: three languages, no script."""

import pytest
from playwright.async_api import Browser

from omonat.base.instants import SECOND
from omonat.promises.requests.facts import Kind
from tests.center.test_in_chromium import looked_at, unfolded
from tests.requests.conftest import ANSWER, Complaints
from tests.requests.test_in_chromium import at_work, opened, pressed, signed_in
from tests.requests.test_put_right import customer, held, taken
from tests.requests.test_put_right_safely import partly_held

WRONG = {"uz": "Ismim notoʻgʻri yozilgan", "ru": "Моё имя записано неверно", "en": "My name is misspelt"}
PARTLY = {
    "uz": "Majburiyat, shartnoma yoki buyurtma talab qilgan joyda qoladi.",
    "ru": "Где этого требует обязанность, договор или заказ, данные остаются.",
    "en": "Where a duty, a contract or an order keeps it, it stays.",
}
FOUND = "Mijoz telefonda ismini boshqacha aytdi."


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_Q2_a_correction_is_asked_for_put_in_unread_and_told(
    desk: Complaints, served: str, browser: Browser, language: str
) -> None:
    account, items = await customer(desk)
    async with opened(browser, language) as page, opened(browser, language) as work:
        await page.goto(f"{served}/complain?kind=correction")
        assert await page.locator("#value").is_visible()
        await looked_at(page, language)
        await page.fill("#text", WRONG[language])
        await page.fill("#contact", items["contact.email"])
        await page.fill("#value", "Nodira Yusupova")
        assert await pressed(page, "main form button") == 422  # of what, wasn't said
        assert await page.locator("#item-error").is_visible()
        await page.select_option("#item", "contact.name")
        await page.fill("#value", "1")
        assert await pressed(page, "main form button") == 422
        assert await page.input_value("#value") == ""
        await looked_at(page, language)
        await page.fill("#value", "Nodira Yusupova")
        assert await pressed(page, "main form button") == 200
        await page.fill("#proof", str((await desk.message("request-code"))["code"]))
        assert await pressed(page, "form:has(input[value=confirm]) button") == 200
        number = await page.locator("main .digest").first.inner_text()

        await at_work(desk, work, served, "702")
        await work.goto(f"{served}/desk/requests/{number}")
        await pressed(work, "form:has(input[value=claim]) button")
        await looked_at(work, language)
        assert "Nodira" not in await work.content()  # sealed
        await work.fill("#value", "2")
        assert await pressed(work, "button[value=correct]") == 422
        await looked_at(work, language)
        assert await pressed(work, "form:has(input[name=own]) button") == 200
        assert await work.locator("form:has(input[name=own])").count() == 0
        await looked_at(work, language)
        await work.fill("#text", ANSWER)
        desk.clock.forward(SECOND)
        assert await pressed(work, "form:has(input[value=answer]) button") == 200
        await page.reload()
        assert ANSWER in await page.inner_text("main")
        await looked_at(page, language)
    assert (await held(desk, account.person))["contact.name"] == "Nodira Yusupova"


async def test_Q1_a_new_phone_is_proved_on_the_page_of_the_request_without_script(
    desk: Complaints, served: str, browser: Browser
) -> None:
    account, items = await customer(desk)
    async with opened(browser, "ru", java_script_enabled=False) as page:
        await page.goto(f"{served}/complain?kind=correction")
        await page.fill("#text", WRONG["ru"])
        await page.fill("#contact", items["contact.email"])
        await page.select_option("#item", "contact.mobile")
        await page.fill("#value", "93 555 66 77")
        assert await pressed(page, "main form button") == 200
        await page.fill("#proof", str((await desk.message("request-code"))["code"]))
        assert await pressed(page, "form:has(input[value=confirm]) button") == 200
        number = await page.locator("main .digest").first.inner_text()
        desk.clock.forward(SECOND)
        await desk.house.answer_requests.claim(desk.members["701"], number)
        await desk.house.put_right.correct(desk.members["701"], number, "contact.mobile")
        await page.goto(f"{served}/complain/request")
        assert await pressed(page, "form:has(input[value=prove]) button") == 200
        sent = str((await desk.message("new-channel-code"))["code"])
        await page.fill("#proof-code", "000000" if sent != "000000" else "111111")
        assert await pressed(page, "form:has(input[value=proof-code]) button") == 401
        assert (await held(desk, account.person))["contact.mobile"] == items["contact.mobile"]
        await page.fill("#proof-code", sent)
        assert await pressed(page, "form:has(input[value=proof-code]) button") == 200
        assert await page.locator("form:has(input[value=prove])").count() == 0
        assert "5556677" not in page.url
    assert (await held(desk, account.person))["contact.mobile"] == "+998935556677"


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_Q2_staff_note_what_is_wrong_beside_the_item_and_the_person_sees_it(
    desk: Complaints, served: str, browser: Browser, language: str
) -> None:
    account, _ = await customer(desk)
    async with opened(browser, language) as work, opened(browser, language) as page:
        await at_work(desk, work, served, "705")
        await work.goto(f"{served}/desk/case/{account.case}?purpose=take-order")
        await unfolded(work)
        await looked_at(work, language)
        assert await pressed(work, "form:has(input[value=found]) button") == 422
        await work.select_option("#wrong", "contact.name")
        await work.fill("#text", FOUND)
        await looked_at(work, language)
        assert await pressed(work, "form:has(input[value=found]) button") == 200
        await unfolded(work)
        await looked_at(work, language)
        token = await desk.house.sessions.open("me", account.person)
        await signed_in(page, served, token)
        await page.goto(f"{served}/me/requests")
        await looked_at(page, language)
        await pressed(page, "main ul.mine a")
        assert FOUND in await page.inner_text("main")
        await looked_at(page, language)
        await page.goto(f"{served}/me/who-looked")
        await looked_at(page, language)


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_Q2_an_item_is_deleted_in_two_steps_and_what_stays_is_told(
    desk: Complaints, served: str, browser: Browser, language: str
) -> None:
    person, asked = await partly_held(desk)
    await taken(desk, asked.number, "702")
    async with opened(browser, language, java_script_enabled=False) as work, opened(browser, language) as page:
        await at_work(desk, work, served, "702")
        await work.goto(f"{served}/desk/requests/{asked.number}")
        await work.select_option("#item", "contact.email")
        assert await pressed(work, "button[value=erase]") == 200
        assert not await desk.house.erase.of_person(person)  # nothing yet
        await work.click("form:has(input[name=sure]) a")
        assert await work.locator("form:has(input[name=sure])").count() == 0
        await work.select_option("#item", "contact.email")
        await pressed(work, "button[value=erase]")
        assert await pressed(work, "form:has(input[name=sure]) button.danger") == 200
        (gone,) = await desk.house.erase.of_person(person)
        assert gone.stays
        assert await work.input_value("#outcome") == "partly"
        said = await work.inner_text("dl.facts")
        await signed_in(page, served, await desk.house.sessions.open("me", person))
        await page.goto(f"{served}/me/requests/{asked.number}")
        await looked_at(page, language)
        told = PARTLY[language]
        assert told in said
        assert told in await page.inner_text("dl.facts")


async def test_Q2_what_is_to_be_put_right_is_never_dropped_for_another_kind_of_request(
    desk: Complaints, served: str, browser: Browser
) -> None:
    account, _ = await customer(desk)
    async with opened(browser, "en", java_script_enabled=False) as page:
        await signed_in(page, served, await desk.house.sessions.open("me", account.person))
        await page.goto(f"{served}/complain?kind=complaint")
        await page.click("details summary")
        await page.fill("#text", WRONG["en"])
        await page.select_option("#item", "contact.name")
        await page.fill("#value", "Nodira Yusupova")
        assert await pressed(page, "main form button") == 422
        assert await page.locator("#item-error").is_visible()
        assert await page.input_value("#value") == "Nodira Yusupova"
        await page.select_option("#kind", "correction")
        assert await pressed(page, "main form button") == 200
    (mine,) = await desk.house.follow_request.mine(account.person)
    assert (mine.kind, mine.item) == (Kind.CORRECTION, "contact.name")
