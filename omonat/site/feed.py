"""Atom (RFC 4287), written once for all: what was announced, for programs that read feeds.

Ids never change: they are made of the name under which the service was installed, the announcement's own name and the
language, so neither a new address nor a correction makes an old announcement new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from omonat.base.instants import Instant, to_rfc3339

ATOM: Final = "application/atom+xml; charset=utf-8"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_XHTML: Final = "http://www.w3.org/1999/xhtml"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
register_namespace("", _ATOM)
register_namespace("xhtml", _XHTML)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One entry. `page` is its address, `name` what it is called wherever it lies."""

    name: str
    title: str
    paragraphs: Sequence[str]
    page: str
    published: Instant
    updated: Instant


def feed(
    posts: Sequence[Post],
    *,
    title: str,
    author: str,
    language: str,
    origin: str,
    itself: str,
    page: str,
    empty_since: Instant,
) -> bytes:
    """The document. `itself` and `page` are addresses; `empty_since` dates a feed that has nothing in it yet."""
    top = Element(f"{{{_ATOM}}}feed", {_LANG: language})
    _text(top, "id", _id(origin, "", language))
    _text(top, "title", title)
    _text(top, "updated", to_rfc3339(max((post.updated for post in posts), default=empty_since)))
    _text(_under(top, "author"), "name", author)
    _under(top, "link", rel="self", type="application/atom+xml", href=itself)
    _under(top, "link", rel="alternate", type="text/html", hreflang=language, href=page)
    for post in posts:
        entry = _under(top, "entry")
        _text(entry, "id", _id(origin, post.name, language))
        _text(entry, "title", post.title)
        _text(entry, "published", to_rfc3339(post.published))
        _text(entry, "updated", to_rfc3339(post.updated))
        _under(entry, "link", rel="alternate", type="text/html", hreflang=language, href=post.page)
        content = SubElement(_under(entry, "content", type="xhtml"), f"{{{_XHTML}}}div")
        for paragraph in post.paragraphs:
            SubElement(content, f"{{{_XHTML}}}p").text = paragraph
    document: bytes = tostring(top, encoding="utf-8", xml_declaration=True)
    return document


def _id(origin: str, name: str, language: str) -> str:
    return uuid5(NAMESPACE_URL, f"{origin}/announcements/{language}/{name}").urn


def _under(above: Element, name: str, **attributes: str) -> Element:
    return SubElement(above, f"{{{_ATOM}}}{name}", attributes)


def _text(above: Element, name: str, text: str) -> None:
    _under(above, name).text = text
