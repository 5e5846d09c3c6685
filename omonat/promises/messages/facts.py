"""What a message is before it has an address or words: who is to be told what, for which purpose, by which channel.

A template fixes the class of its messages (N2): whoever writes a message chooses the template, never the class, so a
newsletter can't travel as a service notice. Parameters are declared: `open` ones hold no personal data (an order's
number, a count of minutes); every other one is sealed under the person's key before it reaches the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from omonat.base.instants import DAY, HOUR, MINUTE, Instant

LANGUAGES = ("uz", "ru", "en")

Value = str | int


class MessageClass(StrEnum):
    """Transactional: part of what the person asked for. Service: N2. Marketing: only by a live consent."""

    TRANSACTIONAL = "transactional"
    SERVICE = "service"
    MARKETING = "marketing"


class Channel(StrEnum):
    """How the message reaches the person."""

    EMAIL = "email"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of message.

    `lifetime` is how long it is worth sending after it was due, None: no limit. `greets` says whether it may call the
    person by name; without it the name is not even asked for (L3). `own_address`: it goes to an address the person has
    just typed and that isn't theirs before it is proved, or to a parent's; so the message carries it itself, sealed.
    `worded` are parameters nobody hands in: the policy, or the round or campaign they belong to, words them as they are
    sent. `sends` is what a purpose must declare to send it, where that is not the class.
    """

    id: str
    message_class: MessageClass
    channels: frozenset[Channel]
    open: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()
    lifetime: int | None = None
    greets: bool = True
    own_address: bool = False
    worded: frozenset[str] = frozenset()
    sends: str = ""


_BOTH = frozenset(Channel)
_EMAIL = frozenset({Channel.EMAIL})

TEMPLATES: Mapping[str, Template] = {
    template.id: template
    for template in (
        Template(
            "sign-in-code",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"minutes"}),
            sealed=frozenset({"code"}),
            lifetime=10 * MINUTE,
            greets=False,
        ),
        Template(
            "confirm-code",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"minutes", "act"}),  # act: delete-all | delete-part | delete-child | correct
            sealed=frozenset({"code"}),
            lifetime=10 * MINUTE,
            greets=False,
        ),
        Template(
            "new-channel-code",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"minutes"}),
            sealed=frozenset({"code", "address"}),
            lifetime=10 * MINUTE,
            greets=False,
            own_address=True,
        ),
        Template(
            "parent-ask",  # to a parent who is asked for consent; about a child, whose address it is not
            MessageClass.TRANSACTIONAL,
            _BOTH,
            sealed=frozenset({"link", "what", "address"}),
            lifetime=DAY,
            greets=False,
            own_address=True,
        ),
        Template(
            "parent-confirm",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            sealed=frozenset({"link", "address"}),
            lifetime=DAY,
            greets=False,
            own_address=True,
        ),
        Template(
            "parent-pay",  # as parent-ask, where the parent is known by a payment
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"total"}),
            sealed=frozenset({"link", "what", "address"}),
            lifetime=DAY,
            greets=False,
            own_address=True,
        ),
        Template(
            "parent-paid",  # the statement of the transaction
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"total"}),
            sealed=frozenset({"link", "payment", "address"}),
            lifetime=3 * DAY,
            greets=False,
            own_address=True,
        ),
        Template("confirm-data", MessageClass.TRANSACTIONAL, _BOTH, lifetime=7 * DAY),
        Template(
            "parent-overtaken",  # the policy changed, and the consent a message gave has ended by it
            MessageClass.SERVICE,
            _BOTH,
            open=frozenset({"kind", "version", "due"}),  # due: seconds since 1970; 0 where no law names a day
            sealed=frozenset({"recipients", "ways", "address"}),
            lifetime=3 * DAY,
            greets=False,
            own_address=True,
        ),
        Template("registration-confirmation", MessageClass.TRANSACTIONAL, _BOTH, lifetime=3 * DAY),
        Template(
            "order-confirmation",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"order", "delivery"}),  # delivery: 1 with a courier, 0 collected at the counter
            sealed=frozenset({"total"}),  # tiyin
            lifetime=DAY,
        ),
        Template(
            "information-request-answer",
            MessageClass.TRANSACTIONAL,
            _EMAIL,
            open=frozenset({"request"}),
            sealed=frozenset({"answer"}),
        ),
        Template(
            "request-code",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"request", "minutes"}),
            sealed=frozenset({"code"}),
            lifetime=HOUR,
            greets=False,
        ),
        Template(
            "request-confirm",  # to whoever wrote a letter: the link proves that it was them
            MessageClass.TRANSACTIONAL,
            _EMAIL,
            open=frozenset({"request"}),
            sealed=frozenset({"link"}),
            lifetime=3 * DAY,
            greets=False,
        ),
        Template(
            "mail-choices",
            MessageClass.TRANSACTIONAL,
            _EMAIL,
            open=frozenset({"about"}),  # left | location | asked
            sealed=frozenset({"link"}),
            lifetime=DAY,
            greets=False,
        ),
        Template(
            "request-received",
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"request", "due"}),  # due: seconds since 1970
            sealed=frozenset({"code"}),
            lifetime=3 * DAY,
            greets=False,
        ),
        Template(
            "request-answered",  # the answer itself travels through no carrier
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"request"}),
            sealed=frozenset({"code"}),
            lifetime=3 * DAY,
            greets=False,
        ),
        Template(
            "request-proof",  # a new phone or e-mail waits for its owner's code, on the page of the request
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"request"}),
            sealed=frozenset({"code"}),
            lifetime=3 * DAY,
            greets=False,
        ),
        Template(
            "finding-answered",  # nobody asked: staff found something wrong
            MessageClass.TRANSACTIONAL,
            _BOTH,
            open=frozenset({"request"}),
            sealed=frozenset({"code"}),
            lifetime=3 * DAY,
            greets=False,
        ),
        Template(
            "request-escalated",  # to the mailbox of a role of the company's, of nobody's: it goes through no outbox
            MessageClass.TRANSACTIONAL,
            _EMAIL,
            open=frozenset({"request", "kind", "step", "due"}),
            greets=False,
        ),
        Template(
            "service-notice",
            MessageClass.SERVICE,
            _BOTH,
            open=frozenset({"kind"}),  # system-error | security-breach | service-change
            sealed=frozenset({"title", "text"}),  # free words: nobody knows what somebody writes there
        ),
        Template(
            "policy-changed",
            MessageClass.SERVICE,
            _BOTH,
            open=frozenset({"kind", "since", "version"}),  # between which versions, by their names
            worded=frozenset({"text", "agree", "effective"}),
        ),
        Template(
            "company-notice",  # the same words for all: they lie once, with their round
            MessageClass.SERVICE,
            _BOTH,
            open=frozenset({"kind", "round"}),
            worded=frozenset({"title", "text"}),
        ),
        Template("newsletter-welcome", MessageClass.MARKETING, _EMAIL, lifetime=7 * DAY),
        Template(
            "campaign",
            MessageClass.MARKETING,
            _BOTH,
            open=frozenset({"campaign"}),
            worded=frozenset({"subject", "text", "brief"}),
            lifetime=7 * DAY,
        ),
        Template(
            "survey-invitation",
            MessageClass.MARKETING,
            _BOTH,
            open=frozenset({"campaign"}),
            worded=frozenset({"subject", "text", "brief"}),
            lifetime=7 * DAY,
            sends="survey",
        ),
    )
}

SERVICE_KINDS = frozenset({"system-error", "security-breach", "service-change"})


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be written into the outbox.

    `address_item` is the policy's item that holds the address (`contact.email`, `contact.mobile`). `once`, where
    given, makes writing it again for the same person a no-op. `due` None means now. `only_to` is the look-up digest of
    the one address this may go to: at another one that the person has by then, it is not sent.
    """

    person: str
    template: str
    purpose: str
    channel: Channel
    address_item: str
    language: str
    params: Mapping[str, Value]
    case: str | None = None
    once: str | None = None
    due: Instant | None = None
    only_to: bytes | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A claimed row of the outbox. `claim` names this claim, `facts` and `sealed` are its parameters, `attempt` counts
    from 1. `chosen` is what the person's choices were when it was claimed: before the permission was asked; `erased` is
    that their erasure had begun by then.
    """

    id: str
    claim: str
    person: str
    person_slot: int
    template: str
    message_class: MessageClass
    purpose: str
    channel: Channel
    address_item: str
    language: str
    case: str | None
    facts: Mapping[str, Value]
    sealed: bytes | None
    attempt: int
    written: Instant
    expires: Instant | None
    chosen: tuple[Any, ...] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class PurposeFacts:
    """What the policy in force says about a purpose's messages. Empty `channels`: the policy doesn't limit them."""

    sends: str
    basis: str
    channels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient registered in the policy (T1): a relay or gateway, for these purposes and these items."""

    id: str
    purposes: frozenset[str]
    items: frozenset[str]
