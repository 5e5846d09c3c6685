"""The demo's letter box, over HTTP as a browser and a script see it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from litestar import Litestar
from litestar.testing import AsyncTestClient

from examples.catcher import WORDS, Catcher, forwarding, handlers, listen
from omonat.base.instants import Instant, from_rfc3339
from omonat.mail.carriers import Sms, Taken
from omonat.mail.sms import Gateway, GatewayCarrier

NOON = from_rfc3339("2026-12-01T12:00:00+05:00")
MOBILE = "+998901234567"


@pytest.fixture
def catcher() -> Catcher:
    return Catcher(lambda: Instant(NOON))


@pytest.fixture
def app(catcher: Catcher) -> Litestar:
    return Litestar(list(handlers(catcher)), openapi_config=None, logging_config=None)


async def test_the_page_shows_the_newest_first_as_text_only(app: Litestar, catcher: Catcher) -> None:
    catcher.keep_sms(MOBILE, "earlier")
    catcher.keep_sms(MOBILE, "<script>alert(1)</script>")
    async with AsyncTestClient(app) as client:
        page = await client.get("/catcher?lang=en")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert page.text.index("&lt;script&gt;") < page.text.index("earlier")
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r'(src|href|action)="(?!/catcher|/\?lang=en")', page.text), "itself, and the way back"
    assert 'href="/?lang=en"' in page.text
    assert " style=" not in page.text
    assert "12:00" in page.text


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_the_page_speaks_three_languages_and_says_when_it_is_empty(app: Litestar, language: str) -> None:
    async with AsyncTestClient(app) as client:
        chosen = await client.get(f"/catcher?lang={language}")
        preferred = await client.get("/catcher", headers={"accept-language": language})
    for page in (chosen, preferred):
        assert f'<html lang="{language}">' in page.text
        assert WORDS[language]["none"] in page.text
    assert WORDS["uz"].keys() == WORDS[language].keys()


async def test_a_script_finds_the_messages_of_one_address_without_writing_it_into_a_url(
    app: Litestar, catcher: Catcher
) -> None:
    catcher.keep_sms(MOBILE, "kod 111111")
    catcher.keep_sms("+998907654321", "kod 222222")
    catcher.keep_letter(["Gulnora@mail.example"], b"Subject: Salom\r\n\r\nkod 333333\r\n")
    async with AsyncTestClient(app) as client:
        for asked, text in (
            ("90 123-45-67", "kod 111111"),
            ("+998901234567", "kod 111111"),
            ("gulnora@MAIL.example", "kod 333333\n"),
        ):
            found = await client.post("/catcher/search", json={"to": asked})
            assert [message["text"] for message in found.json()] == [text]
        assert (await client.post("/catcher/search", json={"to": "nobody@mail.example"})).json() == []
        assert len((await client.post("/catcher/search", json={"to": ""})).json()) == 3
        shown = await client.post("/catcher", data={"to": "90 765 43 21"})
        assert "222222" in shown.text
        assert "111111" not in shown.text


@pytest.mark.parametrize(
    "body",
    [
        {"to": "901234567", "text": "x"},
        {"to": MOBILE},
        {"to": MOBILE, "text": "x", "more": 1},
        {"to": MOBILE, "text": 1},
    ],
)
async def test_the_gateway_takes_a_number_and_a_text_and_nothing_else(
    app: Litestar, catcher: Catcher, body: dict[str, object]
) -> None:
    async with AsyncTestClient(app) as client:
        assert (await client.post("/catcher/sms", json={"to": MOBILE, "text": "salom"})).status_code == 202
        assert (await client.post("/catcher/sms", json=body)).status_code == 400
    assert [message.text for message in catcher.newest()] == ["salom"]


async def test_it_listens_on_this_machine_alone(catcher: Catcher) -> None:
    with pytest.raises(ValueError, match="this machine"):
        await listen(catcher, host="0.0.0.0", port=0)


async def test_an_sms_handed_to_a_process_that_does_not_own_the_letters_arrives_and_is_shown(
    app: Litestar, catcher: Catcher, unused_tcp_port_factory: Callable[[], int]
) -> None:
    owner, door = unused_tcp_port_factory(), unused_tcp_port_factory()
    other = Litestar(list(forwarding(f"http://127.0.0.1:{owner}")), openapi_config=None, logging_config=None)
    async with serving(app, owner), serving(other, door):
        carrier = GatewayCarrier(Gateway(f"http://127.0.0.1:{door}/catcher/sms"))
        assert await carrier.hand_over(Sms("msg_x", MOBILE, "kod 271828")) == Taken()
        await carrier.close()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{door}", trust_env=False) as client:
            page = await client.get("/catcher?lang=en")
            assert "kod 271828" in page.text
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            assert (await client.get("/catcher/style.css")).headers["content-type"].startswith("text/css")
            assert len((await client.post("/catcher/search", json={"to": MOBILE})).json()) == 1
    assert [message.text for message in catcher.newest()] == ["kod 271828"]


@asynccontextmanager
async def serving(app: Litestar, port: int) -> AsyncIterator[None]:
    """The app behind a real socket."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await running
