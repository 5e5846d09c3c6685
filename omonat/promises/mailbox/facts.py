"""What a letter that came in says of itself, once it was read."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Wish(StrEnum):
    """What somebody may want by writing."""

    LEAVE = "leave"
    END_LOCATION = "end-location"
    CHANGE_LOCATION = "change-location"
    COMPLAINT = "complaint"
    ACCESS = "access"
    CORRECTION = "correction"
    DELETION = "deletion"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report of a machine about a letter of ours, named by the id it had in the outbox. `gone`: the mailbox isn't
    there, which is more than a letter that was not taken."""

    kind: Literal["bounced", "complained"]
    message: str
    gone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter that came in. `identity` tells it from every other one; a second delivery has the same.

    `sender` is the one address in From, empty where there is none or several. `proved`: it is theirs. `text` holds
    their own words, without what they quoted; `shortened` says that they wrote more. `automatic`: sent by a machine,
    so nobody is answered. `leaves` are the signed addresses it was written to, as (person, purpose); `to_leave`: it
    was written to the address for leaving, whatever it says.
    """

    identity: bytes = field(repr=False)
    sender: str = field(repr=False)
    proved: bool
    subject: str = field(repr=False)
    text: str = field(repr=False)
    shortened: bool = False
    enclosures: int = 0
    automatic: bool = False
    leaves: tuple[tuple[str, str], ...] = ()
    to_leave: bool = False
    report: Report | None = None
