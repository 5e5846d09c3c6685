"""Systems: the company's other systems that hold copies are told of each erasure, until they say it is done (R3, T1).

Notices are written with the erasure, in its transaction; `omonat.hooks` sends them to the address the operator
registered for the system, and nowhere else. What is sent names people, cases and items by id, never a value. A system
says that it is done with its own credential; one that is served by hand, a privacy officer says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import asyncpg

from omonat.base.canonical import canonical
from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, MINUTE, SECOND, Instant, to_rfc3339
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Grounds
from omonat.flows.use import Credential
from omonat.flows.work import close_work_item_in, open_work_item_in
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Erases

_queries = load("omonat.promises.retention", "systems.sql")
_MOST_CASES = 10_000
FIRST_WAIT: Final = 15 * SECOND
LONGEST_WAIT: Final = 6 * HOUR
OFFICER = "privacy-officer"
"""The role that may say so for a system served by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What went of one record: the case other systems know it by, and the items."""

    record: str
    case: str | None
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One system and one erasure: `open` until it says that it is done."""

    system: str
    erases: str
    told_at: Instant
    sent_at: Instant | None
    acknowledged_at: Instant | None
    entry: str | None

    @property
    def open(self) -> bool:
        """Whether the system hasn't said yet that it is done."""
        return self.acknowledged_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One notice on its way. `id` is the same each time it is told, so that a system can tell it from a new one.
    `recipient`: somebody outside, told of a correction."""

    id: str
    erasure: str
    system: str
    body: bytes
    attempts: int
    recipient: bool = False


async def tell_of_records(
    connection: asyncpg.Connection, policy: CompiledPolicy, erasure: str, gone: Sequence[Gone], now: Instant
) -> None:
    """Write notices of what went of these records, for the systems that hold such items of a case."""
    about: dict[str, Any] = {}
    for system in policy.policy.systems:
        found = [
            {"case": one.case, "items": items}
            for one in gone
            if one.case is not None and (items := [i for i in one.items if not system.items or i in system.items])
        ]
        if found:
            about[system.id] = {"cases": found}
    await _write(connection, policy, erasure, about, now)


async def tell_of_person(
    connection: asyncpg.Connection, policy: CompiledPolicy, row: Mapping[str, Any], now: Instant
) -> None:
    """Write notices of a person's erasure, with what a duty keeps: the system's own copy of that may stay as long."""
    cases = [r["id"] async for r in _queries.cases_of_person(connection, person=row["person"], most=_MOST_CASES)]
    about = {}
    for system in policy.policy.systems:
        stays = [
            {"item": s["item"], "service": s["service"], "until": s["until"]}
            for s in row["stays"]
            if not s["quiet"] and (not system.items or s["item"] in system.items)
        ]
        about[system.id] = {"person": row["person"], "cases": [{"case": case} for case in cases], "stays": stays}
    await _write(connection, policy, row["id"], about, now)


async def _write(
    connection: asyncpg.Connection, policy: CompiledPolicy, erasure: str, about: Mapping[str, Any], now: Instant
) -> None:
    systems = [system for system in policy.policy.systems if system.id in about]
    if not systems:
        return
    await _queries.add_notices(
        connection, erasure=[erasure] * len(systems), system=[s.id for s in systems],
        erases=[s.erases.value for s in systems], about=[about[s.id] for s in systems], now=now,
    )  # fmt: skip
    for system in systems:
        if system.erases is Erases.BY_HAND:
            missing = f"{system.id} {erasure}"
            await open_work_item_in(connection, rule="erase-by-hand", person=None, missing=missing, now=now)


class Systems:
    """What systems say back, and how far they are."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database

    async def of(self, erasure: str, kind: Literal["system", "recipient"] = "system") -> Sequence[Notice]:
        """The systems an erasure concerns; or the recipients outside who are told of a correction."""
        async with self._database.connection() as connection:
            rows = [row async for row in _queries.notices_of(connection, erasure=erasure, kind=kind)]
        return [
            Notice(
                system=row["system"], erases=row["erases"], told_at=row["created_at"], sent_at=row["sent_at"],
                acknowledged_at=row["acknowledged_at"], entry=row["entry"],
            )
            for row in rows
        ]  # fmt: skip

    async def claim(self, reachable: Sequence[str], most: int = 20) -> Sequence[Due]:
        """Notices that are due, for systems that the policy in force names and that have a registered address (T1);
        nobody else sends them for a minute."""
        now, policy = self._grounds.clock(), (await self._grounds.law.current()).policy
        named = {system.id for system in policy.systems if system.erases is Erases.WEBHOOK}
        async with self._database.transaction() as connection:
            rows = [
                row
                async for row in _queries.claim_notices(
                    connection,
                    now=now,
                    until=now + MINUTE,
                    reachable=sorted(named.intersection(reachable)),
                    most=most,
                    recipients=sorted(policy.recipients.keys() & set(reachable)),
                )
            ]
        return [
            Due(
                id=f"{row['erasure']}.{row['system']}",
                erasure=row["erasure"],
                system=row["system"],
                body=canonical(
                    {
                        "type": "correction.made" if row["kind"] == "recipient" else "erasure.requested",
                        "timestamp": to_rfc3339(row["created_at"]),
                        "data": {"erasure": row["erasure"], row["kind"]: row["system"], **row["about"]},
                    }
                ),
                attempts=row["attempts"],
                recipient=row["kind"] == "recipient",
            )
            for row in rows
        ]

    async def sent(self, due: Due) -> None:
        """The system took it over; it is told once a day until it says that it is done. A recipient is told now."""
        now = self._grounds.clock()
        reach("systems.taken-over")
        if due.recipient:
            await self.acknowledge(due.erasure, due.system, by="webhook")
            return
        async with self._database.connection() as connection:
            await _queries.note_sent(connection, erasure=due.erasure, system=due.system, now=now, due=now + DAY)

    async def put_off(self, due: Due) -> None:
        """It wasn't taken over: again later, each time a little later."""
        wait = min(FIRST_WAIT << min(due.attempts, 16), LONGEST_WAIT)
        async with self._database.connection() as connection:
            await _queries.put_off(connection, erasure=due.erasure, system=due.system, due=self._grounds.clock() + wait)

    async def acknowledge_by(self, credential: Credential, erasure: str, system: str) -> str:
        """A system says that it erased its copy; the evidence entry's id comes back, the same one when said again.

        A system speaks for itself (its credential has its name), an officer's system for those served by hand.
        Raises Refused `credential-refused`, `acknowledger-wrong`; BadInput `erasure-unknown`.
        """
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._grounds.clock())
        if client.name != system and OFFICER not in client.roles:
            raise Refused("acknowledger-wrong", system=system)
        return await self.acknowledge(erasure, system, by=client.id)

    async def acknowledge(self, erasure: str, system: str, *, by: str) -> str:
        """As `acknowledge_by`, said by an operator."""
        now, entry = self._grounds.clock(), new_id("ev")
        async with self._database.transaction() as connection:
            row = await _queries.acknowledge(
                connection, erasure=erasure, system=system, by=by, entry=entry, now=now
            )  # fmt: skip
            if row is None:
                raise BadInput("erasure-unknown")
            reach("systems.acknowledged")
            if row["entry"] == entry:
                said = await self._said(connection, erasure, system, by=by, entry=entry)
                await self._grounds.journal.append(connection, [said], now=now)
        return str(row["entry"])

    async def _said(self, connection: asyncpg.Connection, erasure: str, system: str, *, by: str, entry: str) -> Entry:
        """A system says that it is done; or a recipient was told, which its person can see."""
        now = self._grounds.clock()
        about = await _queries.told_about(connection, erasure=erasure, system=system)
        if about["erases"] == Erases.BY_HAND.value:
            rule = "erase-by-hand" if about["kind"] == "system" else "tell-by-hand"
            await close_work_item_in(connection, rule=rule, person=None, missing=f"{system} {erasure}", now=now)
        if about["kind"] == "system":
            facts = {"erasure": erasure, "system": system, "by": by}
            return Entry(entry, now, "erasure:system:acknowledged", facts)
        told: dict[str, Any] = {"erasure": erasure, "recipient": system, "by": by, "items": list(about["items"])}
        if about["person"] is None:
            return Entry(entry, now, "correction:recipient:told", told)
        told["person"] = self._grounds.vault.commitment(
            evidence_slot=about["evidence_slot"], entry=entry, field="person", value=about["person"]
        )
        return Entry(entry, now, "correction:recipient:told", told, (about["person"],))
