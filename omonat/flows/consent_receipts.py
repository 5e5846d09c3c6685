"""Consent receipts: what somebody agreed to, or refused, as a file of theirs that proves itself (C1, C2; ISO 27560).

For the person from the Privacy Center, with their name as the law's form wants it; for a system that acts for the
purpose over the API, without: values leave through `use` alone. Old choices have theirs too; what their entry didn't
hold then isn't claimed to be proved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from omonat.base.errors import BadInput, Refused
from omonat.base.ids import is_id, new_id
from omonat.database.statements import load
from omonat.evidence.entry import Entry
from omonat.evidence.reader import Reader, Recorded
from omonat.flows.clients import Client, require_client
from omonat.flows.grounds import Grounds
from omonat.flows.my_data import ViewMyData
from omonat.flows.use import Credential
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Kind
from omonat.promises.choice.receipt import Consented, Event

_queries = load("omonat.promises.choice")
_MOST: Final = 1000
_PAGE: Final = 20
_OWNERS: Final = ("C1", "C2")


class ConsentReceipts:
    """The flow of receipts. `site` is the address people know the installation by."""

    def __init__(self, grounds: Grounds, evidence: Reader, my_data: ViewMyData, *, site: str) -> None:
        self._grounds = grounds
        self._evidence = evidence
        self._my_data = my_data
        self._site = site

    async def __call__(self, person: str, choice: str) -> Consented:
        """A receipt for the person, with their name: opened for an entry of its own, as every look at it is.

        Raises BadInput `choice-not-found` for one that doesn't exist, is no consent, or is somebody else's.
        """
        consented = await self._of(await self._about(choice, person))
        names = [i.id for i in consented.policy.items.values() if i.kind is Kind.PERSON_NAME]
        mine = await self._my_data(person, frozenset(name.partition(".")[0] for name in names))
        newest = mine.newest()
        held = next((newest[name].value for name in names if name in newest), None)
        return replace(consented, name=None if held is None else str(held), name_held=held is not None)

    async def for_system(self, credential: Credential, person: str, purpose: str) -> Sequence[Consented]:
        """All receipts of a person's choices about a purpose, newest first, for a system whose roles act for it or
        that keeps the promises of consent.

        Raises Refused `credential-refused`, `receipt-not-yours`, BadInput `purpose-unknown`, `choice-not-found`.
        """
        policy = await self._grounds.law.current()
        policy.purpose(purpose)
        async with self._grounds.database.connection() as connection:
            client = await require_client(connection, credential, self._grounds.clock())
            if not _may_read(policy, client, purpose):
                raise Refused("receipt-not-yours")
            found = _queries.consents_for(connection, person=person, purpose=purpose, most=_MOST)
            rows = [row async for row in found]
        if not rows:
            raise BadInput("choice-not-found")
        receipts = [await self._of(rows[place:]) for place in range(min(len(rows), _PAGE))]
        await self._note(policy, client, rows[0], len(receipts))
        return receipts

    async def _about(self, choice: str, person: str | None) -> Sequence[Any]:
        if not is_id("cho", choice):
            raise BadInput("choice-not-found")
        async with self._grounds.database.connection() as connection:
            found = _queries.consents_about(connection, choice=choice, person=person, most=_MOST)
            rows = [row async for row in found]
        if not rows:
            raise BadInput("choice-not-found")
        return rows

    async def _of(self, rows: Sequence[Any]) -> Consented:
        row = rows[0]
        entry = await self._evidence.entry(row["entry"])
        return Consented(
            choice=row["id"],
            person=row["person"],
            purpose=row["purpose"],
            event=_event(rows),
            at=row["at"],
            door=row["door"],
            policy=await self._shown(row["version"], row["purpose"]),
            site=self._site,
            made=self._grounds.clock(),
            entry=row["entry"],
            term=row["term"],
            name_held=True,
            proof=await self._proof(row, entry),
        )

    async def _shown(self, ordinal: int, purpose: str) -> CompiledPolicy:
        """The version whose words were shown; where it doesn't know the purpose, the next that does."""
        known = await self._grounds.law.known()
        found = next((p for p in known if p.ordinal >= ordinal and purpose in p.purposes), None)
        if found is None:
            raise BadInput("choice-not-found")
        return found

    async def _proof(self, row: Any, entry: Recorded) -> Mapping[str, Any] | None:
        """The entry's inclusion proof, the opening that ties it to the person, and what of the receipt it proves."""
        try:
            proof = await self._evidence.proof(row["entry"])
        except BadInput as error:
            if error.code != "evidence-proof-pending":
                raise
            return None
        facts = entry.entry.facts
        salt = self._grounds.vault.salt(evidence_slot=row["evidence_slot"], entry=row["entry"], field="person")
        proven = ["purpose", "state", "time", "policy-in-force"]
        proven += ["version-shown"] if "shown" in facts else []
        return {
            "entry": row["entry"],
            "policy-in-force": facts["policy"],
            "proven": [*proven, *(["person"] if "person" in facts else [])],
            "not-in-the-entry": ["everything else: it is what the policy of that version says"],
            "opening": {"entry": row["entry"], "field": "person", "salt": salt.hex(), "value": row["person"]},
            "tlog-proof": bytes(proof).decode(),
        }

    async def _note(self, policy: CompiledPolicy, client: Client, row: Any, receipts: int) -> None:
        """A system read what somebody chose: durable before it is answered, and theirs to see."""
        entry, now = new_id("ev"), self._grounds.clock()
        facts = {
            "policy": policy.digest,
            "purpose": row["purpose"],
            "client": client.id,
            "receipts": receipts,
            "person": self._grounds.vault.commitment(
                evidence_slot=row["evidence_slot"], entry=entry, field="person", value=row["person"]
            ),
        }
        await self._grounds.journal.submit(Entry(entry, now, "access:choice:receipt", facts, (row["person"],)))


def _may_read(policy: CompiledPolicy, client: Client, purpose: str) -> bool:
    """Whether a system's roles act for the purpose, or own the promises that consents are kept by."""
    owners = {policy.policy.promises[id].owner for id in _OWNERS if id in policy.policy.promises}
    return not {*owners, *policy.purposes[purpose].roles}.isdisjoint(client.roles)


def _event(rows: Sequence[Any]) -> Event:
    """What the newest of these choices is. A form's empty box isn't a refusal; taking back needs something given."""
    newest, earlier = rows[0], rows[1:]
    if newest["state"] == "given":
        return "given"
    if any(row["state"] == "given" for row in earlier):
        return "withdrawn"
    return "left" if all(row["door"] == "form" for row in rows) else "refused"
