"""Addresses no door knows: to a reader a page that leads on, to a program a problem (RFC 9457), in their language."""

from collections.abc import Callable
from typing import Any, Final

from litestar import Request, get
from litestar.exceptions import HTTPException, InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Response

from omonat.api.problems import printed
from omonat.api.speech import language_of
from omonat.base.errors import BadInput, Fault, OmonatError
from omonat.base.logs import log
from omonat.house import House
from omonat.pages.assets import FOREVER
from omonat.pages.http import language_for, page, security_headers
from omonat.pages.render import KIT_STATIC, Nav
from omonat.site.door import HOME, SITE

_log = log(__name__)
_CENTER: Final = "/me"
_HUNG_UP: Final = "client disconnected prematurely"
"""The framework's one sign that whoever sent a form left before its end."""


def lost(house: Callable[[], House]) -> Callable[[Request[Any, Any, Any], Exception], Response[bytes]]:
    """The answer of last resort.

    Only what is our fault is noted in the log, and never the address: it may hold a value. Somebody who left in the
    middle of a form is none.
    """

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        status, told = _told(error)
        if status >= 500 and not _left(error):
            _log.error("page-failed", exc_info=(type(error), error, error.__traceback__))
        https = house().settings.address.startswith("https://")
        if "text/html" in request.headers.get("accept", ""):
            query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
            language = language_for(query, request.cookies, request.headers)
            return page(_page(house(), language, told), personal=True, https=https, status=status)
        language = language_of(None, request.headers.get("accept-language", "").encode("latin-1", "replace"))
        reply = printed(told, language=language, policy=None, instance="")
        headers = security_headers(personal=True, https=https)
        return Response(reply.body, media_type=reply.kind.decode(), status_code=status, headers=headers)

    return answer


def _left(error: Exception) -> bool:
    return isinstance(error, InternalServerException) and error.detail == _HUNG_UP


def _told(error: Exception) -> tuple[int, OmonatError]:
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = (error.headers or {}).get("allow", "GET")
        return 405, BadInput("method-not-allowed", allowed=allowed)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return error.status_code, BadInput("address-unknown")
    return 500, Fault("page-failed")


def _page(house: House, language: str, told: OmonatError) -> str:
    words = SITE.words(language)
    history = house.grounds.law.history()
    links = [Nav(HOME, words("The policy in force")), Nav(_CENTER, words("Your data"))]
    return SITE.render(
        "lost.html",
        language=language,
        now=house.grounds.clock(),
        path=HOME,  # the address that led nowhere is not repeated: a person may have typed anything
        place=words("Privacy policy"),
        home=HOME,
        controller=history[-1].policy.controller.name if history else "",
        foot_links=links,
        code=told.code,
        about=dict(told.about),
    )


@get("/favicon.ico", include_in_schema=False)
async def favicon() -> Response[bytes]:
    """The sign of the kit, for browsers and pages that ask for it at its old address."""
    sign = (KIT_STATIC[1] / "sign.svg").read_bytes()
    return Response(
        sign, media_type="image/svg+xml", headers={"cache-control": FOREVER, "x-content-type-options": "nosniff"}
    )


FAVICON: HTTPRouteHandler = favicon
