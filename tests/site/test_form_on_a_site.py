"""A service's form on a page of another server: without script, on a small phone, under whatever names."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from litestar import Request, get, post
from litestar.response import Response
from playwright.async_api import Browser, Page, async_playwright

from omonat.api.service_forms import Returned, Wanted, fragment
from omonat.base.settings import Settings
from omonat.flows.clients import parse_credential
from omonat.flows.publish_policy import Publication
from omonat.house import House, system_clock
from omonat.pages.words import LANGUAGES
from omonat.policy.compiled import compile_policy
from omonat.policy.reader import read_policy
from tests.flows.conftest import Clock, Shop, document, house, packs, settings, shop  # noqa: F401 - fixtures
from tests.policy.documents import shipped_packs
from tests.site_server import site_server

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGE = """<!doctype html><html lang="{language}"><head><title>x</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/site/forms.css"></head>
<body><main><h1>x</h1>{form}</main></body></html>"""
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'"


@pytest.fixture
def clock() -> Clock:
    return Clock(system_clock())


@dataclass
class Company:
    """The company's site and its server, which puts the form into its page and hands on what comes."""

    credential: str
    base: str = ""
    html: str = ""
    language: str = "en"
    posted: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, path: str, body: Any = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.credential}"}
        async with httpx.AsyncClient(base_url=self.base, headers=headers) as http:
            path = f"{path}?lang={self.language}"
            return await (http.get(path) if body is None else http.post(path, json=body))

    async def show(self, service: str, body: Any = None) -> None:
        answer = await self.ask(f"/v1/services/{service}/form.html", body)
        assert answer.status_code == 200, answer.text
        self.html = answer.text


@pytest_asyncio.fixture(loop_scope="session")
async def company(house: House, shop: Shop) -> AsyncIterator[Company]:
    company = Company(await house.clients.issue(name="web", source="site", roles=["system"]))

    @get("/shop")
    async def show() -> Response[str]:
        page = PAGE.format(language=company.language, form=company.html)
        return Response(page, media_type="text/html", headers={"content-security-policy": POLICY})

    @post("/shop", status_code=200)
    async def take(request: Request[Any, Any, Any]) -> Response[str]:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True)
        company.posted.append({name: values[0] if len(values) == 1 else values for name, values in fields.items()})
        return Response("<!doctype html><title>thanks</title>thanks", media_type="text/html")

    async with site_server(house, show, take) as company.base:
        yield company


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


async def look(page: Page) -> None:
    await page.evaluate(AXE)
    found = (await page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})"))["violations"]
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found] == []
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_L2_a_form_is_accessible_on_a_small_phone(browser: Browser, company: Company, language: str) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 700})
    troubles: list[str] = []
    page.on("console", lambda line: troubles.append(line.text))
    company.language = language
    problem = {"code": "required-withheld", "detail": "x", "item": "contact.name"}
    for service in ("registration", "order", "survey"):
        for body in (None, {"posted": {}, "problem": problem}):
            await company.show(service, body)
            assert len(company.html.encode()) <= 100_000
            await page.goto(f"{company.base}/shop")
            await look(page)
    assert troubles == [], "no inline style or script that a strict policy of content refuses"
    await page.close()


async def test_C4_without_script_it_is_sent_and_the_version_that_was_shown_counts(
    browser: Browser, company: Company, shop: Shop, clock: Clock
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await company.show("newsletter")
    await page.goto(f"{company.base}/shop")
    await page.fill("[name='contact.email']", "yodgora@mail.example")
    await page.check("[name='consent:marketing-email']")
    newer = document().replace('version: "1"', 'version: "2"', 1)
    await shop.house.publish(Publication(document=newer, packs=packs(), author="staff:1", approver="staff:2"))
    await page.click("button")
    await page.wait_for_selector("text=thanks")
    await context.close()
    taken = await company.ask("/v1/collect", {"service": "newsletter", "posted": company.posted[-1]})
    assert (taken.status_code, taken.json()["version"]) == (201, "1"), taken.text
    await company.show("newsletter")
    assert 'name="omonat-version" value="2"' in company.html
    later = {**company.posted[-1], "omonat-version": "2"}
    again = await company.ask("/v1/collect", {"service": "newsletter", "posted": later})
    assert again.json()["version"] == "1", "the signed token says what was shown, not the field beside it"


async def test_S1_wrapped_for_sealing_nothing_typed_is_posted(browser: Browser, company: Company) -> None:
    await company.show("newsletter", {"whole": False})
    client = parse_credential(company.credential).client
    company.html = (
        f'<form method="post" data-omonat-seal="newsletter" data-omonat-client="{client}">{company.html}'
        '<button>x</button></form><script src="/site/sealed-forms.js"></script>'
    )
    page = await browser.new_page()
    await page.route("**/shop", _scripted)
    await page.goto(f"{company.base}/shop")
    await page.fill("[name='contact.email']", "yodgora@mail.example")
    await page.check("[name='consent:marketing-email']")
    await page.click("button")
    await page.wait_for_selector("text=thanks")
    await page.close()
    posted = company.posted[-1]
    assert not any("." in name or name.startswith("consent:") for name in posted)
    answer = await company.ask("/v1/sealed-forms", json.loads(posted["omonat-sealed"]))
    assert (answer.status_code, answer.json()["state"]) == (201, "taken"), answer.text


async def _scripted(route: Any) -> None:
    """The same page under a policy of content that lets the site's own script run."""
    answer = await route.fetch()
    allowed = {**answer.headers, "content-security-policy": POLICY + "; script-src 'self'; connect-src 'self'"}
    await route.fulfill(response=answer, headers=allowed)


def test_P1_whatever_a_policy_calls_things_stays_text() -> None:
    bad = "<img src=x onerror=alert(1)>"
    text = document().replace("en: Mobile phone}", f"en: '{bad}\"'}}", 1)
    text = text.replace("en: Newsletter}", f"en: '{bad}\"'}}", 1)
    assert text.count("onerror") == 2
    law = compile_policy(read_policy(text.encode()).policy, shipped_packs())
    for service in ("registration", "newsletter"):
        html = fragment(law, service, "en", token="t", now=system_clock(), wanted=Wanted(), back=Returned())
        assert "<img" not in html
        assert "&lt;img" in html


async def test_L2_the_command_line_prints_the_form_a_site_gets(house: House, shop: Shop, settings: Settings) -> None:
    assert settings.root_key is not None
    own = {
        "OMONAT_HOME": str(settings.home),
        "OMONAT_ROOT_KEY": f"key-file:{settings.root_key.path}",
        "OMONAT_DATABASE": str(settings.database),
        "OMONAT_DEMO": "true",
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OMONAT_")}

    async def printed(*words: str) -> tuple[int | None, str]:
        command = [sys.executable, "-m", "omonat", "form", *words]
        ran = await asyncio.to_thread(
            subprocess.run, command, env={**clean, **own}, capture_output=True, text=True, check=False, timeout=120
        )
        return ran.returncode, ran.stdout

    status, html = await printed("newsletter", "--language", "uz", "--items", "contact.email", "--inside")
    assert status == 0
    assert 'name="contact.email"' in html
    assert 'name="contact.name"' not in html
    assert "<form" not in html
    assert shop.house.grounds.law.history()[-1].purposes["marketing-email"].says["uz"] in html
    assert (await printed("ordr"))[0] == 2
