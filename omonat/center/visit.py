"""One request at the Privacy Center: which person asks."""

from contextlib import suppress
from typing import Any

from litestar.response import Response

from omonat.base.errors import Fault, Refused
from omonat.center.door import ASKED_FOR, CENTER, CHILDREN, CHOICES, DATA, HOME, LOOKED, NOTICES, REQUESTS, SIGN_OUT
from omonat.flows.guardians import Ward
from omonat.flows.my_data import MyStanding
from omonat.pages import Nav
from omonat.pages.http import security_headers
from omonat.pages.visit import Answer
from omonat.pages.visit import Visit as AnyVisit

__all__ = ["Answer", "Visit"]


class Visit(AnyVisit):
    """What a page of the Privacy Center needs to know of its reader."""

    door = CENTER
    name = "center"
    home = HOME
    sign_out = SIGN_OUT

    standing: MyStanding | None = None
    wards: tuple[Ward, ...] = ()
    """The children whose data the reader may see."""

    @property
    def signed_in(self) -> bool:
        return self.standing is not None

    @property
    def entrance(self) -> str:
        """The first page, which remembers what was asked for: after the code one stands there."""
        path = self.request.url.path
        wanted = self.request.method == "GET" and path in ASKED_FOR
        return f"{HOME}?to={path.removeprefix(HOME + '/')}" if wanted else HOME

    @property
    def person(self) -> str:
        """Who is signed in; pages for anybody must not ask."""
        if self.standing is None:
            raise Fault("page-failed")
        return self.standing.person

    async def recognise(self) -> None:
        """Find the person; a session whose person was erased is over."""
        session = await self.house.sessions.find("me", self.token)
        if session is not None:
            with suppress(Refused):  # erased since the session was found
                self.standing = await self.house.my_data.standing(session.holder)
                self.wards = await self.house.guardians.wards(session.holder)

    def frame(self) -> dict[str, Any]:
        words = self.words
        framed: dict[str, Any] = {"place": words("Privacy center")}
        if self.standing is not None:
            framed |= {
                "nav": [
                    Nav(DATA, words("My data")),
                    Nav(CHOICES, words("My choices")),
                    Nav(LOOKED, words("Who looked")),
                    Nav(NOTICES, words("What changed")),
                    Nav(REQUESTS, words("Requests and complaints")),
                    *([Nav(CHILDREN, words("My children"))] if self.wards else []),
                ],
                "standing": self.standing,
                "wards": self.wards,
            }
        return framed

    def file(self, content: bytes, name: str, kind: str = "text/plain; charset=utf-8") -> Answer:
        """A file to keep."""
        headers = security_headers(personal=True, https=self.https)
        headers["content-disposition"] = f'attachment; filename="{name}"'
        return Response(content, media_type=kind, headers=headers)
