"""Messages: who is told what, under which purpose (N2, C3, U3, U5, T1).

U3: we may write to a person about the account or a service. N2: service messages (a failure, a breach, a change of the
service) are a class of their own, silenced by no unsubscribe, never usable for marketing, limited in number. C3: after
a withdrawal nothing of the marketing class is sent, even from a campaign that is already running.

Enforced: a template fixes the class; class and lawful basis must agree; the outbox holds neither an address nor a text,
so the permission is asked, and the address opened, at the very moment of sending; addresses leave only through
recipients the policy registers. Evidenced: every opening of an address is a use with its entry. Attested: that a
service notice says nothing but what its kind allows is stated by the officer who writes it.

Kept by: flow `send` (asks, opens), the mail door (drains, renders, hands over), flow `withdraw`.
"""

from omonat.promises.messages.facts import (
    LANGUAGES,
    SERVICE_KINDS,
    TEMPLATES,
    Channel,
    Message,
    MessageClass,
    PurposeFacts,
    Recipient,
    Template,
    Value,
    Waiting,
)
from omonat.promises.messages.rule import check, fits_purpose, may_go_through, service_slot
from omonat.promises.messages.store import (
    BEGINS_WITHIN,
    ONLY_TO,
    Seal,
    forget,
    put,
    put_many,
    sealing_context,
    under_way,
    unpack,
)

__all__ = [
    "BEGINS_WITHIN",
    "LANGUAGES",
    "ONLY_TO",
    "SERVICE_KINDS",
    "TEMPLATES",
    "Channel",
    "Message",
    "MessageClass",
    "PurposeFacts",
    "Recipient",
    "Seal",
    "Template",
    "Value",
    "Waiting",
    "check",
    "fits_purpose",
    "forget",
    "may_go_through",
    "put",
    "put_many",
    "sealing_context",
    "service_slot",
    "under_way",
    "unpack",
]
