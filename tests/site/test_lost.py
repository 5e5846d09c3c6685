"""The answer of last resort: what is ours is noted, and nothing of what a stranger did."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from litestar import Litestar, Request, post
from litestar.response import Response

from omonat.house import House
from omonat.lost import lost
from tests.flows.conftest import clock, house, settings
from tests.site_server import serving

__all__ = ["clock", "house", "settings"]


class Door:
    """A form behind the answer of last resort. `asked`: a form began to come; `answered`: the last resort was used."""

    def __init__(self, house: House) -> None:
        self.base = ""
        self.asked, self.answered = asyncio.Event(), asyncio.Event()
        self._last_resort = lost(lambda: house)

    def app(self) -> Litestar:
        @post("/form")
        async def form(request: Request[Any, Any, Any]) -> str:
            self.asked.set()
            sent = await request.form()
            return str(1 // len(sent))

        def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
            reply = self._last_resort(request, error)
            self.answered.set()
            return reply

        return Litestar([form], exception_handlers={Exception: answer}, logging_config=None)

    async def post(self, body: bytes, *, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A form of so many bytes, of which `body` is sent."""
        self.asked.clear()
        self.answered.clear()
        host, port = self.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /form HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
        writer.write(f"{head}content-type: application/x-www-form-urlencoded\r\n\r\n".encode() + body)
        await writer.drain()
        async with asyncio.timeout(20):
            await self.asked.wait()
        return reader, writer


@pytest_asyncio.fixture(loop_scope="session")
async def door(house: House) -> AsyncIterator[Door]:
    door = Door(house)
    async with serving(door.app()) as door.base:
        yield door


async def test_somebody_who_leaves_in_the_middle_of_a_form_is_no_fault_of_ours(door: Door, logged: io.StringIO) -> None:
    _, writer = await door.post(b"name=", length=50)
    writer.transport.abort()
    async with asyncio.timeout(20):
        await door.answered.wait()
    assert "page-failed" not in logged.getvalue()
    reader, writer = await door.post(b"", length=0)  # and a fault of ours is
    answer = await reader.read()
    writer.close()
    assert b" 500 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "page-failed"
    (line,) = [line for line in logged.getvalue().splitlines() if "page-failed" in line]
    assert json.loads(line)["error"] == "ZeroDivisionError"
