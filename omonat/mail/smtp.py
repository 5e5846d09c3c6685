"""E-mail by SMTP (RFC 5321) to the one relay that was set up at start; encrypted, or on this machine.

`smtplib` in a thread: it is the standard library's, and mail volumes are far below what a thread per hand-over costs.
The steps are taken one by one, because only so the outcome is known: before the letter's first byte everything can be
tried again, after it only the relay's answer tells.
"""

import asyncio
import ipaddress
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.policy import SMTP
from typing import Literal

from omonat.base.errors import BadInput
from omonat.mail.carriers import LONGEST, STEP, Mail, Outcome, Rejected, Taken, TryLater, Unknown
from omonat.promises.messages import BEGINS_WITHIN

_MISCONFIGURED = "message-carrier-misconfigured"
_SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""No server on the way has to set it anew, which would break the signature."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where e-mail is handed over. `recipient` is its id in the policy, `name` how we greet it. `security`: STARTTLS
    when offered, TLS from the first byte, or none; `tls` is the trust for both.

    Without encryption only a relay on this machine is spoken to (S2), and a password is never sent in the clear.
    """

    host: str
    port: int
    recipient: str = "mail-provider"
    name: str = "localhost"
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    @property
    def is_local(self) -> bool:
        """Whether the relay's address is a loopback address, as written: names are not looked up."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class SmtpCarrier:
    """Hands each e-mail over on a connection of its own, within `LONGEST` seconds."""

    def __init__(
        self,
        relay: Relay,
        *,
        sign: Callable[[bytes], bytes] = bytes,
        step: float = STEP,
        longest: float = LONGEST,
    ) -> None:
        """`sign` gives a letter its signatures; without it it goes as it is."""
        if any(letter in relay.host for letter in "\r\n\0 "):
            raise BadInput("message-unsafe-header")
        self.recipient = relay.recipient
        self._relay = relay
        self._step = step
        self._longest = longest
        self._sign = sign

    async def hand_over(self, mail: Mail) -> Outcome:
        """The outcome; never raises for what the relay or the network does."""
        attempt = _Attempt(self._relay, self._step, self._sign)
        running = asyncio.create_task(asyncio.to_thread(attempt.run, mail))
        try:
            done, _ = await asyncio.wait({running}, timeout=self._longest)
            if not done:
                attempt.cut()
            return await running
        except asyncio.CancelledError:
            attempt.cut()
            raise


class _Plain(smtplib.SMTP):
    """A connection its attempt knows from the first packet on, so that even a slow banner can be cut."""

    def __init__(self, attempt: "_Attempt", relay: Relay, step: float) -> None:
        attempt.connection = self
        super().__init__(relay.host, relay.port, local_hostname=relay.name, timeout=step)


class _Encrypted(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, attempt: "_Attempt", relay: Relay, step: float) -> None:
        attempt.connection = self
        super().__init__(relay.host, relay.port, local_hostname=relay.name, timeout=step, context=relay.tls)


class _Attempt:
    """One hand-over. `cut` may be called from another thread and ends it soon."""

    def __init__(self, relay: Relay, step: float, sign: Callable[[bytes], bytes]) -> None:
        self.connection: smtplib.SMTP | None = None
        self._sign = sign
        self._relay = relay
        self._step = step
        self._late = time.monotonic() + BEGINS_WITHIN
        self._is_cut = False
        self._has_begun = False

    def run(self, mail: Mail) -> Outcome:
        try:
            kind = _Encrypted if self._relay.security == "tls" else _Plain
            connection = kind(self, self._relay, self._step)
            try:
                return TryLater() if self._is_cut else self._converse(connection, mail)
            finally:  # a farewell that fails changes nothing about what was taken over
                with suppress(smtplib.SMTPException, OSError):
                    connection.quit()
                connection.close()
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLError):
            return Unknown() if self._has_begun else TryLater(_MISCONFIGURED)
        except (smtplib.SMTPException, OSError):
            return Unknown() if self._has_begun else TryLater()

    def cut(self) -> None:
        self._is_cut = True
        sock = None if self.connection is None else self.connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _converse(self, connection: smtplib.SMTP, mail: Mail) -> Outcome:
        connection.ehlo_or_helo_if_needed()
        if not self._secure(connection):
            return TryLater(_MISCONFIGURED)
        wide = not mail.to.isascii()
        if wide and not connection.has_extn("smtputf8"):
            return Rejected()
        code, _ = connection.mail(_envelope_sender(mail), ["SMTPUTF8"] if wide else [])
        if code != 250:
            return TryLater(_MISCONFIGURED) if code >= 500 else TryLater()
        code, _ = connection.rcpt(mail.to)
        if code not in {250, 251}:
            return Rejected() if code >= 500 else TryLater()
        return self._deliver(connection, mail)

    def _secure(self, connection: smtplib.SMTP) -> bool:
        encrypted = self._relay.security == "tls"
        if self._relay.security == "starttls" and connection.has_extn("starttls"):
            code, _ = connection.starttls(context=self._relay.tls)
            encrypted = code == 220
            connection.ehlo()
        if not encrypted and not self._relay.is_local:
            return False
        if self._relay.user is not None:
            if not encrypted:
                return False
            connection.login(self._relay.user, self._relay.password or "")
        return True

    def _deliver(self, connection: smtplib.SMTP, mail: Mail) -> Outcome:
        content = self._sign(mail.message.as_bytes(policy=_SEVEN_BIT))
        if time.monotonic() > self._late:  # whoever forbids it waits no longer (I2)
            return TryLater()
        self._has_begun = True
        try:
            code, _ = connection.data(content)
        except smtplib.SMTPDataError as refused:  # the answer to DATA itself: nothing was sent yet
            return Rejected() if refused.smtp_code >= 500 else TryLater()
        if code == 250:
            return Taken()
        return Rejected() if code >= 500 else TryLater()


def _envelope_sender(mail: Mail) -> str:
    if mail.returns_to:
        return mail.returns_to
    (sender,) = mail.message["From"].addresses
    return str(sender.addr_spec)
