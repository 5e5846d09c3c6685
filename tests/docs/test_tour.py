"""The tour as a stranger takes it: every line of docs/tour.md typed literally, every page opened, in one go.

Leaves the pages as pictures in build/tour/; those in docs/images/ are chosen from them.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.examples.demo_running import ROOT, Demo, until

TOUR = (ROOT / "docs" / "tour.md").read_text("utf-8")
PICTURES = ROOT / "build" / "tour"
PHONE = "90 777 12 34"


class Terminal:
    """A terminal in a clone of its own: types the tour's blocks in their order; what was remembered still holds."""

    def __init__(self, clone: Path, demo: Demo) -> None:
        self.clone = clone
        self._blocks = iter(re.findall(r"^```sh\n(.*?)^```", TOUR, re.MULTILINE | re.DOTALL))
        self._known = ""
        for name, command in (("python", ""), ("omonat", " -m omonat")):
            file = clone / ".venv" / "bin" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f'#!/bin/sh\nexec {sys.executable}{command} "$@"\n')
            file.chmod(0o755)
        (clone / "policies").symlink_to(ROOT / "policies")
        (clone / "build").mkdir()
        (clone / "build" / "demo.json").write_text(json.dumps(demo.details))

    def type(self, *, remember: bool = False) -> str:
        """Type the next block; what the terminal shows. Everything in it must succeed."""
        block = next(self._blocks)
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._known + block],
            cwd=self.clone,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "localhost", "OMONAT_LANGUAGE": "en"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
        if remember:
            self._known += block
        return ran.stdout

    @property
    def at_the_end(self) -> bool:
        return next(self._blocks, None) is None


@pytest.fixture(name="demo")
def a_demo(short_folder: Path) -> Iterator[Demo]:
    demo = Demo(short_folder / "tour", 20)
    try:
        yield demo.wait_until_ready()
    finally:
        demo.stop()


@pytest.fixture(name="page")
def a_page() -> Iterator[Page]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1120, "height": 760}, locale="en")
        yield context.new_page()
        browser.close()


def picture(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def test_A3_S4_C1_B3_the_tour_is_true_word_by_word(demo: Demo, page: Page, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, demo)
    terminal.type(remember=True)

    _order(page, terminal.type().strip())
    terminal.type(remember=True)
    assert page.url.endswith("/done/41877"), "the tour names the first order"

    page.goto(f"{demo.base}/catcher")
    until(lambda: "order 41877 accepted" in (page.reload(), page.inner_text("main"))[1])

    assert json.loads(terminal.type())["evidence"]["id"]
    _deliver(page, demo, terminal.type().split())
    used = json.loads(terminal.type())
    assert set(used["items"]) == {"contact.name", "contact.postal-address"}
    assert used["withheld"]["financial.card-number"]["promise"] == "L3"
    assert json.loads(terminal.type())["code"] == "no-open-case"
    assert json.loads(terminal.type())["code"] == "no-consent"

    _see_who_looked(page, demo)

    terminal.type()
    assert "INTACT" in terminal.type()
    assert "first bad entry" in (forged := terminal.type())
    assert "exit code 11" in forged
    assert terminal.type().count("✗") == 1
    assert terminal.at_the_end


def _order(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Add").first.click()
    picture(page, "shop")
    page.get_by_role("link", name="Cart").first.click()
    page.get_by_role("link", name="Order").last.click()
    page.locator("#year").fill("1990")
    page.get_by_role("button", name="Continue").click()
    page.locator('[name="contact.name"]').fill("Dilnoza Karimova")
    page.locator('[name="contact.mobile"]').fill(PHONE)
    page.locator('[name="contact.postal-address"]').fill("Toshkent, Chilonzor 5, 12-uy, 34-xonadon")
    page.get_by_role("button", name="Place the order").click()


def _deliver(page: Page, demo: Demo, shown: list[str]) -> None:
    login, password, _ = shown
    totp = next(each["totp"] for each in demo.details["staff"] if each["login"] == login)
    page.goto(f"{demo.base}/desk")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(password)
    page.locator("[name=code]").fill(pyotp.TOTP(totp).now())
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="41877").click()
    page.get_by_role("link", name="Delivery of the order").first.click()
    page.get_by_role("button", name="Show all this purpose needs").click()
    page.get_by_text("Dilnoza Karimova").wait_for()
    picture(page, "desk")


def _see_who_looked(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base}/me")
    page.locator("[name=who]").fill(PHONE)
    page.get_by_role("button", name="Send me a code").click()
    codes = (re.search(r"code (\d{6})", each["text"]) for each in until(lambda: _codes(demo)))
    page.locator("[name=code]").fill(next(code[1] for code in codes if code))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="My data").first.click()
    page.get_by_text("Postal address").wait_for()
    page.goto(f"{demo.base}/me/who-looked")
    picture(page, "who-looked")
    lines = page.inner_text("main")
    assert lines.count("Courier (a member of staff) looked at your data") == 2
    assert lines.count("asked for your data and was refused") == 2, "marketing, and the other courier"


def _codes(demo: Demo) -> list[dict[str, str]]:
    return [each for each in demo.caught("+998907771234") if "sign-in code" in each["text"]]
