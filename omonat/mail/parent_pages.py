"""What a parent's link opens, without signing in: the notice, the question, the confirmation, and taking it back (K2).

GET shows, POST acts: mail programs open links on their own. Kinds of data are shown, never a value: the link proves an
address, not a parent.
"""

from collections.abc import Callable
from typing import Final

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from omonat.base.errors import BadInput
from omonat.house import House
from omonat.mail.links import Asked, LinkPage
from omonat.pages.http import see_other

PARENT: Final = "/parent"


def handlers(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The page of the link."""

    @get(f"{PARENT}/{{token:str}}", name="parent-asked", include_in_schema=False)
    async def show(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.show)

    @post(f"{PARENT}/{{token:str}}", name="parent-answers", status_code=200, include_in_schema=False)
    async def answer(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.said(page.act)

    return [show, answer]


class _Page(LinkPage):
    over = "parent-over.html"

    async def show(self) -> Response[bytes]:
        """What it is about, how it stands, and what can be said."""
        return await self.answer("parent.html", shown=await self.house.parent_asks.show(self.token))

    async def act(self) -> Response[bytes]:
        """Say yes, agree to pay, confirm, say no, or take it back."""
        asks, form = self.house.parent_asks, await self.request.form()
        match str(form.get("do", "")):
            case "agree":
                await asks.answer(self.token)
            case "pay":
                await self.house.parent_payments.agree(self.token)
            case "confirm":
                await asks.confirm(self.token)
            case "refuse":
                await asks.refuse(self.token)
                return await self.answer("parent-ended.html", refused=True)
            case "take-back":
                await asks.take_back(self.token)
                return await self.answer("parent-ended.html", refused=False)
            case _:
                raise BadInput("form-unclear")
        https = self.house.settings.address.startswith("https://")
        return see_other(f"{PARENT}/{self.token}?lang={self.language()}", https=https)
