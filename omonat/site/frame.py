"""The frame of this door's pages. Nothing in it is about a person, so all may be cached on the way, for a minute."""

import gzip
from collections.abc import Callable
from typing import Any, Final

from litestar import Request
from litestar.response import Response

from omonat.base.instants import Instant
from omonat.pages import Nav
from omonat.pages.http import language_for, security_headers
from omonat.site.door import COMPLAIN, HOME, QUESTIONS, SITE
from omonat.site.library import PolicyLibrary

Asked = Request[Any, Any, Any]
Answer = Response[bytes]
ANNOUNCEMENTS: Final = "/page/announcements"
SQUEEZED: Final = 5
"""How hard pages are compressed: the usual 6 takes twice the time for a sixteenth less of the notice."""


class Pages:
    """Pages and files, asked for by anybody."""

    def __init__(self, library: PolicyLibrary, now: Callable[[], Instant], https: Callable[[], bool]) -> None:
        self.library, self.now, self._https = library, now, https

    async def page(self, request: Asked, template: str, *, status: int = 200, **context: Any) -> Answer:
        """One page in the language asked for."""
        language = asked_language(request)
        words = SITE.words(language)
        current = await self.library.current()
        links = [
            Nav(HOME, words("The policy in force")),
            Nav(f"{HOME}/history", words("All versions")),
            Nav(ANNOUNCEMENTS, words("Announcements")),
            Nav(COMPLAIN, words("Complain or ask")),
            Nav(QUESTIONS, words("About our visitors")),
        ]
        query = request.url.query
        html = SITE.render(
            template,
            language=language,
            now=self.now(),
            path=request.url.path + (f"?{query}" if query else ""),
            place=words("Privacy policy"),
            home=HOME,
            controller=current.policy.controller.name if current else "",
            proof=await self.library.checkpoint(),
            foot_links=links,
            current=current,
            **context,
        )
        return self.answer(request, html.encode(), "text/html", status=status)

    def answer(self, request: Asked, content: bytes, kind: str, *, status: int = 200, disposition: str = "") -> Answer:
        """Bytes of some kind, squeezed where the reader can undo that."""
        headers = security_headers(personal=False, https=self._https())
        headers["vary"] += ", accept-encoding"
        if disposition:
            headers["content-disposition"] = disposition
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["content-encoding"] = gzip.compress(content, SQUEEZED, mtime=0), "gzip"
        return Response(content, media_type=kind, status_code=status, headers=headers)


def asked_language(request: Asked) -> str:
    """The language of a request."""
    query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
    return language_for(query, request.cookies, request.headers)
