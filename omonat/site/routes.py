"""The addresses of the policy: the version in force, every version, their history, what changed between two, and the
file itself (P1, P3)."""

import gzip
from collections.abc import Callable
from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.pages import Nav
from omonat.pages.http import language_for, security_headers
from omonat.policy.prose_changes import SAME
from omonat.site.door import COMPLAIN, HOME, PAIRED, QUESTIONS, SITE, body, changed
from omonat.site.library import Edition, PolicyLibrary

Asked = Request[Any, Any, Any]
Answer = Response[bytes]


def site_routes(
    library: PolicyLibrary, *, now: Callable[[], Instant], https: Callable[[], bool] = lambda: False
) -> list[HTTPRouteHandler]:
    """The handlers of this door. `now` is read once per request; `https` says whether readers come over TLS."""
    pages = _Pages(library, now, https)

    @get(HOME, name="policy", include_in_schema=False)
    async def policy(request: Asked) -> Answer:
        return await pages.notice(request, await library.current())

    @get(f"{HOME}/history", name="policy-history", include_in_schema=False)
    async def history(request: Asked) -> Answer:
        return await pages.history(request)

    @get(f"{HOME}/v/{{version:str}}", name="policy-version", include_in_schema=False)
    async def version_(request: Asked, version: FromPath[str]) -> Answer:
        return await pages.notice(request, await library.by_version(version))

    @get(f"{HOME}/v/{{version:str}}/policy.yaml", name="policy-file", include_in_schema=False)
    async def file(request: Asked, version: FromPath[str]) -> Answer:
        return await pages.file(request, await library.by_version(version))

    @get(f"{HOME}/compare/{{pair:str}}", name="policy-compare", include_in_schema=False)
    async def compare(request: Asked, pair: FromPath[str]) -> Answer:
        return await pages.compare(request, pair)

    return [policy, history, version_, file, compare]


class _Pages:
    """The answers. Nothing here is about a person, so all of it may be cached on the way, for a minute."""

    def __init__(self, library: PolicyLibrary, now: Callable[[], Instant], https: Callable[[], bool]) -> None:
        self._library, self._now, self._https = library, now, https

    async def notice(self, request: Asked, edition: Edition | None) -> Answer:
        """One version to be read."""
        if edition is None:
            return await self._missing(request)
        return await self._page(request, "policy.html", edition=edition, body=body(edition, _language(request)))

    async def history(self, request: Asked) -> Answer:
        """All versions."""
        return await self._page(request, "history.html", editions=await self._library.history())

    async def compare(self, request: Asked, pair: str) -> Answer:
        """Two versions side by side, `1..2`: what is new, and what is milder (P3)."""
        old, _, new = pair.partition(PAIRED)
        editions = [await self._library.by_version(version) for version in (old, new)]
        if editions[0] is None or editions[1] is None:
            return await self._missing(request)
        language = _language(request)
        try:
            found = changed(editions[0], editions[1], language)
        except BadInput:  # a law pack it names isn't at hand: what it does can't be told
            return await self._missing(request)
        return await self._page(
            request, "compare.html", old=editions[0], new=editions[1], changes=found, same=SAME[language]
        )

    async def file(self, request: Asked, edition: Edition | None) -> Answer:
        """The exact bytes that were published."""
        if edition is None:
            return await self._missing(request)
        name = f"{edition.policy.policy}-{_file_safe(edition.version)}.yaml"
        return self._answer(
            request, edition.source, "application/yaml; charset=utf-8", disposition=f'attachment; filename="{name}"'
        )

    async def _missing(self, request: Asked) -> Answer:
        return await self._page(request, "missing.html", status=404)

    async def _page(self, request: Asked, template: str, *, status: int = 200, **context: Any) -> Answer:
        language = _language(request)
        words = SITE.words(language)
        current = await self._library.current()
        links = [
            Nav(HOME, words("The policy in force")),
            Nav(f"{HOME}/history", words("All versions")),
            Nav(COMPLAIN, words("Complain or ask")),
            Nav(QUESTIONS, words("About our visitors")),
        ]
        query = request.url.query
        html = SITE.render(
            template,
            language=language,
            now=self._now(),
            path=request.url.path + (f"?{query}" if query else ""),
            place=words("Privacy policy"),
            home=HOME,
            controller=current.policy.controller.name if current else "",
            proof=await self._library.checkpoint(),
            foot_links=links,
            current=current,
            **context,
        )
        return self._answer(request, html.encode(), "text/html", status=status)

    def _answer(self, request: Asked, content: bytes, kind: str, *, status: int = 200, disposition: str = "") -> Answer:
        headers = security_headers(personal=False, https=self._https())
        headers["vary"] += ", accept-encoding"
        if disposition:
            headers["content-disposition"] = disposition
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = gzip.compress(content, 6, mtime=0), "gzip"
        return Response(content, media_type=kind, status_code=status, headers=headers)


def _language(request: Asked) -> str:
    query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
    return language_for(query, request.cookies, request.headers)


def _file_safe(version: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-") else "-" for letter in version)
