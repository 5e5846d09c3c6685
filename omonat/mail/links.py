"""What the links in letters open, without signing in: confirming a request, and the preferences. GET shows, POST acts.

Mail programs open links on their own; so looking changes nothing. The link is the proof: it went to the address itself.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused, Unavailable
from omonat.house import House
from omonat.mail.leave import MAIL
from omonat.pages.http import language_for, page, see_other
from omonat.pages.requests import KINDS
from omonat.policy.compiled import CompiledPolicy

CONFIRM, PREFERENCES = "/confirm", "/preferences"
Asked = Request[Any, Any, Any]


def handlers(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The pages of both links."""

    @get(f"{CONFIRM}/{{token:str}}", name="letter-confirm", include_in_schema=False)
    async def ask(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.ask)

    @post(f"{CONFIRM}/{{token:str}}", name="letter-confirm-now", status_code=200, include_in_schema=False)
    async def confirm(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.confirm)

    @get(f"{PREFERENCES}/{{token:str}}", name="letter-preferences", include_in_schema=False)
    async def show(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.show)

    @post(f"{PREFERENCES}/{{token:str}}", name="letter-preferences-now", status_code=200, include_in_schema=False)
    async def change(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.change)

    return [ask, confirm, show, change]


class LinkPage:
    """One request by a link. `over`: the page for a link that opens nothing."""

    over = "link-over.html"

    def __init__(self, house: House, request: Asked, token: str) -> None:
        self.house, self.request, self.token = house, request, token

    async def said(self, act: Callable[[], Awaitable[Response[bytes]]]) -> Response[bytes]:
        """The page; or why there is none."""
        try:
            return await act()
        except Unavailable as error:
            with suppress(Unavailable):
                return await self._trouble(error, 503, "leave-later.html")
            return Response(sentence(error.code, "en", {}).encode(), status_code=503, media_type="text/plain")
        except (Refused, BadInput) as error:
            return await self._trouble(error, registry()[error.code].status, self.over)

    def language(self) -> str:
        """The reader's."""
        query = {key: values[-1] for key, values in self.request.query_params.dict().items() if values}
        return language_for(query, self.request.cookies, self.request.headers)

    async def _trouble(self, error: OmonatError, status: int, template: str) -> Response[bytes]:
        language = self.language()
        said = {
            "says": sentence(error.code, language, error.about),
            "advice": advice(error.code, language, error.about),
            "over": error.code == "letter-link-over",
        }
        return await self.answer(template, status=status, **said)

    async def answer(self, template: str, *, status: int = 200, **values: object) -> Response[bytes]:
        """A page of this door."""
        policy: CompiledPolicy = await self.house.grounds.law.at_hand()
        language, controller, url = self.language(), policy.policy.controller, self.request.url
        html = MAIL.render(
            template,
            language=language,
            now=self.house.grounds.clock(),
            path=url.path + (f"?{url.query}" if url.query else ""),
            place=MAIL.words(language)("Privacy center"),
            home="/me",
            controller=controller.name,
            mailbox=controller.mailbox,
            purposes=policy.purposes,
            categories=policy.policy.categories,
            token=self.token,
            **values,
        )
        return page(html, personal=True, https=self.house.settings.address.startswith("https://"), status=status)


class _Page(LinkPage):
    """The pages of these two."""

    async def ask(self) -> Response[bytes]:
        """Say what the button does."""
        kind, open_ = await self.house.ask.linked(self.token)
        return await self.answer("confirm.html" if open_ else "confirmed.html", kind=KINDS[kind.value])

    async def confirm(self) -> Response[bytes]:
        """The request counts from now on; pressed again, it counts already."""
        kind, open_ = await self.house.ask.linked(self.token)
        if open_:
            await self.house.ask.confirm_by_link(self.token)
        return await self.answer("confirmed.html", kind=KINDS[kind.value])

    async def show(self) -> Response[bytes]:
        """What holds."""
        found = await self.house.by_letter.show(self.token)
        return await self.answer("preferences.html", found=found, saved="saved" in self.request.query_params)

    async def change(self) -> Response[bytes]:
        """End one, end all, or allow a place."""
        form = await self.request.form()
        purpose, lasts = str(form.get("purpose", ""))[:80], str(form.get("lasts", ""))[:20]
        match str(form.get("do", "")):
            case "end-all":
                await self.house.by_letter.end(self.token)
            case "end" if purpose:
                await self.house.by_letter.end(self.token, purpose)
            case "allow" if purpose:
                await self.house.by_letter.allow(self.token, purpose, lasts)
            case _:
                raise BadInput("form-unclear")
        https = self.house.settings.address.startswith("https://")
        return see_other(f"{PREFERENCES}/{self.token}?saved=1&lang={self.language()}", https=https)
