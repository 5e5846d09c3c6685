"""Every component in a real browser: accessible, within the screen, from one origin, under the real headers, light."""

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar, Request, get
from litestar.exceptions import NotFoundException
from litestar.response import Response
from playwright.sync_api import Browser, Page, sync_playwright

from omonat.pages import gallery
from omonat.pages.assets import static_handler
from omonat.pages.files import assets
from omonat.pages.http import page as answer
from omonat.pages.render import KIT_STATIC
from omonat.pages.words import LANGUAGES
from tests.ports import free_port

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TOO_SMALL = """[...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(e => !e.closest('p, dd, td, .refusal, .option, .masked') && !e.matches('.skip'))
  .filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 44 || r.width < 24) })
  .map(e => e.outerHTML.slice(0, 100))"""
TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(e => !e.closest('.spoken, .long')).map(e => e.outerHTML.slice(0, 100))"""


@get("/{name:str}", sync_to_thread=False)
def example(request: Request[Any, Any, Any]) -> Response[bytes]:
    page, _, rest = request.url.path.removeprefix("/").partition(".")
    language = rest.partition(".")[0]
    if page not in gallery.PAGES or language not in LANGUAGES:
        raise NotFoundException
    return answer(gallery.render(page, language), personal=True, https=False)


@pytest.fixture(name="place", scope="module")
def a_server() -> Iterator[str]:
    port = free_port()
    app = Litestar([example, static_handler([KIT_STATIC])], openapi_config=None, logging_config=None)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://localhost:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(name="browser", scope="module")
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def _open(browser: Browser, url: str, width: int, scheme: Any) -> tuple[Page, list[str], list[str]]:
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    return page, said, asked


@pytest.mark.parametrize("seen", [("en", 1280, "light"), ("ru", 390, "dark"), ("uz", 320, "light")])
@pytest.mark.parametrize("name", gallery.PAGES)
def test_every_component_is_accessible_under_the_real_headers(
    browser: Browser, place: str, name: str, seen: tuple[str, int, str]
) -> None:
    language, width, scheme = seen
    page, said, asked = _open(browser, f"{place}/{name}.{language}.html", width, scheme)
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found["violations"]] == []
    assert said == []
    assert all(url.startswith(f"{place}/") for url in asked)
    page.context.close()


def test_nothing_leaves_a_small_screen_and_every_target_is_large_enough(browser: Browser, place: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 700})
    page = context.new_page()
    for name in gallery.PAGES:
        for language in LANGUAGES:
            page.goto(f"{place}/{name}.{language}.html")
            assert page.evaluate(TOO_WIDE) == [], (name, language)
            assert page.evaluate(TOO_SMALL) == [], (name, language)
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reading_page_weighs_little(browser: Browser, place: str, language: str) -> None:
    """Everything a cold browser fetches beside the text itself stays under 40 KB: 20 KB are left for a policy."""
    page, _, asked = _open(browser, f"{place}/prose.{language}.html", 1280, "light")
    page.wait_for_load_state("networkidle")
    by_address = {asset.address: asset for asset in assets(*KIT_STATIC).values()}
    fetched = [by_address[url.removeprefix(place)] for url in set(asked) if "/static/" in url]
    weight = sum(len(asset.squeezed or asset.body) for asset in fetched)
    assert weight <= 40 * 1024
    assert len(gzip.compress(page.content().encode())) <= 12 * 1024
    page.context.close()


def test_a_revealed_value_closes_again_and_one_key_keeps_it_open(browser: Browser, place: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{place}/desk.en.html")
    page.clock.run_for(46_000)
    assert "Press E" in page.locator(".closing").inner_text()
    page.keyboard.press("e")
    page.clock.run_for(20_000)
    assert "Chilonzor 9-mavze" in page.inner_text("main")
    page.clock.run_for(41_000)
    assert "Chilonzor 9-mavze" not in page.inner_text("main")
    assert "hidden address in Toshkent" in page.inner_html("main")
    context.close()


def test_the_keyboard_reaches_the_content_first_and_focus_is_seen(browser: Browser, place: str) -> None:
    page, _, _ = _open(browser, f"{place}/form.en.html", 1280, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.context.close()


def test_motion_stands_still_for_those_who_ask(browser: Browser, place: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{place}/form.en.html")
    assert page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration") == "0s"
    context.close()
