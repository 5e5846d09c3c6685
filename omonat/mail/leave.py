"""Leaving by the link in a letter, without signing in (C3; RFC 8058): GET shows, POST acts.

The link names a person and a purpose and is signed with a key that never leaves the vault, so it can neither be
guessed nor turned into another person's. It allows one thing only: withdrawing the consent for that purpose. It doesn't
expire: a letter may be found after years. The withdrawal is in force before the answer is sent; used twice, it does no
harm.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from litestar import Request
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import ASGIRouteHandler, asgi
from litestar.response.base import ASGIResponse

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.ids import is_id
from omonat.base.instants import Instant
from omonat.house import House
from omonat.mail.addresses import Addresses
from omonat.mail.compose import Unsubscribe
from omonat.pages import LANGUAGES, Door
from omonat.pages.http import encoded_headers, language_for, page
from omonat.policy.compiled import CompiledPolicy

MAIL = Door("mail", Path(__file__).parent)
PATH = "/unsubscribe"

Asked = Request[Any, Any, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = Callable[[Any, Any, Any], Awaitable[None]]
"""What answers a request, as ASGI has it."""


@dataclass(frozen=True, slots=True)
class SignedLinks:
    """Makes and reads the links. `base` is the origin people type, `digest` the vault's `keyed_digest`."""

    base: str
    mailbox: str
    digest: Callable[[str, bytes], bytes]
    reads: bool = False
    """Whether the mailbox listens: then it has a signed address for each person and purpose as well."""

    def __call__(self, *, person: str, purpose: str) -> Unsubscribe:
        """The link of a person and purpose, and the address to which one writes for the same."""
        mailbox = self.mailbox
        if self.reads:
            mailbox = Addresses(self.mailbox, self.digest).leave(person=person, purpose=purpose)
        return Unsubscribe(f"{self.base}{PATH}/{person}.{purpose}.{self._sign(person, purpose)}", mailbox)

    def read(self, token: str) -> tuple[str, str] | None:
        """Person and purpose of a link of ours; None for anything else."""
        person, _, rest = token.partition(".")
        purpose, _, signature = rest.partition(".")
        if not is_id("per", person) or not signature.isascii():
            return None
        return (person, purpose) if hmac.compare_digest(signature, self._sign(person, purpose)) else None

    def _sign(self, person: str, purpose: str) -> str:
        signed = self.digest("unsubscribe", f"{person}.{purpose}".encode())[:16]
        return urlsafe_b64encode(signed).rstrip(b"=").decode()


def signed_links(house: House, mailbox: str) -> SignedLinks:
    """The links of this installation; `mailbox` is the controller's, where people write to leave."""
    reads = house.settings.mail_in is not None
    return SignedLinks(house.settings.address, mailbox, house.grounds.vault.keyed_digest, reads)


def handlers(house: Callable[[], House]) -> list[ASGIRouteHandler]:
    """The pages of the link; `house` is asked at each request, because it opens after the routes are made.

    They are one route that speaks ASGI: after a campaign many leave in the same minute, and what a framework makes of a
    request (its address, its query, its cookies, its answer) cost as much as writing the withdrawal did.
    """

    @asgi(PATH, name="unsubscribe", is_mount=True, copy_scope=False)
    async def link(scope: Scope, receive: Receive, send: Send) -> None:
        # A mount is found by its beginning alone: `/unsubscribed/x` comes here as well.
        slash, token, end = scope["path"][:1], scope["path"][1:-1], scope["path"][-1:]
        if slash != "/" or end != "/" or not token or "/" in token:
            raise NotFoundException
        page = _Page(house(), scope, token)
        act = {"GET": page.ask, "POST": page.leave}.get(scope["method"])
        if act is None:
            raise MethodNotAllowedException(headers={"allow": "GET, POST"})
        answer = await page.or_later(act)
        await answer(scope, receive, send)

    return [link]


class _Page:
    """One request."""

    def __init__(self, house: House, scope: Scope, token: str) -> None:
        self._house, self._scope, self._token = house, scope, token

    async def or_later(self, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """The page; or, when nothing can be written now, that it is so: mail programs try a 503 again."""
        try:
            return await act()
        except Unavailable as error:
            with suppress(Unavailable):
                policy = await self._house.grounds.law.at_hand()
                return self._answer(policy, "leave-later.html", status=503, code=error.code)
            return ASGIResponse(body=sentence(error.code, "en", {}).encode(), status_code=503, media_type="text/plain")

    async def ask(self) -> Answer:
        """Say what the button does. Changes nothing: mail programs open links on their own."""
        policy = await self._house.grounds.law.current()
        found = self._read(policy)
        if found is None:
            return self._answer(policy, "leave-invalid.html", status=404)
        return self._answer(policy, "leave.html", found[1])

    async def leave(self) -> Answer:
        """Withdraw, then say so."""
        policy = await self._house.grounds.law.at_hand()  # the flow decides under the one its own statement sees
        found = self._read(policy)
        if found is None:
            return self._answer(policy, "leave-invalid.html", status=404)
        person, purpose = found
        # An erased person or a purpose that is gone: nothing can be sent under it, so the answer is the same.
        # Whoever left before has left: pressing again writes nothing, so that nobody fills the log with one link.
        with suppress(Refused, BadInput):
            await self._house.choose.end(person, purpose, channel="email", door="mail")
        return self._left(policy, purpose)

    def _read(self, policy: CompiledPolicy) -> tuple[str, str] | None:
        return signed_links(self._house, policy.policy.controller.mailbox).read(self._token)

    def _left(self, policy: CompiledPolicy, purpose: str) -> Answer:
        """The page for whoever has left: alike for all of a language and purpose, but for the link in it."""
        said: bytes = self._scope["query_string"]
        if said and said not in _LANGUAGE_ALONE:
            return self._answer(policy, "left.html", purpose)
        language = _LANGUAGE_ALONE[said] if said else self._language()
        controller, known = policy.policy.controller, policy.purposes.get(purpose)
        around = _left(language, controller.name, controller.mailbox, known.says[language] if known else "")
        return _Said(self._token.encode().join(around), https=self._https)

    @property
    def _https(self) -> bool:
        return self._house.settings.address.startswith("https://")

    def _language(self) -> str:
        request: Asked = Request(self._scope)  # type: ignore[arg-type]  # it is an HTTP one
        query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        return language_for(query, request.cookies, request.headers)

    def _answer(
        self, policy: CompiledPolicy, template: str, purpose: str | None = None, *, status: int = 200, code: str = ""
    ) -> Answer:
        request: Asked = Request(self._scope)  # type: ignore[arg-type]  # it is an HTTP one
        controller, language = policy.policy.controller, self._language()
        words, query = MAIL.words(language), self._scope["query_string"].decode("ascii", "replace")
        known = None if purpose is None else policy.purposes.get(purpose)
        html = MAIL.render(
            template,
            language=language,
            now=self._house.grounds.clock(),
            path=f"{PATH}/{quote(self._token, safe='')}" + (f"?{query}" if query else ""),
            place=words("Privacy center"),
            home="/me",
            controller=controller.name,
            purpose="" if known is None else known.says[language],
            mailbox=controller.mailbox,
            says=sentence(code, language, {}) if code else "",
            advice=advice(code, language, {}) if code else "",
        )
        return page(html, personal=True, https=self._https, status=status).to_asgi_response(None, request)


_ANYBODYS: Final = "the.link.pressed"
_LANGUAGE_ALONE: Final = {f"lang={language}".encode(): language for language in LANGUAGES}


class _Said:
    """A page that is ready: its bytes, with the headers of every page about a person."""

    __slots__ = ("_body", "_https")

    def __init__(self, body: bytes, *, https: bool) -> None:
        self._body, self._https = body, https

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [*encoded_headers(personal=True, https=self._https), (b"content-length", b"%d" % len(self._body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


@lru_cache(maxsize=128)
def _left(language: str, controller: str, mailbox: str, purpose: str) -> tuple[bytes, ...]:
    """The page as it is for everybody, cut where the link's own token belongs, which is no more than letters, digits,
    dots, hyphens and underscores."""
    html = MAIL.render(
        "left.html", language=language, now=Instant(0), path=f"{PATH}/{_ANYBODYS}",
        place=MAIL.words(language)("Privacy center"), home="/me", controller=controller, purpose=purpose,
        mailbox=mailbox, says="", advice="",
    )  # fmt: skip
    return tuple(html.encode().split(_ANYBODYS.encode()))
