"""A parent pays at the demo's provider: its own page, its own process in life, and signed reports over HTTP (K2)."""
# ruff: noqa: F811 - a fixture that is asked for is meant to have its name

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
import uvicorn
from litestar import Litestar, post
from litestar.exceptions import ServiceUnavailableException
from litestar.params import JSONBody
from playwright.async_api import Browser

from examples import provider as paying
from examples.provider_words import WORDS
from omonat import api
from omonat.base.settings import Settings
from omonat.flows.collect import CollectAnswer
from omonat.flows.publish_policy import Publication
from omonat.house import open_house, set_up_doors, system_clock
from omonat.mail import parent_pages
from omonat.mail.leave import MAIL as DOOR
from omonat.pages.assets import static_handler
from omonat.pages.render import KIT_STATIC
from tests.center.test_in_chromium import looked_at
from tests.erasure.stories import delivered, one
from tests.flows.conftest import Clock, Shop, document, settings, staffed  # noqa: F401 - fixtures
from tests.flows.test_children import refused
from tests.flows.test_parent_asks import asking, found, link
from tests.flows.test_parent_payments import paid_law
from tests.ports import free_port
from tests.requests.conftest import browser  # noqa: F401 - a fixture
from tests.requests.test_in_chromium import opened, pressed

CARD = "8600 0000 0000 0007"


@dataclass
class Town:
    """The company and the provider, each on a port of its own."""

    shop: Shop
    company: str
    provider: paying.Provider
    provider_page: str

    async def asked(self, language: str = "en") -> tuple[str, CollectAnswer]:
        """A child was found, and a parent written to: the address in the message."""
        child, by = await found(self.shop)
        question = asking(child.person, method="payment", language=language)
        await self.shop.house.parent_asks.ask(question, by=by)
        token = await link(self.shop, child.person, "parent-pay")
        return f"{self.company}/parent/{token}?lang={language}", child


@asynccontextmanager
async def serving(app: Litestar, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells in no other way
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


@pytest_asyncio.fixture(loop_scope="session")
async def town(settings: Settings, tmp_path: Path) -> AsyncIterator[Town]:
    """The time is the real one: the provider signs by its own clock."""
    clock, company, bank = Clock(system_clock()), free_port(), free_port()
    provider = paying.Provider(paying.key_of(tmp_path / "provider.key"), f"http://localhost:{company}")
    line = f"{provider.public_key} http://localhost:{bank}/pay 1000"
    async with open_house(msgspec.structs.replace(settings, parent_payments=line), clock=clock) as house:
        await house.publish(Publication(document=document(), packs=paid_law(), author="staff:1", approver="staff:2"))
        await set_up_doors(house)
        routes = [
            api.route(lambda: house), *parent_pages.handlers(lambda: house), static_handler([KIT_STATIC, DOOR.static]),
        ]  # fmt: skip
        app = Litestar(routes, openapi_config=None, logging_config=None)
        async with serving(app, company), serving(paying.application(provider), bank):
            yield Town(await staffed(house, clock), f"http://localhost:{company}", provider, f"http://localhost:{bank}")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K2_a_parent_agrees_pays_elsewhere_and_what_goes_back_closes_it_again(
    town: Town, browser: Browser, language: str
) -> None:
    first, child = await town.asked(language)
    async with opened(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
        await page.goto(first)
        await looked_at(page, language)
        assert await page.locator("a.button").count() == 0, "the notice first, then the way to the payment"
        await pressed(page, "button[value=pay]")
        await looked_at(page, language)
        assert await refused(town.shop, child) == "person-quarantined"
        await pressed(page, "a.button")
        assert "/pay?" in page.url
        assert await page.get_attribute("html", "lang") == language
        await page.fill("#card", CARD.replace("7", "8"))
        await pressed(page, "button")
        assert await page.locator("#card-error").count() == 1
        await page.fill("#card", CARD)
        await pressed(page, "button")
        assert (await delivered(town.shop, child)).items
        assert WORDS[language]["close"] in await page.inner_text("main"), "there is nothing more to do here"
        await page.goto(first)
        await looked_at(page, language)
        to_company = [each for each in asked if each.startswith(town.company)]
        assert to_company
        assert not any("8600" in each for each in to_company), "no number of a card comes to the company"
        (payment,) = town.provider.payments.values()
        assert payment.state == "counted"
        await page.goto(f"{town.provider_page}/payments?lang={language}")
        await pressed(page, "button")
        assert payment.state == "refunded"
        assert await refused(town.shop, child) == "person-quarantined"
    assert await one(town.shop, "select count(*) from parent_payments where refunded_at is not null") == 1


async def test_K2_whoever_pays_for_something_else_gets_the_money_back(town: Town) -> None:
    await town.asked()
    order = paying.Order(order="pas_" + "a" * 26, amount=100_000, currency="UZS", notice="0" * 64)
    payment = await town.provider.pay(order)
    assert payment.state == "refused"


async def test_K2_the_door_takes_the_providers_reports_and_no_others(town: Town) -> None:
    said = {
        "event": "payment.paid", "payment": "pay_abcdefgh", "order": "pas_" + "a" * 26, "amount": 100_000,
        "currency": "UZS", "notice": "0" * 64,
    }  # fmt: skip
    async with httpx.AsyncClient(base_url=town.company, trust_env=False) as anybody:
        for body, code in (
            (said, "payment-unsigned"),
            ({**said, "payment": "8600000000000007"}, "value-wrong"),
            ({**said, "payment": "pay_8600000000000007"}, "value-card-number"),
            ({**said, "card": "humo"}, "key-unknown"),
            ({**said, "cvv": "123"}, "card-code-refused"),
        ):
            answer = await anybody.post("/v1/children/payments", json=body)
            assert answer.json()["code"] == code
            assert "8600000000000007" not in answer.text


async def test_K2_a_report_nobody_answered_is_sent_again(town: Town) -> None:
    away = paying.Provider(paying.Ed25519PrivateKey.generate(), "http://localhost:9")
    order = paying.Order(order="pas_" + "a" * 26, amount=100_000, currency="UZS", notice="0" * 64)
    payment = await away.pay(order)
    assert (payment.state, payment.told) == ("paid", False)


async def test_K2_what_is_given_back_while_its_payment_is_still_being_reported_is_reported_too() -> None:
    asked, answered, said = asyncio.Event(), asyncio.Event(), list[str]()

    @post("/v1/children/payments", status_code=200)
    async def company(data: JSONBody[dict[str, Any]]) -> None:
        said.append(data["event"])
        if len(said) == 1:
            asked.set()
            await answered.wait()
        elif len(said) == 2:
            raise ServiceUnavailableException

    port = free_port()
    async with serving(Litestar([company], openapi_config=None, logging_config=None), port):
        provider = paying.Provider(paying.Ed25519PrivateKey.generate(), f"http://localhost:{port}")
        order = paying.Order(order="pas_" + "a" * 26, amount=100_000, currency="UZS", notice="0" * 64)
        paid = asyncio.create_task(provider.pay(order))
        await asyncio.wait_for(asked.wait(), 10)
        (payment,) = provider.payments.values()
        await provider.refund(payment)
        answered.set()
        await paid
        assert (payment.state, payment.told) == ("refunded", False), "the late answer was about the payment"
        await provider.tell(payment)
        assert (payment.state, payment.told) == ("refunded", True)
    assert said == ["payment.paid", "payment.refunded", "payment.refunded"]


def test_a_card_is_told_by_its_check_digit() -> None:
    assert paying.is_card(CARD)
    for other in ("", "8600", "8600 0000 0000 0008", CARD + "1", "٨٦٠٠ 0000 0000 0007"):
        assert not paying.is_card(other)
