"""A sealed house: what answers while there is no root key. Health, how far unsealing has come, and unsealing itself.

Every other address, of every door, known or not, is 503 and says so: to programs as a problem, to people as a page. It
knows no vault and no database, so there is nothing in it that could give data away.
"""

from html import escape
from typing import Any, Final

from omonat import api
from omonat.base.codes import advice, sentence
from omonat.base.settings import Settings
from omonat.pages.http import language_for, security_headers

_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">\
<meta name="color-scheme" content="light dark"><title>Omonat</title></head>
<body><main><h1>{says}</h1><p>{next}</p></main></body>
</html>
"""


class Sealed:
    """The application of a sealed web worker."""

    def __init__(self, settings: Settings) -> None:
        self._https = settings.address.startswith("https:")
        self._api = api.Api(None, https=self._https, home=settings.home)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or start and stop."""
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        path: bytes = scope.get("raw_path") or scope.get("path", "").encode()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reads_pages = "text/html" in headers.get("accept", "")
        if scope["type"] != "http" or path.startswith(b"/v1/") or not reads_pages:
            await self._api(scope, receive, send)
            return
        body = sealed_page(language_for({}, {}, headers))
        answer = security_headers(personal=True, https=self._https)
        answer |= {"content-type": "text/html; charset=utf-8", "content-length": str(len(body)), "retry-after": "60"}
        listed = [(name.encode(), value.encode()) for name, value in answer.items()]
        await send({"type": "http.response.start", "status": 503, "headers": listed})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def sealed_page(language: str) -> bytes:
    """The page people see: two sentences, without style, script or picture."""
    says, next_ = (escape(words("sealed", language, {})) for words in (sentence, advice))
    return _PAGE.format(language=language, says=says, next=next_).encode()
