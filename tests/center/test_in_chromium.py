"""Every page of the Privacy Center in a real browser: three languages, light and dark, 320 px, keyboard, no script."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.center.conftest import Center, Reader
from tests.pages.english import SAYING, left_in_english

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ONLY = f"{{runOnly: {RULES}, resultTypes: ['violations'], preload: false}}"
TOO_SMALL = """[...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(e => !e.closest('p, dd, td, ol:not(.timeline), .masked') && !e.matches('.skip, .option > input'))
  .filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 44 || r.width < 24) })
  .map(e => e.outerHTML.slice(0, 100))"""
TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(e => !e.closest('.spoken, .long')).map(e => e.outerHTML.slice(0, 100))"""
SIGNED_IN = ("/me", "/me/data", "/me/who-looked", "/me/choices", "/me/requests", "/me/checkpoint", "/me/nowhere")


SCHEMES: dict[str, Any] = {"uz": ["light"], "ru": ["dark"], "en": ["light", "dark"]}
"""The look doesn't depend on the language: both schemes are walked through in one, and one of them in each other."""


async def looked_at(page: Page, language: str) -> None:
    """In the reader's language alone, accessible, nothing past a small screen's edge, all large enough to press."""
    if language != "en":
        assert left_in_english(language, await page.evaluate(SAYING)) == [], page.url
    await page.set_viewport_size({"width": 320, "height": 700})
    assert await page.evaluate(TOO_WIDE) == [], page.url
    assert await page.evaluate(TOO_SMALL) == [], page.url
    await page.evaluate(AXE)
    for scheme in SCHEMES[language]:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = await page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations'], preload: false}})"
        )
        faults = [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found["violations"]]
        assert faults == [], (page.url, scheme)
    await page.set_viewport_size({"width": 1280, "height": 800})


async def unfolded(page: Page) -> None:
    await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_every_page_speaks_the_language_and_is_accessible(center: Center, language: str) -> None:
    order, phone = await center.customer()
    await center.assign(order.case, "204")
    await center.deliver(order.case, "204", "contact.name", "contact.landmark", "financial.card-number")
    await center.checkpoint()
    async with center.reader(language) as reader:
        page = reader.page
        await reader.go("/me")
        assert await page.get_attribute("html", "lang") == language
        await looked_at(page, language)
        await center.ask_code(reader, phone)
        await looked_at(page, language)
        await center.enter(reader, "000000")
        await looked_at(page, language)
        await center.enter(reader, await center.code(order.person))
        for path in SIGNED_IN:
            await reader.go(path)
            await unfolded(page)
            await looked_at(page, language)
        await reader.go("/me/data")
        async with page.expect_navigation():
            await page.locator("button[name=reveal]").click()
        await unfolded(page)
        await looked_at(page, language)
        used = (await center.house.my_data.who_looked(order.person)).entries[-1]
        await reader.go(f"/me/proof/{used.id}")
        await looked_at(page, language)
        foreign = [url for url in reader.asked if not url.startswith(f"{center.base}/")]
        assert foreign == []
        assert [line for line in reader.said if "Failed to load resource" not in line] == []


async def test_T1_personal_pages_are_kept_by_nobody_on_the_way(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for path in SIGNED_IN:
            answer = await reader.page.goto(center.base + path)
            assert answer is not None
            headers = await answer.all_headers()
            assert headers["cache-control"] == "no-store"
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "unsafe-inline" not in headers["content-security-policy"]
        cookies = {cookie["name"]: cookie for cookie in await reader.page.context.cookies()}
        assert cookies["__Host-me"]["httpOnly"] is True
        assert cookies["__Host-me"]["secure"] is True
        assert "__Host-me-step" not in cookies


async def test_C2_a_keyboard_is_enough(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader(width=1280) as reader:
        await reader.go("/me")
        await to(reader, "#who")
        await reader.page.keyboard.type(phone)
        await entered(reader)
        await to(reader, "#code")
        await reader.page.keyboard.type(await center.code(order.person))
        await entered(reader)
        await to(reader, "main a[href='/me/choices']")
        await entered(reader)
        await to(reader, "#marketing-email button[value=given]")
        await entered(reader)
        assert await reader.page.locator("#marketing-email button[value=given]").get_attribute("aria-pressed") == "true"
        await reader.go("/me/data")
        await to(reader, "[id='contact.mobile'] .masked button")
        await entered(reader)
        assert phone[-2:] in await reader.page.locator("[id='contact.mobile'] .value").first.inner_text()


async def to(reader: Reader, target: str) -> None:
    """Tab until it has the focus, and see that the focus is seen."""
    for _ in range(80):
        await reader.page.keyboard.press("Tab")
        if await reader.page.evaluate("t => document.activeElement.matches(t)", target):
            ring = await reader.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid"
            return
    raise AssertionError(f"the keyboard never reaches {target}")


async def entered(reader: Reader) -> None:
    async with reader.page.expect_navigation():
        await reader.page.keyboard.press("Enter")


async def test_C2_everything_works_without_script(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader("uz", java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/data")
        await reader.page.locator("button[name=reveal]").click()
        assert "Dilnoza Karimova" in await reader.text()
        await reader.go("/me/choices")
        await reader.page.locator("details:has(#survey) > summary").click()
        await reader.page.locator("#survey button[value=withdrawn]").click()
        assert await reader.page.locator("#survey button[value=withdrawn]").get_attribute("aria-pressed") == "true"
        await reader.go("/me")
        await reader.page.locator("form[action='/me/sign-out'] button").click()
        assert await reader.page.locator("#who").count() == 1
