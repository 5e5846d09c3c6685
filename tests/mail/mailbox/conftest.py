"""The mailbox on a real port of a whole house, and a mail server in front of it that hands letters over."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from examples.catcher import Catcher
from omonat.base.instants import SECOND
from omonat.base.settings import Settings
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.mail import leave, links
from omonat.mail.drain import Drain
from omonat.mail.listener import Inbox, listen
from omonat.promises.messages import sealing_context, unpack
from tests.flows.conftest import Shop, house, shop  # noqa: F401 - fixtures
from tests.mail.conftest import ScriptedGateway
from tests.mail.whole.conftest import catcher, catching, clock, drain, plain_settings  # noqa: F401 - fixtures

MAILBOX = "webmaster@beshqozon.uz"
MAIL = "dilnoza@mail.example"
SERVER = "mx.beshqozon.uz"
PROVED = f"{SERVER}; dkim=pass (2048-bit key) header.d=mail.example header.s=s1; dmarc=pass header.from=mail.example"


@dataclass
class Post:
    """The mail server in front, and the people behind it."""

    shop: Shop
    port: int
    catcher: Catcher
    drain: Drain
    sent: int = 0
    answers: list[tuple[int, str]] = field(default_factory=list)

    async def write(
        self, subject: str = "", text: str = "", *, sender: str = MAIL, to: str = MAILBOX, envelope: str | None = None,
        proved: bool = False, headers: dict[str, str] | None = None,
    ) -> int:  # fmt: skip
        """Somebody writes; what the mailbox answers to the server comes back."""
        self.sent += 1
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, to, subject
        letter["Message-ID"] = f"<{self.sent}@mail.example>"
        for name, value in (headers or {}).items():
            del letter[name]
            letter[name] = value
        letter.set_content(text or "\n")
        raw = (f"Authentication-Results: {PROVED}\n".encode() if proved else b"") + letter.as_bytes()
        return await self.hand_over(raw, to=[to], envelope=sender if envelope is None else envelope)

    async def hand_over(self, raw: bytes, *, to: list[str] | None = None, envelope: str = MAIL) -> int:
        """A letter as bytes, by SMTP."""

        def talk() -> tuple[int, bytes]:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as server:
                server.ehlo()
                code, said = server.mail(envelope)
                for recipient in to or [MAILBOX]:
                    code, said = server.rcpt(recipient)
                    if code != 250:
                        return code, said
                return server.data(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

        code, said = await asyncio.to_thread(talk)
        self.answers.append((code, said.decode()))
        return code

    async def member(self, mail: str = MAIL, **consents: bool) -> str:
        """Somebody with an order, who signed up for the newsletter under this address."""
        items = {"contact.email": mail, "contact.name": "Dilnoza Karimova"}
        answer: CollectAnswer = await self.shop.house.collect(
            CollectRequest(
                credential=self.shop.credentials["site"], service="newsletter", items=items, version="1",
                consents=consents or {"marketing-email": True}, accepted=True,
            )
        )  # fmt: skip
        self.shop.clock.forward(SECOND)
        return answer.person

    async def customer(self, mail: str = MAIL) -> str:
        """A member who ordered something as well: more is kept of them than the subscription."""
        person = await self.member(mail)
        self.shop.orders += 1
        await self.shop.house.collect(
            CollectRequest(
                credential=self.shop.credentials["site"], service="order", person=person, version="1", consents={},
                items=self.shop.order_items(**{"contact.email": mail}), case=f"order:{60_000 + self.shop.orders}",
            )
        )  # fmt: skip
        self.shop.clock.forward(SECOND)
        return person

    async def consents(self, person: str) -> frozenset[str]:
        return (await self.shop.house.my_data.standing(person)).consents

    async def acts(self, prefix: str = "") -> list[str]:
        rows = await self.fetch("select act from entries order by at, txid")
        return [row["act"] for row in rows if row["act"].startswith(prefix)]

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        found: list[Any] = await self.shop.house.grounds.database.pool.fetch(query, *values)
        return found

    async def requests(self) -> list[tuple[str, str]]:
        """Kind and state of what came in, oldest first."""
        return [(row["kind"], row["state"]) for row in await self.fetch("select * from requests order by received_at")]

    async def waiting(self) -> list[str]:
        """The templates of what is to be sent, oldest first."""
        rows = await self.fetch("select template from outbox where settled_at is null order by created_at, id")
        return [row["template"] for row in rows]

    async def message(self, template: str) -> dict[str, Any]:
        """The newest message of a template, as the jobs read it."""
        row = (await self.fetch(
            "select o.*, p.slot from outbox o join persons p on p.id = o.person where o.template = $1 "
            "order by o.created_at desc limit 1", template,
        ))[0]  # fmt: skip
        sealed = self.shop.house.grounds.vault.open_value(sealing_context(row["id"]), row["sealed"], slot=row["slot"])
        return {**row["facts"], **unpack(sealed), "person": row["person"], "language": row["language"]}

    def browser(self) -> AsyncClient:
        """A browser in front of the pages that letters point to."""
        pages = [*leave.handlers(lambda: self.shop.house), *links.handlers(lambda: self.shop.house)]
        app = Litestar(pages, openapi_config=None, logging_config=None)
        return AsyncClient(transport=ASGITransport(app=app), base_url="http://localhost:8600")


@pytest.fixture
def settings(plain_settings: Settings, catching: tuple[Catcher, int], gateway: ScriptedGateway) -> Settings:
    return msgspec.structs.replace(
        plain_settings, smtp_host="127.0.0.1", smtp_port=catching[1], sms_gateway=gateway.url,
        mail_in="127.0.0.1:8624", mail_in_server=SERVER,
    )  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def post(shop: Shop, catcher: Catcher, drain: Drain) -> AsyncIterator[Post]:
    inbox = Inbox(lambda: shop.house, SERVER)
    server = await listen(inbox, host="127.0.0.1", port=0)
    yield Post(shop, server.sockets[0].getsockname()[1], catcher, drain)
    server.close()
