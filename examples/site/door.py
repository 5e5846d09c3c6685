"""The site's pages: one frame for all of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from examples.site.menu import lines
from examples.site.state import MONTH, Browser
from omonat.house import system_clock
from omonat.pages import Door, Nav
from omonat.pages.http import LANGUAGE_COOKIE, language_cookie, language_for, page, see_other, session_cookie

SHOP = Door("shop", Path(__file__).parent)
Asked = Request[Any, Any, Any]
Answer = Response[bytes]
CONTROLLER = "BESHQOZON"


class Frame:
    """Draws pages and leads on. `https`: people come over TLS."""

    def __init__(self, *, https: bool) -> None:
        self._https = https

    def language(self, request: Asked) -> str:
        """The language of this request."""
        query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        return language_for(query, request.cookies, request.headers)

    def page(self, request: Asked, browser: Browser, template: str, *, status: int = 200, **about: Any) -> Answer:
        """A page of the site."""
        language = self.language(request)
        words = SHOP.words(language)
        count = sum(line.count for line in lines(browser.cart))
        cart = words("Cart (%(n)s)", n=count) if count else words("Cart")
        html = SHOP.render(
            template,
            language=language,
            now=system_clock(),
            path=_path(request),
            place=words("Restaurant"),
            home="/",
            controller=CONTROLLER,
            nav=[
                Nav("/menu", words("Menu")),
                Nav("/cart", cart),
                Nav("/sign-up", words("Sign up")),
                Nav("/newsletter", words("Newsletter")),
                Nav("/ask", words("Ask us")),
            ],
            foot_links=[
                Nav("/page/privacy-policy", words("Privacy policy")),
                Nav("/me", words("My data: the Privacy Center")),
                Nav("/desk", words("For staff")),
                Nav("/catcher", words("Messages of this demo")),
            ],
            browser=browser,
            **about,
        )
        return page(html, personal=True, https=self._https, status=status, cookies=self._cookies(request, browser))

    def to(self, request: Asked, browser: Browser, place: str, *, cookies: Iterable[Cookie] = ()) -> Answer:
        """After a form: go and look."""
        return see_other(place, https=self._https, cookies=[*self._cookies(request, browser), *cookies])

    def _cookies(self, request: Asked, browser: Browser) -> Iterable[Cookie]:
        """The session once there is one; the language once it was chosen by a link."""
        if browser.token:
            yield session_cookie("site", browser.token, MONTH)
        chosen = request.query_params.get("lang")
        if chosen is not None and chosen == self.language(request) and request.cookies.get(LANGUAGE_COOKIE) != chosen:
            yield language_cookie(chosen)


def _path(request: Asked) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")
