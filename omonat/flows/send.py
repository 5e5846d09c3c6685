"""Sending one message: ask the policy and open the address at that very moment, never earlier (N2, C3, U5, T1).

1. A message whose time has passed is not sent.
2. Its class must fit its purpose's lawful basis as the policy stands now (N2, U5).
3. The relay or gateway must be registered for this purpose and this item (T1).
4. A service message keeps the daily limit (N2).
5. The verdict: `open_channel` decides, writes the evidence, and opens the address. A withdrawal acknowledged before
   this step is obeyed, whatever campaign is running (C3).
6. The sealed parameters are opened.

The caller still owes: rendering, the durable mark before the network, the hand-over, the end (the mail door).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, Reason
from omonat.promises.messages import (
    Channel,
    MessageClass,
    Recipient,
    Value,
    Waiting,
    class_fits_basis,
    may_go_through,
    sealing_context,
    service_slot,
    unpack,
)


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
        self, *, person: str, purpose: str, channel_item: str, case: str | None, now: Instant
    ) -> Allowed | Refused: ...


class OpenSealed(Protocol):
    """Opens what `Seal` sealed for this person and context. Raises Unavailable or Fault."""

    async def __call__(self, *, person: str, context: str, sealed: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SendPorts:
    """What the flow needs from the rest of the house, handed in by the wiring.

    `basis_of` gives a purpose's lawful basis in the policy in force, None where it has no such purpose. `registered`
    gives the recipients the policy registers. `through` names the one that carries each channel. `service_sent` gives
    the instants of service messages to a person since an instant.
    """

    open_channel: OpenChannel
    open_sealed: OpenSealed
    basis_of: Callable[[str], str | None]
    registered: Callable[[], Mapping[str, Recipient]]
    through: Mapping[Channel, str]
    service_sent: Callable[[str, Instant], Awaitable[Sequence[Instant]]]


@dataclass(frozen=True, slots=True)
class Ready:
    """May be handed over now: the address, the person's name where allowed, and every parameter."""

    address: str = field(repr=False)
    name: str | None = field(repr=False)
    params: Mapping[str, Value] = field(repr=False)


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
    refused = _refused_by_its_kind(message, ports)
    if refused:
        return Withheld(refused)
    if message.message_class is MessageClass.SERVICE:
        sent = await ports.service_sent(message.person, Instant(now - DAY))
        slot = service_slot(message.facts, sent, now=now)
        if slot > now:
            return Later(slot, Reason("service-message-limit", "N2"))
    answer = await ports.open_channel(
        person=message.person,
        purpose=message.purpose,
        channel_item=message.address_item,
        case=message.case,
        now=now,
    )
    if isinstance(answer, Refused):
        return Withheld(answer.reasons)
    return Ready(answer.value, answer.name, await _parameters(message, ports))


def _refused_by_its_kind(message: Waiting, ports: SendPorts) -> tuple[Reason, ...]:
    carrier = ports.through.get(message.channel)
    if carrier is None:
        return (Reason("message-channel-unserved", "U3", {"channel": message.channel.value}),)
    verdicts = (
        class_fits_basis(message.message_class, message.purpose, ports.basis_of(message.purpose)),
        may_go_through(carrier, ports.registered(), purpose=message.purpose, item=message.address_item),
    )
    return tuple(reason for verdict in verdicts if not isinstance(verdict, Allow) for reason in verdict.reasons)


async def _parameters(message: Waiting, ports: SendPorts) -> dict[str, Value]:
    if message.sealed is None:
        return dict(message.facts)
    context = sealing_context(message.id)
    plain = await ports.open_sealed(person=message.person, context=context, sealed=message.sealed)
    return {**message.facts, **unpack(plain)}
