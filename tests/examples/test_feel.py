"""How it must feel: whatever a person wants is three clicks away, and no page is heavy. On the whole demo, in Chromium.

Clicks are counted over links that are seen, from the company's first page; what signing in takes is not counted.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from omonat.pages.words import LANGUAGES
from tests.examples.demo_running import Demo, until

HEAVY = 100_000
"""Bytes of a page with everything it brings, to somebody who comes for the first time."""
CLICKS = 3
WANTED = {
    "what they know about me": "#data [id='contact.name'], [id='contact.name']",
    "stop the messages": "button[name][value='withdrawn'], button[value='withdrawn']",
    "correct my phone": "input[type=tel][name=value]",
    "delete me": "form[action^='/me/delete'] button",
    "complain": "form[action='/complain'] textarea",
    "who looked": "#who-looked, .timeline",
}
"""What a person may want, and what is seen once they are there."""
OPEN = ("/", "/menu", "/page/privacy-policy", "/page/privacy-policy/history", "/complain", "/me", "/cookies")
MINE = ("/me", "/me/data", "/me/choices", "/me/who-looked", "/me/notices", "/me/requests", "/me/copy", "/me/delete")
LINKS = """[...document.querySelectorAll('a[href^="/"]')].filter(a => a.checkVisibility() && !a.download)
  .map(a => a.getAttribute('href').split('#')[0])"""
ELSEWHERE = re.compile(r"/catcher|[^?]*[.]|[^?]*/(v|proof|checkpoint)/")
"""The demo's own tool, files, and what there is one of for each entry and version."""


@pytest.fixture(name="demo", scope="module")
def a_demo(short_folder: Path) -> Iterator[Demo]:
    demo = Demo(short_folder / "feel", 12)
    try:
        yield demo.wait_until_ready().wait_until_filled()
    finally:
        demo.stop()


@pytest.fixture(name="browser", scope="module")
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(name="signed_in", scope="module", params=LANGUAGES)
def a_customer(browser: Browser, demo: Demo, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Somebody who ordered and is signed in, each language with a person of its own."""
    person = demo.details["people"][LANGUAGES.index(request.param)]
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale=request.param)
    page = context.new_page()
    page.goto(f"{demo.base}/me?lang={request.param}")
    page.fill("#who", person["phone"])
    page.click("main form button")
    page.fill("#code", code_for(demo, person["phone"]))
    with page.expect_navigation():
        page.click("form[action='/me/code'] button")
    assert page.url == f"{demo.base}/me"
    yield context
    context.close()


def code_for(demo: Demo, phone: str) -> str:
    return str(
        until(lambda: [found for each in demo.caught(phone) if (found := re.search(r"\b\d{6}\b", str(each)))])[-1][0]
    )


def clicks_to_everything(page: Page, base: str) -> dict[str, int]:
    """The least clicks to each wish, going along every link that is seen."""
    found: dict[str, int] = {}
    seen, here = {"/"}, ["/"]
    for clicks in range(CLICKS + 1):
        onward: list[str] = []
        for path in here:
            page.goto(base + path)
            for wish, sign in WANTED.items():
                if wish not in found and page.locator(sign).count():
                    found[wish] = clicks
            links: list[str] = page.evaluate(LINKS)
            onward += [link for link in dict.fromkeys(links) if link not in seen and not ELSEWHERE.match(link)]
            seen.update(onward)
        here = onward
    return found


def test_C2_whatever_a_person_wants_is_three_clicks_from_the_first_page(signed_in: BrowserContext, demo: Demo) -> None:
    page = signed_in.pages[0]
    found = clicks_to_everything(page, demo.base)
    assert {wish: found.get(wish) for wish in WANTED if found.get(wish) is None} == {}


def weight(context: BrowserContext, address: str) -> int:
    """Bytes on the line for a page and all it brings, with nothing in store."""
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    line.on("Network.loadingFinished", lambda each: sizes.append(each["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    page.close()
    return int(sum(sizes))


def test_P3_no_page_is_heavy(signed_in: BrowserContext, demo: Demo) -> None:
    weighed: dict[str, Any] = {path: weight(signed_in, demo.base + path) for path in (*OPEN, *MINE)}
    assert min(weighed.values()) > 500, weighed
    assert {path: bytes_ for path, bytes_ in weighed.items() if bytes_ > HEAVY} == {}
