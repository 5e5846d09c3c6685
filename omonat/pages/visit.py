"""One request at a door people sign in to: who asks, in which language, and the frame of the answer.

The Privacy Center and the Desk share it; each says only who its reader is (`recognise`) and what stands on top of its
pages (`frame`). It is the one module of the kit that knows the house.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Literal

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from omonat.base.codes import registry
from omonat.base.errors import BadInput, Fault, OmonatError, Refused
from omonat.evidence.reader import Signed
from omonat.house import House
from omonat.pages.http import (
    SESSION_COOKIES,
    csrf_holds,
    csrf_token,
    end_session,
    from_elsewhere,
    language_cookie,
    language_for,
    may_pack,
    page,
    see_other,
)
from omonat.pages.render import Door, Nav, Proof
from omonat.pages.words import LANGUAGES, quoted
from omonat.policy.compiled import CompiledPolicy

Asked = Request[Any, Any, Any]
Answer = Response[bytes]

POLICY: Final = "/page/privacy-policy"
COMPLAIN: Final = "/complain"
CHECKPOINT: Final = "/me/checkpoint"
_LABELLED = ("item", "purpose", "role", "service", "category", "source", "case")


class Visit(ABC):
    """What a page needs to know of its reader; made anew for each request."""

    door: ClassVar[Door]
    name: ClassVar[Literal["center", "desk"]]
    home: ClassVar[str]
    sign_out: ClassVar[str]

    def __init__(self, house: House, request: Asked) -> None:
        self.house = house
        self.request = request
        self.now = house.grounds.clock()
        self.query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        self.language = language_for(self.query, request.cookies, request.headers)
        self.words = self.door.words(self.language)
        self.https = house.settings.address.startswith("https://")
        self.token = request.cookies.get(SESSION_COOKIES[self.name], "")
        self.form: Mapping[str, str] = {}
        self._over = False
        self._policy: CompiledPolicy | None = None

    @property
    @abstractmethod
    def signed_in(self) -> bool:
        """Whether somebody was recognised."""

    @abstractmethod
    async def recognise(self) -> None:
        """Find who is signed in by `self.token`."""

    @property
    def entrance(self) -> str:
        """Where somebody is led who must sign in first."""
        return self.home

    @abstractmethod
    def frame(self) -> dict[str, Any]:
        """What the door gives to each of its pages: at least `place`; `nav` where somebody is signed in."""

    @property
    def policy(self) -> CompiledPolicy:
        """The policy in force, once `meet` has found it."""
        if self._policy is None:
            raise Fault("page-failed")
        return self._policy

    async def meet(self) -> None:
        """Find the policy in force and who is signed in; a session that is over ends in the browser too.

        Raises Unavailable `no-policy` before the first publication.
        """
        self._policy = await self.house.grounds.law.current()
        await self.recognise()
        if not self.signed_in and self.token:
            await self.house.sessions.end(self.token)
            self._over = True

    async def read_form(self) -> None:
        """Read the posted fields. Raises Refused `form-not-ours` unless this session's own page sent them, BadInput
        `form-unclear` for what nobody can type."""
        if from_elsewhere(self.request.headers, self.request.headers.get("host", "")):
            raise Refused("form-not-ours")
        sent = await self.request.form()
        self.form = {name: value for name, value in sent.items() if isinstance(value, str)}
        if any("\0" in value for value in self.form.values()):
            raise BadInput("form-unclear")
        if self.signed_in and not csrf_holds(self.form_key, self.token, self.form.get("csrf")):
            raise Refused("form-not-ours")

    @property
    def form_key(self) -> bytes:
        """The key of this door's form tokens."""
        return self.house.inner_secret(f"{self.name}-forms").encode()

    def label(self, kind: str, name: str) -> str:
        """The policy's own word for something, in the reader's language."""
        return self.policy.label(kind, name, self.language)

    def named(self, about: Mapping[str, str]) -> dict[str, str]:
        """The names a reason speaks of, as the policy's labels."""
        named = {
            kind: self._policy.label(kind, name, self.language) if self._policy and kind in _LABELLED else name
            for kind, name in about.items()
        }
        if "item" in about and "kind" in about:  # people know the item by its label, and its kind not at all
            named["kind"] = quoted(named["item"], self.language)
        return named

    def page(self, template: str, *, status: int = 200, cookies: Iterable[Cookie] = (), **context: Any) -> Answer:
        """A page of this door."""
        framed: dict[str, Any] = {
            "path": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "home": self.home,
            "controller": self._policy.policy.controller.name if self._policy else "",
            "foot_links": [Nav(POLICY, self.words("Privacy policy")), Nav(COMPLAIN, self.words("Complain or ask"))],
            "label": self.label,
            **self._verified(),
            **self.frame(),
        }
        if self.signed_in:
            framed |= {"sign_out": self.sign_out, "csrf": csrf_token(self.form_key, self.token)}
        html = self.door.render(template, language=self.language, now=self.now, **{**framed, **context})
        packed = may_pack(self.request.headers)
        return page(html, personal=True, https=self.https, packed=packed, status=status, cookies=self._with(cookies))

    def go(self, place: str, *, cookies: Iterable[Cookie] = (), clear: bool = False) -> Answer:
        """After a form: go and look."""
        return see_other(place, https=self.https, cookies=self._with(cookies), clear=clear)

    def trouble(self, error: OmonatError) -> Answer:
        """What was refused or failed: what, why, and what one can do."""
        code = registry().get(error.code)
        status = code.status if code else 500
        promise = (code.promise or None) if code and not isinstance(error, Fault) else None
        about = self.named(error.about)
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

    def _with(self, cookies: Iterable[Cookie]) -> list[Cookie]:
        """These cookies, and what every answer sets: the language once chosen, the end of a session that is over."""
        chosen = self.query.get("lang")
        kept = [language_cookie(chosen)] if chosen in LANGUAGES else []
        if self._over:
            kept.append(end_session(self.name))
        given = list(cookies)
        return [*(cookie for cookie in kept if cookie.key not in {each.key for each in given}), *given]
