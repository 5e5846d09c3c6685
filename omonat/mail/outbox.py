"""The outbox as the mail door sees it: claims, leases and ends. One statement per step, each fenced by the claim.

    waiting ──claim──▶ claimed ──begin──▶ handing-over ──▶ sent | failed | uncertain
       ▲                  │ refused, expired      │
       └────put off───────┴───────────────────────┘

A worker that dies while `claimed` has sent nothing: the row is taken again when its lease ends. One that dies while
`handing-over` leaves an unknown outcome. An e-mail then goes again under the same Message-ID (at least once: a copy is
possible, mail systems recognise it). An SMS, and marketing of any kind (I9), does not (at most once): `uncertain`.
"""

from enum import StrEnum
from typing import Any

from omonat.base.ids import new_id
from omonat.base.instants import DAY, MINUTE, Instant
from omonat.database import statements
from omonat.database.pool import Database
from omonat.promises.messages import Channel, MessageClass, Waiting, service_slot

CLAIM_LEASE = 2 * MINUTE
"""How long a worker may take from the claim to the hand-over."""
HAND_OVER_LEASE = 5 * MINUTE
"""Longer than any hand-over may last (`carriers.LONGEST`), so that two never overlap."""
KEEP_SETTLED = 30 * DAY
"""How long a settled row stays: for the daily limit, for bounces, for the person's question whether we wrote."""

_BATCH = 500
_queries = statements.load("omonat.mail")


class End(StrEnum):
    """How a message ended; see the migration for the words."""

    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"


class Outbox:
    """The statements of the outbox on one database. Every change names the claim; a lost one changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_due(self, *, most: int, now: Instant) -> list[Waiting]:
        """Up to `most` due messages, ours for `CLAIM_LEASE` under a claim of their own; the most urgent class first."""
        claim, until = new_id("claim"), now + CLAIM_LEASE
        async with self._database.transaction() as connection:
            found = _queries.claim_due(connection, now=now, most=most, claim=claim, until=until)
            return [_waiting(row) async for row in found]

    async def begin_hand_over(self, message: Waiting, *, now: Instant, sent_to: bytes | None = None) -> bool:
        """Whether the message may be handed over now; False when the claim was lost or has run out, or when the day's
        service messages of this person have begun to go since it was asked (N2): it is asked again once its lease ends.
        Where the person has chosen otherwise since the claim, it is asked again at once (I2, C3). `sent_to` is what is
        kept of the address.
        """
        async with self._database.transaction() as connection:
            person = await _queries.lock_person(connection, person=message.person)  # one at a time
            if person is None or _chosen(person) != message.chosen:
                await _queries.put_off(
                    connection, person=message.person, id=message.id, claim=message.claim, due=now, code=None, unspent=1
                )
                return False
            if "campaign" in message.facts and not await _queries.campaign_runs(
                connection, id=message.facts["campaign"]
            ):
                return False  # stopped: the flow takes back what hasn't begun
            if message.message_class is MessageClass.SERVICE:
                begun = [row["at"] async for row in _queries.service_begun(
                    connection, person=message.person, since=now - DAY, now=now
                )]  # fmt: skip
                if service_slot(message.facts, begun, now=now) > now:
                    return False
            begun_now = await _queries.begin_hand_over(
                connection,
                person=message.person,
                id=message.id,
                claim=message.claim,
                until=now + HAND_OVER_LEASE,
                now=now,
                sent_to=sent_to,
            )
            return begun_now is not None

    async def put_off(self, message: Waiting, *, until: Instant, code: str | None, spent: bool) -> bool:
        """Back into the queue until `until`; `spent` False gives the attempt back, because nothing was tried."""
        return await self._change("put_off", message, due=until, code=code, unspent=0 if spent else 1)

    async def settle(self, message: Waiting, end: End, *, code: str | None = None, now: Instant) -> bool:
        """The end of the message; its sealed parameters are removed."""
        return await self._change("settle", message, state=end.value, code=code, now=now)

    async def mend_interrupted(self, *, now: Instant) -> int:
        """Take up the hand-overs whose worker died; how many there were."""
        async with self._database.transaction() as connection:
            return len([row async for row in _queries.mend_interrupted(connection, now=now, most=_BATCH)])

    async def service_sent(self, person: str, *, since: Instant) -> list[Instant]:
        """When service messages went to this person after `since`, in no order."""
        async with self._database.connection() as connection:
            return [row["settled_at"] async for row in _queries.service_sent(connection, person=person, since=since)]

    async def prune(self, *, now: Instant) -> int:
        """Remove a batch of rows settled longer than `KEEP_SETTLED` ago; how many."""
        async with self._database.transaction() as connection:
            gone: int = await _queries.prune(connection, before=now - KEEP_SETTLED, most=_BATCH)
            return gone

    async def open_counts(self) -> dict[tuple[str, str], int]:
        """How many messages are on their way, by class and state."""
        async with self._database.connection() as connection:
            found = _queries.open_counts(connection)
            return {(row["class"], row["state"]): row["many"] async for row in found}

    async def _change(self, statement: str, message: Waiting, **values: Any) -> bool:
        async with self._database.transaction() as connection:
            change = getattr(_queries, statement)
            done = await change(connection, person=message.person, id=message.id, claim=message.claim, **values)
            return done is not None


def _chosen(row: Any) -> tuple[Any, ...]:
    return row["standing"], row["restricted_at"], row["quarantined_at"], row["erased_at"]


def _waiting(row: Any) -> Waiting:
    return Waiting(
        id=row["id"],
        claim=row["claim"],
        person=row["person"],
        person_slot=row["person_slot"],
        template=row["template"],
        message_class=MessageClass(row["class"]),
        purpose=row["purpose"],
        channel=Channel(row["channel"]),
        address_item=row["address_item"],
        language=row["language"],
        case=row["case_id"],
        facts=row["facts"],
        sealed=row["sealed"],
        attempt=row["attempts"],
        written=row["created_at"],
        expires=row["expires_at"],
        chosen=_chosen(row),
        erased=row["erased_at"] is not None,
    )
