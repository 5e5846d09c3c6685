"""Setting a letter as an e-mail: headers that can't be injected, two parts that say the same (RFC 5322, 2369, 8058).

Every header value is checked for control characters before it reaches `EmailMessage`, which refuses them as well.
The Message-ID is made from the outbox id: a letter that has to go twice is recognisably the same.
"""

import unicodedata
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol

from email_validator import EmailNotValidError, validate_email

from omonat.base.errors import BadInput
from omonat.base.instants import Instant, to_datetime
from omonat.mail.letter import Letter, Sender


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """How to leave: a signed address for this person and purpose, which acts on POST alone, and a mailbox."""

    address: str = field(repr=False)
    mailbox: str


class UnsubscribeLinks(Protocol):
    """Gives the signed link of a person and purpose (C3, RFC 8058: bound to both, no sign-in)."""

    def __call__(self, *, person: str, purpose: str) -> Unsubscribe: ...


def compose(
    letter: Letter,
    *,
    message_id: str,
    sender: Sender,
    to: str,
    unsubscribe: Unsubscribe | None,
    now: Instant,
) -> EmailMessage:
    """The e-mail, ready to hand over. `unsubscribe` is given for marketing, and for marketing only.

    Raises BadInput `message-address-malformed` or `message-unsafe-header`.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=_safe(sender.name), addr_spec=_mailbox(sender.mailbox))
    message["To"] = Address(addr_spec=_mailbox(to))
    message["Subject"] = _safe(letter.subject)
    message["Date"] = format_datetime(to_datetime(now))
    message["Message-ID"] = f"<{_safe(message_id)}@{_mailbox(sender.mailbox).rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe is not None:
        ways = f"<{_safe(unsubscribe.address)}>, <mailto:{_mailbox(unsubscribe.mailbox)}?subject=unsubscribe>"
        message["List-Unsubscribe"] = ways
        if unsubscribe.address.startswith("https://"):  # RFC 8058, section 3.1
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text())
    message.add_alternative(letter.html(), subtype="html")
    message["Content-Language"] = letter.language
    return message


def _safe(value: str) -> str:
    if any(unicodedata.category(letter) in {"Cc", "Zl", "Zp", "Cs"} for letter in value):
        raise BadInput("message-unsafe-header")
    return value


def _mailbox(address: str) -> str:
    """The address in the spelling that goes over the wire: the domain in ASCII."""
    _safe(address)
    try:
        valid = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadInput("message-address-malformed") from None
    return f"{valid.local_part}@{valid.ascii_domain}"
