"""Writing messages into the outbox, inside the transaction of the flow that has something to say."""

from collections.abc import Callable, Mapping

import asyncpg
import msgspec

from omonat.base.errors import BadInput
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database import statements
from omonat.database.pool import Database
from omonat.promises.messages.facts import Message, Value
from omonat.promises.messages.rule import check

_queries = statements.load(__package__)


BEGINS_WITHIN = 4.0
"""Seconds after the durable mark within which a carrier begins to hand a message over, or leaves it (I2)."""

ONLY_TO = "only-to"
"""Beside the sealed parameters: the digest of the one address the message may go to."""

Seal = Callable[[str, bytes], bytes]
"""Seals a value bound to a context, under the person's key: `partial(vault.seal_value, slot=person_slot)`."""


def sealing_context(message_id: str) -> str:
    """What the sealed parameters of a message are bound to: this message and no other."""
    return f"outbox:{message_id}"


async def put(connection: asyncpg.Connection, message: Message, *, seal: Seal, now: Instant) -> str | None:
    """Write one message; it leaves when the transaction of `connection` has committed. Returns its id.

    None when a message with the same `once` was written for this person before. Raises BadInput (`check`), and
    whatever `seal` raises; then nothing is written.
    """
    template = check(message)
    message_id = new_id("msg")
    values = {name: value for name, value in message.params.items() if name in template.sealed}
    if message.only_to is not None:
        values[ONLY_TO] = message.only_to.hex()
    sealed = None
    if values:
        sealed = seal(sealing_context(message_id), pack(values))
    written: str | None = await _queries.put_message(
        connection,
        id=message_id,
        person=message.person,
        template=template.id,
        message_class=template.message_class.value,
        purpose=message.purpose,
        channel=message.channel.value,
        address_item=message.address_item,
        language=message.language,
        case_id=message.case,
        once=message.once,
        facts={name: value for name, value in message.params.items() if name in template.open},
        sealed=sealed,
        due=message.due or now,
        expires=None if template.lifetime is None else (message.due or now) + template.lifetime,
        now=now,
    )
    return written


async def put_many(connection: asyncpg.Connection, messages: Mapping[str, Message], *, now: Instant) -> None:
    """Write many messages by id at once, of templates that have nothing to seal; as `put` in everything else.

    Raises BadInput (`check`); then nothing is written.
    """
    templates = [check(message) for message in messages.values()]
    if any(template.sealed for template in templates):
        raise BadInput("message-parameters-wrong", template="", declared="")
    every = list(messages.values())
    await _queries.put_messages(
        connection,
        ids=list(messages),
        people=[message.person for message in every],
        templates=[template.id for template in templates],
        classes=[template.message_class.value for template in templates],
        purposes=[message.purpose for message in every],
        channels=[message.channel.value for message in every],
        items=[message.address_item for message in every],
        languages=[message.language for message in every],
        once=[message.once for message in every],
        facts=[dict(message.params) for message in every],
        expires=[None if template.lifetime is None else now + template.lifetime for template in templates],
        now=now,
    )


async def under_way(database: Database, person: str, *, purpose: str, now: Instant) -> bool:
    """Whether a message to this person is being handed over; of one purpose, or of any when it is empty."""
    async with database.connection() as connection:
        found: bool = await _queries.under_way(connection, person=person, purpose=purpose, now=now)
    return found


async def forget(connection: asyncpg.Connection, person: str) -> int:
    """Remove every message of a person, sent or not (R3: swept); how many there were."""
    gone: int = await _queries.forget_messages(connection, person=person)
    return gone


def pack(values: Mapping[str, Value]) -> bytes:
    """The parameters as the bytes that are sealed."""
    return msgspec.json.encode(values)


def unpack(plain: bytes) -> dict[str, Value]:
    """The parameters that `pack` wrote."""
    return msgspec.json.decode(plain, type=dict[str, str | int])
