"""The demo's payment provider: a page of its own on which a parent pays, and signed reports of what was paid.

Demo only, and apart from Omonat: another process, another port, another key. Card numbers are typed here, looked at
once and kept nowhere; no money moves. Reports are Standard Webhooks signed with Ed25519; what the company refuses goes
back.

    python -m examples.provider --port 8650 --company http://localhost:8600

It prints the line for the company's settings. `/payments` is what the provider's own staff sees: each payment, and a
button that gives it back.
"""

import argparse
import asyncio
import os
import secrets
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import msgspec
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Request, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import BaseRouteHandler
from litestar.params import Body
from litestar.response import Redirect, Response

from examples.provider_words import LANGUAGES, WORDS
from omonat.pages import Words
from omonat.pages.formats import money

_FOLDER = Path(__file__).parent / "provider_page"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_AGAIN = 5.0
_REPORTS = "/v1/children/payments"
State = Literal["paid", "counted", "refused", "refunded"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid, as the company's link says: none of it names anybody."""

    order: Annotated[str, msgspec.Meta(pattern="^pas_[a-z2-7]{26}$")]
    amount: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    notice: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Payment(msgspec.Struct, kw_only=True):
    """One payment: its number, what it was for, and how it stands. Nothing of the card."""

    id: str
    order: Order
    state: State = "paid"
    told: bool = False


class Provider:
    """The payments, in memory, and the reports to the company at `company`."""

    def __init__(self, key: Ed25519PrivateKey, company: str) -> None:
        self._key = key
        self._http = httpx.AsyncClient(base_url=company, timeout=10, trust_env=False, follow_redirects=False)
        self.payments: dict[str, Payment] = {}

    @property
    def public_key(self) -> str:
        """`whpk_…`, as the company registers it."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"whpk_{b64encode(raw).decode()}"

    async def pay(self, order: Order) -> Payment:
        """Take a payment and report it; what the company refuses goes back at once."""
        payment = Payment(id=f"pay_{secrets.token_hex(10).translate(_LETTERS)}", order=order)
        self.payments[payment.id] = payment
        await self.tell(payment)
        return payment

    async def refund(self, payment: Payment) -> None:
        """Give it back, and say so."""
        if payment.state != "refunded":
            payment.state, payment.told = "refunded", False
            await self.tell(payment)

    async def tell(self, payment: Payment) -> None:
        """Report how it stands; without an answer it is reported again later."""
        state = payment.state
        event = "payment.refunded" if state == "refunded" else "payment.paid"
        said = {"event": event, "payment": payment.id, **msgspec.to_builtins(payment.order)}
        body, id, at = msgspec.json.encode(said), f"rep_{secrets.token_hex(8)}", str(int(time.time()))
        signed = b64encode(self._key.sign(b".".join((id.encode(), at.encode(), body)))).decode()
        headers = {
            "content-type": "application/json", "webhook-id": id, "webhook-timestamp": at,
            "webhook-signature": f"v1a,{signed}",
        }  # fmt: skip
        try:
            answer = await self._http.post(_REPORTS, content=body, headers=headers)
        except httpx.HTTPError:
            return
        if answer.status_code >= 500 or payment.state != state:  # given back meanwhile: that has a report of its own
            return
        payment.told = True
        if event == "payment.paid":
            payment.state = "counted" if answer.status_code == 200 else "refused"

    async def keep_telling(self) -> None:
        """Report again what nobody answered, for ever."""
        while True:
            await asyncio.sleep(_AGAIN)
            for payment in [each for each in self.payments.values() if not each.told]:
                await self.tell(payment)

    @asynccontextmanager
    async def running(self, _app: Litestar | None = None) -> AsyncIterator[None]:
        """While the application runs, nothing stays unreported."""
        telling = asyncio.create_task(self.keep_telling())
        yield
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await self._http.aclose()


_LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""Numbers of payments are made of letters: none can be taken for a card's."""
Asked = Request[Any, Any, Any]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


def handlers(provider: Provider) -> Sequence[BaseRouteHandler]:
    """The parent's page, and the staff's."""

    @get("/pay", sync_to_thread=False)
    def form(request: Asked) -> Response[str]:
        order = _order(dict(request.query_params))
        return _page(request, "pay.html.jinja", status=200 if order else 400, order=order, wrong=False)

    @post("/pay", status_code=200)
    async def pay(request: Asked, data: Form) -> Response[str]:
        order = _order(data)
        if order is None or not is_card(data.get("card", "")):
            return _page(request, "pay.html.jinja", status=400, order=order, wrong=True)
        return _page(request, "paid.html.jinja", payment=await provider.pay(order))

    @get("/payments", sync_to_thread=False)
    def all_of_them(request: Asked) -> Response[str]:
        return _page(request, "payments.html.jinja", payments=list(reversed(provider.payments.values())))

    @post("/payments")
    async def refund(request: Asked, data: Form) -> Redirect:
        payment = provider.payments.get(data.get("payment", ""))
        if payment is not None:
            await provider.refund(payment)
        return Redirect(f"/payments?lang={_language(request)}", status_code=303, headers=_HEADERS)

    @get("/style.css", sync_to_thread=False)
    def style() -> Response[bytes]:
        return Response((_FOLDER / "style.css").read_bytes(), media_type="text/css")

    return (form, pay, all_of_them, refund, style)


def is_card(typed: str) -> bool:
    """Whether this is the number of a card, by its check digit."""
    digits = [int(each) for each in typed if each.isascii() and each.isdecimal()]
    doubled = [each * 2 - 9 * (each > 4) if place % 2 else each for place, each in enumerate(reversed(digits))]
    return len(digits) == 16 and sum(doubled) % 10 == 0


def application(provider: Provider) -> Litestar:
    """The provider as an application."""
    return Litestar(list(handlers(provider)), lifespan=[provider.running], openapi_config=None, logging_config=None)


def _order(said: dict[str, str]) -> Order | None:
    try:
        return msgspec.convert({name: said.get(name, "") for name in Order.__struct_fields__}, Order, strict=False)
    except msgspec.ValidationError:
        return None


def _language(request: Asked) -> str:
    asked = request.query_params.get("lang", ""), request.headers.get("accept-language", "")[:2]
    return next((each for each in asked if each in LANGUAGES), "uz")


def _page(request: Asked, template: str, *, status: int = 200, **said: Any) -> Response[str]:
    language = _language(request)
    html = _TEMPLATES.get_template(template).render(
        language=language, words=WORDS[language], money=lambda tiyin: money(Words(language), tiyin), **said
    )
    return Response(html, media_type="text/html", headers=_HEADERS, status_code=status)


_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def key_of(path: Path) -> Ed25519PrivateKey:
    """The provider's key, made at the first start; readable by its owner alone."""
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="The demo's payment provider.")
    parser.add_argument("--port", type=int, default=8650)
    parser.add_argument("--company", default="http://localhost:8600", help="where reports go")
    parser.add_argument("--key", type=Path, default=Path("build/provider.key"))
    parser.add_argument("--amount", type=int, default=1000, help="soʻm, for the printed line")
    given = parser.parse_args()
    given.key.parent.mkdir(parents=True, exist_ok=True)
    provider = Provider(key_of(given.key), given.company)
    line = f'parent-payments = "{provider.public_key} http://localhost:{given.port}/pay {given.amount}"'
    print(line, flush=True)  # noqa: T201 - it is what the operator waits for
    uvicorn.run(application(provider), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
