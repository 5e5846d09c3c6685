"""Which way a notice takes to each person, and the message that goes with it: shared by all that is told to many (N2).

The address is not known here and isn't asked for: whether there is one, and whether it may be used, are two questions,
and the second is asked when the message leaves.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg

from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.policy.model import Purpose
from omonat.promises.messages import Channel, Message, Value, put_many
from omonat.promises.notice.rule import ADDRESSES, CENTER, EMAIL, SMS, ways


class Way(NamedTuple):
    """How a notice goes to a person. `message` is the id of its message; empty where it waits in the Privacy Center."""

    person: str
    channel: str
    language: str
    message: str


def first_way(purpose: Purpose | None, row: Any) -> Way:
    """The first way there is. `row` has `id`, `language`, `has_email`, `has_mobile`."""
    channel = ways(purpose, has_email=row["has_email"], has_mobile=row["has_mobile"])
    return _way(row["id"], channel, row["language"])


def next_way(purpose: Purpose | None, row: Any) -> Way:
    """The way after the one that led nowhere. `row` has `person`, `language`, `channel`, `has_mobile`."""
    channel = ways(purpose, has_email=False, has_mobile=row["has_mobile"], after=row["channel"])
    return _way(row["person"], channel, row["language"])


def _way(person: str, channel: str, language: str) -> Way:
    return Way(person, channel, language, "" if channel == CENTER else new_id("msg"))


def by_way(chosen: Sequence[Way]) -> dict[str, int]:
    """How many take each way."""
    return {channel: sum(one.channel == channel for one in chosen) for channel in (EMAIL, SMS, CENTER)}


async def put_messages(
    connection: asyncpg.Connection,
    chosen: Sequence[Way],
    *,
    template: str,
    purpose: Purpose | None,
    about: Callable[[Way], Mapping[str, Value]],
    once: str,
    now: Instant,
) -> None:
    """Put what doesn't wait in the Privacy Center into the outbox. `once` and the channel name it, for each person."""
    messages = {
        way.message: Message(
            person=way.person,
            template=template,
            purpose="" if purpose is None else purpose.id,
            channel=Channel(way.channel),
            address_item=ADDRESSES[way.channel],
            language=way.language,
            params=about(way),
            once=f"{once}:{way.channel}",
        )
        for way in chosen
        if way.message
    }
    if messages:
        await put_many(connection, messages, now=now)
