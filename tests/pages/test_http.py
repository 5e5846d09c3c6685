"""What every page answer carries, and what guards the forms."""

import gzip

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, get
from litestar.response import Response
from litestar.testing import TestClient

from omonat.pages import http

KEY = b"k" * 32


def _answer(response: Response[bytes]) -> httpx.Response:
    @get("/", sync_to_thread=False)
    def handler() -> Response[bytes]:
        return response

    with TestClient(Litestar([handler], logging_config=None)) as client:
        return client.get("/", follow_redirects=False)


def test_T1_a_page_may_load_from_its_own_origin_only() -> None:
    policy = http.security_headers(personal=True, https=True)["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_page_about_a_person_is_stored_nowhere() -> None:
    assert http.security_headers(personal=True, https=True)["cache-control"] == "no-store"
    assert http.security_headers(personal=False, https=True)["cache-control"] == "public, max-age=60"


def test_strict_transport_is_promised_only_over_tls() -> None:
    assert "strict-transport-security" in http.security_headers(personal=True, https=True)
    assert "strict-transport-security" not in http.security_headers(personal=True, https=False)


def test_a_page_goes_out_with_its_headers_and_cookies() -> None:
    answer = _answer(
        http.page("<p>ʻ</p>", personal=True, https=False, cookies=[http.session_cookie("center", "t", 60)])
    )
    assert answer.text == "<p>ʻ</p>"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-me=t;")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=60"):
        assert part in cookie
    assert "Domain" not in cookie


def test_desks_session_does_not_come_along_from_outside() -> None:
    assert http.session_cookie("desk", "t", 60).samesite == "strict"
    assert len(set(http.SESSION_COOKIES.values())) == len(http.SESSION_COOKIES)
    assert http.end_session("desk").max_age == 0


def test_after_a_form_the_reader_is_sent_on_within_this_origin() -> None:
    answer = _answer(http.see_other("/me?lang=ru", https=False, clear=True))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/me?lang=ru"
    assert answer.headers["clear-site-data"] == '"cache"'


@pytest.mark.parametrize("place", ["https://elsewhere", "//elsewhere", "/\\elsewhere", "me", "", "/a\r\nx: y"])
def test_a_redirect_never_leads_out(place: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        http.see_other(place, https=False)


@given(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_a_token_holds_for_its_own_web_session_only(one: str, other: str) -> None:
    token = http.csrf_token(KEY, one)
    assert http.csrf_holds(KEY, one, token)
    assert http.csrf_holds(KEY, other, token) == (one == other)
    assert not http.csrf_holds(b"x" * 32, one, token)


@given(st.one_of(st.none(), st.text(max_size=80)))
def test_a_broken_token_never_holds_and_never_fails(token: str | None) -> None:
    assert not http.csrf_holds(KEY, "session", token)


def test_a_token_is_never_the_same_twice() -> None:
    assert http.csrf_token(KEY, "session") != http.csrf_token(KEY, "session")


@pytest.mark.parametrize(
    ("headers", "elsewhere"),
    [
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:1"}, True),
        ({"origin": "http://localhost:1"}, False),
        ({"origin": "http://localhost:2"}, True),
        ({"origin": "null"}, True),
        ({}, False),
    ],
)
def test_a_form_sent_from_elsewhere_is_known(headers: dict[str, str], elsewhere: bool) -> None:
    assert http.from_elsewhere(headers, "localhost:1") is elsewhere


def test_the_chosen_language_is_remembered() -> None:
    assert http.language_for({}, {http.LANGUAGE_COOKIE: "ru"}, {"accept-language": "en"}) == "ru"
    assert http.language_for({"lang": "en"}, {http.LANGUAGE_COOKIE: "ru"}, {}) == "en"
    assert http.language_cookie("ru").value == "ru"
    with pytest.raises(ValueError, match="language"):
        http.language_cookie("tlh")


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_S2_a_page_somebody_came_to_by_themselves_is_packed(site: str) -> None:
    assert http.may_pack({"accept-encoding": "gzip, br", "sec-fetch-site": site})
    assert not http.may_pack({"accept-encoding": "br", "sec-fetch-site": site})
    packed = http.page("<p>Salom</p>" * 100, personal=True, https=True, packed=True)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.content) == b"<p>Salom</p>" * 100


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_S2_whoever_sends_somebody_to_a_personal_page_learns_nothing_from_its_length(site: str | None) -> None:
    """Who chooses the address chooses a part of the page: compressed, its length would tell of the rest (BREACH)."""
    sent = {"accept-encoding": "gzip"} if site is None else {"accept-encoding": "gzip", "sec-fetch-site": site}
    assert not http.may_pack(sent)
