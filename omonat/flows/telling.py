"""Tell people of a new version: each person its news concern, once, and by the way there is (P2, N2).

1. the newest version is compared with the one each person was told of: whose data does something new reach?
2. they are looked for in pages; each gets a notice and, where there is an address, its message in the outbox, in one
   transaction with how far the search has come: whatever is cut off goes on there, and nobody is written to twice
3. what failed, or came back, takes the next way: e-mail, SMS, the Privacy Center
4. what was handed over and can't come back any more has told them: `told` advances, with an entry for each person

Any number of workers may run it: a round is claimed, notices are claimed row by row. The new use is refused for each
until then; that is the rule of use, not this flow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.notice_ways import Way, by_way, first_way, next_way, put_messages
from omonat.flows.told import write_told
from omonat.policy.changes import reached_by_told
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.notice.rule import EMAIL, RETURNS_WITHIN, SMS, is_to_search, notice_purpose

_queries = load("omonat.promises.notice")
_PAGE: Final = 2_000
_SETTLED_AT_ONCE: Final = 500
TEMPLATE: Final = "policy-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one call did: notices written, sent another way, and people told. `more`: there is more to do at once."""

    queued: int = 0
    moved: int = 0
    told: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far the telling of one version is. `counts` are notices by (way, state)."""

    version: str
    begun: Instant
    searched: Instant | None
    searching: bool
    counts: Mapping[tuple[str, str], int]


class TellPeople:
    """The flow of telling, in steps that may be cut off anywhere."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._reaches: tuple[int, tuple[tuple[int, int, str, str], ...]] = (0, ())

    async def round(self) -> Progress:
        """One bounded step of each kind. Raises Unavailable; then what was done before stays done."""
        history = await self._law.known()
        queued, more = await self._queue(history)
        moved = await self._take_next_ways(history)
        told = await self._settle(history)
        full = more or moved == _SETTLED_AT_ONCE or told >= _SETTLED_AT_ONCE
        return Progress(queued=queued, moved=moved, told=told, more=full)

    async def status(self) -> list[Round]:
        """Every version people are told of, newest first."""
        history = await self._law.known()
        async with self._database.connection() as connection:
            rounds = [row async for row in _queries.rounds(connection)]
            found = []
            for row in rounds:
                counts = {
                    (one["channel"], one["state"]): one["many"]
                    async for one in _queries.round_counts(connection, version=row["version"])
                }
                found.append(
                    Round(
                        version=history[row["version"] - 1].version,
                        begun=row["begun_at"],
                        searched=row["looked_at"],
                        searching=bool(row["reached"]) or row["looked_at"] is None,
                        counts=counts,
                    )
                )
        return found

    async def came_back(self, message: str) -> str | None:
        """A message was returned. What its notice was until now: only one `handed-over` is sent another way; None for a
        message that is no notice."""
        async with self._database.transaction() as connection:
            row = await _queries.give_back(connection, message=message, now=self._clock())
        return None if row is None else str(row["state"])

    async def _queue(self, history: Sequence[CompiledPolicy]) -> tuple[int, bool]:
        """Write the notices of the next page of people; how many, and whether there may be more."""
        reaches = self._new_to(history)
        if not reaches:
            return 0, False
        newest, now = history[-1], self._clock()
        await self._begin(newest, now)
        async with self._database.transaction() as connection:
            row = await _queries.claim_round(connection, version=newest.ordinal)
            if row is None or not is_to_search(bool(row["reached"]), row["looked_at"], now):
                return 0, False
            told, since, services, categories = (list(column) for column in zip(*reaches, strict=True))
            page = [
                found
                async for found in _queries.concerned(
                    connection, version=newest.ordinal, after=row["reached"], most=_PAGE,
                    told=told, since=since, services=services, categories=categories,
                )
            ]  # fmt: skip
            queued = await self._write(connection, history, page, now)
            whole = len(page) < _PAGE
            await _queries.move_round(
                connection, version=newest.ordinal,
                reached="" if whole else page[-1]["id"], looked_at=now if whole else row["looked_at"],
            )  # fmt: skip
            reach("notices.queued")
        reach("notices.queue-committed")
        return queued, not whole

    def _new_to(self, history: Sequence[CompiledPolicy]) -> tuple[tuple[int, int, str, str], ...]:
        if self._reaches[0] != len(history):
            self._reaches = (len(history), reached_by_told(history) if len(history) > 1 else ())
        return self._reaches[1]

    async def _begin(self, newest: CompiledPolicy, now: Instant) -> None:
        async with self._database.transaction() as connection:
            entry = new_id("ev")
            if await _queries.begin_round(connection, version=newest.ordinal, now=now, entry=entry) is not None:
                facts = {"version": newest.version, "ordinal": newest.ordinal, "digest": newest.digest}
                await self._journal.append(connection, [Entry(entry, now, "notice:round:begun", facts)], now=now)
                reach("notices.begun")

    async def _write(
        self, connection: asyncpg.Connection, history: Sequence[CompiledPolicy], page: Sequence[Any], now: Instant
    ) -> int:
        """Notices and their messages; only for people who had none of this version yet."""
        if not page:
            return 0
        purpose, newest = notice_purpose(history[-1]), history[-1]
        since = {row["id"]: row["told"] for row in page}
        chosen = [first_way(purpose, row) for row in page]
        new = {
            row["person"]
            async for row in _queries.add_notices(
                connection, version=newest.ordinal, now=now, people=[way.person for way in chosen],
                since=[since[way.person] for way in chosen], channels=[way.channel for way in chosen],
                messages=[way.message for way in chosen],
            )
        }  # fmt: skip
        written = [way for way in chosen if way.person in new]
        await self._put(connection, history, newest.ordinal, written, since, now)
        await self._note(connection, "notice:people:queued", newest.version, written, now)
        return len(written)

    async def _take_next_ways(self, history: Sequence[CompiledPolicy]) -> int:
        """Another way for what failed or came back; how many."""
        now, purpose = self._clock(), notice_purpose(history[-1]) if history else None
        async with self._database.transaction() as connection:
            failed = [row async for row in _queries.claim_failed(connection, most=_SETTLED_AT_ONCE)]
            if not failed:
                return 0
            chosen = [next_way(purpose, row) for row in failed]
            await _queries.take_next_way(
                connection, people=[way.person for way in chosen], versions=[row["version"] for row in failed],
                channels=[way.channel for way in chosen], messages=[way.message for way in chosen], now=now,
            )  # fmt: skip
            for version in {row["version"] for row in failed}:
                pairs = [(way, row) for way, row in zip(chosen, failed, strict=True) if row["version"] == version]
                since = {row["person"]: row["since"] for _, row in pairs}
                moved = [way for way, _ in pairs]
                await self._put(connection, history, version, moved, since, now)
                await self._note(connection, "notice:people:moved", history[version - 1].version, moved, now)
            reach("notices.moved")
        reach("notices.move-committed")
        return len(chosen)

    async def _put(  # noqa: PLR0917 - the parts of one message
        self,
        connection: asyncpg.Connection,
        history: Sequence[CompiledPolicy],
        version: int,
        written: Sequence[Way],
        since: Mapping[str, int],
        now: Instant,
    ) -> None:
        await put_messages(
            connection,
            written,
            template=TEMPLATE,
            purpose=notice_purpose(history[-1]),
            about=lambda way: {
                "kind": "service-change",
                "since": history[max(since[way.person], 1) - 1].version,
                "version": history[version - 1].version,
            },
            once=f"{TEMPLATE}:{version}",
            now=now,
        )

    async def _note(
        self, connection: asyncpg.Connection, act: str, version: str, written: Sequence[Way], now: Instant
    ) -> None:
        """One entry for many, counted and never named: who was told is an entry of their own."""
        if written:
            entry = Entry(new_id("ev"), now, act, {"version": version, **by_way(written)})
            await self._journal.append(connection, [entry], now=now)

    async def _settle(self, history: Sequence[CompiledPolicy]) -> int:
        """Whose notice can't come back any more has been told; how many."""
        now = self._clock()
        before = {way: Instant(now - within) for way, within in RETURNS_WITHIN.items()}
        async with self._database.transaction() as connection:
            rows = [
                row
                async for row in _queries.claim_delivered(
                    connection, latest=max(before.values()), sms_before=before[SMS], email_before=before[EMAIL],
                    most=_SETTLED_AT_ONCE,
                )
            ]  # fmt: skip
            if not rows:
                return 0
            told = await write_told(connection, self._journal, self._entries(rows, history, now), rows, now)
            await _queries.end_notices(connection, people=list(told), told=list(told.values()), now=now)
            reach("notices.told")
        reach("notices.tell-committed")
        return len(rows)

    def _entries(self, rows: Sequence[Any], history: Sequence[CompiledPolicy], now: Instant) -> list[Entry]:
        found = []
        for row in rows:
            entry = new_id("ev")
            facts = {
                "version": history[row["version"] - 1].version,
                "channel": row["channel"],
                "by": "notices",
                "person": self._vault.commitment(
                    evidence_slot=row["evidence_slot"], entry=entry, field="person", value=row["person"]
                ),
            }
            found.append(Entry(entry, now, "notice:person:told", facts, (row["person"],)))
        return found
