"""The door as an ASGI application: bodies in pieces, callers that hang up, headers said twice."""

from collections.abc import Sequence
from typing import Any

import pytest

from omonat.api import Api
from omonat.api.ports import Ports
from tests.api.conftest import Door, delivery

Message = dict[str, Any]


async def spoken_to(
    api: Api, messages: Sequence[Message], headers: Sequence[tuple[bytes, bytes]], path: str = "/v1/use"
) -> list[Message]:
    """What the door says to these messages; it may read no further than they go."""
    waiting, said = list(messages), []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
    }
    await api(scope, receive, send)
    return said


@pytest.fixture
def api(door: Door) -> Api:
    return Api(Ports.of(door.house), https=True)


@pytest.fixture
def headers(door: Door) -> list[tuple[bytes, bytes]]:
    bearer = door.bearer("courier-app")["authorization"].encode()
    return [(b"authorization", bearer), (b"content-type", b"application/json"), (b"accept-language", b"en")]


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_is_one_body(door: Door, api: Api, headers: list[tuple[bytes, bytes]]) -> None:
    order = await door.order()
    text = str(delivery(order["case"], "contact.name")).replace("'", '"').encode()
    start, body = await spoken_to(api, [piece(text[:9]), piece(text[9:30]), piece(text[30:], more=False)], headers)
    assert start["status"] == 200
    assert b"Dilnoza" in body["body"]


async def test_an_endless_body_is_refused_after_a_megabyte(api: Api, headers: list[tuple[bytes, bytes]]) -> None:
    endless = [piece(b" " * 300_000) for _ in range(4)]
    start, body = await spoken_to(api, endless, headers)
    assert start["status"] == 413
    assert b"body-too-large" in body["body"]


async def test_a_declared_size_is_refused_before_a_byte_is_read(api: Api, headers: list[tuple[bytes, bytes]]) -> None:
    for declared in (b"1048577", b"9" * 40, b"-1", b"1e3"):
        start, _ = await spoken_to(api, [], [*headers, (b"content-length", declared)])
        assert start["status"] == 413


async def test_nobody_without_a_credential_is_read_at_all(api: Api) -> None:
    start, _ = await spoken_to(api, [], [(b"content-type", b"application/json")])
    assert start["status"] == 401


async def test_a_caller_who_hangs_up_is_not_spoken_to(api: Api, headers: list[tuple[bytes, bytes]]) -> None:
    gone: Message = {"type": "http.disconnect"}
    assert await spoken_to(api, [gone], headers) == []
    assert await spoken_to(api, [piece(b"{"), gone], headers) == []


@pytest.mark.parametrize("name", [b"authorization", b"content-type", b"idempotency-key", b"content-length"])
async def test_a_header_that_decides_something_is_said_once(
    api: Api, headers: list[tuple[bytes, bytes]], name: bytes
) -> None:
    start, body = await spoken_to(api, [], [*headers, (name, b"1"), (name, b"2")])
    assert start["status"] == 400
    assert b"header-twice" in body["body"]


async def test_over_tls_the_browser_is_told_to_stay_there(api: Api, headers: list[tuple[bytes, bytes]]) -> None:
    start, _ = await spoken_to(api, [], headers, path="/v1/nowhere")
    assert (b"strict-transport-security", b"max-age=31536000; includeSubDomains") in start["headers"]


async def test_there_are_no_websockets_here(api: Api) -> None:
    said: list[Message] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await api({"type": "websocket", "path": "/v1/use"}, receive, send)
    assert said == [{"type": "websocket.close", "code": 1008}]
