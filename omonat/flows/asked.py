"""What somebody asks or complains of, as a door hands it in, and the receipt they take home (A2)."""

from dataclasses import dataclass
from typing import Any

from omonat.base.instants import Instant
from omonat.evidence.journal import Receipt
from omonat.flows.staff import StaffMember
from omonat.flows.use import Credential
from omonat.promises.requests.facts import NAME, TEXT, Kind

MAILBOX = "mailbox"
"""The door of those who wrote a letter: a link is sent to them, not a code to be typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """What somebody asks. `contact` is a phone or an e-mail as typed; `person` is known where they signed in, or where
    one of the company's systems says who it is. `caller` limits one network address, `form` names the form it was
    typed into, by chance; both "" for systems. `proved`: the channel was proved by how it was asked, so nothing has to
    be sent there first. `item` and `value` say what is to be put right and how, where that is asked; the value lies
    sealed until it is. `found_by`: nobody asked, this member of staff found it wrong."""

    credential: Credential
    kind: Kind
    text: str
    door: str
    language: str = "uz"
    name: str = ""
    contact: str = ""
    person: str | None = None
    caller: str = ""
    form: str = ""
    proved: bool = False
    item: str = ""
    value: str = ""
    found_by: StaffMember | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReceipt:
    """What whoever asked takes home. `waits_for_proof`: a code, or a link, is on its way to the channel they named."""

    number: str
    code: str
    kind: Kind
    received_at: Instant
    due_at: Instant
    waits_for_proof: bool
    receipt: Receipt


def items_of(request: NewRequest, channel: str | None) -> dict[str, Any]:
    """What is collected of it: the text, and who wrote it where nobody is signed in; `channel` is the item that is."""
    items: dict[str, Any] = {TEXT: request.text}
    if request.person is None:
        if request.name.strip():
            items[NAME] = request.name
        if channel is not None:
            items[channel] = request.contact
    return items
