"""The whole way, nothing stood in for: a real house, BESHQOZON's policy, the jobs' own wiring, real SMTP, one click."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from examples.catcher import Catcher
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectRequest
from omonat.flows.send import Ready, send
from omonat.house import House
from omonat.mail.drain import Drain
from omonat.mail.leave import handlers, signed_links
from omonat.mail.outbox import End
from omonat.promises.messages import BEGINS_WITHIN, Channel, Message, put
from tests.flows.conftest import Shop
from tests.mail.conftest import ScriptedGateway

LEAVING = partial(Choosing, kind="consent", state="withdrawn", purpose="marketing-email")
MAIL, MOBILE = "dilnoza@mail.example", "+998901234567"


async def subscribed(shop: Shop) -> str:
    """Somebody who signed up for the newsletter with name and address."""
    items = {"contact.email": MAIL, "contact.name": "Dilnoza Karimova"}
    answer = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="newsletter",
            items=items,
            version="1",
            consents={"marketing-email": True},
            accepted=True,
        )
    )
    return answer.person


async def withdrawn(shop: Shop) -> int:
    """How many withdrawals were recorded."""
    async with shop.house.grounds.database.connection() as connection:
        count: int = await connection.fetchval("select count(*) from choices where state = 'withdrawn'")
        return count


def browser(shop: Shop) -> AsyncClient:
    """A browser in front of the pages of the link."""
    app = Litestar(list(handlers(lambda: shop.house)), openapi_config=None, logging_config=None)
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://localhost:8600")


async def write(house: House, person: str, **changed: object) -> None:
    """A message as a flow writes it."""
    values: dict[str, object] = {
        "person": person,
        "template": "newsletter-welcome",
        "purpose": "marketing-email",
        "channel": Channel.EMAIL,
        "address_item": "contact.email",
        "language": "ru",
        "params": {},
        **changed,
    }
    async with house.grounds.database.transaction() as connection:
        slot = await connection.fetchval("select slot from persons where id = $1", person)
        seal = partial(house.grounds.vault.seal_value, slot=slot)
        await put(connection, Message(**values), seal=seal, now=house.grounds.clock())  # type: ignore[arg-type]


async def test_C3_the_newsletter_arrives_and_one_click_ends_it_even_for_a_letter_already_written(
    shop: Shop, drain: Drain, catcher: Catcher
) -> None:
    person = await subscribed(shop)
    await write(shop.house, person)
    assert await drain.once() == Counter(sent=1)
    (letter,) = catcher.newest(MAIL)
    assert "Assalomu alaykum, Dilnoza Karimova." in letter.text
    link = re.search(r"http://localhost:8600(/unsubscribe/\S+)", letter.text)
    assert link is not None
    await write(shop.house, person)  # the next campaign is written …
    async with browser(shop) as client:
        shown = await client.get(link[1], headers={"accept-language": "en"})
        assert shown.status_code == 200
        assert "Unsubscribe" in shown.text
        assert await withdrawn(shop) == 0  # looking changes nothing
        done = await client.post(link[1], data={"List-Unsubscribe": "One-Click"}, headers={"accept-language": "en"})
        assert done.status_code == 200
        assert "You are unsubscribed" in done.text
        assert done.headers["cache-control"] == "no-store"
        assert MAIL not in done.text
        assert (await client.post(link[1])).status_code == 200  # twice does no harm
    assert await drain.once() == Counter(refused=1)  # … and never leaves
    assert len(catcher.newest(MAIL)) == 1


async def test_C3_no_letter_begins_after_a_withdrawal_that_came_between_permission_and_hand_over(
    shop: Shop, drain: Drain, catcher: Catcher
) -> None:
    person = await subscribed(shop)
    await write(shop.house, person)
    now = shop.house.grounds.clock()
    (message,) = await drain.outbox.claim_due(most=1, now=now)
    assert isinstance(await send(message, drain.ports, now=now), Ready)  # asked, and permitted
    await shop.house.choose(LEAVING(person=person))
    assert not await drain.outbox.begin_hand_over(message, now=now)
    assert await drain.once() == Counter(refused=1)  # asked again at once, and refused
    assert catcher.newest(MAIL) == []


async def test_C3_a_withdrawal_is_acknowledged_only_when_the_letter_under_way_has_gone(
    shop: Shop, drain: Drain
) -> None:
    person = await subscribed(shop)
    await write(shop.house, person)
    now = shop.house.grounds.clock()
    (message,) = await drain.outbox.claim_due(most=1, now=now)
    assert await drain.outbox.begin_hand_over(message, now=now)
    leaving = asyncio.create_task(shop.house.choose(LEAVING(person=person)))
    await soon(lambda: withdrawn(shop), 1)  # it is in force …
    done, _ = await asyncio.wait({leaving}, timeout=0.3)
    assert not done  # … and not yet acknowledged
    await drain.outbox.settle(message, End.SENT, now=now)
    await asyncio.wait_for(leaving, 5)


async def test_C3_a_worker_that_died_over_a_letter_keeps_nobody_waiting_for_ever(shop: Shop, drain: Drain) -> None:
    person = await subscribed(shop)
    await write(shop.house, person)
    now = shop.house.grounds.clock()
    (message,) = await drain.outbox.claim_due(most=1, now=now)
    assert await drain.outbox.begin_hand_over(message, now=now)
    await asyncio.wait_for(shop.house.choose(LEAVING(person=person)), BEGINS_WITHIN + 4)  # no carrier begins so late


async def soon(reached: Callable[[], Awaitable[int]], wanted: int) -> None:
    for _ in range(200):
        if await reached() == wanted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not happen")


async def test_C3_a_link_that_is_not_ours_changes_nothing(shop: Shop) -> None:
    person, other = await subscribed(shop), "per_" + "a" * 26
    links = signed_links(shop.house, "webmaster@beshqozon.uz")
    token = links(person=person, purpose="marketing-email").address.rpartition("/")[2]
    assert links.read(token) == (person, "marketing-email")
    forged = [
        token.replace(person, other),
        token.replace("marketing-email", "marketing-sms"),
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token.rpartition(".")[0],
        token.rpartition(".")[0] + ".",
        token + "=",
        "x",
        "..",
        "…",
    ]
    assert [links.read(wrong) for wrong in forged] == [None] * len(forged)
    async with browser(shop) as client:
        for language, sentence in (("uz", "Hech narsa"), ("ru", "Ничего"), ("en", "Nothing was changed")):
            answer = await client.post(f"/unsubscribe/{forged[0]}?lang={language}")
            assert answer.status_code == 404
            assert sentence in answer.text
    assert await withdrawn(shop) == 0


async def test_U3_an_order_is_confirmed_by_sms_while_it_is_open_and_leaves_evidence(
    shop: Shop, drain: Drain, gateway: ScriptedGateway
) -> None:
    answer = await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="order",
            items=shop.order_items(),
            version="1",
            consents={},
            case="order:41877",
            accepted=True,
        )
    )
    params = {"order": "41877", "delivery": 1, "total": 9_000_000}
    confirmation = {
        "template": "order-confirmation",
        "purpose": "order-messages",
        "channel": Channel.SMS,
        "address_item": "contact.mobile",
        "language": "en",
        "params": params,
        "case": "order:41877",
    }
    await write(shop.house, answer.person, **confirmation)
    assert await drain.once() == Counter(sent=1)
    assert msgspec.json.decode(gateway.requests[0][1]) == {
        "to": MOBILE,
        "text": "BESHQOZON: order 41877 accepted, total 90,000 soʻm. "
        "The courier sees your details for this order only.",
    }
    page = await shop.house.my_data.who_looked(answer.person)
    assert "order-messages" in str(page)


async def test_a_code_reaches_the_phone_it_was_asked_for(shop: Shop, drain: Drain, gateway: ScriptedGateway) -> None:
    await shop.house.collect(
        CollectRequest(
            credential=shop.credentials["site"],
            service="order",
            items=shop.order_items(),
            version="1",
            consents={},
            case="order:41878",
            accepted=True,
        )
    )
    await shop.house.sign_in.ask("8 90 123-45-67", language="uz", caller="127.0.0.1")
    assert await drain.once() == Counter(sent=1)
    sent = msgspec.json.decode(gateway.requests[0][1])
    assert sent["to"] == MOBILE
    assert re.search(r"kirish kodi \d{6},", sent["text"])
