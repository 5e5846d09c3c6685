"""What carries messages: one small port, four outcomes. The relay (`smtp`) and the gateway (`sms`) stand behind it.

The outcomes keep apart what retrying may do: `TryLater` means it was surely not taken over, `Unknown` means nobody can
tell. Trying again after `Unknown` may deliver twice; whether that is acceptable is the drain's decision, by channel.
"""

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

LONGEST = 60.0
"""Seconds one hand-over may last in all; then its connection is cut. Far below `outbox.HAND_OVER_LEASE`."""
STEP = 15.0
"""Seconds one answer of the other side may take."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The other side has taken the message over; from here on it answers for it."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """Surely not taken over; another attempt may succeed."""

    code: str = "message-carrier-unavailable"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Surely not taken over, and never will be."""

    code: str = "message-rejected"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The connection was cut after the message had begun to leave."""

    code: str = "message-outcome-unknown"


Outcome = Taken | TryLater | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail, its one recipient, and where it is returned to; empty: to its sender."""

    to: str = field(repr=False)
    message: EmailMessage = field(repr=False)
    returns_to: str = ""


@dataclass(frozen=True, slots=True)
class Sms:
    """A text message. `id` is the outbox id: a gateway that knows idempotency keys can drop a copy by it."""

    id: str
    to: str = field(repr=False)
    text: str = field(repr=False)


class MailCarrier(Protocol):
    """Hands e-mails to a relay. `recipient` is the id under which the policy registers it (T1)."""

    recipient: str

    async def hand_over(self, mail: Mail) -> Outcome: ...


class SmsCarrier(Protocol):
    """Hands text messages to a gateway. `recipient` is the id under which the policy registers it (T1)."""

    recipient: str

    async def hand_over(self, sms: Sms) -> Outcome: ...
