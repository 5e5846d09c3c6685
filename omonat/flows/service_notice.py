"""Service notices: what the company has to tell many people, by its own words (N2): an error, a breach, a change.

One person writes it in three languages and says for whom by rule; another approves it, and states by that that it is no
advertising and names nobody. Telling is another flow (`omonat.flows.tell_many`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import asyncpg

from omonat.base.errors import BadInput
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.announce import digest, plain, worded
from omonat.flows.grounds import Also, Grounds
from omonat.flows.officers import Officers, require_words
from omonat.promises.messages.facts import SERVICE_KINDS
from omonat.promises.notice.words import Said

_queries = load("omonat.promises.notice", "service_rounds.sql")
PROMISE: Final = "N2"
Audience = Literal["everybody", "service", "people", "clients"]
_MOST: Final = 200
_MOST_PEOPLE: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNotice:
    """What to tell, and whom: everybody, those with records of a `service`, `people` by their ids, or whoever is to be
    told at a business client: its contacts, and sole traders themselves."""

    kind: str
    said: Said
    audience: Audience
    service: str | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRound:
    """How far one is. `counts` are notices by (way, state); `searched`: everybody it is for has been looked at."""

    id: str
    kind: str
    audience: Audience
    service: str | None
    said: Said
    written_by: str
    written_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    searched: Instant | None
    counts: Mapping[tuple[str, str], int]
    entries: Mapping[str, str]


class ServiceNotices:
    """The flow of writing and approving. `by` are staff refs."""

    def __init__(self, grounds: Grounds, officers: Officers) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self.officers = officers

    async def write(self, notice: ServiceNotice, *, by: str, also: Also[ServiceRound] | None = None) -> ServiceRound:
        """Write one; nobody is told before a second person approved it.

        Raises BadInput (`words-…`, `service-kind-unknown`, `service-unknown`, `audience-unclear`, `people-unknown`),
        Refused (`omonat.flows.officers`).
        """
        policy = await self._law.current()
        require_words(policy, notice.said, PROMISE)
        if notice.kind not in SERVICE_KINDS:
            raise BadInput("service-kind-unknown", known=", ".join(sorted(SERVICE_KINDS)))
        if (notice.audience == "service") != (notice.service is not None) or (notice.audience == "people") != bool(
            notice.people
        ):
            raise BadInput("audience-unclear")
        if notice.service is not None and notice.service not in policy.forms:
            raise BadInput("service-unknown", service=notice.service, nearest=", ".join(policy.forms))
        now, round_, entry = self._clock(), new_id("rnd"), new_id("ev")
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            await _queries.write_round(
                connection, id=round_, kind=notice.kind, audience=notice.audience, service=notice.service,
                said=plain(notice.said), by=writer, now=now, entries={"written": entry},
            )  # fmt: skip
            await self._choose(connection, round_, notice.people, now)
            facts = {
                "round": round_,
                "kind": notice.kind,
                "audience": notice.audience,
                "service": notice.service or "",
                "people": len(set(notice.people)),
                "words": digest(notice.said),
                "staff": writer,
            }
            await self._journal.append(connection, [Entry(entry, now, "notice:service:written", facts)], now=now)
            reach("service-notice.written")
            written = await self._read(connection, round_)
            if also is not None:
                await also(connection, written)
        reach("service-notice.write-committed")
        return written

    async def approve(self, round_: str, *, by: str) -> ServiceRound:
        """The second person agrees, and people are told. Again, it changes nothing.

        Raises BadInput `service-notice-unknown`, Refused (`omonat.flows.officers`).
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            row = await _queries.round_for_update(connection, id=round_)
            if row is None:
                raise BadInput("service-notice-unknown")
            if row["approved_at"] is None:
                approver = await self.officers.approver(connection, by, PROMISE, of=row["written_by"])
                await _queries.approve_round(connection, id=round_, by=approver, now=now, entries={"approved": entry})
                facts = {
                    "round": round_,
                    "kind": row["kind"],
                    "words": digest(worded(row["said"])),
                    "writer": row["written_by"],
                    "approver": approver,
                    "states": "no-advertising",
                }
                await self._journal.append(connection, [Entry(entry, now, "notice:service:approved", facts)], now=now)
                reach("service-notice.approved")
            approved = await self._read(connection, round_)
        reach("service-notice.approve-committed")
        return approved

    async def show(self, round_: str) -> ServiceRound:
        """One, with how far it is. Raises BadInput `service-notice-unknown`."""
        async with self._database.connection() as connection:
            return await self._read(connection, round_)

    async def every(self) -> Sequence[ServiceRound]:
        """The newest, also what waits for approval."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.service_rounds(connection, most=_MOST)]
            return [await _with_counts(connection, row) for row in rows]

    @staticmethod
    async def _choose(connection: asyncpg.Connection, round_: str, people: Sequence[str], now: Instant) -> None:
        wanted = sorted(set(people))
        if len(wanted) > _MOST_PEOPLE:
            raise BadInput("audience-unclear")
        if wanted:
            found = await _queries.choose_people(connection, round=round_, people=wanted, now=now)
            if found != len(wanted):
                raise BadInput("people-unknown", many=str(len(wanted) - found))

    @staticmethod
    async def _read(connection: asyncpg.Connection, round_: str) -> ServiceRound:
        row = await _queries.service_round(connection, id=round_)
        if row is None:
            raise BadInput("service-notice-unknown")
        return await _with_counts(connection, row)


async def _with_counts(connection: asyncpg.Connection, row: Any) -> ServiceRound:
    counts = {
        (one["channel"], one["state"]): one["many"]
        async for one in _queries.counts_of(connection, round=row["id"])
        if one["state"] != "chosen"
    }
    return ServiceRound(
        id=row["id"], kind=row["kind"], audience=row["audience"], service=row["service"], said=worded(row["said"]),
        written_by=row["written_by"], written_at=row["written_at"], approved_by=row["approved_by"],
        approved_at=row["approved_at"], searched=row["searched_at"], counts=counts, entries=row["entries"],
    )  # fmt: skip
