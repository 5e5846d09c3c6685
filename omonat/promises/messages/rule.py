"""The rules of messages: what may be written, under which purpose, when, and through whom. Pure functions.

1. A message names a known template, its channel and exactly its parameters (`check`).
2. Class and purpose agree (`fits_purpose`, N2, U5): the purpose declares the class it sends and its channels; marketing
   needs a purpose by consent and nothing else may use one, so a withdrawal of marketing can't silence a breach notice
   and a breach notice can't carry marketing.
3. Service messages are limited per person and day (`service_slot`, N2); a notice of a security breach never waits.
4. An address leaves only through a recipient the policy registers for this purpose and item (`may_go_through`, T1).

The caller still owes the verdict on the address itself: consent, restriction, erasure (flow `send`).
"""

from collections.abc import Mapping, Sequence

from omonat.base.errors import BadInput
from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.promises.messages.facts import (
    LANGUAGES,
    SERVICE_KINDS,
    TEMPLATES,
    Message,
    MessageClass,
    PurposeFacts,
    Recipient,
    Template,
    Value,
    Waiting,
)

SERVICE_PER_DAY = 3
"""Service messages one person gets within 24 hours at most; more than that is noise, and noise hides the breach."""


def check(message: Message) -> Template:
    """The message's template. Raises BadInput where channel, language or parameters are not what it declares."""
    template = TEMPLATES.get(message.template)
    if template is None:
        raise BadInput("message-template-unknown", template=message.template)
    if message.channel not in template.channels:
        raise BadInput("message-channel-wrong", template=template.id, channel=message.channel)
    if message.language not in LANGUAGES:
        raise BadInput("message-language-unknown", template=template.id)
    declared = template.open | template.sealed
    if message.params.keys() != declared or not all(_is_value(value) for value in message.params.values()):
        raise BadInput("message-parameters-wrong", template=template.id, declared=", ".join(sorted(declared)))
    if template.message_class is MessageClass.SERVICE and message.params["kind"] not in SERVICE_KINDS:
        raise BadInput("message-parameters-wrong", template=template.id, declared=", ".join(sorted(SERVICE_KINDS)))
    return template


def _is_value(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def fits_purpose(message: Waiting, purpose: PurposeFacts | None) -> Verdict:
    """Whether the policy in force lets this purpose send such a message. `purpose` None: it has no such purpose."""
    about = {"purpose": message.purpose, "channel": message.channel.value}
    if purpose is None:
        return CannotTell(("purpose",), (Reason("message-purpose-unknown", "N2", about),))
    marketing = message.message_class is MessageClass.MARKETING
    template = TEMPLATES.get(message.template)
    sends = (template.sends if template else "") or message.message_class.value
    if purpose.sends != sends or marketing != (purpose.basis == "consent"):
        return Deny((Reason("message-class-mismatch", "U5" if marketing else "N2", about),))
    if purpose.channels and message.channel.value not in purpose.channels:
        return Deny((Reason("message-channel-undeclared", "C1", about),))
    return Allow()


def service_slot(facts: Mapping[str, Value], sent: Sequence[Instant], *, now: Instant) -> Instant:
    """The earliest instant at which a service message may go: `now`, or when the day's limit opens again.

    `sent` are the instants at which service messages went to this person, in any order.
    """
    recent = sorted(moment for moment in sent if moment > now - DAY)
    if facts.get("kind") == "security-breach" or len(recent) < SERVICE_PER_DAY:
        return now
    return Instant(recent[-SERVICE_PER_DAY] + DAY)


def may_go_through(recipient: str, registered: Mapping[str, Recipient], *, purpose: str, item: str) -> Verdict:
    """Whether this recipient is registered for this purpose and this item (T1); an unknown one is denied."""
    known = registered.get(recipient)
    if known is None or purpose not in known.purposes or item not in known.items:
        about = {"recipient": recipient, "purpose": purpose, "item": item}
        return Deny((Reason("recipient-not-registered", "T1", about),))
    return Allow()
