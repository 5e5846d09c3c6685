"""The demo's letter box: a real SMTP server and an SMS gateway that deliver to one page, `/catcher`, and nowhere else.

Demo only. What it holds are the messages as a person would get them, so it listens on this machine alone, keeps the
newest few hundred in memory, and forgets them with its process. Addresses never stand in a URL: searching is a POST.

One process owns the letters. Mount `handlers(catcher)` in it; where several processes serve the page, the others mount
`forwarding(address)`, which hands every request on to the owner.
"""

import asyncio
import ipaddress
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body
from litestar.response import Response

from omonat.base.instants import Instant
from omonat.base.listening import inherited
from omonat.pages.formats import clock as clock_time

PATH = "/catcher"
_FOLDER = Path(__file__).parent / "catcher_page"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_SHOWN_HEADERS = ("Message-ID", "Date", "List-Unsubscribe", "List-Unsubscribe-Post")
_LARGEST_LETTER = 512 * 1024

WORDS = {
    "uz": {
        "title": "Yuborilgan xabarlar",
        "back": "Restoran saytiga qaytish",
        "lead": "Namoyishda xatlar va SMS xabarlar tashqariga chiqmaydi, shu yerda koʻrinadi. Eng yangisi yuqorida.",
        "search": "Manzil yoki raqam",
        "find": "Topish",
        "all": "Hammasi",
        "none": "Hozircha xabar yoʻq. Saytda buyurtma bering yoki kirish kodini soʻrang.",
        "email": "Xat",
        "sms": "SMS",
        "to": "Kimga",
        "subject": "Mavzu",
    },
    "ru": {
        "title": "Отправленные сообщения",
        "back": "Назад на сайт ресторана",
        "lead": "В демонстрации письма и SMS не уходят наружу, а показываются здесь. Новые сверху.",
        "search": "Адрес или номер",
        "find": "Найти",
        "all": "Все",
        "none": "Сообщений пока нет. Сделайте заказ на сайте или запросите код для входа.",
        "email": "Письмо",
        "sms": "SMS",
        "to": "Кому",
        "subject": "Тема",
    },
    "en": {
        "title": "Messages sent",
        "back": "Back to the restaurant’s site",
        "lead": "In the demo, e-mails and text messages go nowhere else: they are shown here, newest first.",
        "search": "Address or number",
        "find": "Find",
        "all": "All",
        "none": "No message yet. Order on the site, or ask for a sign-in code.",
        "email": "E-mail",
        "sms": "SMS",
        "to": "To",
        "subject": "Subject",
    },
}


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it arrived. `at` is an instant; `headers` are those a reader may want to see."""

    number: int
    channel: str
    to: str
    subject: str
    text: str
    at: int
    headers: dict[str, str] = {}


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A search: the messages to one address or number."""

    to: Annotated[str, msgspec.Meta(max_length=254)]


class Sms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the gateway takes."""

    to: Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{7,14}$")]
    text: Annotated[str, msgspec.Meta(max_length=1600)]


class Catcher:
    """The letters, in memory, at most `most` of them."""

    def __init__(self, clock: Callable[[], Instant], *, most: int = 500) -> None:
        self._clock = clock
        self._held: deque[Caught] = deque(maxlen=most)
        self._numbers = count(1)

    def keep_sms(self, to: str, text: str) -> None:
        """Take one text message."""
        self._keep(channel="sms", to=to, subject="", text=text)

    def keep_letter(self, recipients: Iterable[str], content: bytes) -> None:
        """Take one e-mail, once per recipient."""
        letter = message_from_bytes(content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        body = letter.get_body(preferencelist=("plain",))
        text = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
        headers = {name: str(letter[name]) for name in _SHOWN_HEADERS if name in letter}
        for to in recipients:
            self._keep(channel="email", to=to, subject=str(letter["Subject"] or ""), text=text, headers=headers)

    def newest(self, to: str | None = None) -> list[Caught]:
        """All messages, or those to one address or number, newest first."""
        wanted = None if to is None else _comparable(to)
        return [held for held in reversed(self._held) if wanted is None or _comparable(held.to) == wanted]

    def _keep(self, **what: Any) -> None:
        self._held.append(Caught(number=next(self._numbers), at=self._clock(), **what))


def _comparable(address: str) -> str:
    plain = address.strip().casefold()
    return plain if "@" in plain else "".join(letter for letter in plain if letter.isdigit())[-9:]


class _Handler:
    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        self._catcher.keep_letter(envelope.rcpt_tos, content if isinstance(content, bytes) else b"")
        return "250 taken"


async def listen(catcher: Catcher, *, host: str = "127.0.0.1", port: int) -> asyncio.Server:
    """Start the SMTP server; `port` 0 takes a free one. Raises ValueError for an address outside this machine."""
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError("the catcher listens on this machine alone")
    handler, loop = _Handler(catcher), asyncio.get_running_loop()

    def make() -> SMTP:
        return SMTP(handler, hostname="catcher.example", data_size_limit=_LARGEST_LETTER, enable_SMTPUTF8=True)

    if (held := inherited(host, port)) is not None:
        return await loop.create_server(make, sock=held)
    return await loop.create_server(make, host, port)


def handlers(catcher: Catcher) -> Sequence[BaseRouteHandler]:
    """The page, the search and the gateway, for the process that owns the letters."""

    @get(PATH, sync_to_thread=False)
    def page(request: Request[Any, Any, Any]) -> Response[str]:
        return _page(request, catcher.newest(), "")

    @post(PATH, status_code=200)
    async def found(
        request: Request[Any, Any, Any],
        data: Annotated[Wanted, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[str]:
        return _page(request, catcher.newest(data.to or None), data.to)

    @post(f"{PATH}/search", status_code=200, sync_to_thread=False)
    def search(data: Annotated[Wanted, Body()]) -> Response[list[Caught]]:
        return Response(catcher.newest(data.to or None), headers=_HEADERS)

    @post(f"{PATH}/sms", status_code=202, sync_to_thread=False)
    def take_sms(data: Annotated[Sms, Body()]) -> dict[str, str]:
        catcher.keep_sms(data.to, data.text)
        return {"state": "taken"}

    @get(f"{PATH}/style.css", sync_to_thread=False)
    def style() -> Response[bytes]:
        return Response((_FOLDER / "style.css").read_bytes(), media_type="text/css; charset=utf-8")

    return (page, found, search, take_sms, style)


def forwarding(owner: str) -> Sequence[BaseRouteHandler]:
    """The same addresses for processes that don't own the letters; `owner` is the owner's `http://127.0.0.1:port`."""
    client = httpx.AsyncClient(base_url=owner, timeout=5, trust_env=False, follow_redirects=False)

    async def hand_on(request: Request[Any, Any, Any]) -> Response[bytes]:
        kept = {name: request.headers[name] for name in ("content-type", "accept-language") if name in request.headers}
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = await client.request(request.method, target, content=await request.body(), headers=kept)
        return Response(
            answer.content,
            status_code=answer.status_code,
            media_type=answer.headers.get("content-type", "text/plain"),
            headers=_HEADERS,
        )

    @get([PATH, f"{PATH}/style.css"])
    async def shown(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await hand_on(request)

    @post([PATH, f"{PATH}/search", f"{PATH}/sms"])
    async def posted(request: Request[Any, Any, Any]) -> Response[bytes]:
        return await hand_on(request)

    return (shown, posted)


def _page(request: Request[Any, Any, Any], messages: Sequence[Caught], to: str) -> Response[str]:
    asked = request.query_params.get("lang", "")
    header = request.headers.get("accept-language", "")[:2]
    language = next((code for code in (asked, header) if code in WORDS), "uz")
    html = _TEMPLATE.render(
        language=language,
        languages=tuple(WORDS),
        words=WORDS[language],
        path=PATH,
        messages=[(message, clock_time(Instant(message.at))) for message in messages],
        to=to,
    )
    return Response(html, media_type="text/html; charset=utf-8", headers=_HEADERS)


_TEMPLATE = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
).get_template("page.html.jinja")
