"""Tell many people what the company has to say, each once, by the way there is (N2); as `telling` does for the policy.

1. they are looked for by the rule of the round, in pages; each gets a notice and, where there is an address, its
   message in the outbox, in one transaction with how far the search has come
2. what failed, or came back, takes the next way: e-mail, SMS, the Privacy Center
3. what was handed over and can't come back any more has reached them, with an entry for each person

The message is of the class service: it needs no consent and no unsubscribe reaches it, and it can't leave under a
purpose of marketing (`omonat.promises.messages.rule`). Any number of workers may run it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.announce import worded
from omonat.flows.grounds import Grounds
from omonat.flows.notice_ways import Way, by_way, first_way, next_way, put_messages
from omonat.flows.telling import Progress
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.messages import Value, Waiting
from omonat.promises.notice.rule import CENTER, EMAIL, RETURNS_WITHIN, SMS, notice_purpose
from omonat.promises.notice.words import Said, Words

_queries = load("omonat.promises.notice", "service_rounds.sql")
_people = load("omonat.promises.notice")
_PAGE: Final = 2_000
_SETTLED_AT_ONCE: Final = 500
_SHOWN: Final = 100
TEMPLATE: Final = "company-notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one person was told: its words, by which way, its state and since when it is in it."""

    round: str
    kind: str
    said: Said
    channel: str
    state: str
    at: Instant


class TellMany:
    """The flow of telling, in steps that may be cut off anywhere."""

    def __init__(self, grounds: Grounds) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._words: dict[str, Said] = {}

    async def step(self) -> Progress:
        """One bounded step of each kind. Raises Unavailable; then what was done before stays done."""
        policy = await self._law.current()
        queued, more = await self._queue(policy)
        moved = await self._take_next_ways(policy)
        told = await self._settle()
        return Progress(queued=queued, moved=moved, told=told, more=more or _SETTLED_AT_ONCE in (moved, told))

    async def came_back(self, message: str) -> str | None:
        """A message was returned. What its notice was until now; None for a message that is none of these."""
        async with self._database.transaction() as connection:
            row = await _queries.give_back_service(connection, message=message, now=self._clock())
        return None if row is None else str(row["state"])

    async def words(self, round_: str, language: str) -> Words:
        """What an approved round says, in one language; it never changes. Raises BadInput `service-notice-unknown`."""
        if round_ not in self._words:
            async with self._database.connection() as connection:
                row = await _queries.service_words(connection, id=round_)
            if row is None:
                raise BadInput("service-notice-unknown")
            self._words = {round_: worded(row["said"])}  # rounds go out one after the other
        return self._words[round_][language]

    async def worded(self, message: Waiting) -> Mapping[str, Value]:
        """What a notice of a round says, in the message's language. Raises BadInput `service-notice-unknown`."""
        said = await self.words(str(message.facts["round"]), message.language)
        return {"title": said.title, "text": said.text}

    async def untold(self, person: str) -> bool:
        """Whether something waits for them that they haven't been told for sure."""
        async with self._database.connection() as connection:
            found: bool = await _queries.has_unheard(connection, person=person)
        return found

    async def shown(self, person: str) -> Sequence[Heard]:
        """All they were told, newest first; whatever waited has reached them by this. Raises Refused."""
        now = self._clock()
        async with self._database.transaction() as connection:
            owner = await _people.person_to_tell(connection, id=person)
            if owner is None:
                raise Refused("person-unknown")
            rows = [row async for row in _queries.heard_by(connection, person=person, most=_SHOWN)]
            news = [
                {**row, "person": person, "channel": CENTER, "evidence_slot": owner["evidence_slot"]}
                for row in rows
                if row["state"] != "told"
            ]
            await self._note_told(connection, news, now, by="person")
            reach("service-notice.shown")
        return [
            Heard(
                round=row["round"], kind=row["kind"], said=worded(row["said"]),
                channel=row["channel"] if row["state"] == "told" else CENTER, state="told",
                at=row["at"] if row["state"] == "told" else now,
            )
            for row in rows
        ]  # fmt: skip

    async def _queue(self, policy: CompiledPolicy) -> tuple[int, bool]:
        """Write the notices of those meant on the next page of people; how many, and whether there may be more."""
        now = self._clock()
        async with self._database.transaction() as connection:
            row = await _queries.claim_search(connection)
            if row is None:
                return 0, False
            page = await _page(connection, row)
            queued = await self._write(connection, policy, row, [one for one in page if one["meant"]], now)
            whole = len(page) < _PAGE
            await _queries.move_search(
                connection, id=row["id"], reached=row["reached"] if whole else page[-1]["id"],
                searched_at=now if whole else None,
            )  # fmt: skip
            reach("service-notice.queued")
        reach("service-notice.queue-committed")
        return queued, True

    async def _write(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, row: Any, meant: Sequence[Any], now: Instant
    ) -> int:
        if not meant:
            return 0
        chosen = [first_way(notice_purpose(policy), one) for one in meant]
        new = {
            each["person"]
            async for each in _queries.add_service_notices(
                connection, round=row["id"], now=now, people=[way.person for way in chosen],
                channels=[way.channel for way in chosen], messages=[way.message for way in chosen],
            )
        }  # fmt: skip
        written = [way for way in chosen if way.person in new]
        await self._put(connection, policy, row["id"], row["kind"], written, now)
        await self._note(connection, "notice:service:queued", row["id"], written, now)
        return len(written)

    async def _take_next_ways(self, policy: CompiledPolicy) -> int:
        """Another way for what failed or came back; how many."""
        now = self._clock()
        async with self._database.transaction() as connection:
            failed = [row async for row in _queries.claim_failed(connection, most=_SETTLED_AT_ONCE)]
            if not failed:
                return 0
            chosen = [next_way(notice_purpose(policy), row) for row in failed]
            await _queries.take_next_way(
                connection, people=[way.person for way in chosen], rounds=[row["round"] for row in failed],
                channels=[way.channel for way in chosen], messages=[way.message for way in chosen], now=now,
            )  # fmt: skip
            for round_, kind in {(row["round"], row["kind"]) for row in failed}:
                moved = [way for way, row in zip(chosen, failed, strict=True) if row["round"] == round_]
                await self._put(connection, policy, round_, kind, moved, now)
                await self._note(connection, "notice:service:moved", round_, moved, now)
            reach("service-notice.moved")
        reach("service-notice.move-committed")
        return len(chosen)

    async def _put(  # noqa: PLR0917 - the parts of one message
        self,
        connection: asyncpg.Connection,
        policy: CompiledPolicy,
        round_: str,
        kind: str,
        written: Sequence[Way],
        now: Instant,
    ) -> None:
        about: Mapping[str, str] = {"kind": kind, "round": round_}
        await put_messages(
            connection, written, template=TEMPLATE, purpose=notice_purpose(policy), about=lambda _: about,
            once=f"{TEMPLATE}:{round_}", now=now,
        )  # fmt: skip

    async def _note(
        self, connection: asyncpg.Connection, act: str, round_: str, written: Sequence[Way], now: Instant
    ) -> None:
        """One entry for many, counted and never named: who was told is an entry of their own."""
        if written:
            entry = Entry(new_id("ev"), now, act, {"round": round_, **by_way(written)})
            await self._journal.append(connection, [entry], now=now)

    async def _settle(self) -> int:
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
            await self._note_told(connection, rows, now, by="notices")
            reach("service-notice.told")
        reach("service-notice.tell-committed")
        return len(rows)

    async def _note_told(self, connection: asyncpg.Connection, rows: Sequence[Any], now: Instant, *, by: str) -> None:
        """Each has been told, under an entry of their own."""
        if not rows:
            return
        entries = []
        for row in rows:
            entry = new_id("ev")
            person = self._vault.commitment(
                evidence_slot=row["evidence_slot"], entry=entry, field="person", value=row["person"]
            )
            facts = {"round": row["round"], "kind": row["kind"], "channel": row["channel"], "by": by, "person": person}
            entries.append(Entry(entry, now, "notice:person:informed", facts, (row["person"],)))
        await self._journal.append(connection, entries, now=now)
        await _queries.end_service_notices(
            connection, people=[row["person"] for row in rows], rounds=[row["round"] for row in rows], now=now
        )


async def _page(connection: asyncpg.Connection, row: Any) -> list[Any]:
    """The next people, each with whether the round is meant for them. `reached` goes by them all."""
    here = {"after": row["reached"], "most": _PAGE}
    match row["audience"]:
        case "people":
            found = _queries.chosen(connection, round=row["id"], **here)
        case "service":
            found = _queries.with_records(connection, before=row["approved_at"], service=row["service"], **here)
        case "clients":
            found = _queries.of_clients(connection, before=row["approved_at"], **here)
        case _:
            found = _queries.everybody(connection, before=row["approved_at"], **here)
    return [one async for one in found]
