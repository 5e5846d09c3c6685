"""The mailbox's door: SMTP (RFC 5321) and LMTP (RFC 2033) on one port of this machine, for the mail server in front.

250 is said once what the letter asks for is durable, never before: an unsubscribe is in force by then (C3). 451 when
that can't be written now; the server in front keeps the letter and comes again. 5xx for what is never taken: its
sender is told by their own server. Nothing of a letter is logged.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from omonat.base.errors import BadInput, OmonatError, Refused, Unavailable
from omonat.base.listening import inherited
from omonat.base.logs import log
from omonat.house import House
from omonat.mail.addresses import BOUNCE, LEAVE, Addresses, parts
from omonat.mail.reading import LARGEST, read
from omonat.mail.reading import Envelope as Sent

_MOST_CONNECTIONS: Final = 40
_TOGETHER: Final = 4
_MOST_RECIPIENTS: Final = 10
_STEP: Final = 60.0
_log = log(__name__)
logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd writes down who wrote to whom

TAKEN: Final = "250 2.0.0 taken in"
LATER: Final = "451 4.3.0 can't be written now, try again later"
TOO_MANY: Final = "451 4.7.1 too many letters for now, try again later"
UNREADABLE: Final = "554 5.6.0 this letter can't be read; please write it as plain text"
NOBODY: Final = "550 5.1.1 no such mailbox here"


@dataclass(slots=True)
class Inbox:
    """What the door asks: whose addresses are ours, and what became of a letter."""

    house: Callable[[], House]
    server: str | None
    sender: str | None = None
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_TOGETHER), init=False)
    _readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "letters"), init=False)
    """Its own: reading never waits for a relay that is slow to take what we send."""

    async def is_ours(self, address: str) -> bool:
        """Whether letters to this address are read here: the mailbox, and the signed addresses at its domain."""
        mailbox = await self._mailbox()
        ours = {parts(one) for one in (mailbox, self.sender) if one}
        name, _, domain = parts(address)
        return any(domain == known and name in (local, LEAVE, BOUNCE) for local, _, known in ours)

    async def take(self, raw: bytes, envelope: Sent) -> str:
        """Do what the letter asks for, then say so: the answer for the server in front."""
        async with self._room:
            try:
                done = await self._take(raw, envelope)
            except Refused as refused:
                _log.warning("letter-later", code=refused.code)
                return TOO_MANY if refused.code == "too-many-requests" else LATER
            except BadInput as error:
                _log.info("letter-refused", code=error.code)
                return UNREADABLE
            except OmonatError as error:
                _log.warning("letter-later", code=error.code)
                return LATER
            for what in done:
                _log.info("letter", act=what)
            return TAKEN

    async def _take(self, raw: bytes, envelope: Sent) -> frozenset[str]:
        house, mailbox = self.house(), await self._mailbox()
        ours = parts(self.sender or mailbox)[2]
        reading = partial(read, raw, envelope, server=self.server, ours=ours)
        letter = await asyncio.get_running_loop().run_in_executor(self._readers, reading)
        letter = replace(letter, leaves=await self._leaves(envelope, mailbox))
        return await house.mailbox(letter, credential=await house.inner_credential("requests"))

    async def _leaves(self, envelope: Sent, mailbox: str) -> tuple[tuple[str, str], ...]:
        grounds = self.house().grounds
        addresses = Addresses(mailbox, grounds.vault.keyed_digest)
        purposes = (await grounds.law.current()).purposes
        details = [parts(one) for one in envelope.recipients]
        found = [addresses.leaves(detail, purposes) for name, detail, _ in details if name == LEAVE and detail]
        return tuple(dict.fromkeys(one for one in found if one is not None))

    async def _mailbox(self) -> str:
        return (await self.house().grounds.law.current()).policy.controller.mailbox


class _Handler:
    """The hooks of aiosmtpd."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        if not await self._inbox.is_ours(address):
            return NOBODY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        return await self._inbox.take(
            content, Sent(sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos))
        )

    async def handle_exception(self, error: Exception) -> str:
        """Whatever happened, the letter stays with the server in front, and nothing of it is said."""
        if isinstance(error, Unavailable):
            _log.warning("letter-later", code=error.code)
        else:
            _log.error("letter-stumbled", exc_info=error)
        return LATER


class _Door(SMTP):
    """Speaks SMTP, and LMTP to whoever greets with LHLO: then each recipient gets the answer to the letter."""

    line_length_limit = 64 * 1024
    """Some programs write a whole paragraph on one line, whatever RFC 5321 says: it is read."""

    def __init__(self, handler: _Handler, open_doors: Counter[str]) -> None:
        super().__init__(
            handler, hostname="omonat", ident="omonat", data_size_limit=LARGEST, enable_SMTPUTF8=True, timeout=_STEP,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._open_doors = open_doors
        self._is_lmtp = self._is_final = self._turned_away = False
        self._answers = 1

    def connection_made(self, transport: Any) -> None:
        self._open_doors["now"] += 1
        if self._open_doors["now"] > _MOST_CONNECTIONS:
            self._turned_away = True
            transport.write(b"421 4.3.2 too many connections, try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._open_doors["now"] -= 1
        if not self._turned_away:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if not self._turned_away:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._turned_away else super().eof_received()

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802
        self._is_lmtp = True
        await super().smtp_EHLO(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self._answers = max(1, len(self.envelope.rcpt_tos)) if self._is_lmtp and self.envelope else 1
        self._is_final = False
        try:
            await super().smtp_DATA(arg)
        finally:
            self._answers, self._is_final = 1, False

    async def push(self, status: Any) -> None:
        for _ in range(self._answers if self._is_final else 1):
            await super().push(status)
        text = status if isinstance(status, str) else bytes(status).decode("ascii", "replace")
        self._is_final = self._is_final or text.startswith("354")


async def listen(inbox: Inbox, *, host: str, port: int) -> asyncio.Server:
    """Open the door; port 0 takes a free one. Raises OSError where it is taken."""
    open_doors: Counter[str] = Counter()
    make = partial(_Door, _Handler(inbox), open_doors)
    loop = asyncio.get_running_loop()
    if (held := inherited(host, port)) is not None:
        return await loop.create_server(make, sock=held)
    return await loop.create_server(make, host, port, family=socket.AF_UNSPEC)


async def keep_open(
    inbox: Inbox,
    address: tuple[str, int],
    stop: asyncio.Event,
    pause: Callable[[asyncio.Event, float], Awaitable[None]],
) -> None:
    """Listen until `stop` is set; where the port is taken, say so and try again."""
    while not stop.is_set():
        try:
            server = await listen(inbox, host=address[0], port=address[1])
        except OSError:
            _log.error("mailbox-closed", port=address[1])
            await pause(stop, 30.0)
            continue
        await stop.wait()
        server.close()


__all__ = ["Inbox", "keep_open", "listen"]
