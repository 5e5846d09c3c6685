"""The evidence log over HTTP, as C2SP tlog-tiles lays it out: below `/log`, for everybody, without a credential.

    /log/checkpoint                   the newest signed checkpoint, with its witnesses' lines
    /log/checkpoint.witnessed         the newest one that enough witnesses have cosigned
    /log/tile/<level>/<n>[.p/<w>]     hashes
    /log/tile/entries/<n>[.p/<w>]     entries: names of the policy, commitments, pseudonyms; nothing about anybody
    /log/keys                         the public keys, for convenience: pin your own copy

A path has one spelling. Only what a signed checkpoint commits to is given out, so a tile's bytes are the same for ever
and may be kept by whoever carries them; what was written and not signed yet isn't there.
"""

import asyncio
from binascii import hexlify
from collections.abc import Callable
from os import urandom
from typing import Final

from litestar.handlers import ASGIRouteHandler, asgi

from omonat.api.http import OVER_TLS, Receive, Reply, Scope, Send, headers_of
from omonat.api.problems import log_fault, printed
from omonat.api.speech import DEFAULT, language_of
from omonat.base.errors import BadInput
from omonat.evidence.folder import LogFolder
from omonat.evidence.note import Checkpoint, Note
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName
from omonat.house import House

PREFIX: Final = "/log"
_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
_FOR_EVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_FOR_SECONDS: Final = (b"cache-control", b"public, max-age=2")
"""Less than a heartbeat: whoever looks for a silent log must see a fresh checkpoint in time."""
_NEVER: Final = (b"cache-control", b"no-store")
_TEXT: Final = b"text/plain; charset=utf-8"
_BYTES: Final = b"application/octet-stream"


class Log:
    """Answers from the folder of one log."""

    def __init__(self, folder: LogFolder, *, https: bool = False) -> None:
        self._folder = folder
        self._headers = [*_ALWAYS, *([OVER_TLS] if https else [])]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request. Never raises but for a cancelled task."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        if scope["type"] != "http":
            return
        reply = await self._reply(scope)
        headers = [*self._headers, *reply.headers]
        headers += [(b"content-type", reply.kind), (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def _reply(self, scope: Scope) -> Reply:
        language, request = DEFAULT, "req_" + hexlify(urandom(8)).decode()
        try:
            language = language_of(None, headers_of(scope).get(b"accept-language", b""))
            if scope["method"] not in ("GET", "HEAD"):
                raise BadInput("method-not-allowed", allowed="GET, HEAD")
            path: bytes = scope.get("raw_path") or scope["path"].encode()
            if scope["query_string"]:
                raise BadInput("query-unknown")
            return await asyncio.to_thread(self._read, path.decode("latin-1"))
        except Exception as error:
            log_fault(error, None, request)
            told = printed(error, language=language, policy=None, instance=request)
            return Reply(told.status, told.body, told.kind, [*told.headers, _NEVER, (b"vary", b"accept-language")])

    def _read(self, path: str) -> Reply:
        """What lies at the path. Raises BadInput `route-unknown`, and for a log that isn't there yet."""
        match path:
            case "/log/checkpoint":
                return _text(self._folder.read_checkpoint())
            case "/log/checkpoint.witnessed":
                return _text(self._folder.read_witnessed())
            case "/log/keys":
                return _text("".join(f"{vkey}\n" for vkey in self._folder.read_keys()).encode() or None)
        try:
            name = TileName.parse(path.removeprefix(f"{PREFIX}/"))
        except BadInput:
            raise BadInput("route-unknown") from None
        raw = self._folder.read(name) if _is_signed(name, self._folder.read_checkpoint()) else None
        if raw is None:
            raise BadInput("route-unknown")
        return Reply(200, raw, _BYTES, [_FOR_EVER])


def _text(raw: bytes | None) -> Reply:
    if raw is None:
        raise BadInput("route-unknown")
    return Reply(200, raw, _TEXT, [_FOR_SECONDS])


def _is_signed(name: TileName, signed: bytes | None) -> bool:
    """Whether the checkpoint commits to all of a tile, or of a bundle."""
    if signed is None:
        return False
    size = Checkpoint.parse(Note.parse(signed).text).size
    level = 0 if name.level == ENTRIES else int(name.level)
    return name.number * WIDTH + name.width <= size >> 8 * level


def log_route(house: Callable[[], House]) -> ASGIRouteHandler:
    """The log as a route of the house's one web application; `house` is asked when the first request comes."""
    opened: list[Log] = []

    @asgi(PREFIX, is_mount=True, copy_scope=False)
    async def log(scope: Scope, receive: Receive, send: Send) -> None:
        if not opened:
            found = house()
            opened.append(Log(found.log, https=found.settings.address.startswith("https:")))
        await opened[0](scope, receive, send)

    return log
