"""Business clients: who they are, whom of them to tell, and each notice they were given (N1).

A company's name is no personal data and stands as it is; a sole trader is a person, and so is every contact: they come
in by `collect` like everybody else, and stand here by their ids. A notice is recorded for each contact with its step,
channel, time, the version of the policy in force, and a receipt that anybody can check without us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.client_procedures import PROMISE, in_force
from omonat.flows.client_register import (
    BusinessClient,
    ClientPage,
    Cursor,
    GivenNotice,
    read_client,
    read_client_page,
    read_every_client,
    read_owing_clients,
)
from omonat.flows.clients_owed import RULE, settle
from omonat.flows.grounds import Also, Grounds
from omonat.flows.officers import Officers
from omonat.promises.notice.words import personal

_queries = load("omonat.promises.notice", "clients.sql")
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """A notice of a step was given to a client: to every contact of its part, by a channel, at a time."""

    client: str
    step: str
    channel: str
    at: Instant


class BusinessClients:
    """The register. `by` are staff refs."""

    def __init__(self, grounds: Grounds, officers: Officers) -> None:
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self.officers = officers

    async def register(
        self, *, by: str, name: str | None = None, trader: str | None = None, also: Also[str] | None = None
    ) -> str:
        """Register a company by its name, or a sole trader by their person; the client's id comes back.

        Raises BadInput (`client-unclear`, `words-personal`), Refused `person-unknown` and as `omonat.flows.officers`.
        """
        now, client, entry = self._clock(), new_id("bcl"), new_id("ev")
        self._require_name((await self._law.current()).policy.controller, name, trader)
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            if trader is not None and await _queries.person_of_client(connection, id=trader) is None:
                raise Refused("person-unknown")
            await _queries.register_client(
                connection, id=client, name=name, trader=trader, by=writer, now=now, entries={"registered": entry}
            )
            facts = {"client": client, "form": "company" if trader is None else "sole-trader", "staff": writer}
            await self._note(connection, Entry(entry, now, "notice:client:registered", facts))
            reach("clients.registered")
            if also is not None:
                await also(connection, client)
        return client

    async def end(self, client: str, *, by: str, also: Also[str] | None = None) -> str:
        """They are no client any more; the entry comes back. Raises BadInput `client-unknown`, Refused."""
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            await self._standing(connection, client)
            await _queries.end_client(connection, id=client, now=now, entries={"ended": entry})
            facts = {"client": client, "staff": writer}
            await self._note(connection, Entry(entry, now, "notice:client:ended", facts))
            await settle(connection, client, now)
            reach("clients.ended")
            if also is not None:
                await also(connection, entry)
        return entry

    async def contact(
        self, client: str, person: str, part: str, *, by: str, ends: bool = False, also: Also[str] | None = None
    ) -> str:
        """Somebody is to be told at a client, or not any more; the entry comes back.

        Raises BadInput (`client-unknown`, `part-unknown`), Refused `person-unknown` and as `omonat.flows.officers`.
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            await self._standing(connection, client)
            procedure = await in_force(connection)
            parts = {step.part for step in procedure.steps}
            if part not in parts and not ends:
                raise BadInput("part-unknown", parts=", ".join(sorted(parts)))
            owner = await _queries.person_of_client(connection, id=person)
            if owner is None:
                raise Refused("person-unknown")
            await _queries.put_contact(
                connection, client=client, person=person, part=part, now=now, until=now if ends else None, entry=entry
            )
            facts = {"client": client, "part": part, "staff": writer, "person": self._commit(owner, entry)}
            act = "notice:contact:ended" if ends else "notice:contact:named"
            await self._note(connection, Entry(entry, now, act, facts, (person,)))
            await settle(connection, client, now)
            reach("clients.contact-put")
            if also is not None:
                await also(connection, entry)
        return entry

    async def give(
        self, giving: Giving, *, by: str, also: Also[Sequence[GivenNotice]] | None = None
    ) -> Sequence[GivenNotice]:
        """Record that a notice was given to every contact of the step's part; each with a receipt of their own.

        Raises BadInput (`client-unknown`, `step-unknown`, `client-notice-unclear`), Refused `contact-missing` and as
        `omonat.flows.officers`.
        """
        policy, now = await self._law.current(), self._clock()
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            await self._standing(connection, giving.client)
            procedure = await in_force(connection)
            step = next((one for one in procedure.steps if one.id == giving.step), None)
            if step is None:
                raise BadInput("step-unknown", steps=", ".join(one.id for one in procedure.steps))
            if giving.channel not in step.channels or giving.at > now:
                raise BadInput("client-notice-unclear", channels=", ".join(step.channels))
            contacts = [
                row
                async for row in _queries.contacts_held(connection, clients=[giving.client])
                if row["part"] == step.part
            ]
            if not contacts:
                raise Refused("contact-missing", part=step.part)
            entries = [self._given(giving, procedure.version, policy.version, writer, row, now) for row in contacts]
            receipts = await self._journal.append(connection, entries, now=now)
            await _queries.add_client_notices(
                connection, client=giving.client, procedure=procedure.version, step=step.id, version=policy.ordinal,
                channel=giving.channel, given_at=giving.at, by=writer, now=now,
                ids=[new_id("cno") for _ in entries], people=[row["person"] for row in contacts],
                entries=[entry.id for entry in entries], receipts=[receipt.token for receipt in receipts],
            )  # fmt: skip
            await settle(connection, giving.client, now)
            reach("clients.given")
            given = [
                GivenNotice(
                    person=row["person"], procedure=procedure.version, step=step.id, version=policy.ordinal,
                    channel=giving.channel, at=giving.at, entry=receipt.id, receipt=receipt.token,
                )
                for row, receipt in zip(contacts, receipts, strict=True)
            ]  # fmt: skip
            if also is not None:
                await also(connection, given)
        reach("clients.give-committed")
        return given

    async def acknowledge(
        self, client: str, notice: str, *, at: Instant, by: str, also: Also[str] | None = None
    ) -> str:
        """They confirmed that a notice, by its entry, reached them; the entry comes back. Again, it changes nothing.

        Raises BadInput (`client-unknown`, `client-notice-unknown`, `acknowledgement-unclear`), Refused.
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            if await _queries.client_for_update(connection, id=client) is None:
                raise BadInput("client-unknown")
            row = await _queries.notice_of_client(connection, client=client, entry=notice)
            if row is None:
                raise BadInput("client-notice-unknown")
            if not row["given_at"] <= at <= now:
                raise BadInput("acknowledgement-unclear")
            if row["acknowledgement"] is None:
                await _queries.acknowledge_notice(connection, id=row["id"], at=at, entry=entry)
                facts = {"client": client, "step": row["step"], "notice": notice, "acknowledged": at, "staff": writer,
                         "person": self._commit(row, entry, row["person"])}  # fmt: skip
                await self._note(connection, Entry(entry, now, "notice:client:acknowledged", facts, (row["person"],)))
                reach("clients.acknowledged")
            else:
                entry = row["acknowledgement"]
            if also is not None:
                await also(connection, entry)
        return entry

    async def show(self, client: str) -> BusinessClient:
        """One client, with what it was given and what is owed to it. Raises BadInput `client-unknown`."""
        async with self._database.connection() as connection:
            found = await read_client(connection, client)
        if found is None:
            raise BadInput("client-unknown")
        return found

    async def every(self) -> Sequence[BusinessClient]:
        """Every client, the newest first."""
        async with self._database.connection() as connection:
            return await read_every_client(connection)

    async def page(self, before: Cursor, most: int) -> ClientPage:
        """Some of them, the newest first, from a cursor on."""
        async with self._database.connection() as connection:
            return await read_client_page(connection, before, most)

    async def owing(self, most: int) -> tuple[Sequence[BusinessClient], bool]:
        """Clients for whom work waits to tell them something, the longest waiting first, and whether there are more."""
        async with self._database.connection() as connection:
            found = await read_owing_clients(connection, RULE, most + 1)
        return found[:most], len(found) > most

    async def all_named(self) -> bool:
        """Whether somebody is named to be told at every client."""
        async with self._database.connection() as connection:
            return not await _queries.somebody_unnamed(connection)

    async def _standing(self, connection: asyncpg.Connection, client: str) -> None:
        row = await _queries.client_for_update(connection, id=client)
        if row is None or row["ended_at"] is not None:
            raise BadInput("client-unknown")

    def _given(  # noqa: PLR0917 - the facts of one entry
        self, giving: Giving, procedure: int, version: str, writer: str, row: Any, now: Instant
    ) -> Entry:
        entry = new_id("ev")
        facts = {
            "client": giving.client,
            "procedure": procedure,
            "step": giving.step,
            "version": version,
            "channel": giving.channel,
            "given": giving.at,
            "staff": writer,
            "person": self._commit(row, entry, row["person"]),
        }
        return Entry(entry, now, "notice:client:given", facts, (row["person"],))

    def _commit(self, row: Any, entry: str, person: str | None = None) -> str:
        return self._vault.commitment(
            evidence_slot=row["evidence_slot"], entry=entry, field="person", value=person or row["id"]
        )

    @staticmethod
    def _require_name(controller: Any, name: str | None, trader: str | None) -> None:
        if (name is None) == (trader is None):
            raise BadInput("client-unclear")
        if name is not None:
            if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
                raise BadInput("client-unclear")
            found = next(personal(name, mailbox=controller.mailbox, phone=controller.phone), None)
            if found is not None:
                raise BadInput("words-personal", language="", kind=found)

    async def _note(self, connection: asyncpg.Connection, entry: Entry) -> None:
        await self._journal.append(connection, [entry], now=entry.at)
