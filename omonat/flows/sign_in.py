"""Sign in: a person proves control of a phone or e-mail with a one-time code, and nothing else opens their history.

1. `ask`: a code goes to the channel if it is the newest of somebody's; the answer is the same if it is nobody's. At the
   moment of sending the address must still be the one that was typed (`send`)
2. `enter`: the attempt is counted in the statement that compares; five attempts, ten minutes, one use
3. one person known by the channel: signed in. Several, a number unseen for three months (it may have been given to
   somebody else), or one that was never proved and came after another: a second proof is asked, the number of an order
   of theirs (`prove`), ten times a day at most
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from secrets import randbelow
from typing import Any

import msgspec

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, MINUTE, Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.web_sessions import WebSessions
from omonat.policy.kinds import normalise
from omonat.promises.messages import Channel, Message, put

_queries = load("omonat.promises.identity")
_LIFE = 10 * MINUTE
_RECYCLED = 90 * DAY
"""After about so long without use, operators give a number to somebody else."""
_PURPOSE = "account-codes"
_PROOFS_A_DAY = 10
_ANSWERS_AFTER = 0.2
_CHANNELS = {"contact.mobile": Channel.SMS, "contact.email": Channel.EMAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The person's web session began; `token` is for the cookie."""

    token: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondProofNeeded:
    """The channel is proved, but not whose history it opens; `token` goes into `prove`."""

    token: str


class SignIn:
    """The flow of signing in at the Privacy Center."""

    def __init__(self, grounds: Grounds, sessions: WebSessions) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._sessions = sessions
        self._clock = grounds.clock

    async def ask(self, typed: str, *, language: str, caller: str) -> str:
        """Send a code to a phone or e-mail; a ticket for `enter` comes back, whoever it was, and never sooner than a
        fifth of a second later: how long it took doesn't tell who is known.

        `caller` limits one network address. Raises BadInput for what is neither, Refused `too-many-codes`.
        """
        policy, now = await self._law.current(), self._clock()
        item = "contact.email" if "@" in typed else "contact.mobile"
        kind = policy.item(item).kind
        normal = normalise(kind, typed.strip(), country=policy.policy.controller.country)
        digests = self._vault.lookup_digests(item, normal.lookup or "")
        await self._limit(caller, digests[0], now)
        answered = asyncio.create_task(asyncio.sleep(_ANSWERS_AFTER))
        try:
            return await self._open(item, digests, language, now)
        finally:
            await answered

    async def _open(self, item: str, digests: list[bytes], language: str, now: Instant) -> str:
        ticket, code = new_id("cod"), f"{randbelow(1_000_000):06d}"
        async with self._database.transaction() as connection:
            await _queries.open_code(
                connection, id=ticket, door="me", item=item, digest=digests[0],
                older=digests[1] if len(digests) > 1 else None, code=self._code_digest(ticket, code),
                now=now, until=Instant(now + _LIFE),
            )  # fmt: skip
            reach("sign-in.code-opened")
            known = [row async for row in _queries.persons_by_lookup(connection, digests=digests, item=item)]
            if known:
                await self._send(connection, known[0], item, digests[0], language=language, code=code, now=now)
            reach("sign-in.code-written")
        reach("sign-in.code-committed")
        return ticket

    async def enter(self, ticket: str, code: str) -> SignedIn | SecondProofNeeded:
        """Try a code. Raises Refused `code-wrong` for a wrong, used, ended or unknown one: nobody learns which."""
        now = self._clock()
        async with self._database.connection() as connection:
            row = await _queries.try_code(connection, id=ticket, code=self._code_digest(ticket, code.strip()), now=now)
            reach("sign-in.tried")
            if row is None or not row["right"]:
                raise Refused("code-wrong")
            digests = [digest for digest in (row["digest"], row["older"]) if digest is not None]
            known = [
                person async for person in _queries.persons_by_lookup(connection, digests=digests, item=row["item"])
            ]
        if not known:
            raise Refused("code-wrong")
        if len(known) == 1 and opens(known[0], now):
            return await self._begin(known[0]["id"], row["item"], digests, now)
        proved = msgspec.json.encode({"item": row["item"], "digests": [digest.hex() for digest in digests]})
        return SecondProofNeeded(token=await self._sessions.open("proof", ticket, proved))

    async def prove(self, token: str, order: str) -> SignedIn:
        """The second proof: an order number of the person's own. Five tries, and ten a day for one channel, however
        many codes were asked for. Raises Refused `proof-wrong`."""
        now = self._clock()
        session = await self._sessions.find("proof", token)
        if session is None:
            raise Refused("code-wrong")
        proved = msgspec.json.decode(session.state)
        digests, item = [bytes.fromhex(digest) for digest in proved["digests"]], proved["item"]
        tries = await self._count(f"proof:{session.holder}", HOUR, now)
        today = await self._count(f"proofs:{item}:{digests[0].hex()}", DAY, now) if tries <= 5 else 0
        if tries > 5 or today > _PROOFS_A_DAY:
            await self._sessions.end(token)
            raise Refused("code-wrong")
        case = order.strip() if ":" in order else f"order:{order.strip()}"
        async with self._database.connection() as connection:
            person = await _queries.person_by_case(connection, case_id=case, digests=digests, item=item)
        if person is None:
            raise Refused("proof-wrong")
        await self._sessions.end(token)
        return await self._begin(person, item, digests, now)

    async def _begin(self, person: str, item: str, digests: list[bytes], now: Instant) -> SignedIn:
        async with self._database.transaction() as connection:
            await _queries.verify_channel(connection, person=person, item=item, digests=digests, now=now)
            reach("sign-in.verified")
            entry = Entry(new_id("ev"), now, "access:person:signed-in", {"channel": item}, (person,))
            await self._journal.append(connection, [entry], now=now)
            reach("sign-in.recorded")
        reach("sign-in.committed")
        return SignedIn(token=await self._sessions.open("me", person), person=person)

    async def _send(
        self, connection: Any, person: Any, item: str, digest: bytes, *, language: str, code: str, now: Instant
    ) -> None:
        message = Message(
            person=person["id"], template="sign-in-code", purpose=_PURPOSE, channel=_CHANNELS[item],
            address_item=item, language=language, params={"code": code, "minutes": _LIFE // MINUTE}, only_to=digest,
        )  # fmt: skip
        await put(connection, message, seal=partial(self._vault.seal_value, slot=person["slot"]), now=now)

    async def _limit(self, caller: str, digest: bytes, now: Instant) -> None:
        channel = await self._count(f"codes:{digest.hex()}", HOUR, now)
        network = await self._count(f"codes-from:{caller}", HOUR, now)
        if channel > 5 or network > 60:
            raise Refused("too-many-codes")

    async def _count(self, key: str, window: int, now: Instant) -> int:
        async with self._database.connection() as connection:
            taken: int = await _queries.count_rate(
                connection, key=self._vault.keyed_digest("rate", key.encode()), window=_interval(window), now=now
            )
        return taken

    def _code_digest(self, ticket: str, code: str) -> bytes:
        return self._vault.keyed_digest("sign-in-code", sha256(f"{ticket}:{code}".encode()).digest())


def opens(known: Any, now: Instant) -> bool:
    """Whether the channel alone opens this person's history: proved or their only one, and seen lately."""
    proved = known["verified_at"]
    seen = max(known["since"], proved or Instant(0))
    return bool(proved is not None or known["only"]) and now - seen < _RECYCLED


def _interval(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


__all__ = ["BadInput", "SecondProofNeeded", "SignIn", "SignedIn"]
