"""The answer of last resort: what is ours is noted, and nothing of what a stranger did."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from litestar import Litestar, Request, post

from omonat.house import House
from omonat.lost import lost
from tests.flows.conftest import clock, house, settings
from tests.site_server import serving

__all__ = ["clock", "house", "settings"]


@pytest_asyncio.fixture(loop_scope="session")
async def base(house: House) -> AsyncIterator[str]:
    @post("/form")
    async def form(request: Request[Any, Any, Any]) -> str:
        sent = await request.form()
        return str(1 // len(sent))

    async with serving(
        Litestar([form], exception_handlers={Exception: lost(lambda: house)}, logging_config=None)
    ) as base:
        yield base


async def posted(base: str, body: bytes, *, length: int, hang_up: bool) -> bytes:
    """What comes back for a form of so many bytes of which `body` is sent."""
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /form HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    writer.write(f"{head}content-type: application/x-www-form-urlencoded\r\n\r\n".encode() + body)
    await writer.drain()
    if hang_up:
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.3)
        return b""
    answer = await reader.read()
    writer.close()
    return answer


async def test_S2_somebody_who_leaves_in_the_middle_of_a_form_is_no_fault_of_ours(
    base: str, logged: io.StringIO
) -> None:
    await posted(base, b"name=", length=50, hang_up=True)
    assert "page-failed" not in logged.getvalue()
    answer = await posted(base, b"", length=0, hang_up=False)  # and a fault of ours is
    assert b" 500 " in answer.splitlines()[0]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "page-failed"
    (line,) = [line for line in logged.getvalue().splitlines() if "page-failed" in line]
    assert json.loads(line)["error"] == "ZeroDivisionError"
