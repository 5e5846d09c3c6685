"""Leaving by the link in a letter, without signing in (C3; RFC 8058): GET shows, POST acts.

The link names a person and a purpose and is signed with a key that never leaves the vault, so it can neither be
guessed nor turned into another person's. It allows one thing only: withdrawing the consent for that purpose. It doesn't
expire: a letter may be found after years. The withdrawal is in force before the answer is sent; used twice, it does no
harm.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput, Refused, Unavailable
from omonat.base.ids import is_id
from omonat.base.instants import Instant
from omonat.house import House
from omonat.mail.addresses import Addresses
from omonat.mail.compose import Unsubscribe
from omonat.pages import LANGUAGES, Door
from omonat.pages.http import language_for, page
from omonat.policy.compiled import CompiledPolicy

MAIL = Door("mail", Path(__file__).parent)
PATH = "/unsubscribe"

Asked = Request[Any, Any, Any]


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


def handlers(house: Callable[[], House]) -> list[HTTPRouteHandler]:
    """The pages of the link; `house` is asked at each request, because it opens after the routes are made."""

    @get(f"{PATH}/{{token:str}}", name="unsubscribe", include_in_schema=False)
    async def ask(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.or_later(page.ask)

    @post(f"{PATH}/{{token:str}}", name="unsubscribe-now", status_code=200, include_in_schema=False)
    async def leave(request: Asked, token: FromPath[str]) -> Response[bytes]:
        page = _Page(house(), request, token)
        return await page.or_later(page.leave)

    return [ask, leave]


class _Page:
    """One request."""

    def __init__(self, house: House, request: Asked, token: str) -> None:
        self._house, self._request, self._token = house, request, token

    async def or_later(self, act: Callable[[], Awaitable[Response[bytes]]]) -> Response[bytes]:
        """The page; or, when nothing can be written now, that it is so: mail programs try a 503 again."""
        try:
            return await act()
        except Unavailable as error:
            with suppress(Unavailable):
                policy = await self._house.grounds.law.at_hand()
                return self._answer(policy, "leave-later.html", status=503, code=error.code)
            return Response(sentence(error.code, "en", {}).encode(), status_code=503, media_type="text/plain")

    async def ask(self) -> Response[bytes]:
        """Say what the button does. Changes nothing: mail programs open links on their own."""
        policy = await self._house.grounds.law.current()
        found = self._read(policy)
        if found is None:
            return self._answer(policy, "leave-invalid.html", status=404)
        return self._answer(policy, "leave.html", found[1])

    async def leave(self) -> Response[bytes]:
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

    def _left(self, policy: CompiledPolicy, purpose: str) -> Response[bytes]:
        """The page for whoever has left: alike for all of a language and purpose, but for the link in it."""
        request, controller = self._request, policy.policy.controller
        if request.url.query not in ("", *_LANGUAGE_ALONE):
            return self._answer(policy, "left.html", purpose)
        query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        language = language_for(query, request.cookies, request.headers)
        known = policy.purposes.get(purpose)
        says = "" if known is None else known.says[language]
        html = _left(language, controller.name, controller.mailbox, says).replace(_ANYBODYS, self._token)
        https = self._house.settings.address.startswith("https://")
        return page(html, personal=True, https=https)

    def _answer(
        self, policy: CompiledPolicy, template: str, purpose: str | None = None, *, status: int = 200, code: str = ""
    ) -> Response[bytes]:
        request, controller, address = self._request, policy.policy.controller, self._house.settings.address
        query = {key: values[-1] for key, values in request.query_params.dict().items() if values}
        language = language_for(query, request.cookies, request.headers)
        words = MAIL.words(language)
        known = None if purpose is None else policy.purposes.get(purpose)
        html = MAIL.render(
            template,
            language=language,
            now=self._house.grounds.clock(),
            path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            place=words("Privacy center"),
            home="/me",
            controller=controller.name,
            purpose="" if known is None else known.says[language],
            mailbox=controller.mailbox,
            says=sentence(code, language, {}) if code else "",
            advice=advice(code, language, {}) if code else "",
        )
        return page(html, personal=True, https=address.startswith("https://"), status=status)


_ANYBODYS = "the.link.pressed"
_LANGUAGE_ALONE = frozenset(f"lang={language}" for language in LANGUAGES)


@lru_cache(maxsize=128)
def _left(language: str, controller: str, mailbox: str, purpose: str) -> str:
    """The page as it is for everybody; `_ANYBODYS` stands where the link's own belongs, which is no more than letters,
    digits, dots, hyphens and underscores."""
    return MAIL.render(
        "left.html", language=language, now=Instant(0), path=f"{PATH}/{_ANYBODYS}",
        place=MAIL.words(language)("Privacy center"), home="/me", controller=controller, purpose=purpose,
        mailbox=mailbox, says="", advice="",
    )  # fmt: skip
