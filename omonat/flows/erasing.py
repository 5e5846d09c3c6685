"""Erasing: the stages every destruction of keys goes through, and takes up again after a crash (R3; I5, I8).

    hidden          one transaction: no read reaches the data any more; the intent and its entry are written
      │ seal        a person's only: what must stay is sealed under a new key of the person, a batch at a time
      │ destroy     the keys, on every registered copy of the slots
    key destroyed   its entry
      │ keep proof  a person's only: the openings of their evidence, in packets sealed for an auditor
      │ sweep       rows, messages, ways to be found, web sessions, the index of who looked, a batch at a time
    swept           its entry
      │             once no digest of an erased channel is left under a living look-up key
    final           its entry

A crash between any two leaves a row that says what is left to do; every step may be done again. The row alone dooms no
key: its slots are sealed by the vault, and a slot that still opens something of the living is never destroyed.
"""

from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from typing import Any, Final

import asyncpg

from omonat.base.canonical import canonical
from omonat.base.errors import Fault, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.judging import Asked, Judge, in_force, read_around
from omonat.flows.proof_packets import ProofPackets
from omonat.flows.removing import Removal, destroy, stays_of, told
from omonat.flows.staff import Staff
from omonat.flows.systems import tell_of_person
from omonat.flows.work import open_work_item_in
from omonat.policy.compiled import CompiledPolicy

_queries = load("omonat.promises.retention")
_erasures = load("omonat.promises.retention", "erasures.sql")
_BATCH: Final = 200
_MANY: Final = 2_000
LEAVING: Final = Asked(leaving=True)
"""A person who goes takes back consents and accounts with everything else."""


class Stages:
    """Writes intents and carries them out. `reached` hears each step just done: the place for failpoints."""

    def __init__(self, grounds: Grounds, reached: Callable[[str], None] = lambda _step: None) -> None:
        self._grounds = grounds
        self._packets = ProofPackets(grounds, Staff(grounds))
        self.reached = reached

    async def intend(
        self,
        connection: asyncpg.Connection,
        *,
        act: str,
        facts: Mapping[str, Any],
        subjects: tuple[str, ...],
        now: Instant,
        entry: str | None = None,
        **row: Any,
    ) -> str:
        """Write the intent and its entry in the transaction that hides the data; the erasure's id comes back.

        `entry` is the entry's id where something was opened for it already.
        """
        given, hidden = self._intent(act, facts, subjects, entry or new_id("ev"), row | {"now": now})
        await _erasures.begin_erasure(connection, **given)
        await self._grounds.journal.append(connection, [hidden], now=now)
        return str(given["id"])

    async def hide_person(
        self,
        connection: asyncpg.Connection,
        *,
        policy: CompiledPolicy,
        facts: Mapping[str, Any],
        now: Instant,
        entry: str,
        evidence_due: Instant,
        **row: Any,
    ) -> str:
        """As `intend`, for a whole person, whom the caller has locked: hidden in the same statement. Of whom nothing
        can stay is noted as sealed."""
        free = [service for service in policy.services if not policy.outlives_a_request(service)]
        row |= {"scope": "person", "policy": policy.ordinal, "lookup_epoch": self._grounds.vault.lookup_epoch}
        given, hidden = self._intent("erasure:person:hidden", facts, (), entry, row | {"now": now})
        del given["sealed_at"]
        await _erasures.hide_person(
            connection, **given, **self._grounds.journal.prepared(hidden), free=free,
            evidence_due=evidence_due,
        )  # fmt: skip
        return str(given["id"])

    def _intent(
        self, act: str, facts: Mapping[str, Any], subjects: tuple[str, ...], entry: str, row: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Entry]:
        """The row of an erasure and its first entry."""
        erasure = new_id("ers")
        slots = sorted(row["slots"])
        given: dict[str, Any] = {
            "person": None, "record": None, "items": [], "counted": 0, "new_slot": None, "stays": [],
            "lookup_epoch": None, "sealed_at": row["now"],
        }  # fmt: skip
        given |= {
            **row,
            "slots": slots,
            "seal": self._seal(erasure, slots),
            "id": erasure,
            "entries": {"hidden": entry},
        }
        about = {"erasure": erasure, "cause": given["cause"], "by": given["asked_by"], "slots": slots, **facts}
        if "person" in facts:
            about["person"] = self._grounds.vault.commitment(
                evidence_slot=facts["person"], entry=entry, field="person", value=str(given["person"])
            )
        return given, Entry(entry, row["now"], act, about, subjects)

    def _seal(self, erasure: str, slots: Sequence[int]) -> bytes:
        named = canonical({"id": erasure, "slots": [str(slot) for slot in slots]})
        return self._grounds.vault.keyed_digest("erasure", named)

    async def resume(self) -> int:
        """Carry out what was begun and not finished, by whichever process; how many were finished.

        One that can't be carried out doesn't stand in the way of the others; its error is raised at the end.
        """
        tried: list[str] = []
        finished, trouble = 0, None
        while True:
            async with self._grounds.database.transaction() as connection:
                erasure = await _erasures.claim_erasure(connection, but=tried)
            if erasure is None:
                break
            tried.append(erasure)
            try:
                await self.advance(erasure)
                finished += 1
            except (Fault, Refused) as error:
                trouble = error
        if trouble is not None:
            raise trouble
        return finished

    async def advance(self, erasure: str) -> None:
        """Carry one erasure out as far as it goes; harmless where it is done or somebody else is at it."""
        while await self._step(erasure):
            pass

    async def _step(self, erasure: str) -> bool:
        """One step in one transaction, but for the keys, which are destroyed between two; whether more is to do."""
        now, vault = self._grounds.clock(), self._grounds.vault
        with vault.openings.for_an_entry() as entry:
            async with self._grounds.database.transaction() as connection:
                row = await _erasures.erasure_for_update(connection, id=erasure)
                if row is None:
                    return False
                done = False
                if row["sealed_at"] is None:
                    await self._seal_some(connection, row, now, entry)
                    reach("erase.sealed")
                elif row["destroyed_at"] is None:
                    await self._destroy(connection, row, now)
                    reach("erase.destruction-noted")
                    done = row["scope"] != "person"  # its rows went with the intent
                elif "packets" not in row["entries"]:
                    await self._keep_proof(connection, row, now)
                    reach("erase.proof-kept")
                elif await self._sweep_some(connection, row, now):  # rows that go say so in their own transaction
                    await self._grounds.journal.append(connection, [self._entry(row, "sweeping", now)], now=now)
                else:
                    await self._note_swept(connection, row, now)
                    reach("erase.swept")
                    done = True
        self.reached("stepped")
        return not done

    # What must stay ---------------------------------------------------------------------------------------------

    async def _seal_some(self, connection: asyncpg.Connection, row: Any, now: Instant, entry: str) -> None:
        """Seal anew, under the person's new key, a batch of what duties keep of an erased person."""
        policy = await self._grounds.law.current()
        await in_force(connection, policy)
        person = await _queries.person_for_erasure(connection, id=row["person"])
        free = [service for service in policy.services if not policy.outlives_a_request(service)]
        held = await _queries.is_held(connection, person=row["person"])
        records = [
            r
            async for r in _queries.records_after(
                connection, person=row["person"], after=row["after"], free=[] if held else free, most=_BATCH
            )
        ]
        stays = stays_of(row["stays"])
        if records:
            judge = Judge(self._grounds, policy, now, entry=entry, by_name="stays")
            removal = Removal(self._grounds, policy, judge)
            around = await read_around(connection, records, kept_still=False, person=person)
            for record in records:
                judged = judge.judge(record, around, LEAVING)
                removal.add(judged, person, new_person_slot=row["new_slot"], by=row["id"])
            await removal.write(connection, around, lookups=False)
            stays = (*stays, *removal.stays)
            sealed = self._entry(row, "sealed", now, opened=judge.opened, id=entry)
            await self._grounds.journal.append(connection, [sealed], now=now)
        if len(records) == _BATCH:
            await _erasures.move_erasure(connection, id=row["id"], after=records[-1]["id"], stays=told(stays))
            return
        if stays:
            await _erasures.leave_remains(connection, id=row["person"], slot=row["new_slot"])
        await _erasures.note_sealed(connection, id=row["id"], now=now, stays=told(stays))

    # The keys ---------------------------------------------------------------------------------------------------

    async def _destroy(self, connection: asyncpg.Connection, row: Any, now: Instant) -> None:
        """Destroy the keys on every copy, then say so. Raises Fault `erasure-changed`, `key-in-use`."""
        slots = list(row["slots"])
        if not compare_digest(bytes(row["seal"]), self._seal(row["id"], slots)):
            raise Fault("erasure-changed", erasure=row["id"])
        if row["still_used"]:
            raise Fault("key-in-use", erasure=row["id"])
        await destroy(self._grounds, slots)
        self.reached("destroyed")
        copies = self._grounds.vault.copies
        entry = self._entry(row, "destroyed", now, copies=copies, slots=slots)
        ends = {} if row["scope"] == "person" else self._ends(row, now)
        await _erasures.note_destroyed(
            connection, id=row["id"], now=now, copies=copies, swept_at=now if ends else None,
            final_at=now if "final" in ends else None,
            entries={"destroyed": entry.id, **{stage: end.id for stage, end in ends.items()}},
            **self._grounds.journal.prepared(entry, *ends.values()),
        )  # fmt: skip

    def _entry(self, row: Mapping[str, Any], stage: str, now: Instant, *, id: str | None = None, **more: Any) -> Entry:
        what = {"due": "retention:keys", "evidence": "retention:evidence"}.get(row["scope"], "erasure:keys")
        subject = what if stage == "destroyed" else what.replace("keys", "data")
        return Entry(id or new_id("ev"), now, f"{subject}:{stage}", {"erasure": row["id"], **more})

    # What must be shown later -----------------------------------------------------------------------------------

    async def _keep_proof(self, connection: asyncpg.Connection, row: Any, now: Instant) -> None:
        """Seal the packets while the ledger is still there. An altered entry is named in them, and somebody has to
        look; what can't be sealed at all keeps nobody's data either: the erasure goes on."""
        person = await _queries.person_for_erasure(connection, id=row["person"])
        packets: Sequence[str] = ()
        if person is not None:
            try:
                packets, found = await self._packets.seal(
                    connection, row["person"], evidence_slot=person["evidence_slot"], now=now
                )
                if found.altered:
                    await open_work_item_in(
                        connection, rule="proof-packets", person=None, missing="evidence-altered", now=now
                    )
            except (Fault, Refused) as error:
                await open_work_item_in(connection, rule="proof-packets", person=None, missing=error.code, now=now)
        kept = self._entry(row, "proof-kept", now, packets=len(packets))
        await _erasures.note_packets(
            connection, id=row["id"], entries={"packets": kept.id}, **self._grounds.journal.prepared(kept)
        )

    # What hangs on it -------------------------------------------------------------------------------------------

    async def _sweep_some(self, connection: asyncpg.Connection, row: Any, now: Instant) -> bool:
        """Remove a batch of what an erased person leaves behind; whether more is to do."""
        person = row["person"]
        if await _erasures.drop_rest(connection, person=person, erasure=row["id"], most=_MANY) == _MANY:
            return True
        if await _erasures.drop_ledger(connection, person=person, most=_MANY) == _MANY:
            return True
        await tell_of_person(connection, await self._grounds.law.current(), row, now)
        await _erasures.sweep_person(connection, person=person)
        return False

    async def _note_swept(self, connection: asyncpg.Connection, row: Any, now: Instant) -> None:
        ends = self._ends(row, now)
        await _erasures.note_swept(
            connection, id=row["id"], now=now, final_at=now if "final" in ends else None,
            entries={stage: end.id for stage, end in ends.items()}, **self._grounds.journal.prepared(*ends.values()),
        )  # fmt: skip

    def _ends(self, row: Mapping[str, Any], now: Instant) -> dict[str, Entry]:
        """The entries of the last stages: swept, and final unless a digest under a look-up key was left behind."""
        stages = ("swept", "final") if row["lookup_epoch"] is None else ("swept",)
        return {stage: self._entry(row, stage, now) for stage in stages}

    async def finish(self, *, living_epoch: int, most: int = _MANY) -> int:
        """Note as final what waited only for look-up keys that are destroyed now: all before `living_epoch`."""
        now = self._grounds.clock()
        async with self._grounds.database.transaction() as connection:
            ids = [row["id"] async for row in _erasures.claim_not_final(connection, epoch=living_epoch, most=most)]
            if ids:
                entry = Entry(new_id("ev"), now, "erasure:data:final", {"erasures": ids[:most]})
                await _erasures.note_final(connection, ids=ids, now=now, entries={"final": entry.id})
                await self._grounds.journal.append(connection, [entry], now=now)
                reach("erase.final-noted")
        return len(ids)
