"""Choose: consent, objection and restriction, given and taken back; a version told. Promises C1, C2, C4, P2.

The person's row is locked while the choice is written, and every use reads that row: no use begun after the
acknowledgement of a withdrawal sees the consent. How it is written: `choosing`.
"""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from omonat.base.errors import Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.choosing import Choosing, NothingStands, Writer, permit
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_pass
from omonat.flows.refusals import refusals_noted
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.notice.rule import told_after

__all__ = ["Choose", "Choosing", "Telling"]

_queries = load("omonat.promises.choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A published version reached a person through a channel: delivered or shown, not merely sent. `roles` as above."""

    person: str
    version: str
    channel: str
    by: str = "person"
    roles: frozenset[str] | None = None


class Choose:
    """The flow of choices and tellings."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._journal = grounds.journal
        self._law = grounds.law
        self._clock = grounds.clock
        self._write = Writer(grounds)

    async def __call__(self, choosing: Choosing, also: Also[Receipt] | None = None) -> Receipt:
        """Write the choice; in force once this returns. Raises BadInput, Refused (`person-unknown`, …)."""
        policy = await (self._law.at_hand() if choosing.roles is None else self._law.current())
        async with self._refusals_noted(policy, choosing, choosing.purpose):
            written = await self._write(choosing, also)
        if written.under_way:
            purpose = "" if choosing.kind == "restriction" else choosing.purpose
            await let_pass(self._database, choosing.person, purpose=purpose, now=self._clock())
        return written.receipt

    async def end(self, person: str, purpose: str, *, channel: str, door: str) -> Receipt | None:
        """Take a consent back by a link that can be pressed again; None where none stands, not even one in doubt: then
        nothing is written, and the answer waits for what still goes all the same."""
        ending = Choosing(
            person=person, kind="consent", state="withdrawn", purpose=purpose, channel=channel, door=door,
            unless_ended=True,
        )  # fmt: skip
        try:
            return await self(ending)
        except NothingStands:
            await let_pass(self._database, person, purpose=purpose, now=self._clock())
            return None

    async def tell(self, telling: Telling, also: Also[Receipt] | None = None) -> Receipt:
        """Record that a version reached a person; `told` advances as far as nothing is missing (P2)."""
        policy = await self._law.current()
        async with self._refusals_noted(policy, telling):
            return await self._tell(policy, telling, also)

    async def _tell(self, policy: CompiledPolicy, telling: Telling, also: Also[Receipt] | None) -> Receipt:
        permit(policy, telling.roles, "P2")
        ordinal = self._law.shown(policy, telling.version).ordinal
        entry = new_id("ev")
        async with self._database.transaction() as connection:
            person = await _queries.person_to_tell(connection, id=telling.person)
            if person is None:
                raise Refused("person-unknown")
            now = self._clock()
            await _queries.add_telling(
                connection, person=telling.person, version=ordinal, channel=telling.channel, at=now, entry=entry
            )
            versions = [
                row["version"]
                async for row in _queries.tellings_after(connection, person=telling.person, version=person["told"])
            ]
            await _queries.set_told(connection, id=telling.person, told=told_after(person["told"], versions))
            reach("tell.written")
            facts = {
                "version": telling.version,
                "channel": telling.channel,
                "by": telling.by,
                "person": self._commit(person, entry),
            }
            told = Entry(entry, now, "notice:person:told", facts, (telling.person,))
            (receipt,) = await self._journal.append(connection, [told], now=now)
            if also is not None:
                await also(connection, receipt)
            reach("tell.recorded")
        reach("tell.committed")
        return receipt

    def _refusals_noted(
        self, policy: CompiledPolicy, report: Choosing | Telling, purpose: str = ""
    ) -> AbstractAsyncContextManager[None]:
        """What a system reports and is refused is in evidence; what people say themselves isn't held against them."""
        if report.roles is None:
            return nullcontext()
        facts = {"policy": policy.digest, "purpose": purpose, "by": report.by}
        return refusals_noted(self._grounds, "choice:person:refused", facts)

    def _commit(self, person: Any, entry: str) -> str:
        slot = person["evidence_slot"]
        return self._vault.commitment(evidence_slot=slot, entry=entry, field="person", value=person["id"])
