"""A person's own notices: what is new for them, shown and thereby told, agreed to, or accepted as a whole (P2, P4).

Shown is told: the page says all that is new since the version they knew, so it counts at once and by this way. Accepted
is more: the whole version, as in a form. Neither is a consent, nor an agreement: those are choices of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.grounds import Grounds
from omonat.flows.told import write_told
from omonat.policy.changes import changes
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.notice.rule import CENTER, agreements_open, told_after

_queries = load("omonat.promises.notice")
_choices = load("omonat.promises.choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was new in `version` after `since`, the way it took, its state, and when that was."""

    since: CompiledPolicy
    version: CompiledPolicy
    channel: str
    state: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Everything a person is told, newest first. `open`: purposes in force that need their yes for what they gave
    before; `agreed`: those they said yes to. `accepted`: the newest version they accepted as a whole, if any."""

    notices: tuple[Notice, ...]
    open: tuple[str, ...]
    agreed: tuple[str, ...]
    accepted: str | None
    newest: CompiledPolicy


class MyNotices:
    """The flow behind the page of notices."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock

    async def untold(self, person: str) -> bool:
        """Whether something is new to them that they haven't been shown. Raises Refused `person-unknown`."""
        history = await self._law.known()
        async with self._database.connection() as connection:
            row = await _queries.told_of(connection, id=person)
        if row is None:
            raise Refused("person-unknown")
        return _has_news(history, row["told"])

    async def show(self, person: str) -> News:
        """What is new and what was; whatever is new has been told by this. Raises Refused `person-unknown`."""
        history, policy, now = await self._law.known(), await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            row = await self._person(connection, person)
            if _has_news(history, row["told"]):
                await self._tell(connection, row, history, now)
            notices = [
                Notice(
                    since=history[max(one["since"], 1) - 1], version=history[one["version"] - 1],
                    channel=one["channel"], state=one["state"], at=one["at"],
                )
                async for one in _queries.notices_of(connection, person=person)
            ]  # fmt: skip
            records = [(r["service"], r["category"], r["version"]) async for r in _queries.records_of(
                connection, person=person
            )]  # fmt: skip
            accepted = await _queries.accepted_version(connection, person=person)
            reach("my-notices.shown")
        agreed = (row["standing"] or {}).get("agreed", {})
        return News(
            notices=tuple(notices),
            open=agreements_open(policy, records, agreed),
            agreed=tuple(p for p in policy.purposes if p in agreed and p not in policy.policy.consent_needed),
            accepted=None if not accepted else history[accepted - 1].version,
            newest=history[-1],
        )

    async def accept(self, person: str, version: str, *, door: str) -> Receipt:
        """The person accepts a published version as a whole, outside any form (P4). Raises BadInput `version-unknown`,
        Refused `person-unknown`."""
        await self._law.known()
        accepted, now, entry = self._law.version(version), self._clock(), new_id("ev")
        if accepted is None:
            raise BadInput("version-unknown")
        async with self._database.transaction() as connection:
            row = await self._person(connection, person)
            await _choices.add_choice(
                connection, id=new_id("cho"), person=person, kind="acceptance", purpose="", channel="", state="given",
                at=now, version=accepted.ordinal, door=door, entry=entry, term=None,
            )  # fmt: skip
            told = told_after(row["told"], (), accepted.ordinal)
            await _queries.advance_told(connection, people=[person], told=[told])
            await _queries.end_notices(connection, people=[person], told=[told], now=now)
            facts = {
                "version": accepted.version,
                "policy": accepted.digest,
                "door": door,
                "person": self._commit(row, entry),
            }
            made = Entry(entry, now, "notice:person:accepted", facts, (person,))
            (receipt,) = await self._journal.append(connection, [made], now=now)
            reach("my-notices.accepted")
        reach("my-notices.accept-committed")
        return receipt

    async def _tell(
        self, connection: asyncpg.Connection, row: Any, history: Sequence[CompiledPolicy], now: Instant
    ) -> None:
        newest, entry = history[-1], new_id("ev")
        facts = {
            "version": newest.version,
            "channel": CENTER,
            "by": "person",
            "person": self._commit(row, entry),
        }
        told = Entry(entry, now, "notice:person:told", facts, (row["id"],))
        telling = {
            "person": row["id"],
            "version": newest.ordinal,
            "since": row["told"],
            "channel": CENTER,
            "told": row["told"],
        }
        reached = await write_told(connection, self._journal, [told], [telling], now)
        await _queries.note_shown(connection, person=row["id"], version=newest.ordinal, since=row["told"], now=now)
        await _queries.end_notices(connection, people=list(reached), told=list(reached.values()), now=now)

    async def _person(self, connection: asyncpg.Connection, person: str) -> Any:
        row = await _queries.person_to_tell(connection, id=person)
        if row is None:
            raise Refused("person-unknown")
        return row

    def _commit(self, row: Any, entry: str) -> str:
        return self._vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field="person", value=row["id"])


def _has_news(history: Sequence[CompiledPolicy], told: int) -> bool:
    """Whether a version after the one they were told of has something people must be told."""
    if not history or told >= history[-1].ordinal:
        return False
    return _tells(history[max(told, 1) - 1], history[-1])


@lru_cache(64)  # versions are few and never change
def _tells(old: CompiledPolicy, new: CompiledPolicy) -> bool:
    return any(change.tell for change in changes(old, new))
