"""The link in a letter (C3): it leaves, once, however often it is pressed and by whomever."""

import httpx
import pytest
from litestar import Litestar

from omonat.mail import leave
from tests.adversary.conftest import acts, ordered
from tests.flows.conftest import Shop
from tests.pages.english import left_in_english, said_in


async def test_C3_pressing_the_link_again_fills_no_log(shop: Shop) -> None:
    given = {"contact.email": "a@example.uz", "contact.name": "Dilnoza Karimova"}
    consents = {"marketing-email": True}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents=consents)).person
    link = leave.signed_links(shop.house, "webmaster@example.uz")(person=person, purpose="marketing-email")
    path = "/unsubscribe/" + link.address.partition("/unsubscribe/")[2]
    app = Litestar(leave.handlers(lambda: shop.house), openapi_config=None)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as browser:
        assert (await browser.get(path)).status_code == 200
        assert "choice:consent:withdrawn" not in await acts(shop)
        pages = [await browser.post(path) for _ in range(5)]
        assert {page.status_code for page in pages} == {200}
        assert (await browser.post(path[:-3] + "xyz")).status_code == 404
    assert (await acts(shop)).count("choice:consent:withdrawn") == 1
    assert not (await shop.house.my_data.standing(person)).consents


@pytest.mark.parametrize("language", ["uz", "ru"])
async def test_C3_the_pages_of_the_link_speak_the_readers_language_to_the_last_word(shop: Shop, language: str) -> None:
    given = {"contact.email": "a@example.uz", "contact.name": "Dilnoza Karimova"}
    consents = {"marketing-email": True}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents=consents)).person
    link = leave.signed_links(shop.house, "webmaster@example.uz")(person=person, purpose="marketing-email")
    path = "/unsubscribe/" + link.address.partition("/unsubscribe/")[2] + f"?lang={language}"
    app = Litestar(leave.handlers(lambda: shop.house), openapi_config=None)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as browser:
        broken = path.replace("?", "x?")
        pages = [await browser.get(path), await browser.post(path), await browser.get(broken)]
    assert [page.status_code for page in pages] == [200, 200, 404]
    for page in pages:
        assert left_in_english(language, said_in(page.text)) == []
        assert {"uz": "Maxfiylik markazi", "ru": "Центр приватности"}[language] in page.text
