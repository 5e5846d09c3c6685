"""Reports of machines about letters of ours: not delivered (RFC 3464), complained of (RFC 5965).

What is believed is which letter it is about: its id has 128 random bits and is known to whoever got it. To whom it
went we know ourselves, so a forged report reaches nobody but its forger. Only what is final counts.
"""

import re
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Final

from omonat.base.ids import is_id
from omonat.promises.mailbox import Report

_OURS: Final = re.compile(rb"^message-id:\s*<(msg_[a-z2-7]{26})@", re.IGNORECASE | re.MULTILINE)
_COMPLAINTS: Final = frozenset({"abuse", "opt-out", "opt-out-list", "fraud"})
_GONE: Final = re.compile(r"5\.(0\.\d+|1\.\d+|2\.[01])")
"""The mailbox isn't there. A full one, a letter too large or taken for spam says nothing about the next letter."""


def report_in(message: Message, detail: str = "") -> Report | None:
    """The report a letter holds; None for one that is none, or isn't final. `detail` is what stood behind the plus of
    the address it was returned to: it names the letter where what was returned doesn't."""
    parts = list(message.walk())
    if not any(part.get_content_type() in ("message/delivery-status", "message/feedback-report") for part in parts):
        return None
    name = _returned(parts) or (detail if is_id("msg", detail) else "")
    if not name:
        return None
    for part in parts:
        match part.get_content_type():
            case "message/feedback-report" if _field(part, "feedback-type") in _COMPLAINTS:
                return Report(kind="complained", message=name)
            case "message/delivery-status" if failed := _failures(part):
                return Report(kind="bounced", message=name, gone=any(_GONE.fullmatch(status) for status in failed))
    return None


def returned(raw: bytes) -> Report | None:
    """The report that a letter of ours has failed for good; None for anything else."""
    report = report_in(message_from_bytes(raw, policy=compat32))
    return report if report is not None and report.kind == "bounced" else None


def _returned(parts: list[Message]) -> str:
    for part in parts:
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            found = _OURS.search(part.as_bytes().replace(b"\r\n", b"\n"))
            if found and is_id("msg", found[1].decode().lower()):
                return found[1].decode().lower()
    return ""


def _failures(part: Message) -> list[str]:
    """The status of each recipient for whom it failed for good; "" where it has none."""
    fields = part.get_payload()
    blocks = [one for one in fields if isinstance(one, Message)] if isinstance(fields, list) else []
    failed = [one for one in blocks if str(one.get("action", "")).strip().lower() == "failed"]
    return [str(one.get("status", "")).split()[0] if str(one.get("status", "")).split() else "" for one in failed]


def _field(part: Message, name: str) -> str:
    """A field of a report, whether the parser took its body for a message of its own or for text."""
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):
        return str(inner[0].get(name, "")).strip().lower()
    found = re.search(rf"^{name}\s*:\s*(\S+)", str(inner), re.IGNORECASE | re.MULTILINE)
    return found[1].lower() if found else ""
