"""Sending one message: ask the policy and open the address at that very moment, never earlier (N2, C3, U5, T1).

1. A message whose time has passed is not sent; one for a channel nobody carries yet waits.
2. Its class and channel must be those the policy in force declares for its purpose (N2, U5, C1).
3. The relay or gateway must be registered for this purpose and this item (T1).
4. A service message keeps the daily limit (N2).
5. The verdict: `open_channel` decides, writes the evidence, and opens the address. A withdrawal acknowledged before
   this step is obeyed, whatever campaign is running (C3).
   A code for a new address carries that address itself, sealed: nothing that is held is opened for it (Q1).
6. The sealed parameters are opened, and what the policy words itself is worded. What may go to one address only is
   not sent to another that the person has by now; nor to one that left, complained, or gave a letter back (C3).

The caller still owes: rendering, the durable mark before the network, the hand-over, the end (the mail door).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, Protocol

from omonat.base import errors
from omonat.base.instants import DAY, HOUR, MINUTE, Instant
from omonat.base.verdict import Allow, Reason
from omonat.flows.suppressing import Held
from omonat.promises.messages import (
    ONLY_TO,
    TEMPLATES,
    Channel,
    MessageClass,
    PurposeFacts,
    Recipient,
    Value,
    Waiting,
    fits_purpose,
    may_go_through,
    sealing_context,
    service_slot,
    unpack,
)
from omonat.promises.notice.rule import RETURNS_WITHIN

TELLING_WAIT: Final = 6 * HOUR
"""How long a message waits before it is looked at again when somebody new would carry it and its person wasn't told."""
TELLING_TAKES: Final = 2 * max(RETURNS_WITHIN.values())
"""After this a message that waits for it is refused: whoever can be told has been."""
_WAITS_FOR_TELLING: Final = "recipient-not-told-yet"
UNSERVED_WAIT = 10 * MINUTE
"""How long a message waits before it is looked at again when no carrier is set up for its channel."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The address, opened for this one message; `name` where the purpose may use it. Neither shows in a log."""

    value: str = field(repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The policy said no, or could not tell; at least one reason."""

    reasons: tuple[Reason, ...]


class OpenChannel(Protocol):
    """Decides, writes the evidence, and opens one address under a purpose. Raises Unavailable: nothing was opened."""

    async def __call__(
        self, *, person: str, purpose: str, channel_item: str, with_name: bool, case: str | None, carrier: str
    ) -> Allowed | Refused: ...


class OpenSealed(Protocol):
    """The vault's `open_value`. Raises Refused when the person's key is gone, Fault when the bytes were changed."""

    def __call__(self, context: str, sealed: bytes, *, slot: int | None = None) -> bytes: ...


class Rules(Protocol):
    """What the policy in force says, asked anew for each message."""

    async def purpose(self, purpose: str) -> PurposeFacts | None: ...

    async def recipients(self) -> Mapping[str, Recipient]: ...

    async def worded(self, message: Waiting) -> Mapping[str, Value]:
        """The parameters of a message that the policy words. Raises BadInput for versions nobody published."""
        ...


@dataclass(frozen=True, slots=True)
class SendPorts:
    """What the flow needs from the rest of the house, handed in by the wiring.

    `through` names the registered recipient that carries each channel. `service_sent` gives the instants of service
    messages to a person since an instant. `digest_of` gives the look-up digest of an item's value; without it nothing
    that is bound to one address leaves. `look_at` says whether the address itself may be written to. `name_item` is
    the policy's item for the name a letter greets with.
    """

    open_channel: OpenChannel
    open_sealed: OpenSealed
    rules: Rules
    through: Mapping[Channel, str]
    service_sent: Callable[[str, Instant], Awaitable[Sequence[Instant]]]
    digest_of: Callable[[str, str], Awaitable[bytes]] | None = None
    name_item: str = "contact.name"
    look_at: Callable[[Waiting, str], Awaitable[Held]] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """May be handed over now: the address, the person's name where allowed, and every parameter. `digest` is what is
    kept of an e-mail address: what comes back is believed about it."""

    address: str = field(repr=False)
    name: str | None = field(repr=False)
    params: Mapping[str, Value] = field(repr=False)
    digest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Not to be sent, ever."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Later:
    """To be asked again at `until`."""

    until: Instant
    reason: Reason


@dataclass(frozen=True, slots=True)
class TooLate:
    """Its time has passed."""


async def send(message: Waiting, ports: SendPorts, *, now: Instant) -> Ready | Withheld | Later | TooLate:
    """What is to be done with a claimed message at `now`. Raises Unavailable when nobody can say; then nothing left."""
    if message.expires is not None and now >= message.expires:
        return TooLate()
    if message.channel not in ports.through:
        about = {"channel": message.channel.value}
        return Later(Instant(now + UNSERVED_WAIT), Reason("message-channel-unserved", "U3", about))
    refused = await _refused_by_its_kind(message, ports)
    if refused:
        return Withheld(refused)
    if message.message_class is MessageClass.SERVICE:
        sent = await ports.service_sent(message.person, Instant(now - DAY))
        slot = service_slot(message.facts, sent, now=now)
        if slot > now:
            return Later(slot, Reason("service-message-limit", "N2"))
    if TEMPLATES[message.template].own_address:
        return _to_its_own(message, ports)
    answer = await ports.open_channel(
        person=message.person,
        purpose=message.purpose,
        channel_item=message.address_item,
        with_name=await _may_greet(message, ports),
        case=message.case,
        carrier=ports.through[message.channel],
    )
    if isinstance(answer, Refused):
        return _told_first(message, answer.reasons, now)
    refused = await _refused_by_its_kind(message, ports)  # opening may have met a policy newer than step 2 and 3 knew
    if refused:
        return Withheld(refused)
    try:
        params = _parameters(message, ports)
    except errors.Refused as gone:
        return Withheld((Reason(gone.code, "R3"),))
    if TEMPLATES[message.template].worded:
        params.update(await ports.rules.worded(message))
    bound = params.pop(ONLY_TO, None)
    if bound is not None and not await _is_that_address(message.address_item, answer.value, str(bound), ports):
        return Withheld((Reason("message-channel-moved", "S6"),))
    held = Held() if ports.look_at is None else await ports.look_at(message, answer.value)
    if held.reason is not None:
        return Withheld((held.reason,))
    return Ready(answer.value, answer.name, params, held.digest)


def _told_first(message: Waiting, reasons: Sequence[Reason], now: Instant) -> Withheld | Later:
    """Refused; but what somebody waits for goes once they were told who carries it. Advertising never waits."""
    waits = message.message_class is not MessageClass.MARKETING and now < message.written + TELLING_TAKES
    if waits and reasons[0].code == _WAITS_FOR_TELLING:
        return Later(Instant(now + TELLING_WAIT), reasons[0])
    return Withheld(tuple(reasons))


def _to_its_own(message: Waiting, ports: SendPorts) -> Ready | Withheld:
    """What goes to an address its owner has still to prove: nothing of the person's is opened for it, so no permission
    is asked; but about somebody who is being erased nothing is written to anybody (R3)."""
    if message.erased:
        return Withheld((Reason("person-unknown", "R3"),))
    try:
        params = _parameters(message, ports)
    except errors.Refused as gone:
        return Withheld((Reason(gone.code, "R3"),))
    return Ready(str(params.pop("address")), None, params)


async def _is_that_address(item: str, address: str, digest: str, ports: SendPorts) -> bool:
    return ports.digest_of is not None and compare_digest((await ports.digest_of(item, address)).hex(), digest)


async def _refused_by_its_kind(message: Waiting, ports: SendPorts) -> tuple[Reason, ...]:
    if message.template not in TEMPLATES:  # written by an older program
        return (Reason("message-template-unknown", "U3", {"template": message.template}),)
    carrier = ports.through[message.channel]
    verdicts = (
        fits_purpose(message, await ports.rules.purpose(message.purpose)),
        may_go_through(carrier, await ports.rules.recipients(), purpose=message.purpose, item=message.address_item),
    )
    return tuple(reason for verdict in verdicts if not isinstance(verdict, Allow) for reason in verdict.reasons)


async def _may_greet(message: Waiting, ports: SendPorts) -> bool:
    """A name is asked for only where the words use it and the carrier is registered for it (L3, T1)."""
    if not TEMPLATES[message.template].greets or message.channel is not Channel.EMAIL:
        return False
    carrier, known = ports.through[message.channel], await ports.rules.recipients()
    return isinstance(may_go_through(carrier, known, purpose=message.purpose, item=ports.name_item), Allow)


def _parameters(message: Waiting, ports: SendPorts) -> dict[str, Value]:
    if message.sealed is None:
        return dict(message.facts)
    context = sealing_context(message.id)
    plain = ports.open_sealed(context, message.sealed, slot=message.person_slot)
    return {**message.facts, **unpack(plain)}
