"""Confirm: what can't be undone is confirmed by a fresh code to a channel that was known before (R3, Q1, S6).

An open browser is not its owner. The code is bound to the person and to the one act it was asked for: a code for one
record deletes nothing else, and one for signing in confirms nothing. Five attempts, ten minutes, one use, five an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from secrets import randbelow
from typing import Any, Final, Literal

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import HOUR, MINUTE, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.promises.messages import Channel, Message, put

_queries = load("omonat.promises.identity")
_PURPOSE: Final = "account-codes"
_LIFE: Final = 10 * MINUTE
_AN_HOUR: Final = 5
CHANNELS: Final[Mapping[str, Channel]] = {"contact.mobile": Channel.SMS, "contact.email": Channel.EMAIL}

Deed = Literal["delete-all", "delete-part", "delete-child", "correct"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of one person. `exactly` says what it is about, in ids and names: the code holds for that alone."""

    person: str
    deed: Deed
    exactly: str = ""


class Confirm:
    """Sends codes for acts, and tries them."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault

    async def channels(self, person: str) -> tuple[str, ...]:
        """The items to which a code can go: of each kind the newest that is held, as `contact.mobile`."""
        async with self._database.connection() as connection:
            found = _queries.channels_of(connection, person=person, items=list(CHANNELS))
            return tuple(sorted([row["item"] async for row in found], key=list(CHANNELS).index))

    async def proved_last(self, person: str) -> str:
        """The item of the channel proved last, which is the one the person signed in by: a code there is one that
        somebody at an open browser doesn't get. Raises Refused `channel-unknown`."""
        async with self._database.connection() as connection:
            rows = [r async for r in _queries.channels_of(connection, person=person, items=list(CHANNELS))]
        if not rows:
            raise Refused("channel-unknown")
        return str(max(rows, key=lambda row: (row["verified_at"] or Instant(0), row["since"]))["item"])

    async def ask(self, act: Act, item: str, *, language: str) -> str:
        """Send a code to the person's newest channel of this kind; a ticket for `enter` comes back.

        Raises Refused `too-many-codes`, `channel-unknown`, `person-unknown`.
        """
        now = self._grounds.clock()
        await self._limit(f"confirm:{act.person}", now)
        async with self._database.transaction() as connection:
            person = await self.person(connection, act.person)
            known = {row["item"]: row async for row in _queries.channels_of(
                connection, person=act.person, items=list(CHANNELS)
            )}  # fmt: skip
            if item not in known:
                raise Refused("channel-unknown")
            digest = known[item]["digest"]
            ticket, code = await self._open(connection, act, item, digest, now)
            message = Message(
                person=act.person, template="confirm-code", purpose=_PURPOSE, channel=CHANNELS[item],
                address_item=item, language=language, only_to=digest,
                params={"code": code, "minutes": _LIFE // MINUTE, "act": act.deed},
            )  # fmt: skip
            await put(connection, message, seal=partial(self._vault.seal_value, slot=person["slot"]), now=now)
            reach("confirm.code-written")
        reach("confirm.code-committed")
        return ticket

    async def ask_new(self, act: Act, item: str, address: str, digest: bytes, *, language: str) -> str:
        """Send a code to an address that isn't the person's yet: whoever reads it there holds it.

        Strangers' addresses get no more codes than by signing in. Raises as `ask`.
        """
        now = self._grounds.clock()
        await self._limit(f"confirm:{act.person}", now)
        await self._limit(f"codes:{digest.hex()}", now)
        async with self._database.transaction() as connection:
            person = await self.person(connection, act.person)
            ticket, code = await self._open(connection, act, item, digest, now)
            message = Message(
                person=act.person, template="new-channel-code", purpose=_PURPOSE, channel=CHANNELS[item],
                address_item=item, language=language,
                params={"code": code, "minutes": _LIFE // MINUTE, "address": address},
            )  # fmt: skip
            await put(connection, message, seal=partial(self._vault.seal_value, slot=person["slot"]), now=now)
            entry = new_id("ev")
            whose = self._vault.commitment(
                evidence_slot=person["evidence_slot"], entry=entry, field="person", value=act.person
            )
            asked = Entry(entry, now, "correction:channel:asked", {"channel": item, "person": whose}, (act.person,))
            await self._grounds.journal.append(connection, [asked], now=now)
            reach("confirm.new-channel-asked")
        return ticket

    async def person(self, connection: Any, person: str) -> Any:
        """Somebody who may act here. Raises Refused `person-unknown`: erased, or closed for everybody."""
        found = await _queries.person_to_ask(connection, id=person)
        if found is None:
            raise Refused("person-unknown")
        return found

    async def _open(self, connection: Any, act: Act, item: str, digest: bytes, now: Instant) -> tuple[str, str]:
        ticket, code = new_id("cod"), f"{randbelow(1_000_000):06d}"
        await _queries.open_code(
            connection, id=ticket, door="confirm", item=item, digest=digest, older=None,
            code=self._digest(ticket, act, code), now=now, until=Instant(now + _LIFE),
        )  # fmt: skip
        return ticket, code

    async def enter(self, ticket: str, act: Act, code: str) -> None:
        """Try a code. Raises Refused `code-wrong` for a wrong, used, ended or unknown one, and for another act's."""
        now = self._grounds.clock()
        async with self._database.connection() as connection:  # the attempt counts, whatever comes of it
            row = await _queries.try_code(connection, id=ticket, code=self._digest(ticket, act, code.strip()), now=now)
        reach("confirm.tried")
        if row is None or not row["right"]:
            raise Refused("code-wrong")
        async with self._database.transaction() as connection:
            person = await self.person(connection, act.person)
            await self._note(connection, act, row["item"], [row["digest"]], person)
            reach("confirm.recorded")

    async def _note(self, connection: Any, act: Act, item: str, digests: list[bytes], person: Any) -> None:
        now, entry = self._grounds.clock(), new_id("ev")
        await _queries.verify_channel(connection, person=act.person, item=item, digests=digests, now=now)
        whose = self._vault.commitment(
            evidence_slot=person["evidence_slot"], entry=entry, field="person", value=act.person
        )
        facts = {"channel": item, "deed": act.deed, "person": whose}
        confirmed = Entry(entry, now, "access:person:confirmed", facts, (act.person,))
        await self._grounds.journal.append(connection, [confirmed], now=now)

    async def _limit(self, of: str, now: Instant) -> None:
        key = self._vault.keyed_digest("rate", of.encode())
        async with self._database.connection() as connection:
            taken: int = await _queries.count_rate(connection, key=key, window=timedelta(microseconds=HOUR), now=now)
        if taken > _AN_HOUR:
            raise Refused("too-many-codes")

    def _digest(self, ticket: str, act: Act, code: str) -> bytes:
        bound = "\n".join((ticket, act.person, act.deed, act.exactly, code))
        return self._vault.keyed_digest("confirm-code", sha256(bound.encode()).digest())
