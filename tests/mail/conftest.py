"""A post office: a real database, a real vault, a real SMTP server, a real HTTP gateway, and a register of addresses
that stands for the verdict, so that a test says in one line what the policy answers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from examples.catcher import Catcher, listen
from omonat.base.errors import Unavailable
from omonat.base.ids import new_id
from omonat.base.instants import SECOND, Instant, from_rfc3339
from omonat.base.verdict import Reason
from omonat.database.pool import Database
from omonat.flows.send import Allowed, Refused, SendPorts
from omonat.mail.compose import Unsubscribe
from omonat.mail.drain import Drain, Post
from omonat.mail.letter import Links, Sender
from omonat.mail.outbox import Outbox
from omonat.mail.sms import Gateway, GatewayCarrier
from omonat.mail.smtp import Relay, SmtpCarrier
from omonat.promises.messages import Channel, Message, PurposeFacts, Recipient, Value, Waiting, put
from omonat.vault.root import RootKey
from omonat.vault.vault import Vault
from omonat.vault.verify_only import HashCost

NOON = from_rfc3339("2026-12-01T12:00:00+05:00")
SENDER = Sender("BESHQOZON", "webmaster@beshqozon.example")
LINKS = Links(
    "http://localhost:8600/me",
    "http://localhost:8600/page/privacy-policy",
    "http://localhost:8600/complain/status",
    confirm="http://localhost:8600/confirm",
    preferences="http://localhost:8600/preferences",
    parent="http://localhost:8600/parent",
)
PURPOSES = {
    "account-codes": PurposeFacts("transactional", "contract"),
    "confirm-order": PurposeFacts("transactional", "contract"),
    "tell-of-service": PurposeFacts("service", "legitimate-interest"),
    "marketing-email": PurposeFacts("marketing", "consent", frozenset({"email"})),
}
ITEMS = frozenset({"contact.email", "contact.mobile", "contact.name"})


class Clock:
    """Time, moved by the test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> Instant:
        return self.now

    def pass_by(self, microseconds: int) -> None:
        self.now = Instant(self.now + microseconds)


@dataclass
class Register:
    """What the policy and the vault answer: addresses by person and item, refusals, trouble."""

    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    refused: dict[tuple[str, str], Reason] = field(default_factory=dict)
    trouble: bool = False
    asked: list[str] = field(default_factory=list)

    async def open_channel(
        self, *, person: str, purpose: str, channel_item: str, with_name: bool, case: str | None, carrier: str
    ) -> Allowed | Refused:
        self.asked.append(person)
        if self.trouble:
            raise Unavailable("database-unavailable")
        reason = self.refused.get((person, purpose))
        if reason is not None:
            return Refused((reason,))
        return Allowed(self.addresses[person, channel_item], self.names.get(person) if with_name else None)


@dataclass
class Rules:
    """The policy in force, as a test may change it."""

    purposes: dict[str, PurposeFacts] = field(default_factory=lambda: dict(PURPOSES))
    registered: dict[str, Recipient] = field(
        default_factory=lambda: {
            name: Recipient(name, frozenset(PURPOSES), ITEMS) for name in ("mail-provider", "sms-gateway")
        }
    )

    async def purpose(self, purpose: str) -> PurposeFacts | None:
        return self.purposes.get(purpose)

    async def recipients(self) -> Mapping[str, Recipient]:
        return self.registered

    async def worded(self, message: Waiting) -> Mapping[str, Value]:
        return {"text": f"{message.facts['since']} {message.facts['version']}", "agree": 0, "effective": NOON // SECOND}


class ScriptedGateway:
    """An SMS gateway on a real socket that answers as told: a status, "cut" after reading, or "hang"."""

    def __init__(self) -> None:
        self.script: list[int | str] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/send"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((headers, body))
            answer = self.script.pop(0) if self.script else 202
            if answer == "hang":
                await reader.read()
            elif answer != "cut":
                extra = "location: http://203.0.113.9/\r\n" if 300 <= int(answer) < 400 else ""
                writer.write(f"HTTP/1.1 {answer} x\r\n{extra}content-length: 0\r\nconnection: close\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass
class House:
    """Everything of one test."""

    database: Database
    vault: Vault
    clock: Clock
    register: Register
    rules: Rules
    catcher: Catcher
    smtp_port: int
    gateway: ScriptedGateway
    sms: GatewayCarrier
    _slots: dict[str, int] = field(default_factory=dict)

    async def person(self, *, email: str = "", mobile: str = "", name: str = "") -> str:
        """Somebody new, with a key of their own."""
        person = new_id("per")
        slot, evidence_slot = self.vault.reserve_slots(2)
        async with self.database.transaction() as connection:
            await connection.execute(
                "insert into persons (id, slot, evidence_slot, language, created_at) values ($1, $2, $3, 'uz', $4)",
                person,
                slot,
                evidence_slot,
                self.clock(),
            )
        self._slots[person] = slot
        self.register.addresses[person, "contact.email"] = email
        self.register.addresses[person, "contact.mobile"] = mobile
        if name:
            self.register.names[person] = name
        return person

    def code(self, person: str, *, channel: Channel = Channel.SMS, **other: object) -> Message:
        """A sign-in code for somebody, or, with `other`, another message."""
        item = "contact.mobile" if channel is Channel.SMS else "contact.email"
        values: dict[str, object] = {
            "person": person,
            "template": "sign-in-code",
            "purpose": "account-codes",
            "channel": channel,
            "address_item": item,
            "language": "en",
            "params": {"code": "271828", "minutes": 10},
            **other,
        }
        return Message(**values)  # type: ignore[arg-type]

    def newsletter(self, person: str, purpose: str = "marketing-email", **other: object) -> Message:
        """The newsletter's welcome for somebody."""
        return self.code(
            person, channel=Channel.EMAIL, template="newsletter-welcome", purpose=purpose, params={}, **other
        )

    def notice(
        self,
        person: str,
        kind: str = "service-change",
        *,
        purpose: str = "tell-of-service",
        channel: Channel = Channel.EMAIL,
    ) -> Message:
        """A service notice for somebody."""
        params = {"kind": kind, "title": "Closed on Monday", "text": "We move the kitchen."}
        return self.code(person, template="service-notice", purpose=purpose, params=params, channel=channel)

    async def put(self, message: Message) -> str | None:
        """Write a message as a flow does."""
        seal = partial(self.vault.seal_value, slot=self._slots[message.person])
        async with self.database.transaction() as connection:
            return await put(connection, message, seal=seal, now=self.clock())

    async def rows(self) -> list[tuple[str, str | None]]:
        """State and code of every message, oldest first."""
        async with self.database.connection() as connection:
            found = await connection.fetch("select state, code from outbox order by created_at, id")
        return [(row["state"], row["code"]) for row in found]

    def ports(self) -> SendPorts:
        outbox = Outbox(self.database)
        return SendPorts(
            open_channel=self.register.open_channel,
            open_sealed=self.vault.open_value,
            rules=self.rules,
            through={Channel.EMAIL: "mail-provider", Channel.SMS: "sms-gateway"},
            service_sent=lambda person, since: outbox.service_sent(person, since=since),
        )

    def drain(self, **changed: object) -> Drain:
        """A worker."""
        post = {
            "sender": SENDER,
            "links": LINKS,
            "mail": SmtpCarrier(Relay("127.0.0.1", self.smtp_port)),
            "sms": self.sms,
            "unsubscribe": _unsubscribe,
            **changed,
        }
        return Drain(Outbox(self.database), self.ports(), Post(**post), self.clock)  # type: ignore[arg-type]


def _unsubscribe(*, person: str, purpose: str) -> Unsubscribe:
    return Unsubscribe(f"https://beshqozon.example/unsubscribe/{person}.{purpose}.signature", SENDER.mailbox)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(
        tmp_path / "home",
        RootKey(bytes(32)),
        create=True,
        copying_storage_ok=True,
        hash_cost=HashCost(passes=1, memory=64, lanes=1),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[ScriptedGateway]:
    gateway = ScriptedGateway()
    await gateway.start()
    yield gateway
    assert gateway.server is not None
    gateway.server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house(database: Database, vault: Vault, gateway: ScriptedGateway) -> AsyncIterator[House]:
    clock = Clock()
    catcher = Catcher(clock)
    smtp = await listen(catcher, port=0)
    sms = GatewayCarrier(Gateway(gateway.url), step=0.3, longest=1.0)
    port = smtp.sockets[0].getsockname()[1]
    yield House(database, vault, clock, Register(), Rules(), catcher, port, gateway, sms)
    await sms.close()
    smtp.close()


@pytest.fixture
def free_port(unused_tcp_port_factory: Callable[[], int]) -> int:
    """A port on which nothing listens."""
    return unused_tcp_port_factory()
