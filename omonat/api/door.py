"""The door itself: an ASGI application for everything below `/v1`.

1. route: a path has one spelling; anything encoded, doubled or dotted is not found (facts: security 4, class 5)
2. read headers, credential, body, each within its limits
3. the operation's handler calls one flow and prints its answer
4. whatever was raised becomes a problem; every answer carries the same headers and the request's id
"""

import re
from binascii import hexlify
from collections.abc import Callable, Mapping
from hashlib import sha256
from os import urandom
from pathlib import Path
from typing import Final

from litestar.handlers import ASGIRouteHandler, asgi

from omonat.api import openapi
from omonat.api.body import parse
from omonat.api.call import Call, Operation
from omonat.api.http import (
    ALWAYS,
    JSON,
    OVER_TLS,
    GoneError,
    Receive,
    Reply,
    Scope,
    Send,
    headers_of,
    is_json,
    line_of,
    read_body,
)
from omonat.api.once import Once
from omonat.api.operations import OPERATIONS, SEALED
from omonat.api.ports import House, Ports
from omonat.api.problems import log_fault, printed
from omonat.api.speech import DEFAULT, language_of
from omonat.base.codes import LANGUAGES
from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.flows.clients import parse_credential
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.vault.keeper import Keeper

_SEGMENTS: Final = {
    "kind": rb"(?P<kind>[a-z][a-z0-9-]{0,39})",
    "reference": rb"(?P<reference>[A-Za-z0-9][A-Za-z0-9._-]{0,79})",
    "ref": rb"(?P<ref>[A-Za-z0-9][A-Za-z0-9._:-]{0,79})",
    "campaign": rb"(?P<campaign>[a-z0-9][a-z0-9-]{0,79})",
    "person": rb"(?P<person>per_[a-z2-7]{26})",
    "purpose": rb"(?P<purpose>[a-z][a-z0-9-]{0,59})",
    "ago": rb"(?P<ago>[1-9][0-9]{0,2})",
    "service": rb"(?P<service>[a-z][a-z0-9-]{0,59})",
    "id": rb"(?P<id>ev_[a-z2-7]{26})",
    "hold": rb"(?P<hold>hld_[a-z2-7]{26})",
    "announcement": rb"(?P<announcement>ann_[a-z2-7]{26}|version-[1-9][0-9]{0,7})",
    "notice": rb"(?P<notice>rnd_[a-z2-7]{26})",
    "client": rb"(?P<client>bcl_[a-z2-7]{26})",
    "version": rb"(?P<version>[1-9][0-9]{0,7})",
    "erasure": rb"(?P<erasure>ers_[a-z2-7]{26})",
    "size": rb"(?P<size>0|[1-9][0-9]{0,17})",
}
_KEY: Final = re.compile(rb"[!-~]{1,200}")
_BEARER: Final = re.compile(rb"[Bb]earer (omk_[!-~]{1,120})")


async def _openapi(_call: Call) -> bytes:
    return openapi.document()


_ITSELF: Final = Operation(
    id="openapi",
    method="GET",
    path="/v1/openapi.json",
    summary="This document",
    tells="",
    handle=_openapi,
    answer=dict,
    open=True,
)


class Api:
    """`Api(ports)` for an open house, `Api(None)` for one whose keys are not open yet. `home` is where the keeper of
    the root key is asked; without it unsealing is not possible here."""

    def __init__(self, ports: Ports | None, *, https: bool = False, home: Path | None = None) -> None:
        self._house = ports
        self._keeper = None if home is None else Keeper(home)
        self._once = None if ports is None else Once(ports.database, ports.vault, ports.clock)
        self._fixed: dict[bytes, dict[str, Operation]] = {}
        self._patterns: list[tuple[re.Pattern[bytes], dict[str, Operation]]] = []
        self._headers = [*ALWAYS, *([OVER_TLS] if https else [])]
        for operation in (*OPERATIONS, _ITSELF):
            self._add(operation)
        self._fixed[b"/v1"] = self._fixed[b"/v1/"] = {"GET": _ITSELF}  # whoever looks at the door finds its description

    def _add(self, operation: Operation) -> None:
        path = operation.path.encode()
        if b"{" not in path:
            self._fixed.setdefault(path, {})[operation.method] = operation
            return
        pattern = re.compile(re.sub(rb"{([a-z]+)}", lambda m: _SEGMENTS[m[1].decode()], path))
        for known, operations in self._patterns:
            if known.pattern == pattern.pattern:
                operations[operation.method] = operation
                return
        self._patterns.append((pattern, {operation.method: operation}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Never raises but for a cancelled task."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return
        request = "req_" + hexlify(urandom(8)).decode()
        reply = await self._reply(scope, receive, request)
        if reply is None:
            return
        headers = [*self._headers, (b"x-request-id", request.encode()), *reply.headers]
        if reply.status != 204:
            headers += [(b"content-type", reply.kind), (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def _reply(self, scope: Scope, receive: Receive, request: str) -> Reply | None:
        """The answer or the problem; None when the caller hung up."""
        language, operation = DEFAULT, None
        try:
            headers = headers_of(scope)
            language = language_of(_lang(scope["query_string"]), headers.get(b"accept-language", b""))
            operation, names = self._route(scope)
            if operation is None:  # OPTIONS: which methods there are, and nothing else
                return Reply(204, b"", headers=[(b"allow", names["allowed"].encode())])
            call = Call(
                operation=operation, id=request, language=language, names=names, house=self._house, once=self._once
            )
            if operation.secret:
                call.keeper, call.line = self._keeper, line_of(scope, headers)
            try:
                await self._read(call, headers, receive)
            except BadInput:
                if call.credential is not None and call.house is not None:
                    await call.client()  # a body is judged for those who may send one; others hear that they may not
                raise
            return Reply(operation.status, await operation.handle(call), operation.kind)
        except GoneError:
            return None
        except Exception as error:
            log_fault(error, operation, request)
            return printed(error, language=language, policy=self._newest, instance=request)

    @property
    def _newest(self) -> CompiledPolicy | None:
        history = () if self._house is None else self._house.law.history()
        return history[-1] if history else None

    def _route(self, scope: Scope) -> tuple[Operation | None, Mapping[str, str]]:
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        operations = self._fixed.get(path)
        names: Mapping[str, str] = {}
        if operations is None:
            plain = path.replace(b"%3A", b":").replace(b"%3a", b":")
            for pattern, found in self._patterns:
                if match := pattern.fullmatch(plain):
                    operations = found
                    names = {name: value.decode() for name, value in match.groupdict().items()}
                    break
        if operations is None:
            raise BadInput("route-unknown") if self._house is not None else Unavailable("sealed")
        method: str = scope["method"]
        operation = operations.get("GET" if method == "HEAD" else method)
        if self._house is None and (operation is None or operation.id not in SEALED):
            raise Unavailable("sealed")
        if operation is None:
            allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else []), "OPTIONS"])
            if method == "OPTIONS":
                return None, {"allowed": allowed}
            raise BadInput("method-not-allowed", allowed=allowed)
        return operation, names

    async def _read(self, call: Call, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        """Read what the operation needs: the credential first, so that nobody without one sends a megabyte."""
        operation = call.operation
        if not operation.open:
            call.credential = _credential(headers)
        if operation.signed:
            call.webhook = _webhook(headers)
        if operation.keyed and (key := headers.get(b"idempotency-key")) is not None:
            if _KEY.fullmatch(key) is None:
                raise BadInput("key-malformed")
            call.key = key.decode()
        if operation.body is None:
            return
        given = headers.get(b"content-type", b"")
        if given != JSON and not (is_json(given) or (operation.body_optional and not given)):
            raise BadInput("media-type-wrong")
        call.raw = await read_body(receive, headers)
        if call.raw or not operation.body_optional:
            call.value = parse(call.raw)


_parsed: dict[bytes, Credential] = {}
"""Credentials read before, under the hash of their header: a Credential holds no secret, only its digest."""


def _credential(headers: Mapping[bytes, bytes]) -> Credential:
    given = headers.get(b"authorization", b"")
    name = sha256(given).digest()
    known = _parsed.get(name)
    if known is not None:
        return known
    match = _BEARER.fullmatch(given)
    if match is None:
        raise Refused("credential-refused")
    credential = parse_credential(match[1].decode())
    if len(_parsed) >= 1024:
        _parsed.clear()
    _parsed[name] = credential
    return credential


def _webhook(headers: Mapping[bytes, bytes]) -> tuple[str, str, str]:
    """What Standard Webhooks puts into headers; empty where one is missing, and then nothing is believed."""
    id, at, signatures = (headers.get(b"webhook-" + name, b"")[:2_000] for name in (b"id", b"timestamp", b"signature"))
    return id.decode("latin-1"), at.decode("latin-1"), signatures.decode("latin-1")


def _lang(query: bytes) -> str | None:
    """`?lang`. Raises BadInput for another language or parameter: nothing else belongs into an address."""
    if not query:
        return None
    name, _, language = query.decode("latin-1").partition("=")
    if name != "lang" or language not in LANGUAGES:
        raise BadInput("query-unknown")
    return language


def route(house: Callable[[], House]) -> ASGIRouteHandler:
    """The API as a route of the house's one web application; `house` is asked when the first request comes."""
    opened: list[Api] = []

    @asgi("/v1", is_mount=True, copy_scope=False)
    async def v1(scope: Scope, receive: Receive, send: Send) -> None:
        if not opened:
            found = house()
            https = found.settings.address.startswith("https:")
            opened.append(Api(Ports.of(found), https=https, home=found.settings.home))
        await opened[0](scope, receive, send)

    return v1
