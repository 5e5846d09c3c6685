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
    app = Litestar(leave.handlers(lambda: shop.house), openapi_config=None, logging_config=None)
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
    app = Litestar(leave.handlers(lambda: shop.house), openapi_config=None, logging_config=None)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as browser:
        broken = path.replace("?", "x?")
        pages = [await browser.get(path), await browser.post(path), await browser.get(broken)]
    assert [page.status_code for page in pages] == [200, 200, 404]
    for page in pages:
        assert left_in_english(language, said_in(page.text)) == []
        assert {"uz": "Maxfiylik markazi", "ru": "Центр приватности"}[language] in page.text


async def test_C3_the_link_is_one_address_which_is_shown_and_acted_on_and_speaks_as_the_browser_asks(
    shop: Shop,
) -> None:
    given = {"contact.email": "a@example.uz", "contact.name": "Dilnoza Karimova"}
    consents = {"marketing-email": True}
    person = (await ordered(shop, service="newsletter", case=None, items=given, consents=consents)).person
    link = leave.signed_links(shop.house, "webmaster@example.uz")(person=person, purpose="marketing-email")
    path = "/unsubscribe/" + link.address.partition("/unsubscribe/")[2]
    app = Litestar(leave.handlers(lambda: shop.house), openapi_config=None, logging_config=None)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as browser:
        for elsewhere in (
            "/unsubscribe",
            "/unsubscribe/",
            path + "/more",
            path.replace("/unsubscribe/", "/unsubscribe"),
        ):
            assert (await browser.post(elsewhere)).status_code == 404
        refused = [await browser.request(method, path) for method in ("PUT", "DELETE", "HEAD")]
        assert {answer.status_code for answer in refused} == {405}
        assert "choice:consent:withdrawn" not in await acts(shop)
        shown = await browser.get(path + "?lang=uz&x=<b>")
        one_click = {"content-type": "application/x-www-form-urlencoded", "accept-language": "ru"}
        pressed = await browser.post(path, content="List-Unsubscribe=One-Click", headers=one_click)
        others = [
            await browser.post(path + "?x=<b>", headers={"accept-language": "ru"}),
            await browser.post(path, headers={"cookie": "__Host-language=ru"}),
            await browser.post(path + "?lang=ru"),
        ]
    assert "x=<b>" not in shown.text
    assert (await acts(shop)).count("choice:consent:withdrawn") == 1
    assert {page.status_code for page in (pressed, *others)} == {200}
    assert pressed.text == others[1].text == others[2].text
    for page in (pressed, *others):
        assert 'lang="ru"' in page.text
        assert path in page.text
        assert dict(page.headers) == {**shown.headers, "content-length": str(len(page.content))}
