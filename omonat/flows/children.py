"""Children: any signal closes a person's data for every purpose at once; a parent's verified consent opens it (K2).

What becomes of it otherwise is the sweeper's: after the packs' period for a parent it is erased as a child's.
"""

from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_pass
from omonat.flows.use import Credential
from omonat.flows.work import open_work_item_in
from omonat.policy.packs import Deadline, strictest_deadline
from omonat.promises.children.consent import SIGNALS, decide_parental_consent

_queries = load("omonat.promises.children")
_identity = load("omonat.promises.identity")
OFFICER: Final = "privacy-officer"
CHILD_CONSENT: Final = "child-consent"
"""The packs' period in which a parent's consent may come; afterwards the data goes."""
_WORK: Final = "child"
_LONGEST_REFERENCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A child's standing: since when closed (None: a parent's consent stands), until when a parent may agree, and the
    evidence. `until` is None where no pack names a period: then nothing is waited for."""

    person: str
    closed_at: Instant | None
    until: Instant | None
    entry: str


class Children:
    """The flow. Systems name themselves; who opens data again is a privacy officer in office."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._database = grounds.database
        self._vault = grounds.vault
        self._law = grounds.law
        self._clock = grounds.clock

    async def by_system(
        self, credential: Credential, person: str, signal: str, also: Also[Closed] | None = None
    ) -> Closed:
        """As `signal`, said by a system of the company. Raises Refused `credential-refused` as well."""
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        return await self.signal(person, signal, by=client.id, also=also)

    async def signal(self, person: str, signal: str, *, by: str, also: Also[Closed] | None = None) -> Closed:
        """Somebody or something says that this is a child: closed for every purpose once this returns, and no letter
        begins any more. Said again, nothing changes; a child whose parent agreed stays open.

        Raises BadInput `signal-unknown`, Refused `person-unknown`.
        """
        if signal not in SIGNALS:
            raise BadInput("signal-unknown", nearest=", ".join(SIGNALS))
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            row = await self._child(connection, person)
            since = row["quarantined_at"] or (None if row["consented"] else now)
            if since is not None:
                await _queries.quarantine(connection, person=person, now=now)
                await _queries.end_sessions(connection, person=person)
                await open_work_item_in(connection, rule=_WORK, person=person, missing="parental-consent", now=now)
            facts = {"signal": signal, "by": by, "closed": since is not None}
            await self._note(connection, row, Entry(entry, now, "child:person:signalled", facts))
            reach("child.signalled")
            closed = await self._closed(person, since, entry)
            if also is not None:
                await also(connection, closed)
        await let_pass(self._database, person, now=now)
        return closed

    async def permit(self, credential: Credential) -> None:
        """Whether this system may act for privacy officers. Raises Refused."""
        async with self._database.connection() as connection:
            client = await require_client(connection, credential, self._clock())
        if OFFICER not in client.roles:
            raise Refused("child-officer-needed", role=OFFICER)

    async def agree(
        self, person: str, method: str, *, reference: str, by: str, also: Also[Closed] | None = None
    ) -> Closed:
        """A parent's consent, verified by `by` (a staff ref) by one of the listed methods: the data is open again.

        `reference` says where the proof lies; it is sealed and dies with the person's evidence. Raises BadInput
        `reference-incomplete`, Refused `person-unknown`, `not-quarantined`, `consent-method-refused` ….
        """
        policy, now, entry = await self._law.current(), self._clock(), new_id("ev")
        if not reference.strip() or len(reference) > _LONGEST_REFERENCE:
            raise BadInput("reference-incomplete")
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            row = await self._child(connection, person)
            verdict = decide_parental_consent(policy.packs, method, quarantined=row["quarantined_at"] is not None)
            if not isinstance(verdict, Allow):
                raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
            consent = new_id("gua")
            sealed = self._vault.seal_value(f"guardian:{consent}", reference.encode(), slot=row["evidence_slot"])
            await _queries.open(connection, person=person)
            await _queries.add_consent(
                connection, id=consent, person=person, method=method, reference=sealed, now=now, by=staff,
                entries={"given": entry},
            )  # fmt: skip
            facts = {"method": method, "staff": staff}
            await self._note(connection, row, Entry(entry, now, "guardian:consent:given", facts))
            reach("child.consented")
            opened = await self._closed(person, None, entry)
            if also is not None:
                await also(connection, opened)
        return opened

    async def take_back(self, person: str, *, by: str, also: Also[Closed] | None = None) -> Closed:
        """The parent takes it back: closed again at once, and to be erased by the deadline.

        Raises Refused `person-unknown`, `no-parental-consent`, `child-officer-needed`.
        """
        now, entry = self._clock(), new_id("ev")
        async with self._database.transaction() as connection:
            staff = await self._officer(connection, by, now)
            row = await self._child(connection, person)
            if (
                await _queries.withdraw_consent(connection, person=person, now=now, entries={"withdrawn": entry})
                is None
            ):
                raise Refused("no-parental-consent")
            await _queries.quarantine(connection, person=person, now=now)
            await _queries.end_sessions(connection, person=person)
            await self._note(connection, row, Entry(entry, now, "guardian:consent:withdrawn", {"staff": staff}))
            reach("child.withdrawn")
            closed = await self._closed(person, now, entry)
            if also is not None:
                await also(connection, closed)
        await let_pass(self._database, person, now=now)
        return closed

    async def _child(self, connection: asyncpg.Connection, person: str) -> Any:
        row = await _queries.child(connection, person=person)
        if row is None:
            raise Refused("person-unknown")
        return row

    async def _closed(self, person: str, since: Instant | None, entry: str) -> Closed:
        policy = await self._law.current()
        wait: Deadline | CannotTell = strictest_deadline(policy.packs, CHILD_CONSENT)
        waits = since is not None and isinstance(wait, Deadline)
        until = wait.within.after(since, policy.zone) if waits else None  # type: ignore[union-attr,arg-type]
        return Closed(person=person, closed_at=since, until=until, entry=entry)

    async def _officer(self, connection: asyncpg.Connection, ref: str, now: Instant) -> str:
        """The pseudonym of a privacy officer in office. Raises Refused."""
        row = await _identity.staff_by_ref(connection, ref=ref)
        if row is None:
            raise Refused("staff-unknown")
        if row["role"] != OFFICER or row["role_until"] <= now:
            raise Refused("child-officer-needed", role=OFFICER)
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return self._vault.pseudonym("staff", row["id"])

    async def _note(self, connection: asyncpg.Connection, row: Any, noted: Entry) -> None:
        """Write the entry about the person of this row."""
        person, entry = row["id"], noted.id
        whose = self._vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field="person", value=person)
        written = Entry(entry, noted.at, noted.act, {**noted.facts, "person": whose}, (person,))
        await self._grounds.journal.append(connection, [written], now=noted.at)
