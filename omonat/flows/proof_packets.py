"""Sealed proof packets: what the company must be able to show after a person is gone, and nothing else of them.

1. `seal`, inside the erasure: the openings of the person's evidence, one packet per class and thousand, each under a
   slot of its own with a due instant of its own; nothing in them but ids, cases and salts
2. `open_for`: an auditor proves who they are and says why; the entry is durable before anything is shown
3. `end_due`: when its time is over the end is written down, then the key is destroyed, then the row; any crash in
   between is finished by the next round

With a packet and the public log anybody can check what was agreed, told, answered and used; with the log alone nobody
can tell that two entries speak of one person. Promises A1, G6, C2, R3.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from omonat.base.errors import BadInput, Refused
from omonat.base.failpoints import reach
from omonat.base.ids import is_id, new_id
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.journal import Receipt
from omonat.flows.grounds import Grounds
from omonat.flows.locking import Lock, check, locked
from omonat.flows.openings import Altered, Found, Opening, as_row, openings
from omonat.flows.staff import Staff
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.packs import lawful_period
from omonat.promises.accountability import CLASSES, PERIOD, class_of, decide_opening

_queries = load("omonat.flows", "proof_packets.sql")
_MOST: Final = 1_000


class AuditorProof(Struct, frozen=True, kw_only=True):
    """Who asks to open: a staff number, their password and code, the reference that says why (`audit:2027-3`), and the
    public key of age or SSH of whoever is to read it."""

    ref: str
    password: str
    code: str
    because: str
    recipient: str


class Opened(Struct, frozen=True, kw_only=True):
    """What was in the packets of one person, by class: as files that only the recipient opens (age), each the JSON the
    verifier reads; how many openings each holds; the entries that had been altered, of which nothing is opened; and the
    receipt."""

    files: Mapping[str, bytes]
    counts: Mapping[str, int]
    altered: tuple[str, ...]
    receipt: Receipt


class ProofPackets:
    """The flow, put together once per process."""

    def __init__(self, grounds: Grounds, staff: Staff) -> None:
        self._grounds = grounds
        self._staff = staff

    async def seal(
        self, connection: asyncpg.Connection, person: str, *, evidence_slot: int, now: Instant
    ) -> tuple[tuple[str, ...], Found]:
        """Seal the person's packets in the caller's transaction, before ledger, cases and evidence slot are gone.

        Returns the packets' ids, and what is in them. An altered entry is named in the packet of its class, and opens
        nothing. A class whose lawful period no pack names gets no packet: nobody may keep what no law lets them keep.
        Raises as `openings`.
        """
        vault = self._grounds.vault
        policy = await self._grounds.law.current()
        found = await openings(vault, connection, person, evidence_slot=evidence_slot)
        every: list[Opening | Altered] = [*found.openings, *found.altered]
        sealed: dict[str, int] = {}
        for name in CLASSES:
            mine = [one for one in every if class_of(one.act) == name]
            due = _due(policy, mine)
            if due is None or due <= now:
                continue
            for first in range(0, len(mine), _MOST):
                part = mine[first : first + _MOST]
                packet, (slot,) = new_id("prf"), vault.reserve_slots(1)
                plain = msgspec.json.encode([as_row(one) for one in part])
                await _queries.add_packet(
                    connection, id=packet, handle=self._handle(person), kind=name, slot=slot, now=now, due_at=due,
                    sealed=vault.seal_value(_context(packet, name), plain, slot=slot),
                )  # fmt: skip
                sealed[packet] = len(part)
        if sealed:
            facts = {"packets": len(sealed), **({"altered": len(found.altered)} if found.altered else {})}
            entry = Entry(new_id("ev"), now, "proof:packet:sealed", facts)
            await self._grounds.journal.append(connection, [entry], now=now)
        return tuple(sealed), found

    async def open_for(self, auditor: AuditorProof, person: str) -> Opened:
        """Open the packets of a person who is gone, for one reader: nothing leaves in the clear (S2).

        Raises BadInput `age-key-malformed`, Refused: `sign-in-failed` and its like, `packet-not-yours`,
        `packet-needs-reason`, `packet-over`, `packet-none`; each refusal of somebody proved is in evidence. Unavailable
        without evidence.
        """
        if not is_id("per", person):
            raise BadInput("person-unknown")
        lock = Lock(recipient=auditor.recipient.strip())
        if not lock.used:
            raise BadInput("age-key-malformed")
        check(lock)
        member = await self._staff.confirm(auditor.ref, auditor.password, auditor.code)
        vault, now = self._grounds.vault, self._grounds.clock()
        async with self._grounds.database.connection() as connection:
            rows = [row async for row in _queries.packets_of(connection, handle=self._handle(person))]
        due = max((row["due_at"] for row in rows), default=Instant(now + 1))
        verdict = decide_opening(role=member.role, because=auditor.because, due=due, now=now)
        facts: dict[str, Any] = {"staff": vault.pseudonym("staff", member.id)}
        code = "packet-none" if not rows else ""
        if not isinstance(verdict, Allow):
            code = verdict.reasons[0].code
        if code:
            await self._grounds.journal.submit(
                Entry(new_id("ev"), now, "proof:packet:refused", {**facts, "code": code})
            )
            raise Refused(code, role=member.role)
        live = [row for row in rows if row["due_at"] > now]
        facts |= {"packets": [row["id"] for row in live], "because": auditor.because}
        facts["locked-for"] = sha256(" ".join(lock.recipient.split()[:2]).encode()).hexdigest()  # without a comment
        receipt = await self._grounds.journal.submit(Entry(new_id("ev"), now, "proof:packet:opened", facts))
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in live:
            plain = vault.open_value(_context(row["id"], row["class"]), row["sealed"], slot=row["slot"])
            found.setdefault(row["class"], []).extend(msgspec.json.decode(plain))
        altered = tuple(row["entry"] for rows in found.values() for row in rows if "altered" in row)
        counts = {name: sum("altered" not in row for row in rows) for name, rows in found.items()}
        files = {name: await locked(_json(rows), lock) for name, rows in found.items()}
        return Opened(files=files, counts=counts, altered=altered, receipt=receipt)

    async def end_due(self, *, most: int = 200) -> int:
        """End packets whose time is over, a bounded number; returns how many. Doing it again is harmless."""
        grounds, now = self._grounds, self._grounds.clock()
        entry = new_id("ev")
        async with grounds.database.transaction() as connection:
            ending = [row["id"] async for row in _queries.end_due(connection, entry=entry, now=now, most=most)]
            if ending:
                ended = Entry(entry, now, "proof:packet:ended", {"packets": ending})
                await grounds.journal.append(connection, [ended], now=now)
        async with grounds.database.connection() as connection:
            rows = [row async for row in _queries.ending(connection, now=now, most=most)]
            if rows:
                await asyncio.to_thread(grounds.vault.destroy_slots, [row["slot"] for row in rows])
                reach("packets.destroyed")
                await _queries.drop_packets(connection, ids=[row["id"] for row in rows])
        return len(rows)

    def _handle(self, person: str) -> bytes:
        return self._grounds.vault.keyed_digest("proof-packet", person.encode())


def _due(policy: CompiledPolicy, mine: Sequence[Opening | Altered]) -> Instant | None:
    """The lawful period after the newest act; None for nothing, and where no pack names a period."""
    periods = [lawful_period(policy.packs, f"{pack.pack}/{PERIOD}") for pack in policy.packs]
    ends = [period.after(max(one.at for one in mine), policy.zone) for period in periods if period is not None and mine]
    return min(ends, default=None)


def _context(packet: str, name: str) -> str:
    return f"proof-packet:{name}:{packet}"


def _json(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n"
