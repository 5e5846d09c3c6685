"""Every page of the Desk in a real browser: three languages, light and dark, a small screen, keyboard, no script."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.desk.conftest import Desk, Worker
from tests.pages.english import SAYING, left_in_english
from tests.paper.scanner import text_on

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TOO_SMALL = """[...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(e => !e.closest('p, dd, td, .masked') && !e.matches('.skip, .option input'))
  .filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 44 || r.width < 24) })
  .map(e => e.outerHTML.slice(0, 100))"""
TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(e => !e.closest('.spoken, .long')).map(e => e.outerHTML.slice(0, 100))"""
SCHEMES: dict[str, Any] = {"uz": [], "ru": [], "en": ["light", "dark"]}
"""Roles, names and contrast don't depend on the language: they are checked in one, widths and targets in all."""


async def looked_at(page: Page, language: str) -> None:
    """In the reader's language, accessible, nothing past a small screen's edge, everything large enough to press."""
    assert await page.get_attribute("html", "lang") == language
    if language != "en":
        assert left_in_english(language, await page.evaluate(SAYING)) == [], page.url
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate(TOO_WIDE) == [], page.url
    assert await page.evaluate(TOO_SMALL) == [], page.url
    await page.set_viewport_size({"width": 1280, "height": 800})
    if SCHEMES[language]:
        await page.evaluate(AXE)
    for scheme in SCHEMES[language]:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = await page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations'], preload: false}})"
        )
        faults = [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found["violations"]]
        assert faults == [], (page.url, scheme)


async def of_a_courier(desk: Desk, worker: Worker) -> AsyncIterator[None]:
    order = await desk.order("204")
    case = f"/desk/case/{order.case}"
    await worker.go("/desk")
    yield
    await desk.sign_in(worker, "204", code="000000")
    yield
    await desk.sign_in(worker, "204")
    yield
    for path in (case, f"{case}?purpose=deliver-order", "/desk/find", "/desk/keys", "/desk/nowhere", "/desk/case/x:1"):
        await worker.go(path)
        yield
    await worker.go(f"{case}?purpose=deliver-order")
    await worker.press(".all button")
    yield
    await worker.go(f"{case}?purpose=guide-courier")
    await worker.reveal("relationship.location")
    yield


async def of_the_call_centre(desk: Desk, worker: Worker) -> AsyncIterator[None]:
    phone = desk.phone()
    await desk.order(mobile=phone)
    await desk.sign_in(worker, "401")
    await worker.page.fill("#number", "no-such")
    await worker.press("form[action='/desk/open'] button")
    yield
    for by, value in (
        ("take-order/contact.mobile", phone),
        ("take-order/contact.mobile", desk.phone()),
        ("take-order/contact.mobile", "12"),
        ("account-management/contact.mobile", phone),
    ):
        await worker.look_up(by, value)
        yield
    await worker.press("form[action='/desk/find/person'] button")
    yield
    await worker.press(".all button")
    yield


async def of_security(desk: Desk, worker: Worker) -> AsyncIterator[None]:
    await desk.sign_in(worker, "801")
    await worker.go("/desk/safeguards")
    yield
    await worker.page.check("#kept-1")
    await worker.press("form:has(#about) button")  # without a proof it is refused
    yield
    await worker.page.fill("#name", f"room-{desk.phone()[-7:]}")
    await worker.page.select_option("#kind", "room")
    await worker.page.fill("#seen", "Dalolatnoma 7/2026")
    await worker.press("form:has(#seen) button")
    yield


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_S4_every_page_speaks_the_language_is_accessible_and_asks_nobody_else(desk: Desk, language: str) -> None:
    await desk.checkpoint()
    seen = 0
    for walk in (of_a_courier, of_the_call_centre, of_security):
        async with desk.worker(language=language) as worker:
            async for _ in walk(desk, worker):
                await looked_at(worker.page, language)
                seen += 1
            assert all(url.startswith(f"{desk.base}/") for url in worker.asked)
            assert [said for said in worker.said if "status of 4" not in said] == []
    assert seen == 21


async def test_S4_a_day_by_the_keyboard_alone(desk: Desk) -> None:
    """The queue's places are keys, so are the pages; in a field they are letters, and they can be switched off."""
    async with desk.worker("401") as worker:
        page = worker.page
        await desk.order()
        await page.reload()
        first = await page.locator(".queue a").first.inner_text()
        async with page.expect_navigation():
            await page.keyboard.press("1")
        assert first.split("\n")[0] == await page.inner_text("h1")
        async with page.expect_navigation():
            await page.keyboard.press("f")
        await page.fill("#value", "")
        await page.locator("#value").press_sequentially("c1?")
        assert worker.path == "/desk/find"
        assert await page.input_value("#value") == "c1?"
        await page.locator("h1").click()
        async with page.expect_navigation():
            await page.keyboard.press("?")
        assert worker.path == "/desk/keys"
        await worker.press("form[action='/desk/keys'] button")
        await page.keyboard.press("c")
        await page.wait_for_timeout(200)
        assert worker.path == "/desk/keys"
        await worker.press("form[action='/desk/keys'] button")
        async with page.expect_navigation():
            await page.keyboard.press("c")
        assert worker.path == "/desk"


async def test_S4_a_revealed_value_closes_after_a_minute_unless_one_key_or_press_keeps_it(desk: Desk) -> None:
    phone = desk.phone()
    order = await desk.order("204", mobile=phone)
    async with desk.worker("204", width=390, has_touch=True) as worker:
        page = worker.page
        await page.clock.install()
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        await worker.reveal("contact.mobile")
        assert f"tel:{phone}" in await page.content()
        await page.clock.run_for(46_000)
        assert "Press E" in await page.locator(".closing").inner_text()
        await page.locator(".closing button").tap()
        await page.clock.run_for(46_000)
        await page.keyboard.press("e")
        await page.clock.run_for(59_000)
        assert f"tel:{phone}" in await page.content()
        await page.clock.run_for(2_000)
        assert phone not in await page.content()
        assert "Mobile phone, hidden" in await page.inner_text(".items div:has(.dots):nth-child(2)")


async def test_S2_a_page_of_the_desk_that_is_printed_shows_no_value(desk: Desk) -> None:
    """What leaves on paper leaves sealed: whoever prints what they were shown gets the masks."""
    phone = desk.phone()
    order = await desk.order("204", mobile=phone)
    async with desk.worker("204") as worker:
        page = worker.page
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        await worker.press("form.all button")
        assert "Dilnoza Karimova" in await worker.text()
        await page.emulate_media(media="screen")
        as_on_the_screen = await page.pdf()
        assert "DilnozaKarimova" in _letters(as_on_the_screen)  # whoever looks would find it
        assert f"tel:{phone}".encode() in as_on_the_screen
        await page.emulate_media(media="print")
        printed = await page.pdf()
        on_paper = _letters(printed)
        assert order.case.split(":")[1] in on_paper
        assert "Mobilephone" in on_paper
        assert "Dilnoza" not in on_paper
        assert phone[-7:] not in on_paper
        assert b"tel:" not in printed


def _letters(pdf: bytes) -> str:
    """Without blanks: values are set wide."""
    return text_on(pdf).replace(" ", "")


async def test_S4_on_a_phone_the_list_of_cases_is_as_wide_as_the_page_and_a_refusal_is_said_once(desk: Desk) -> None:
    order = await desk.order("204")
    async with desk.worker("204", width=390) as worker:
        await worker.go("/desk")
        case = await worker.page.locator(f".queue a[href$='{order.case}']").bounding_box()
        assert case is not None
        assert case["width"] > 300
        await worker.go("/desk/children")
        assert (await worker.page.locator("main").inner_text()).count("This was not done") == 1


async def test_S4_without_script_the_work_gets_done(desk: Desk) -> None:
    order = await desk.order("204")
    async with desk.worker("204", java_script_enabled=False) as worker:
        await worker.press(f"a[href='/desk/case/{order.case}']")
        await worker.press("a[href$='purpose=deliver-order']")
        await worker.reveal("contact.name")
        assert "Dilnoza Karimova" in await worker.text()
        await worker.press("form[action='/desk/sign-out'] button")
        assert await worker.page.locator("#login").is_visible()
