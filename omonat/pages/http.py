"""What every page answer carries: security headers, `__Host-` cookies, and the token that binds a form to its reader.

Nothing here decides who somebody is: a door's web session does. The headers keep one origin (promise T1: nothing is
loaded from anybody else), and a page about a person is never stored by anything on the way (ASVS 14.3.2).
"""

import gzip
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from litestar.datastructures import Cookie
from litestar.response import Response

from omonat.pages.words import LANGUAGES, language_of

SESSION_COOKIES = {"center": "__Host-me", "desk": "__Host-desk", "site": "__Host-site"}
LANGUAGE_COOKIE = "__Host-language"
YEAR = 365 * 86_400

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_PERSONAL = "no-store"
_PUBLIC = "public, max-age=60"


def security_headers(*, personal: bool, https: bool) -> dict[str, str]:
    """The headers of a page. `personal`: it shows or asks about a person. `https`: the reader came over TLS."""
    headers = {**_ALWAYS, "cache-control": _PERSONAL if personal else _PUBLIC}
    headers["vary"] = "accept-language, cookie"
    if https:
        headers["strict-transport-security"] = f"max-age={YEAR}; includeSubDomains"
    return headers


@lru_cache(maxsize=4)
def encoded_headers(*, personal: bool, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The same for a page in HTML, as ASGI has them; for answers that are asked for often. The length is missing."""
    headers = {**security_headers(personal=personal, https=https), "content-type": "text/html; charset=utf-8"}
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def page(
    html: str, *, personal: bool, https: bool, packed: bool = False, status: int = 200, cookies: Iterable[Cookie] = ()
) -> Response[bytes]:
    """A page as an answer. `packed`: as gzip, where `may_pack` allows it."""
    headers, body = security_headers(personal=personal, https=https), html.encode()
    if packed:
        headers["content-encoding"], body = "gzip", gzip.compress(body, 6, mtime=0)
    return Response(body, media_type="text/html", status_code=status, headers=headers, cookies=list(cookies))


def may_pack(headers: Mapping[str, str]) -> bool:
    """Whether a page about a person may be compressed for whoever asks.

    Never for a visit that another site set off: it chooses the address, the address stands in the page, and the length
    on the line would tell how well it guessed what else stands there (BREACH).
    """
    return "gzip" in headers.get("accept-encoding", "") and headers.get("sec-fetch-site") in ("same-origin", "none")


def see_other(place: str, *, https: bool, cookies: Iterable[Cookie] = (), clear: bool = False) -> Response[bytes]:
    """After a form: go and look (303). `place` is a path of this origin; with `clear` the browser forgets its caches.
    What pages store stays: it is nobody's (a choice of cookies) or sealed (the offline desk's forms).

    Raises ValueError for another origin: a redirect never leads out.
    """
    if not place.startswith("/") or place.startswith(("//", "/\\")) or not place.isprintable():
        raise ValueError("a redirect leads to a path of this origin")
    headers = {**security_headers(personal=True, https=https), "location": place}
    if clear:
        headers["clear-site-data"] = '"cache"'
    return Response(b"", status_code=303, headers=headers, cookies=list(cookies))


def session_cookie(door: Literal["center", "desk", "site"], token: str, seconds: int) -> Cookie:
    """The web session's cookie: this host only, TLS only (browsers make an exception for localhost), no script.

    Desk's is not sent along on any way in from outside; the others are on links, so that a letter's link works.
    """
    same_site: Literal["strict", "lax"] = "strict" if door == "desk" else "lax"
    return _cookie(SESSION_COOKIES[door], token, seconds, same_site)


def end_session(door: Literal["center", "desk", "site"]) -> Cookie:
    """Makes the browser forget the web session; the row behind it is ended by the door."""
    return _cookie(SESSION_COOKIES[door], "", 0, "lax")


def language_cookie(language: str) -> Cookie:
    """Remembers the reader's choice of language for a year. Raises ValueError for one nobody speaks."""
    if language not in LANGUAGES:
        raise ValueError("no such language")
    return _cookie(LANGUAGE_COOKIE, language, YEAR, "lax")


def language_for(query: Mapping[str, str], cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The language of a request: `?lang`, then the saved one, then Accept-Language, then Uzbek."""
    return language_of(query.get("lang"), cookies.get(LANGUAGE_COOKIE), headers.get("accept-language"))


def _cookie(name: str, value: str, seconds: int, same_site: Literal["strict", "lax"]) -> Cookie:
    return Cookie(key=name, value=value, max_age=seconds, path="/", secure=True, httponly=True, samesite=same_site)


def csrf_token(key: bytes, session: str) -> str:
    """A token only this web session's pages can carry. Never the same twice, against BREACH."""
    salt = os.urandom(16)
    return urlsafe_b64encode(salt + _bound(key, session, salt)).decode()


def csrf_holds(key: bytes, session: str, token: str | None) -> bool:
    """Whether `token` was made for this web session; compared in constant time. A missing or broken one never holds."""
    try:
        given = urlsafe_b64decode(token or "")
    except ValueError:
        return False
    return len(given) == 48 and hmac.compare_digest(given[16:], _bound(key, session, given[:16]))


def _bound(key: bytes, session: str, salt: bytes) -> bytes:
    return hmac.digest(key, b"omonat form\0" + salt + session.encode(), sha256)


def from_elsewhere(headers: Mapping[str, str], host: str) -> bool:
    """Whether a changing request was sent by a page of another origin; for forms before there is a web session.

    Browsers say so in Sec-Fetch-Site, older ones in Origin; a client that sends neither is no browser page.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != host
