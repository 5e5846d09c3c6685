"""The procedure by which business clients are told (N1): a register of steps, by one person and approved by another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.canonical import digest as digest_of
from omonat.base.errors import BadInput
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.announce import plain, worded
from omonat.flows.grounds import Also, Grounds
from omonat.flows.officers import Officers, obey
from omonat.promises.notice.clients import Step, check_steps

_queries = load("omonat.promises.notice", "clients.sql")
PROMISE: Final = "N1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A version of the procedure; in force is the newest that was approved."""

    version: int
    steps: tuple[Step, ...]
    written_by: str
    written_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    entries: Mapping[str, str]


class ClientProcedures:
    """The register of the procedure. `by` are staff refs."""

    def __init__(self, grounds: Grounds, officers: Officers) -> None:
        self._database = grounds.database
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self.officers = officers

    async def write(self, steps: Sequence[Step], *, by: str, also: Also[Procedure] | None = None) -> Procedure:
        """Write a new version of the procedure; the one before holds until a second person approved it.

        Raises BadInput (`procedure-malformed`, `words-…`), Refused (`omonat.flows.officers`).
        """
        policy, now, entry = await self._law.current(), self._clock(), new_id("ev")
        controller = policy.policy.controller
        obey(check_steps(steps, mailbox=controller.mailbox, phone=controller.phone))
        kept = [_kept(step) for step in steps]
        async with self._database.transaction() as connection:
            writer = await self.officers.writer(connection, by, PROMISE)
            version = await _queries.lock_procedures(connection) + 1
            await _queries.write_procedure(
                connection, version=version, steps=kept, by=writer, now=now, entries={"written": entry}
            )
            facts = {"procedure": version, "digest": digest_of(kept), "staff": writer}
            await self._journal.append(connection, [Entry(entry, now, "notice:procedure:written", facts)], now=now)
            reach("clients.procedure-written")
            written = procedure_of(await _queries.procedure_for_update(connection, version=version))
            if also is not None:
                await also(connection, written)
        return written

    async def approve(self, version: int, *, by: str) -> Procedure:
        """The second person agrees: it is in force. Again, it changes nothing.

        Raises BadInput `procedure-unknown`, Refused (`omonat.flows.officers`).
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            row = await _queries.procedure_for_update(connection, version=version)
            if row is None:
                raise BadInput("procedure-unknown")
            if row["approved_at"] is None:
                approver = await self.officers.approver(connection, by, PROMISE, of=row["written_by"])
                await _queries.approve_procedure(
                    connection, version=version, by=approver, now=now, entries={"approved": entry}
                )
                facts = {
                    "procedure": version,
                    "digest": digest_of(row["steps"]),
                    "writer": row["written_by"],
                    "approver": approver,
                }
                await self._journal.append(connection, [Entry(entry, now, "notice:procedure:approved", facts)], now=now)
                reach("clients.procedure-approved")
            return procedure_of(await _queries.procedure_for_update(connection, version=version))

    async def every(self) -> Sequence[Procedure]:
        """Every version, newest first."""
        async with self._database.connection() as connection:
            return [procedure_of(row) async for row in _queries.procedures(connection)]


async def in_force(connection: asyncpg.Connection) -> Procedure:
    """The newest version that was approved. Raises BadInput `procedure-unknown`."""
    row = await _queries.procedure_in_force(connection)
    if row is None:
        raise BadInput("procedure-unknown")
    return procedure_of(row)


def _kept(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "occasion": step.occasion,
        "part": step.part,
        "within": step.within,
        "channels": list(step.channels),
        "says": plain(step.says),
    }


def procedure_of(row: Any) -> Procedure:
    steps = tuple(
        Step(
            id=kept["id"], occasion=kept["occasion"], part=kept["part"], within=kept["within"],
            channels=tuple(kept["channels"]), says=worded(kept["says"]),
        )
        for kept in row["steps"]
    )  # fmt: skip
    return Procedure(
        version=row["version"], steps=steps, written_by=row["written_by"], written_at=row["written_at"],
        approved_by=row["approved_by"], approved_at=row["approved_at"], entries=row["entries"],
    )  # fmt: skip
