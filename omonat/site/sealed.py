"""Forms of the company's own site, sealed in the visitor's browser: the script, and what it seals with (S1).

`/site/sealed-forms.js` is the stable address; `/site/forms/{service}` gives the key and the token of what is shown.
`/site/forms.css` sets the form that the API gives as HTML.
"""

from collections.abc import Callable
from functools import cache
from gzip import compress
from hashlib import sha256
from typing import Final

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from omonat.flows import forms
from omonat.house import House
from omonat.pages.files import assets
from omonat.pages.render import KIT_STATIC
from omonat.site.consent import SHORT, Answer, Asked, answered, as_json
from omonat.site.door import SITE
from omonat.vault.encoding import text_of

SCRIPT: Final = "/site/sealed-forms.js"
FORMS: Final = "/site/forms"
STYLE: Final = "/site/forms.css"


def sealed_routes(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The addresses of sealing on a site."""

    @get(SCRIPT, name="sealed-forms-script", include_in_schema=False, sync_to_thread=False)
    def script(request: Asked) -> Answer:
        return _file(request, _source(), "text/javascript")

    @get(STYLE, name="forms-style", include_in_schema=False, sync_to_thread=False)
    def style(request: Asked) -> Answer:
        return _file(request, _style(), "text/css")

    @get(f"{FORMS}/{{service:str}}", name="sealed-form", include_in_schema=False)
    async def form(request: Asked, service: FromPath[str]) -> Answer:
        return await answered(request, lambda: _form(house(), service))

    return [script, style, form]


async def _form(house: House, service: str) -> Answer:
    """What a form of this service is sealed with. Raises BadInput service-unknown."""
    policy, grounds = await house.grounds.law.current(), house.grounds
    policy.form(service)
    key = await house.sealing_keys.current()
    token = forms.issue(grounds.vault, service=service, version=policy.version, now=grounds.clock())
    given = {
        "installation": grounds.vault.installation, "key": key.number, "public": text_of(key.public),
        "service": service, "form": token,
    }  # fmt: skip
    return as_json(200, given, **{"cache-control": "no-store"})


@cache
def _source() -> tuple[bytes, bytes, str]:
    """Both scripts as one: as it is, packed, and the mark of this very text."""
    kit, own = assets(*KIT_STATIC)["sealing.js"], assets(*SITE.static)["sealed-forms.js"]
    body = kit.body + b"\n" + own.body
    return _packed(body)


@cache
def _style() -> tuple[bytes, bytes, str]:
    """The form's sheet, likewise."""
    return _packed(assets(*SITE.static)["forms.css"].body)


def _packed(body: bytes) -> tuple[bytes, bytes, str]:
    return body, compress(body, 9, mtime=0), f'"{sha256(body).hexdigest()[:12]}"'


def _file(request: Asked, source: tuple[bytes, bytes, str], kind: str) -> Answer:
    body, packed, tag = source
    headers = {"cache-control": SHORT, "etag": tag, "x-content-type-options": "nosniff", "vary": "accept-encoding"}
    headers["cross-origin-resource-policy"] = "same-origin"
    if tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = packed, "gzip"
    return Response(body, media_type=kind, headers=headers)
