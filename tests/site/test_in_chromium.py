"""The policy page in a real browser: light, from one origin, accessible, on a phone and on paper."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from playwright.sync_api import Browser, Page, sync_playwright

from omonat.pages.words import LANGUAGES
from tests.ports import free_port

HOME = "/page/privacy-policy"
AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIGHT = 60 * 1024
LEAFLET = 4  # pages of A4


@pytest.fixture(name="place", scope="module")
def a_place(app: Litestar) -> Iterator[str]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture(name="browser", scope="module")
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def _open(browser: Browser, url: str, width: int = 1280, scheme: Any = "light") -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    return context.new_page()


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_a_cold_reader_fetches_at_most_sixty_kilobytes_from_one_origin(
    browser: Browser, place: str, language: str
) -> None:
    page = _open(browser, place)
    weights: dict[str, int] = {}
    page.on("response", lambda answer: weights.update({answer.url: int(answer.headers["content-length"])}))
    page.goto(f"{place}{HOME}?lang={language}", wait_until="networkidle")
    assert all(url.startswith(f"{place}/") for url in weights)
    assert sum(weights.values()) <= LIGHT, weights
    page.context.close()


@pytest.mark.parametrize(
    ("path", "width", "scheme"),
    [
        ("?lang=uz", 1280, "light"),
        ("?lang=ru", 390, "dark"),
        ("/v/1?lang=en", 320, "light"),
        ("/history?lang=uz", 320, "dark"),
        ("/v/none?lang=ru", 1280, "light"),
    ],
)
def test_P3_the_page_is_accessible_quiet_and_fits_the_screen(
    browser: Browser, place: str, path: str, width: int, scheme: str
) -> None:
    page = _open(browser, place, width, scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{place}{HOME}{path}")
    page.evaluate("document.querySelectorAll('details').forEach((each, at) => { each.open = each.open || at < 4 })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE)
    found = page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found["violations"]] == []
    assert [line for line in said if "404" not in line] == []
    page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_P3_the_leaflet_prints_on_a_few_pages(browser: Browser, place: str, language: str) -> None:
    page = _open(browser, place)
    page.goto(f"{place}{HOME}?lang={language}", wait_until="networkidle")
    printed = page.pdf(prefer_css_page_size=True)
    assert 3 <= len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= LEAFLET
    page.context.close()


def test_P3_the_page_reads_the_same_without_script(browser: Browser, place: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{place}{HOME}?lang=en")
    page.locator("#P1 summary").click()
    assert page.locator("#P1 details li").first.is_visible()
    page.get_by_role("link", name="Русский").click()
    page.wait_for_url("**lang=ru")
    assert page.locator("h1").inner_text() == "Политика конфиденциальности"
    context.close()
