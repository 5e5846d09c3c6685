"""The witness over HTTP: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`, and nothing else (C2SP)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from omonat.base.errors import OmonatError
from omonat.base.instants import Instant
from omonat.base.logs import log
from omonat.witness.memory import Memory
from omonat.witness.rule import LONGEST, DeclinedError, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PLAIN: Final = b"text/plain; charset=utf-8"
_SIZE: Final = b"text/x.tlog.size"
_CHECKPOINT: Final = re.compile(rb"/([0-9a-f]{64})/checkpoint")
_PATIENCE: Final = 10.0
"""Seconds a request's body may take to arrive."""
_log = log(__name__)

Answer = tuple[int, bytes, bytes]
"""Status, content type, body."""


def application(memory: Memory, clock: Callable[[], Instant]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The ASGI application of one witness."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            status, kind, body = await _answer(memory, clock, scope, receive)
        except TimeoutError:
            status, kind, body = 408, _PLAIN, b"the body didn't arrive\n"
        except OmonatError as error:
            _log.error("witness-failed", code=error.code)
            status, kind, body = (
                (503 if error.code == "witness-unwritable" else 500),
                _PLAIN,
                b"not possible now\n",
            )
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
        headers.append((b"x-content-type-options", b"nosniff"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return answer


async def _answer(memory: Memory, clock: Callable[[], Instant], scope: Scope, receive: Receive) -> Answer:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if path == b"/add-checkpoint":
        if scope["method"] != "POST":
            return 405, _PLAIN, b"POST\n"
        raw = await _body(receive)
        if raw is None:
            return 413, _PLAIN, b"too long\n"
        return await _add(memory, raw, clock())
    match = _CHECKPOINT.fullmatch(path)
    if match is None:
        return 404, _PLAIN, b"no such place\n"
    if scope["method"] not in ("GET", "HEAD"):
        return 405, _PLAIN, b"GET\n"
    found = await asyncio.to_thread(memory.checkpoint, match[1].decode())
    return (404, _PLAIN, b"nothing cosigned\n") if found is None else (200, _PLAIN, found)


async def _add(memory: Memory, raw: bytes, now: Instant) -> Answer:
    try:
        line = await asyncio.to_thread(lambda: memory.cosign(Request.parse(raw), now=now))
    except DeclinedError as declined:
        if declined.contradicts:
            _log.error("witness-contradicted", status=declined.status)
        if declined.seen is not None:
            return declined.status, _SIZE, b"%d\n" % declined.seen
        return declined.status, _PLAIN, f"{declined.why}\n".encode()
    return 200, _PLAIN, line


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None for one that is too long, or whose caller hung up."""
    parts, size = [], 0
    async with asyncio.timeout(_PATIENCE):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > LONGEST:
                return None
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)
