"""One request at this door: who asks, in which language, and the frame of the answer."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from omonat.base.codes import registry
from omonat.base.errors import BadInput, Fault, OmonatError, Refused
from omonat.center.door import CENTER, CHECKPOINT, CHOICES, DATA, HOME, LOOKED, POLICY, REQUESTS, SIGN_OUT
from omonat.evidence.reader import Signed
from omonat.flows.my_data import MyStanding
from omonat.house import House
from omonat.pages import LANGUAGES, Nav, Proof
from omonat.pages.http import (
    SESSION_COOKIES,
    csrf_holds,
    csrf_token,
    end_session,
    from_elsewhere,
    language_cookie,
    language_for,
    page,
    security_headers,
    see_other,
)
from omonat.policy.compiled import CompiledPolicy

Asked = Request[Any, Any, Any]
Answer = Response[bytes]

_LABELLED = ("item", "purpose", "role", "service", "category", "source", "case")


class Visit:
    """What a page of this door needs to know of its reader; made anew for each request."""

    def __init__(self, house: House, request: Asked) -> None:
        self.house = house
        self.request = request
        self.now = house.grounds.clock()
        self.query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        self.language = language_for(self.query, request.cookies, request.headers)
        self.words = CENTER.words(self.language)
        self.https = house.settings.address.startswith("https://")
        self.token = request.cookies.get(SESSION_COOKIES["center"], "")
        self.standing: MyStanding | None = None
        self.form: Mapping[str, str] = {}
        self._policy: CompiledPolicy | None = None
        self._over = False

    @property
    def policy(self) -> CompiledPolicy:
        """The policy in force, once `meet` has found it."""
        if self._policy is None:
            raise Fault("page-failed")
        return self._policy

    @property
    def person(self) -> str:
        """Who is signed in; pages for anybody must not ask."""
        if self.standing is None:
            raise Fault("page-failed")
        return self.standing.person

    async def meet(self) -> None:
        """Find the policy in force and who is signed in; a session whose person was erased ends here.

        Raises Unavailable `no-policy` before the first publication.
        """
        self._policy = await self.house.grounds.law.current()
        session = await self.house.sessions.find("me", self.token)
        if session is not None:
            with suppress(Refused):  # erased since the session was found
                self.standing = await self.house.my_data.standing(session.holder)
        if self.standing is None and self.token:
            await self.house.sessions.end(self.token)
            self._over = True

    async def read_form(self) -> None:
        """Read the posted fields. Raises Refused `form-not-ours` unless this session's own page sent them."""
        if from_elsewhere(self.request.headers, self.request.headers.get("host", "")):
            raise Refused("form-not-ours")
        sent = await self.request.form()
        self.form = {name: value for name, value in sent.items() if isinstance(value, str)}
        if self.standing is not None and not csrf_holds(self._form_key(), self.token, self.form.get("csrf")):
            raise Refused("form-not-ours")

    def label(self, kind: str, name: str) -> str:
        """The policy's own word for something, in the reader's language."""
        return self.policy.label(kind, name, self.language)

    def page(self, template: str, *, status: int = 200, cookies: Iterable[Cookie] = (), **context: Any) -> Answer:
        """A page of this door."""
        words = self.words
        framed: dict[str, Any] = {
            "path": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "place": words("Privacy center"),
            "home": HOME,
            "controller": self._policy.policy.controller.name if self._policy else "",
            "foot_links": [Nav(POLICY, words("Privacy policy"))],
            "label": self.label,
            **self._verified(),
        }
        if self.standing is not None:
            framed |= {
                "nav": [
                    Nav(DATA, words("My data")),
                    Nav(CHOICES, words("My choices")),
                    Nav(LOOKED, words("Who looked")),
                    Nav(REQUESTS, words("Requests and complaints")),
                ],
                "sign_out": SIGN_OUT,
                "csrf": csrf_token(self._form_key(), self.token),
                "standing": self.standing,
            }
        html = CENTER.render(template, language=self.language, now=self.now, **{**framed, **context})
        return page(html, personal=True, https=self.https, status=status, cookies=self._with(cookies))

    def go(self, place: str, *, cookies: Iterable[Cookie] = (), clear: bool = False) -> Answer:
        """After a form: go and look."""
        return see_other(place, https=self.https, cookies=self._with(cookies), clear=clear)

    def file(self, content: bytes, name: str, kind: str = "text/plain; charset=utf-8") -> Answer:
        """A file to keep."""
        headers = security_headers(personal=True, https=self.https)
        headers["content-disposition"] = f'attachment; filename="{name}"'
        return Response(content, media_type=kind, headers=headers)

    def trouble(self, error: OmonatError) -> Answer:
        """What was refused or failed: what, why, and what one can do."""
        code = registry().get(error.code)
        about = {key: self._named(key, value) for key, value in error.about.items()}
        status = code.status if code else 500
        promise = (code.promise or None) if code and not isinstance(error, Fault) else None
        return self.page(
            "trouble.html", status=status, code=error.code, about=about, promise=promise, calm=status == 503
        )

    def signed(self) -> Signed | None:
        """The newest checkpoint; None before the first."""
        try:
            return self.house.evidence.checkpoint()
        except BadInput:
            return None

    def _verified(self) -> dict[str, Any]:
        """The foot's line. A checkpoint that fails its own check is said so: nobody is told "verified" for nothing."""
        try:
            signed = self.signed()
        except Fault:
            return {"unverified": True}
        if signed is None or signed.at is None:
            return {"unverified": False}
        at = min(signed.at, self.now)
        return {"unverified": False, "proof": Proof(signed.checkpoint.size, at, signed.checkpoint.root, CHECKPOINT)}

    def _named(self, kind: str, name: str) -> str:
        return self._policy.label(kind, name, self.language) if self._policy and kind in _LABELLED else name

    def _with(self, cookies: Iterable[Cookie]) -> list[Cookie]:
        """These cookies, and what every answer sets: the language once chosen, the end of a session that is over."""
        chosen = self.query.get("lang")
        kept = [language_cookie(chosen)] if chosen in LANGUAGES else []
        if self._over:
            kept.append(end_session("center"))
        given = list(cookies)
        return [*(cookie for cookie in kept if cookie.key not in {each.key for each in given}), *given]

    def _form_key(self) -> bytes:
        return self.house.inner_secret("center-forms").encode()
