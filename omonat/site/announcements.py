"""What the company announces, for everybody: a page, one address for each, and an Atom feed in each language (N3)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from omonat.base.instants import Instant
from omonat.flows.announce import Announced, InMedia
from omonat.pages import LANGUAGES
from omonat.pages.formats import day as day_of
from omonat.site.door import HOME, PAIRED, SITE
from omonat.site.feed import ATOM, Post, feed
from omonat.site.frame import ANNOUNCEMENTS, Answer, Asked, Pages, asked_language
from omonat.site.library import PolicyLibrary

_ON_A_PAGE: Final = 20
_IN_A_FEED: Final = 50
_PAGES: Final = 1_000
_LINK: Final = re.compile(r"https?://[^\s\"'<>]+")


class Board(Protocol):
    """What was announced; the house supplies it."""

    async def published(self, *, most: int, skip: int = 0, only: str = "") -> Sequence[Announced]:
        """Newest first; `only` one of them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One announcement in the reader's language. `links` are addresses of ours with their words."""

    id: str
    title: str
    paragraphs: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    published: Instant
    updated: Instant
    corrected: Instant | None
    media: tuple[InMedia, ...]


def announcement_routes(
    board: Board,
    library: PolicyLibrary,
    *,
    now: Callable[[], Instant],
    address: Callable[[], str],
    origin: Callable[[], str],
) -> list[HTTPRouteHandler]:
    """The handlers. `address` is where the service is now; `origin` the name it was installed under, which stays."""
    pages = Pages(library, now, lambda: address().startswith("https:"))

    @get(ANNOUNCEMENTS, name="announcements", include_in_schema=False)
    async def announcements(request: Asked) -> Answer:
        at = _page_number(request)
        found = await board.published(most=_ON_A_PAGE + 1, skip=_ON_A_PAGE * (at - 1))
        language = asked_language(request)
        seen = [seen_as(one, language) for one in found[:_ON_A_PAGE]]
        return await pages.page(
            request, "announcements.html", announcements=seen, number=at, more=len(found) > _ON_A_PAGE,
            one=False, here=ANNOUNCEMENTS, is_link=_LINK.fullmatch,
        )  # fmt: skip

    @get(f"{ANNOUNCEMENTS}/{{announcement:str}}", name="announcement", include_in_schema=False)
    async def announcement_(request: Asked, announcement: FromPath[str]) -> Answer:
        found = await board.published(most=1, only=announcement) if _is_name(announcement) else ()
        if not found:
            return await pages.page(request, "announcement_missing.html", status=404, here=ANNOUNCEMENTS)
        seen = [seen_as(found[0], asked_language(request))]
        return await pages.page(
            request, "announcements.html", announcements=seen, number=1, more=False,
            one=True, here=ANNOUNCEMENTS, is_link=_LINK.fullmatch,
        )  # fmt: skip

    @get(f"{ANNOUNCEMENTS}/feed/{{language:str}}", name="announcement-feed", include_in_schema=False)
    async def feed_(request: Asked, language: FromPath[str]) -> Answer:
        tongue = language.removesuffix(".atom")
        current = await library.current()
        if tongue not in LANGUAGES or language == tongue:
            return await pages.page(request, "announcement_missing.html", status=404, here=ANNOUNCEMENTS)
        found = await board.published(most=_IN_A_FEED)
        posts = [_post(seen_as(one, tongue), tongue, address()) for one in found]
        text = feed(
            posts,
            title=SITE.words(tongue)("Announcements"),
            author=current.policy.controller.name if current else origin(),
            language=tongue,
            origin=origin(),
            itself=f"{address()}{ANNOUNCEMENTS}/feed/{tongue}.atom",
            page=f"{address()}{ANNOUNCEMENTS}?lang={tongue}",
            empty_since=now(),
        )
        return pages.answer(request, text, ATOM)

    return [announcements, announcement_, feed_]


def seen_as(one: Announced, language: str) -> Seen:
    """An announcement in a language; a version of the policy says so itself."""
    words = SITE.words(language)
    if one.version is not None:
        name = one.version.version
        title = words("Version %(version)s of the privacy policy", version=name)
        day = day_of(words, one.version.policy.effective)
        if one.version.policy.effective <= one.published:
            says = words("The privacy policy was published here. It has been in force since %(day)s.", day=day)
        else:
            says = words("A new version of the privacy policy was published. It takes effect on %(day)s.", day=day)
        text: tuple[str, ...] = (says,)
        place = quote(name, safe="")
        links = [(f"{HOME}/v/{place}?lang={language}", words("Read version %(version)s", version=name))]
        if one.before is not None:
            old = one.before.version
            compared = words("What changed since version %(version)s", version=old)
            links.append((f"{HOME}/compare/{quote(old, safe='')}{PAIRED}{place}?lang={language}", compared))
    else:
        assert one.said is not None
        title, links = one.said[language].title, []
        text = tuple(part.strip() for part in re.split(r"\n\s*\n", one.said[language].text) if part.strip())
    return Seen(
        id=one.id,
        title=title,
        paragraphs=text,
        links=tuple(links),
        published=one.published,
        updated=one.updated,
        corrected=one.corrected,
        media=one.media,
    )


def _post(seen: Seen, language: str, address: str) -> Post:
    words = SITE.words(language)
    elsewhere = [f"{each.medium}, {day_of(words, each.on)}: {each.reference}" for each in seen.media]
    if elsewhere:
        elsewhere.insert(0, words("Also published in"))
    return Post(
        name=seen.id,
        title=seen.title,
        paragraphs=(*seen.paragraphs, *elsewhere),
        page=f"{address}{ANNOUNCEMENTS}/{seen.id}?lang={language}",
        published=seen.published,
        updated=seen.updated,
    )


def _is_name(announcement: str) -> bool:
    return announcement.isascii() and announcement.isprintable() and 0 < len(announcement) <= 60


def _page_number(request: Asked) -> int:
    asked = request.query_params.get("page", "1")
    return min(int(asked), _PAGES) if asked.isdecimal() and asked.isascii() and int(asked[:9]) > 0 else 1
