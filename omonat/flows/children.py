"""Children: any signal closes a person's data for every purpose at once; a parent's verified consent opens it (K2).

What becomes of it otherwise is the sweeper's: after the packs' period for a parent it is erased as a child's. A consent
may name the guardian, who then sees and limits the child's data (K3, `guardians`); one of its own opens images of the
young (G5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import asyncpg

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.clients import require_client
from omonat.flows.grounds import Also, Grounds
from omonat.flows.passing import let_pass
from omonat.flows.use import Credential
from omonat.flows.work import close_work_item_in, close_work_items_about, open_work_item_in
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.kinds import normalise
from omonat.promises.children.consent import SIGNALS, Scope, decide_parental_consent, waits_until
from omonat.promises.children.guardian import born_context
from omonat.promises.children.rule import years_old

_queries = load("omonat.promises.children")
_asks = load("omonat.promises.children", "asks.sql")
_identity = load("omonat.promises.identity")
OFFICER: Final = "privacy-officer"
_WORK: Final = ("child", "parental-consent")
_LONGEST_REFERENCE: Final = 200
_OLDEST: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A child's standing: since when closed (None: a parent's consent stands), until when a parent may agree, and the
    evidence. `until` is None where no pack names a period: then nothing is waited for."""

    person: str
    closed_at: Instant | None
    until: Instant | None
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a parent agrees to, as whoever verifies it hands it in.

    `reference` says where the proof lies; it is sealed and dies with the person's evidence. `guardian` is the phone or
    e-mail the parent signs in with; empty: nobody gets to see the child's data. `born` is the child's birth date,
    needed with a guardian: their access ends by it. It is sealed under the child's own key.
    """

    person: str
    method: str
    reference: str
    guardian: str = ""
    born: date | None = None
    scope: Scope = "data"


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
            row = await self.child(connection, person)
            since = row["quarantined_at"] or (None if "data" in row["consented"] else now)
            if since is not None:
                await _queries.quarantine(connection, person=person, now=now)
                await _queries.end_sessions(connection, person=person)
                await self._wait(connection, person, now)
            facts = {"signal": signal, "by": by, "closed": since is not None}
            await self.note(connection, row, Entry(entry, now, "child:person:signalled", facts))
            reach("child.signalled")
            closed = await self.closed(person, since, entry)
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

    async def agree(self, agreement: Agreement, *, by: str, also: Also[Closed] | None = None) -> Closed:
        """A parent's consent, verified by `by` (a staff ref) in one of the listed ways: what it covers is open again.

        Raises BadInput `reference-incomplete`, `birth-date-needed`, for a guardian's phone or e-mail that is none;
        Refused `person-unknown`, `not-quarantined`, `consent-method-refused`, `guardian-unknown`,
        `guardian-already-agreed` ….
        """
        policy, now, entry = await self._law.current(), self._clock(), new_id("ev")
        if not agreement.reference.strip() or len(agreement.reference) > _LONGEST_REFERENCE:
            raise BadInput("reference-incomplete")
        self.age_fits(policy, agreement, now)
        async with self._database.transaction() as connection:
            staff = await self.officer(connection, by, now)
            row = await self.child(connection, agreement.person)
            closed = row["quarantined_at"] if agreement.scope == "data" else row["images_closed"]
            verdict = decide_parental_consent(
                policy.packs, agreement.method, quarantined=closed is not None, scope=agreement.scope
            )
            if not isinstance(verdict, Allow):
                raise Refused(verdict.reasons[0].code, **verdict.reasons[0].about)
            guardian = await self._guardian(connection, policy, agreement)
            facts = {"method": agreement.method, "scope": agreement.scope, "staff": staff}
            if agreement.scope in row["consented"]:
                facts["reference"] = await self._open_again(connection, row, agreement, entry=entry, now=now)
            else:
                await self.open(connection, row, agreement, guardian, staff=staff, entry=entry, now=now)
            if guardian is not None:
                facts["guardian"] = self.commit(row, entry, "guardian", guardian)
            await self.note(connection, row, Entry(entry, now, "guardian:consent:given", facts))
            reach("child.consented")
            since = row["quarantined_at"] if agreement.scope == "images" else None
            opened = await self.closed(agreement.person, since, entry)
            if also is not None:
                await also(connection, opened)
        return opened

    def age_fits(self, policy: CompiledPolicy, agreement: Agreement, now: Instant) -> None:
        """Raises BadInput for a guardian without the child's age, Refused for a child that is none any more."""
        if agreement.born is None:
            if agreement.guardian:
                raise BadInput("birth-date-needed")
            return
        under = policy.child_under if agreement.scope == "data" else policy.images_under
        years = years_old(agreement.born, policy.today(now))
        if not 0 <= years <= _OLDEST:
            raise BadInput("birth-date-needed")
        if years >= under:
            raise Refused("child-of-age", under=str(under))

    async def _guardian(
        self, connection: asyncpg.Connection, policy: CompiledPolicy, agreement: Agreement
    ) -> str | None:
        """Who signs in with this phone or e-mail, if one person does. Raises BadInput, Refused `guardian-unknown`,
        `guardian-several`: a consent must not open a child's data to whoever shares a number."""
        typed = agreement.guardian.strip()
        if not typed:
            return None
        item = "contact.email" if "@" in typed else "contact.mobile"
        normal = normalise(policy.item(item).kind, typed, country=policy.policy.controller.country)
        digests = self._vault.lookup_digests(item, normal.lookup or "")
        found = [
            row["id"]
            async for row in _identity.persons_by_lookup(connection, digests=digests, item=item)
            if row["id"] != agreement.person
        ]
        if len(found) != 1:
            raise Refused("guardian-several" if found else "guardian-unknown")
        return str(found[0])

    async def open(
        self,
        connection: asyncpg.Connection,
        row: Any,
        agreement: Agreement,
        guardian: str | None,
        *,
        staff: str,
        entry: str,
        now: Instant,
    ) -> str:
        """Write the consent and open what it covers; its id. Whether it counts is the caller's to know."""
        person, consent = row["id"], new_id("gua")
        seal = self._vault.seal_value
        sealed = seal(f"guardian:{consent}", agreement.reference.encode(), slot=row["evidence_slot"])
        born = row["images_closed"] if agreement.scope == "images" else None
        if agreement.born is not None:
            born = seal(born_context(person), agreement.born.isoformat().encode(), slot=row["slot"])
        await _queries.add_consent(
            connection, id=consent, person=person, method=agreement.method, reference=sealed, now=now, by=staff,
            entries={"given": entry}, scope=agreement.scope, guardian=guardian, born=born,
        )  # fmt: skip
        await self._unlock(connection, person, agreement.scope, now)
        return consent

    async def _open_again(
        self, connection: asyncpg.Connection, row: Any, agreement: Agreement, *, entry: str, now: Instant
    ) -> str:
        """Open what is closed though a consent stands, as after a restore that couldn't tell what was lost. The consent
        stays as it was given, with the right to take it back; the commitment to where the new proof lies.

        Raises Refused `guardian-already-agreed` where a guardian is named: that takes a consent of its own.
        """
        if agreement.guardian.strip():
            raise Refused("guardian-already-agreed")
        await _queries.confirm_consent(
            connection, person=row["id"], scope=agreement.scope, entries={"confirmed": entry}
        )
        await self._unlock(connection, row["id"], agreement.scope, now)
        return self.commit(row, entry, "reference", agreement.reference)

    async def _unlock(self, connection: asyncpg.Connection, person: str, scope: Scope, now: Instant) -> None:
        if scope == "images":
            await _queries.open_images(connection, person=person)
            return
        await _queries.open(connection, person=person)
        await _asks.call_news_back(connection, person=person, now=now)
        rule, missing = _WORK
        await close_work_item_in(connection, rule=rule, person=person, missing=missing, now=now)
        await close_work_items_about(connection, rule="quarantine", person=person, now=now)

    async def take_back(
        self, person: str, *, by: str, scope: Scope = "data", also: Also[Closed] | None = None
    ) -> Closed:
        """The parent takes it back, and an officer notes it: closed again at once; a child's data is erased by the
        deadline.

        Raises Refused `person-unknown`, `no-parental-consent`, `child-officer-needed`.
        """
        now = self._clock()
        async with self._database.transaction() as connection:
            staff = await self.officer(connection, by, now)
            row = await self.child(connection, person)
            closed = await self.withdraw_in(connection, row, scope, {"staff": staff}, now=now)
            if also is not None:
                await also(connection, closed)
        await let_pass(self._database, person, now=now)
        return closed

    async def withdraw_in(
        self,
        connection: asyncpg.Connection,
        row: Any,
        scope: Scope,
        facts: Mapping[str, Any],
        *,
        now: Instant,
        act: str = "guardian:consent:withdrawn",
    ) -> Closed:
        """End the consent that stands over this row's person, in the caller's transaction, and close what it opened.
        Other parents who were asked are asked no more: what one of them said before mustn't undo it.
        Who may ask is the caller's to know. Raises Refused `no-parental-consent`."""
        person, entry = row["id"], new_id("ev")
        ended = await _queries.withdraw_consent(
            connection, person=person, scope=scope, now=now, entries={"withdrawn": entry}
        )
        if ended is None:
            raise Refused("no-parental-consent")
        since = row["quarantined_at"]
        if scope == "images":
            if ended["born"] is not None:
                _ = [each async for each in _queries.close_images(connection, ids=[person], born=[ended["born"]])]
        else:
            since = now
            await _queries.quarantine(connection, person=person, now=now)
            await _queries.end_sessions(connection, person=person)
            await self._wait(connection, person, now)
            await self.end_asks(connection, person, {"withdrawn": entry}, now=now)
        noted = Entry(entry, now, act, {"scope": scope, **facts})
        await self.note(connection, row, noted)
        reach("child.withdrawn")
        return await self.closed(person, since, entry)

    async def end_asks(
        self, connection: asyncpg.Connection, person: str, entries: Mapping[str, str], *, now: Instant
    ) -> None:
        """Nobody is asked about this person any more, and no answer to what was asked counts: their row is held."""
        await _asks.end_asks(connection, person=person, now=now, entries=entries)
        await _asks.call_all_back(connection, person=person, now=now)

    async def _wait(self, connection: asyncpg.Connection, person: str, now: Instant) -> None:
        rule, missing = _WORK
        await open_work_item_in(connection, rule=rule, person=person, missing=missing, now=now)

    async def child(self, connection: asyncpg.Connection, person: str) -> Any:
        """The person's row, held until the transaction ends. Raises Refused `person-unknown`."""
        row = await _queries.child(connection, person=person)
        if row is None:
            raise Refused("person-unknown")
        return row

    async def closed(self, person: str, since: Instant | None, entry: str) -> Closed:
        """How a child stands that is closed since then."""
        policy = await self._law.current()
        until = None if since is None else waits_until(policy, since)
        return Closed(person=person, closed_at=since, until=until, entry=entry)

    async def officer(self, connection: asyncpg.Connection, ref: str, now: Instant) -> str:
        """The pseudonym of a privacy officer in office. Raises Refused."""
        row = await _identity.staff_by_ref(connection, ref=ref)
        if row is None:
            raise Refused("staff-unknown")
        if row["role"] != OFFICER or row["role_until"] <= now:
            raise Refused("child-officer-needed", role=OFFICER)
        if row["trained_until"] <= now:
            raise Refused("training-lapsed")
        return self._vault.pseudonym("staff", row["id"])

    async def note(self, connection: asyncpg.Connection, row: Any, noted: Entry) -> None:
        """Write the entry about the person of this row."""
        whose = self.commit(row, noted.id, "person", row["id"])
        written = Entry(noted.id, noted.at, noted.act, {**noted.facts, "person": whose}, (row["id"],))
        await self._grounds.journal.append(connection, [written], now=noted.at)

    def commit(self, row: Any, entry: str, field: str, value: str) -> str:
        """What an entry says of a value about this row's person."""
        return self._vault.commitment(evidence_slot=row["evidence_slot"], entry=entry, field=field, value=value)
