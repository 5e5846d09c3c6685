"""Looks at every page of a running demo: desktop and phone, three languages, one picture each, and an index of them.

    make demo            # in one terminal
    make screenshots     # in another; writes build/screenshots/index.html

Starts at the doors and follows links that stay on the demo's origin. Reading changes nothing (safe methods), so every
link may be followed. With `--sign-in cookies.json` (a list of Playwright cookies) the pages behind a sign-in are seen
as well. Says what went wrong on a page: an error of a script, a refused file, a request that leaves the origin.
"""

import argparse
import html
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DOORS = ("/", "/page/privacy-policy", "/complain", "/me", "/desk", "/catcher")
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
LANGUAGES = ("uz", "ru", "en")
LIMIT = 40
"""Pages in one language and width; enough for every kind of page, and an end to lists of people."""

Shot = tuple[str, str, str, str, list[str]]  # language, width, address, file, troubles


def main() -> int:
    """Walk, photograph, write the index; 1 when a page was in trouble."""
    arguments = _arguments()
    target = ROOT / "build" / "screenshots"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    cookies = json.loads(arguments.sign_in.read_text()) if arguments.sign_in else []
    shots: list[Shot] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium())
        for language in arguments.languages:
            for width in WIDTHS:
                walked = _walk(browser, arguments.base, (language, width), cookies, target)
                shots += walked
                print(f"  … {language} {width}: {len(walked)} pages", file=sys.stderr)
        browser.close()
    _index(target, shots)
    troubles = [(address, trouble) for _, _, address, _, found in shots for trouble in found]
    for address, trouble in troubles:
        print(f"{address}: {trouble}", file=sys.stderr)
    print(target / "index.html")
    return 1 if troubles else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", default=_base(), help="the demo's address")
    parser.add_argument("--sign-in", type=Path, help="a file with cookies")
    parser.add_argument("--languages", nargs="*", default=LANGUAGES, choices=LANGUAGES)
    return parser.parse_args()


def _base() -> str:
    details = ROOT / "build" / "demo.json"
    found = json.loads(details.read_text()).get("base") if details.exists() else None
    return str(found or "http://localhost:8600").rstrip("/")


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    sys.exit("omonat: Chromium is needed.\n  Type: sudo apt-get install -y chromium")


def _walk(browser: Browser, base: str, view: tuple[str, str], cookies: list[Any], target: Path) -> list[Shot]:
    language, width = view
    wide, high = WIDTHS[width]
    context = browser.new_context(viewport={"width": wide, "height": high}, locale=language, reduced_motion="reduce")
    context.add_cookies(cookies)
    page = context.new_page()
    waiting, seen = list(DOORS), set(DOORS)
    shots: list[Shot] = []
    while waiting and len(shots) < LIMIT:
        address = waiting.pop(0)
        troubles = _open(page, base, address, language)
        if troubles is None:
            continue
        file = f"{language}-{width}-{re.sub('[^a-z0-9]+', '-', address.lower()).strip('-') or 'home'}.png"
        page.screenshot(path=target / file, full_page=True)
        shots.append((language, width, address, file, troubles))
        for link in _links(page, base):
            if link not in seen:
                seen.add(link)
                waiting.append(link)
    context.close()
    return shots


def _open(page: Page, base: str, address: str, language: str) -> list[str] | None:
    """Open one page; its troubles, or None when there is no such page or it is not a page."""
    troubles: list[str] = []
    origin = urlsplit(base).netloc

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != origin:
            troubles.append(f"leaves the origin: {request.url}")

    def on_console(line: ConsoleMessage) -> None:
        if line.type == "error":
            troubles.append(f"console: {line.text}")

    def on_error(error: object) -> None:
        troubles.append(f"script: {error}")

    heard = {"request": on_request, "console": on_console, "pageerror": on_error}
    for event, listener in heard.items():
        page.on(event, listener)  # type: ignore[call-overload]
    try:
        answer = page.goto(f"{base}{address}{'&' if '?' in address else '?'}lang={language}", wait_until="load")
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        answer = None
    for event, listener in heard.items():
        page.remove_listener(event, listener)
    if answer is None or answer.status == 404 or "text/html" not in answer.headers.get("content-type", ""):
        return None
    if answer.status >= 500:
        troubles.append(f"status {answer.status}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
        troubles.append("wider than its window")
    return troubles


def _links(page: Page, base: str) -> list[str]:
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    own = [urldefrag(urljoin(page.url, link)).url for link in found]
    paths = [link.removeprefix(base) for link in own if link.startswith(f"{base}/")]
    return [re.sub(r"[?&]lang=[a-z]+", "", path) or "/" for path in paths]


def _index(target: Path, shots: list[Shot]) -> None:
    figures = []
    for language, width, address, file, troubles in shots:
        words = "<br>".join(html.escape(line) for line in (f"{language} · {width} · {address}", *troubles))
        picture = f"<a href={file}><img loading=lazy width=320 src={file}></a>"
        figures.append(f"<figure><figcaption>{words}</figcaption>{picture}</figure>")
    rows = "\n".join(figures)
    style = "<style>body{display:flex;flex-wrap:wrap;gap:1rem;font:14px sans-serif;align-items:flex-start}</style>"
    (target / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Omonat</title>{style}{rows}", "utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())
