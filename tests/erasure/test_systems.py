"""Other systems are told of each erasure at their registered address, signed, until they say that it is done."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, MINUTE
from omonat.flows.clients import parse_credential
from omonat.flows.erase import ErasureRequest
from omonat.flows.publish_policy import Publication
from omonat.hooks.sender import Hooks, addresses_of, public_key
from tests.erasure.stories import acts, closed, one, ordered, swept
from tests.flows.conftest import Shop, document, packs

TILL = "en: Till}\n    erases: webhook"


@dataclass
class Till:
    """A till that listens; `answers` are the statuses it gives in turn, then 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@asynccontextmanager
async def listening(till: Till) -> AsyncIterator[Till]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        raw = [line.split(": ", 1)[1] for line in head.split("\r\n") if line.lower().startswith("webhook-signature")]
        headers["webhook-signature"] = raw[0]
        body = await reader.readexactly(int(headers["content-length"]))
        till.heard.append((headers, body))
        status = till.answers.pop(0) if till.answers else 204
        location = "Location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{location}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    till.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/erasures"
    async with server:
        yield till


def hooks_of(shop: Shop, till: Till) -> Hooks:
    grounds = shop.house.grounds
    return Hooks(shop.house.systems, {"till": till.url}, grounds.vault.signing_key("webhooks"), grounds.clock)


async def test_R3_the_till_is_told_signed_and_again_until_it_says_that_it_is_done(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(31 * DAY)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    async with listening(Till(answers=[500, 302])) as till:
        hooks = hooks_of(shop, till)
        assert await hooks.once() == 1
        assert await hooks.once() == 0  # not at once again
        shop.clock.forward(2 * MINUTE)
        assert await hooks.once() == 1
        shop.clock.forward(5 * MINUTE)
        assert await hooks.once() == 1
        assert len(till.heard) == 3  # the redirect was not followed
        headers, body = till.heard[-1]
        assert {heard[0]["webhook-id"] for heard in till.heard} == {f"{erasure.id}.till"}
        told = json.loads(body)
        assert told["data"]["cases"] == [{"case": order.case}]
        assert [stay["item"] for stay in told["data"]["stays"]] == ["transaction.amount"]
        assert b"Dilnoza" not in body
        key = public_key(shop.house.grounds.vault.signing_key("webhooks")).removeprefix("whpk_")
        version, _, signature = headers["webhook-signature"].partition(",")
        assert version == "v1a"
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(b64decode(signature), message)
        shop.clock.forward(DAY + MINUTE)
        assert await hooks.once() == 1  # it took it over and said nothing since
        credential = parse_credential(await shop.house.clients.issue(name="till", source="counter", roles=["system"]))
        entry = await shop.house.systems.acknowledge_by(credential, erasure.id, "till")
        assert await shop.house.systems.acknowledge_by(credential, erasure.id, "till") == entry
        shop.clock.forward(2 * DAY)
        assert await hooks.once() == 0
        await hooks.close()
    assert (await acts(shop, "erasure:system:")) == ["erasure:system:acknowledged"]
    told = await shop.house.certify(erasure.id)
    assert {s["system"]: s["state"] for s in told["systems"]}["till"] == "acknowledged"


async def test_R3_what_is_erased_by_hand_is_no_work_any_more_once_somebody_said_that_it_was_done(shop: Shop) -> None:
    law = document(**{'version: "1"': 'version: "2"', TILL: TILL.replace("webhook", "by-hand")})
    await shop.house.publish(Publication(document=law, packs=packs(), author="staff:1", approver="staff:2"))
    order = await ordered(shop)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    waits = (
        "select count(*) from work_items where rule = 'erase-by-hand' and missing like 'till %' and closed_at is null"
    )
    assert await one(shop, waits) == 1
    await shop.house.systems.acknowledge(erasure.id, "till", by="operator")
    assert await one(shop, waits) == 0


async def test_S4_nobody_says_it_for_another_system(shop: Shop) -> None:
    order = await ordered(shop)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    with pytest.raises(Refused) as wrong:
        await shop.house.systems.acknowledge_by(shop.credentials["panel"], erasure.id, "till")
    assert wrong.value.code == "acknowledger-wrong"
    with pytest.raises(BadInput):
        await shop.house.systems.acknowledge("ers_nothing", "till", by="operator")


async def test_R3_what_the_sweeper_takes_from_a_case_its_systems_are_told_too(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(370 * DAY)
    await swept(shop)
    about = await one(shop, "select about from system_notices where system = 'till'")
    assert [(case["case"], "transaction.order-lines" in case["items"]) for case in about["cases"]] == [
        (order.case, True)
    ]
    assert "transaction.amount" not in about["cases"][0]["items"]


async def test_T1_a_system_that_the_policy_names_no_more_is_told_nothing_more_and_shows_as_open(shop: Shop) -> None:
    order = await ordered(shop)
    await closed(shop, order)
    shop.clock.forward(31 * DAY)
    erasure = await shop.house.erase(ErasureRequest(person=order.person))
    async with listening(Till()) as till:
        hooks = hooks_of(shop, till)
        for version, end, sent in (("2", "by-hand", 0), ("3", "webhook", 1)):
            law = document(**{'version: "1"': f'version: "{version}"', TILL: TILL.replace("webhook", end)})
            await shop.house.publish(Publication(document=law, packs=packs(), author="staff:1", approver="staff:2"))
            assert await hooks.once() == sent
        await hooks.close()
    assert len(till.heard) == 1
    (told,) = [notice for notice in await shop.house.systems.of(erasure.id) if notice.system == "till"]
    assert told.open, "what it holds is still to be erased, and somebody sees that"


def test_T1_only_registered_addresses_and_never_in_the_clear() -> None:
    assert addresses_of(["till=https://till.example.uz/e"]) == {"till": "https://till.example.uz/e"}
    for wrong in (
        "till",
        "till=http://till.example.uz",
        "till=https://u:p@till.example.uz",
        "=https://x.uz",
        "a=ftp://x",
    ):
        with pytest.raises(BadInput):
            addresses_of([wrong])
