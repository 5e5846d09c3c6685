"""A form of the company's own site, sealed in the visitor's browser: the site's server carries what it can't read."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from litestar import Request, get, post
from litestar.response import Response
from playwright.async_api import Page, async_playwright, expect

from omonat.flows.clients import parse_credential
from omonat.house import House, system_clock
from tests.flows.conftest import Clock, Shop, house, settings, shop  # noqa: F401 - fixtures
from tests.offline.conftest import acts, count
from tests.site_server import site_server

MARKER = "yodgora.muhrxonova@example.uz"
PAGE = """<!doctype html><html lang="ru"><title>x</title><script src="/site/sealed-forms.js" defer></script>
<form method="post" action="/shop" data-omonat-seal="{service}" data-omonat-client="{client}" {more}>
<input name="email" data-omonat-item="contact.email"><input type="hidden" name="basket" value="7">
<input type="checkbox" name="yes" data-omonat-consent="marketing-email"><button>OK</button></form></html>"""
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'"


@pytest.fixture
def clock() -> Clock:
    """The house and the browser live at the same time."""
    return Clock(system_clock())


@dataclass
class Site:
    """The company's site and its server: what it was sent, and what Omonat answers when it passes that on."""

    shop: Shop
    credential: str
    base: str = ""
    service: str = "newsletter"
    more: str = ""
    posted: list[bytes] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, list[str]]:
        return parse_qs(self.posted[-1].decode())

    async def pass_on(self, sealed: str, credential: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {credential or self.credential}", "content-type": "application/json"}
        async with httpx.AsyncClient(base_url=self.base) as http:
            return await http.post("/v1/sealed-forms?lang=en", content=sealed, headers=headers)


@pytest_asyncio.fixture(loop_scope="session")
async def company(house: House, shop: Shop) -> AsyncIterator[Site]:
    credential = await house.clients.issue(name="web", source="site", roles=["system"])
    company = Site(shop, credential)

    @get("/shop")
    async def show() -> Response[str]:
        client = parse_credential(credential).client
        page = PAGE.format(service=company.service, client=client, more=company.more)
        return Response(page, media_type="text/html", headers={"content-security-policy": POLICY})

    @post("/shop", status_code=200)
    async def take(request: Request[Any, Any, Any]) -> Response[str]:
        company.posted.append(await request.body())
        return Response("thanks", media_type="text/plain")

    async with site_server(house, show, take) as company.base:
        yield company


@pytest_asyncio.fixture(loop_scope="session")
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield await browser.new_page()
        await browser.close()


async def filled(page: Page, company: Site) -> None:
    """Fill the form in and send it."""
    await page.goto(f"{company.base}/shop")
    await page.fill("[name=email]", MARKER)
    await page.check("[name=yes]")
    await page.click("button")


async def test_S1_the_sites_server_carries_what_it_cannot_read_and_it_is_taken_in_once(
    page: Page, company: Site, shop: Shop
) -> None:
    await filled(page, company)
    await page.wait_for_selector("text=thanks")
    assert company.fields.keys() == {"basket", "omonat-sealed"}
    assert b"yodgora" not in company.posted[-1]
    (sealed,) = company.fields["omonat-sealed"]
    first, second = [(await company.pass_on(sealed)) for _ in range(2)]
    assert (first.status_code, first.json()["state"]) == (201, "taken"), first.text
    assert second.json() == first.json() | {"state": "repeated"}
    async with shop.house.grounds.database.connection() as connection:
        row = await connection.fetchrow("select language, standing->'consents' as consents from persons")
    assert (row["language"], row["consents"]) == ("ru", {"marketing-email": 1})
    assert await count(shop, "records") == 1


async def test_S1_it_is_sealed_for_this_site_alone_and_only_as_a_whole(page: Page, company: Site, shop: Shop) -> None:
    await filled(page, company)
    await page.wait_for_selector("text=thanks")
    (sealed,) = company.fields["omonat-sealed"]
    other = await shop.house.clients.issue(name="other", source="site", roles=["system"])
    for given, code in (((sealed, other), "sealed-form-changed"), ((sealed, "omk_x"), "credential-refused")):
        assert (await company.pass_on(*given)).json()["code"] == code
    for old, new in (('"newsletter"', '"survey"'), ('"key":1', '"key":2')):
        assert old in sealed
        assert (await company.pass_on(sealed.replace(old, new))).status_code in (403, 422)
    assert await count(shop, "records") == 0
    assert len(await acts(shop, "collect:form:refused")) == 3


async def test_L2_every_refusal_of_collecting_holds(page: Page, company: Site, shop: Shop) -> None:
    company.service = "registration"
    await filled(page, company)
    await page.wait_for_selector("text=thanks")
    refused = await company.pass_on(company.fields["omonat-sealed"][0])
    assert (refused.status_code, refused.json()["code"]) == (422, "required-withheld")
    assert await count(shop, "persons") == 0


async def test_S1_where_nothing_can_be_sealed_the_site_decides_whether_it_is_sent(page: Page, company: Site) -> None:
    company.service = "no-such"
    await filled(page, company)
    await page.wait_for_selector("text=thanks")
    assert company.fields == {"email": [MARKER], "yes": ["on"], "basket": ["7"]}
    company.more = "data-omonat-seal-only"
    await page.goto(f"{company.base}/shop")
    await page.evaluate("document.addEventListener('omonat:unsealed', () => { document.title = 'unsealed' })")
    await page.fill("[name=email]", MARKER)
    await page.click("button")
    await expect(page).to_have_title("unsealed")
    assert len(company.posted) == 1


async def test_S1_the_script_is_one_text_with_a_mark(company: Site) -> None:
    async with httpx.AsyncClient(base_url=company.base) as http:
        whole = await http.get("/site/sealed-forms.js")
        again = await http.get("/site/sealed-forms.js", headers={"if-none-match": whole.headers["etag"]})
        plain = await http.get("/site/sealed-forms.js", headers={"accept-encoding": "identity"})
        given = await http.get("/site/forms/newsletter")
        unknown = await http.get("/site/forms/nothing")
    assert (whole.status_code, again.status_code, plain.text) == (200, 304, whole.text)
    assert given.json().keys() == {"installation", "key", "public", "service", "form"}
    assert given.headers["cache-control"] == "no-store"
    assert (unknown.status_code, unknown.json()["code"]) == (422, "service-unknown") or unknown.status_code == 404
