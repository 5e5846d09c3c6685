"""A complaint from the policy page to its outcome in a browser: three languages, 320 px, light and dark, no script."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, Page

from omonat.base.errors import Refused
from omonat.base.instants import MINUTE, SECOND
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectRequest
from omonat.promises.requests.facts import Outcome
from tests.center.test_in_chromium import looked_at
from tests.requests.conftest import ANSWER, TEXT, Complaints

PASSWORD = "toʻrtta uzun oddiy soʻz"
HOSTILE = "<script>alert(1)</script><b>Raqamim</b>"


@asynccontextmanager
async def opened(browser: Browser, language: str = "en", **more: Any) -> AsyncIterator[Page]:
    context = await browser.new_context(locale=language, viewport={"width": 1280, "height": 800}, **more)
    yield await context.new_page()
    await context.close()


async def pressed(page: Page, selector: str) -> int:
    async with page.expect_navigation() as led:
        await page.locator(selector).first.click()
    return (await led.value).status


async def at_work(desk: Complaints, page: Page, base: str, ref: str) -> None:
    secret = await desk.house.staff.set_secrets(ref, PASSWORD)
    desk.clock.forward(30 * SECOND)
    await page.goto(f"{base}/desk")
    await page.fill("#login", f"xodim{ref}")
    await page.fill("#password", PASSWORD)
    await page.fill("#code", pyotp.TOTP(secret).generate_otp(desk.clock.now // (30 * SECOND)))
    assert await pressed(page, "form[action='/desk/sign-in'] button") == 200


async def signed_in(page: Page, base: str, token: str) -> None:
    url = base.replace("http:", "https:")
    await page.context.add_cookies([{"name": "__Host-me", "value": token, "url": url, "secure": True}])


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A2_the_whole_story_speaks_the_language_and_is_accessible(
    desk: Complaints, served: str, browser: Browser, language: str
) -> None:
    async with opened(browser, language) as page, opened(browser, language) as work:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{served}/page/privacy-policy")
        assert await pressed(page, "main a[href^='/complain']") == 200
        await looked_at(page, language)
        await pressed(page, "main form button")  # nothing said yet
        assert await page.locator(".errors").is_visible()
        await looked_at(page, language)
        await page.fill("#text", HOSTILE)
        await page.fill("#contact", "malika@example.uz")
        assert await pressed(page, "main form button") == 200
        await looked_at(page, language)
        assert len(await page.locator("main dl.facts time").all()) == 2, "when it came, and by when it is answered"
        if language == "en":
            assert (await page.inner_text("main dl.facts")).count("Received") == 1
        number, code = [await page.locator("main .digest").nth(n).inner_text() for n in (0, 1)]
        assert await pressed(page, "main a[href='/complain/status']") == 200, "the receipt leads to the answer"
        await looked_at(page, language)

        await at_work(desk, work, served, "701")
        await work.goto(f"{served}/desk/requests")
        await looked_at(work, language)
        assert HOSTILE not in await work.content()
        await pressed(work, f"a[href='/desk/requests/{number}']")
        await looked_at(work, language)
        await pressed(work, "form:has(input[value=claim]) button")
        await looked_at(work, language)
        await pressed(work, "ul.ways a")
        await pressed(work, "form:has(input[name=item][value='transaction.inquiry']) button")
        assert HOSTILE in await work.inner_text("main")  # as words, not as markup
        await looked_at(work, language)
        await work.fill("#text", ANSWER)
        desk.clock.forward(SECOND)
        await pressed(work, "form:has(input[value=answer]) button")
        await looked_at(work, language)
        assert await pressed(work, "form:has(input[value=close]) button") == 409  # the letter waits
        await looked_at(work, language)

        await page.fill("#number", number)
        await page.fill("#code", code)
        assert await pressed(page, "form[action='/complain/status'] button") == 200
        assert ANSWER in await page.inner_text("main")
        await looked_at(page, language)
        await desk.sent()
        assert await pressed(work, "form:has(input[value=close]) button") == 200
        await page.reload()
        assert await pressed(page, "form:has(input[value=reopen]) button") == 200
        await looked_at(page, language)
        assert await pressed(page, "form:has(input[value=forget]) button") == 200
        await page.goto(f"{served}/complain/request")
        assert page.url == f"{served}/complain/status"
        assert [url for url in asked if not url.startswith(f"{served}/")] == []
        secrets = (number, code.replace(" ", ""), "malika")
        assert [url for url in asked if any(secret in url for secret in secrets)] == []


async def test_Q2_a_deletion_waits_for_its_code_without_script(desk: Complaints, served: str, browser: Browser) -> None:
    async with opened(browser, "ru", java_script_enabled=False) as page:
        await page.goto(f"{served}/complain?kind=deletion")
        await page.fill("#text", "Удалите мои данные")
        assert await pressed(page, "main form button") == 422  # no contact
        assert await page.locator("#contact-error").is_visible()
        assert await page.input_value("#text") == "Удалите мои данные"
        await page.fill("#contact", "90 555 44 33")
        assert await pressed(page, "main form button") == 200
        assert await page.locator("#proof").is_visible()
        sent = str((await desk.message("request-code"))["code"])
        await page.fill("#proof", "000000" if sent != "000000" else "111111")
        assert await pressed(page, "form:has(input[value=confirm]) button") == 401
        await page.fill("#proof", sent)
        assert await pressed(page, "form:has(input[value=confirm]) button") == 200
        assert await page.locator("#proof").count() == 0


@pytest.mark.parametrize(("language", "name"), [("uz", "“Ism”"), ("ru", "«Имя»"), ("en", "“Name”")])
async def test_A2_what_is_wrong_with_a_field_is_told_by_its_label(
    desk: Complaints, served: str, browser: Browser, language: str, name: str
) -> None:
    async with opened(browser, language) as page:
        await page.goto(f"{served}/complain")
        await page.fill("#text", TEXT)
        await page.fill("#name", "<b>")
        assert await pressed(page, "main form button") == 422
        said = await page.inner_text("#name-error")
        assert name in said
        assert "person-name" not in await page.inner_text("main")


async def test_D2_a_refused_card_number_is_not_repeated_by_the_form(
    desk: Complaints, served: str, browser: Browser
) -> None:
    async with opened(browser) as page:
        await page.goto(f"{served}/complain")
        await page.fill("#text", "8600 4954 7331 6478")
        assert await pressed(page, "main form button") == 422
        assert "8600" not in await page.content()


async def test_A2_one_form_sent_twice_is_one_request(desk: Complaints, served: str, browser: Browser) -> None:
    pool = desk.house.grounds.database.pool
    async with opened(browser) as page:
        await page.goto(f"{served}/complain")
        once = await page.input_value("input[name=once]")
        before = await pool.fetchval("select count(*) from requests")
        for _ in range(2):
            answer = await page.request.post(
                f"{served}/complain", form={"kind": "complaint", "text": TEXT, "once": once}
            )
            assert answer.status == 200
        assert await pool.fetchval("select count(*) from requests") == before + 1
        foreign = await page.request.post(
            f"{served}/complain",
            form={"kind": "complaint", "text": TEXT, "once": "x"},
            headers={"sec-fetch-site": "cross-site"},
        )
        assert foreign.status == 403


async def test_A2_with_an_account_it_stands_under_my_requests_and_its_code_opens_no_answer(
    desk: Complaints, served: str, browser: Browser
) -> None:
    items = desk.shop.order_items(**{"contact.mobile": "+998911112233"})
    order = CollectRequest(
        credential=desk.shop.credentials["site"], service="order", items=items, version="1", consents={},
        case="order:90001",
    )  # fmt: skip
    person = (await desk.house.collect(order)).person
    token = await desk.house.sessions.open("me", person)
    async with opened(browser, "en") as page, opened(browser, "en") as stranger:
        await signed_in(page, served, token)
        await page.goto(f"{served}/me/requests")
        await looked_at(page, "en")
        await pressed(page, "a[href='/complain?kind=correction']")
        assert await page.locator("#contact").count() == 0
        await page.fill("#text", "Manzilim notoʻgʻri.")
        assert await pressed(page, "main form:has(#text) button") == 200
        assert page.url.split("?")[0].startswith(f"{served}/me/requests/")
        await looked_at(page, "en")
        number = await page.locator("main .digest").first.inner_text()
        told = await desk.message("request-received")
        assert (told["request"], told["channel"]) == (number, "sms")
        officer, inbox = desk.members["701"], desk.house.answer_requests
        await inbox.claim(officer, number)  # whoever signed in has proved who they are
        desk.clock.forward(SECOND)
        await desk.answer("701", number, Outcome.REJECTED, "is-right")
        await page.goto(f"{served}/me/requests")
        await looked_at(page, "en")
        await pressed(page, f"a[href='/me/requests/{number}']")
        assert ANSWER in await page.inner_text("main")
        await page.goto(f"{served}/me/who-looked")
        assert "took your request" in await page.inner_text("main")
        await stranger.goto(f"{served}/complain/status")
        await stranger.fill("#number", number)
        await stranger.fill("#code", str(told["code"]))
        await pressed(stranger, "form[action='/complain/status'] button")
        assert ANSWER not in await stranger.inner_text("main")
        other = await desk.ask()
        desk.clock.forward(MINUTE)
        assert await page.goto(f"{served}/me/requests/{other.number}")
        assert TEXT not in await page.inner_text("main")


async def test_C2_whoever_restricted_their_data_still_complains_apart_from_the_account(
    desk: Complaints, served: str, browser: Browser
) -> None:
    items = desk.shop.order_items(**{"contact.mobile": "+998911112244"})
    order = CollectRequest(
        credential=desk.shop.credentials["site"], service="order", items=items, version="1", consents={},
        case="order:90002",
    )  # fmt: skip
    person = (await desk.house.collect(order)).person
    await desk.house.choose(Choosing(person=person, kind="restriction", state="given"))
    token = await desk.house.sessions.open("me", person)
    async with opened(browser, "en") as page:
        await signed_in(page, served, token)
        await page.goto(f"{served}/complain")
        assert "stands apart" in await page.inner_text("main")
        await page.fill("#text", TEXT)
        assert await pressed(page, "main form:has(#text) button") == 200
        assert page.url.startswith(f"{served}/complain/request")
        number = await page.locator("main .digest").first.inner_text()
        assert number not in [each.number for each in await desk.house.follow_request.mine(person)]
    with pytest.raises(Refused, match="restricted"):
        await desk.ask(person=person, door="privacy-center")
