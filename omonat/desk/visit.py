"""One request at the Desk: which staff member asks, under which purpose, and the frame of the answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response import Response

from omonat.base.codes import registry
from omonat.base.errors import BadInput, Fault, OmonatError, Refused
from omonat.desk.door import DESK, FIND, HOME, KEYS, POLICY, SIGN_OUT
from omonat.flows.staff import StaffMember
from omonat.house import House
from omonat.pages import LANGUAGES, Nav, Proof
from omonat.pages.http import (
    SESSION_COOKIES,
    csrf_holds,
    csrf_token,
    from_elsewhere,
    language_cookie,
    language_for,
    page,
    see_other,
)
from omonat.policy.compiled import CompiledPolicy

Asked = Request[Any, Any, Any]
Answer = Response[bytes]

_LABELLED = ("item", "purpose", "role", "service", "category", "source", "case")


class Visit:
    """What a page of the Desk needs to know of its reader; made anew for each request."""

    def __init__(self, house: House, request: Asked) -> None:
        self.house = house
        self.request = request
        self.now = house.grounds.clock()
        self.query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        self.language = language_for(self.query, request.cookies, request.headers)
        self.words = DESK.words(self.language)
        self.https = house.settings.address.startswith("https://")
        self.token = request.cookies.get(SESSION_COOKIES["desk"], "")
        self.form: Mapping[str, str] = {}
        self.staff: StaffMember | None = None
        self._policy: CompiledPolicy | None = None

    @property
    def policy(self) -> CompiledPolicy:
        """The policy in force, once `meet` has found it."""
        if self._policy is None:
            raise Fault("page-failed")
        return self._policy

    @property
    def member(self) -> StaffMember:
        """Who is signed in; pages for anybody must not ask."""
        if self.staff is None:
            raise Fault("page-failed")
        return self.staff

    async def meet(self) -> None:
        """Find the policy in force and who is signed in: nobody whose role or training has ended."""
        self._policy = await self.house.grounds.law.current()
        session = await self.house.sessions.find("desk", self.token)
        if session is not None:
            self.staff = await self.house.staff.member(session.holder)

    async def read_form(self) -> None:
        """Read the posted fields. Raises Refused `form-not-ours` unless this session's own page sent them."""
        if from_elsewhere(self.request.headers, self.request.headers.get("host", "")):
            raise Refused("form-not-ours")
        sent = await self.request.form()
        self.form = {name: value for name, value in sent.items() if isinstance(value, str)}
        if self.staff is not None and not csrf_holds(self._form_key(), self.token, self.form.get("csrf")):
            raise Refused("form-not-ours")

    def label(self, kind: str, name: str) -> str:
        """The policy's own word for something, in the reader's language."""
        return self.policy.label(kind, name, self.language)

    def page(self, template: str, *, status: int = 200, cookies: Iterable[Cookie] = (), **context: Any) -> Answer:
        """A page of the Desk. `purpose` in the context is the purpose the page works under."""
        words = self.words
        framed: dict[str, Any] = {
            "path": self.request.url.path + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "place": words("Desk"),
            "home": HOME,
            "controller": self._policy.policy.controller.name if self._policy else "",
            "foot_links": [Nav(POLICY, words("Privacy policy")), Nav(KEYS, words("Keys"))],
            "label": self.label,
            "purpose": "",
            "member": self.staff,
            "proof": self._proof(),
        }
        if self.staff is not None:
            framed |= {
                "nav": [Nav(HOME, words("My cases")), Nav(FIND, words("Find a person"))],
                "sign_out": SIGN_OUT,
                "csrf": csrf_token(self._form_key(), self.token),
                "wide": True,
            }
        html = DESK.render(template, language=self.language, now=self.now, **{**framed, **context})
        return page(html, personal=True, https=self.https, status=status, cookies=[*self._kept(), *cookies])

    def go(self, place: str, *, cookies: Iterable[Cookie] = (), clear: bool = False) -> Answer:
        """After a form: go and look."""
        return see_other(place, https=self.https, cookies=[*self._kept(), *cookies], clear=clear)

    def trouble(self, error: OmonatError) -> Answer:
        """What was refused or failed: what, why, and what one can do."""
        code = registry().get(error.code)
        promise = (code.promise or None) if code and not isinstance(error, Fault) else None
        status = code.status if code else 500
        return self.page("trouble.html", status=status, code=error.code, about=self.named(error.about), promise=promise)

    def named(self, about: Mapping[str, str]) -> dict[str, str]:
        """The names a reason speaks of, as the policy's labels."""
        return {
            kind: self._policy.label(kind, name, self.language) if self._policy and kind in _LABELLED else name
            for kind, name in about.items()
        }

    def _proof(self) -> Proof | None:
        try:
            signed = self.house.evidence.checkpoint()
        except (BadInput, Fault):
            return None
        if signed.at is None:
            return None
        return Proof(signed.checkpoint.size, min(signed.at, self.now), signed.checkpoint.root, "/me/checkpoint")

    def _kept(self) -> list[Cookie]:
        chosen = self.query.get("lang")
        return [language_cookie(chosen)] if chosen in LANGUAGES else []

    def _form_key(self) -> bytes:
        return self.house.inner_secret("desk-forms").encode()
