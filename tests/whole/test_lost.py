"""Addresses nobody knows: a reader is led on in their language, a program gets a problem, and nothing is repeated."""

import http.client
import json

import pytest

from tests.whole.serving import Service

MARK = "Zulmat9431"
WORDS = {
    "uz": "Bu manzilda hech narsa yoʻq",
    "ru": "По этому адресу ничего нет",
    "en": "There is nothing at this address",
}


def asked(service: Service, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        line.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        reply = line.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        line.close()


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("path", ["/", f"/{MARK}", f"/page/{MARK}/x?{MARK}=1", "/static/none.css"])
def test_A3_an_address_nobody_knows_leads_a_reader_on(running: Service, path: str, language: str) -> None:
    status, headers, body = asked(running, "GET", path, accept="text/html", accept_language=language)
    assert status == 404
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src" in headers["content-security-policy"]
    text = body.decode()
    assert WORDS[language] in text
    assert f'lang="{language}"' in text
    assert 'href="/me?lang=' in text
    assert MARK not in text
    assert MARK not in running.said()


def test_A3_a_program_gets_a_problem(running: Service) -> None:
    status, headers, body = asked(running, "GET", f"/{MARK}", accept="application/json", accept_language="ru")
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    said = json.loads(body)
    assert (said["code"], said["detail"]) == ("address-unknown", WORDS["ru"] + ".")
    status, _, body = asked(running, "POST", "/page/privacy-policy")
    assert (status, json.loads(body)["code"]) == (405, "method-not-allowed")
    assert MARK.encode() not in body


def test_A3_whoever_looks_at_the_door_of_programs_finds_its_description(running: Service) -> None:
    for path in ("/v1", "/v1/"):
        status, _, body = asked(running, "GET", path, accept="text/html")
        assert (status, json.loads(body)["openapi"]) == (200, "3.1.0")


def test_T1_the_sign_is_found_at_its_old_address(running: Service) -> None:
    status, headers, body = asked(running, "GET", "/favicon.ico")
    assert (status, headers["content-type"]) == (200, "image/svg+xml")
    assert b"<script" not in body
