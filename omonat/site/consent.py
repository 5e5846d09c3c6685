"""What the cookie dialog needs on any site of the company (L7, T1): the script, the register in words, two doors in.

`/site/consent.js` is the stable address; the same bytes lie under a hashed one. The two doors take JSON from pages of
this origin alone, are small, and keep no more of a report than names.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar import Request, get, post
from litestar.datastructures import Cookie as Crumb
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response
from msgspec import Meta, Struct

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.instants import to_datetime
from omonat.house import House
from omonat.pages.files import assets
from omonat.pages.http import from_elsewhere, language_for, security_headers
from omonat.promises.cookies.rule import How, Sight, not_allowed, signalled
from omonat.site.consent_words import words_for
from omonat.site.door import SITE

SCRIPT: Final = "/site/consent.js"
REGISTER: Final = "/site/cookies.json"
CHOICE: Final = "/site/cookie-choice"
REPORT: Final = "/site/report"
_MOST_BODY: Final = 4096
SHORT: Final = "public, max-age=300"

Asked = Request[Any, Any, Any]
Answer = Response[bytes]
Body = TypeVar("Body", bound="Struct")
Short = Annotated[str, Meta(max_length=256)]


class ChoiceMade(Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser chose; nothing says whose browser it is."""

    register: Annotated[str, Meta(max_length=12)]
    allowed: Annotated[list[Short], Meta(max_length=32)]
    how: How


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing the script found: its name or host."""

    kind: Sight
    name: Short


class Found(Struct, frozen=True, forbid_unknown_fields=True):
    """What the script found on one page."""

    found: Annotated[list[Seen], Meta(min_length=1, max_length=20)]


def consent_routes(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The addresses of the dialog."""

    @get(SCRIPT, name="consent-script", include_in_schema=False, sync_to_thread=False)
    def script(request: Asked) -> Answer:
        return _script(request)

    @get(REGISTER, name="cookie-register", include_in_schema=False)
    async def register(request: Asked) -> Answer:
        return await answered(request, lambda: _register(house(), request))

    @post(CHOICE, name="cookie-choice", include_in_schema=False, request_max_body_size=_MOST_BODY)
    async def choice(request: Asked) -> Answer:
        return await answered(request, lambda: _choice(house(), request))

    @post(REPORT, name="site-report", include_in_schema=False, request_max_body_size=_MOST_BODY)
    async def report(request: Asked) -> Answer:
        return await answered(request, lambda: _report(house(), request))

    @get("/.well-known/gpc.json", name="gpc", include_in_schema=False)
    async def signal(request: Asked) -> Answer:
        return await answered(request, lambda: _signal(house()))

    return [script, register, choice, report, signal]


def _script(request: Asked) -> Answer:
    asset = assets(*SITE.static)["consent.js"]
    tag = f'"{asset.address.rsplit(".", 2)[1]}"'
    headers = {"cache-control": SHORT, "etag": tag, "x-content-type-options": "nosniff", "vary": "accept-encoding"}
    headers["cross-origin-resource-policy"] = "same-origin"
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    body = asset.body
    if asset.squeezed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = asset.squeezed, "gzip"
    return Response(body, media_type=asset.kind, headers=headers)


async def _register(house: House, request: Asked) -> Answer:
    policy, register = await house.cookies.register()
    signal = signalled(request.headers)
    said = words_for(policy, register, _language(request), signal=signal)
    return as_json(200, said, **{"cache-control": "public, max-age=60", "vary": "accept-language, cookie, sec-gpc"})


async def _choice(house: House, request: Asked) -> Answer:
    made = await _body(request, ChoiceMade)
    _, register = await house.cookies.register()
    await house.cookies.count(register=made.register, allowed=made.allowed, how=made.how)
    answer: Answer = Response(b"", status_code=204, headers=security_headers(personal=True, https=False))
    answer.cookies = [_ended(name) for name in not_allowed(register, made.allowed, request.cookies)]
    return answer


async def _report(house: House, request: Asked) -> Answer:
    body = await _body(request, Found)
    await house.cookies.report([(each.kind, each.name) for each in body.found])
    return Response(b"", status_code=204, headers=security_headers(personal=True, https=False))


async def _signal(house: House) -> Answer:
    policy = await house.grounds.law.current()
    day = to_datetime(policy.policy.effective).date().isoformat()
    return as_json(200, {"gpc": True, "lastUpdate": day}, **{"cache-control": SHORT})


def _ended(name: str) -> Crumb:
    return Crumb(key=name, value="", max_age=0, path="/", secure=name.startswith("__"))


async def _body(request: Asked, shape: type[Body]) -> Body:
    """The body. Raises Refused for a page of another origin, BadInput for anything but small JSON of this shape."""
    if from_elsewhere(request.headers, request.headers.get("host", "")):
        raise Refused("form-not-ours")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise BadInput("media-type-wrong")
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadInput("site-report-unclear") from None


async def answered(request: Asked, act: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer, or what was refused, as a problem (RFC 9457) that repeats nothing of what was sent."""
    try:
        return await act()
    except OmonatError as error:
        language, code = _language(request), registry()[error.code]
        said = {
            "type": f"/v1/codes#{code.id}", "status": code.status, "code": code.id,
            "detail": sentence(code.id, language, error.about), "next": advice(code.id, language, error.about),
        }  # fmt: skip
        return as_json(code.status, said, kind="application/problem+json", **{"cache-control": "no-store"})


def as_json(status: int, said: Any, kind: str = "application/json", **headers: str) -> Answer:
    always = security_headers(personal=True, https=False)
    return Response(msgspec.json.encode(said), media_type=kind, status_code=status, headers={**always, **headers})


def _language(request: Asked) -> str:
    query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
    return language_for(query, request.cookies, request.headers)
