"""Certify: an erasure told as it is, with proofs that need nobody's word (R3, A1).

Nothing is said before it is true: a stage that isn't reached has no time, and `final` is said only once every
registered copy of the keys has lost them and no look-up key can find an erased channel any more. The person gets the
openings of the commitments about them, so that they can show that the entries speak of them.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final, Literal

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import Instant, to_rfc3339
from omonat.database.statements import load
from omonat.evidence.reader import Reader
from omonat.flows.erase import Erase, Erasure
from omonat.flows.grounds import Grounds
from omonat.flows.systems import Systems
from omonat.promises.retention.rule import Stay, as_told

_queries = load("omonat.promises.retention")
FORMAT: Final = "omonat/erasure-certificate/1"
Says = Literal["hidden", "key-destroyed", "content-final-look-up-pending", "final"]


class Certify:
    """Makes the certificate of one erasure, as plain data; see docs/erasure-certificate.schema.json."""

    def __init__(self, grounds: Grounds, erase: Erase, systems: Systems, evidence: Reader) -> None:
        self._grounds = grounds
        self._erase = erase
        self._systems = systems
        self._evidence = evidence

    async def __call__(self, erasure: str, *, for_person: bool = True) -> dict[str, Any]:
        """The certificate as of now. For a person, a hold they may not be told of is called what it is in law: a duty.

        Raises BadInput `erasure-unknown`.
        """
        found = await self._erase.show(erasure)
        now, policy = self._grounds.clock(), await self._grounds.law.current()
        version = next((p for p in self._grounds.law.history() if p.ordinal == found.policy), policy)
        proofs, checkpoint = await self._proofs(found)
        return {
            "certificate": FORMAT,
            "as-of": to_rfc3339(now),
            "installation": self._grounds.vault.installation,
            "controller": version.policy.controller.name,
            "policy": {"version": version.version, "digest": version.digest},
            "erasure": found.id,
            "scope": found.scope,
            "cause": found.cause,
            "person": found.person,
            "record": found.record,
            "items": list(found.items),
            "says": says(found),
            "stages": [
                _stage("hidden", found.hidden_at, found.entries.get("hidden")),
                _stage("key-destroyed", found.destroyed_at, found.entries.get("destroyed")),
                _stage("swept", found.swept_at, found.entries.get("swept")),
                _stage("final", found.final_at, found.entries.get("final")),
            ],
            "key-copies": found.copies,
            "look-up-epoch": found.lookup_epoch,
            "stays": [_stay(stay) for stay in (as_told(found.stays) if for_person else found.stays)],
            "systems": [
                {
                    "system": notice.system,
                    "erases": notice.erases,
                    "state": "open" if notice.open else "acknowledged",
                    "told-at": to_rfc3339(notice.told_at),
                    "acknowledged-at": _time(notice.acknowledged_at),
                    "evidence": notice.entry,
                }
                for notice in await self._systems.of(found.id)
            ],
            "openings": await self._openings(found),
            "proofs": proofs,
            "checkpoint": checkpoint,
        }

    async def _openings(self, found: Erasure) -> list[dict[str, str]]:
        """What turns the commitment of the first entry into the person's id; none once the salts are gone."""
        if found.person is None or "hidden" not in found.entries:
            return []
        async with self._grounds.database.connection() as connection:
            row = await _queries.person_to_plan(connection, id=found.person)
        if row is None:
            return []
        entry = found.entries["hidden"]
        try:
            salt = self._grounds.vault.salt(evidence_slot=row["evidence_slot"], entry=entry, field="person")
        except Refused:
            return []
        opened = urlsafe_b64encode(salt).rstrip(b"=").decode()
        return [{"entry": entry, "field": "person", "value": found.person, "salt": opened}]

    async def _proofs(self, found: Erasure) -> tuple[dict[str, str], str | None]:
        """Inclusion proofs of the entries that are under a checkpoint by now, and that checkpoint."""
        proofs: dict[str, str] = {}
        for entry in found.entries.values():
            try:
                proofs[entry] = bytes(await self._evidence.proof(entry)).decode()
            except BadInput:  # seconds old: its proof is still to come
                continue
        if not proofs:
            return {}, None
        return proofs, self._evidence.checkpoint().raw.decode()


def says(erasure: Erasure) -> Says:
    """The most that is true of an erasure now."""
    if erasure.final_at is not None:
        return "final"
    if erasure.swept_at is not None:
        return "content-final-look-up-pending"
    return "key-destroyed" if erasure.destroyed_at is not None else "hidden"


def _stage(name: str, at: Instant | None, entry: str | None) -> Mapping[str, str | None]:
    return {"stage": name, "at": _time(at), "evidence": entry}


def _stay(stay: Stay) -> Mapping[str, Any]:
    return {
        "item": stay.item,
        "service": stay.service,
        "reason": stay.factor,
        "source": stay.source,
        "until": _time(stay.until),
        "waits-for": stay.waits_for,
        "count": stay.count,
    }


def _time(at: Instant | None) -> str | None:
    return None if at is None else to_rfc3339(at)
