"""HTTP as the door speaks it: reading a request within limits, and headers no answer goes without."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from omonat.api.body import LARGEST
from omonat.base.errors import BadInput, Unavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON: Final = b"application/json"
HTML: Final = b"text/html; charset=utf-8"
_MOST_HEADERS: Final = 16_384
"""Bytes of all header names and values together."""
_PATIENCE: Final = 30.0
"""Seconds a body may take to arrive."""
_ONLY_ONCE: Final = frozenset(
    {
        b"authorization",
        b"content-type",
        b"content-length",
        b"idempotency-key",
        b"accept-language",
        b"host",
        b"webhook-id",
        b"webhook-timestamp",
        b"webhook-signature",
    }
)

ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"accept-language, authorization"),
)
"""On every answer. There are no CORS headers: no page of another origin reads this."""
OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it goes out."""

    status: int
    body: bytes
    kind: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class GoneError(Exception):
    """The caller hung up before the request was whole."""


class Line(Enum):
    """How a request came: what may be said on it."""

    HERE = "here"  # from this very machine
    TLS = "tls"
    OPEN = "open"  # anybody on the way could read it


_FORWARDED: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"via"})


def line_of(scope: Scope, headers: Mapping[bytes, bytes]) -> Line:
    """How the request came. What a proxy nobody named in `trusted-proxies` passes on counts as open, wherever the proxy
    stands: it may have heard it from anywhere. (The web server has put a trusted proxy's word into the scope.)"""
    if scope.get("scheme") == "https":
        return Line.TLS
    client = scope.get("client")
    near = client is None or client[0] in ("127.0.0.1", "::1")
    return Line.HERE if near and not _FORWARDED & set(headers) else Line.OPEN


def headers_of(scope: Scope) -> Mapping[bytes, bytes]:
    """The request's headers. Raises BadInput for too many bytes of them, or one twice that decides something."""
    listed: Headers = scope["headers"]
    found = dict(listed)
    if sum(len(name) + len(value) for name, value in listed) > _MOST_HEADERS:
        raise BadInput("headers-too-large")
    if len(found) != len(listed):
        names = [name for name, _ in listed]
        if any(names.count(name) > 1 for name in _ONLY_ONCE):
            raise BadInput("header-twice")
    return found


async def read_body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    """The whole body. Raises BadInput `body-too-large` without reading on, Unavailable `body-slow`, GoneError."""
    declared = headers.get(b"content-length", b"0")
    if not declared.isdigit() or int(declared[:20]) > LARGEST:
        raise BadInput("body-too-large")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise GoneError
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _read_on(receive, body)
    except TimeoutError:
        raise Unavailable("body-slow") from None


async def _read_on(receive: Receive, first: bytes) -> bytes:
    parts, size = [first], len(first)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > LARGEST:
            raise BadInput("body-too-large")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def is_json(content_type: bytes) -> bool:
    """Whether a body is declared as JSON, in UTF-8 or without a charset."""
    if content_type == JSON:
        return True
    kind, _, parameters = content_type.lower().partition(b";")
    return kind.strip() == JSON and parameters.strip().replace(b'"', b"") in (b"", b"charset=utf-8")
