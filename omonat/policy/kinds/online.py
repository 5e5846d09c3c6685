"""Kinds that machines leave behind: addresses, devices, agents, cookies, log lines."""

import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from omonat.policy.kinds.basics import LONGEST, Kindly, Normalised, malformed, matching, text
from omonat.policy.words import Kind

_DEVICE = re.compile(r"[A-Za-z0-9._:\-]{4,200}")
_COOKIE = re.compile(r"[!-:<-~]{1,4096}")  # RFC 6265 cookie pairs without `;`


def _ip(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    typed = text(Kind.IP_ADDRESS, value, most=45)
    try:
        found = ip_address(typed)
    except ValueError:
        raise malformed(Kind.IP_ADDRESS, "an IPv4 or IPv6 address") from None
    mapped = getattr(found, "ipv4_mapped", None)
    if "%" in typed:
        raise malformed(Kind.IP_ADDRESS, "an address without a zone")
    return Normalised(str(mapped or found), str(mapped or found))


def _device(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    found = matching(Kind.DEVICE_ID, value, _DEVICE, "4 to 200 letters, digits and . _ : -")
    return Normalised(found, found.casefold())


def _url(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    typed = text(Kind.URL, value, most=2_048)
    try:
        parts = urlsplit(typed)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or " " in typed or port == 0:
        raise malformed(Kind.URL, "an address such as https://example.uz/page, without a user name")
    return Normalised(typed)


def _agent(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(text(Kind.USER_AGENT, value, most=1_000))


def _log_line(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(text(Kind.LOG_LINE, value, most=LONGEST, lines=True))


def _cookie(value: Any, *, country: str, choices: tuple[str, ...]) -> Normalised:  # noqa: ARG001 - Kindly
    return Normalised(matching(Kind.COOKIE, value, _COOKIE, "name=value in visible ASCII", most=4_096))


ONLINE: dict[str, Kindly] = {
    Kind.IP_ADDRESS: _ip,
    Kind.DEVICE_ID: _device,
    Kind.URL: _url,
    Kind.USER_AGENT: _agent,
    Kind.LOG_LINE: _log_line,
    Kind.COOKIE: _cookie,
}
