"""GDPRbench's operations in the house, by the flows that its users have.

What each means here, and why, is in docs/performance.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bench.gdpr_policy import DECISIONS, document
from bench.gdpr_work import SOURCES, Operation, Record, Terms
from bench.town import Town, publication
from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.base.instants import DAY, Instant
from omonat.evidence.entry import decode
from omonat.evidence.tiles import ENTRIES, WIDTH, TileName, unbundle
from omonat.flows.choose import Choosing
from omonat.flows.clients import parse_credential
from omonat.flows.collect import CollectRequest
from omonat.flows.erase import ErasureRequest
from omonat.flows.held import Held
from omonat.flows.my_data import MyData
from omonat.flows.use import UseRequest

IN_FLIGHT = 256
"""Uses on their way at once where one operation concerns many records."""
_TABLES = {
    "persons": ("id", "slot", "evidence_slot", "language", "told", "created_at"),
    "cases": ("id", "kind", "service", "person", "opened_by", "opened_at"),
    "records": (
        "id", "person", "service", "case_id", "version", "slot", "source", "collected_at", "due_at", "due_under",
    ),
    "sections": ("record", "category", "person", "collected_at", "sealed"),
}  # fmt: skip


class InHouse:
    """The house's side, and what the company's own systems remember: whose id is whose, which record is under a key,
    which erasure took one."""

    def __init__(self, town: Town, terms: Sequence[Terms]) -> None:
        self._town, self._house, self._terms = town, town.house, list(terms)
        self.records: dict[str, str] = {}
        self.erasures: dict[str, str] = {}
        self._persons: dict[int, str] = {}
        self._slots: dict[int, int] = {}
        self._published = 0

    async def open(self) -> None:
        """The policy in force, and the systems that may collect and use."""
        await self._publish()
        for source in SOURCES:
            token = await self._house.clients.issue(name=source, source=source, roles=["program"])
            self._town.credentials[source] = parse_credential(token)

    async def settle(self, records: Sequence[Record], collected: Sequence[Instant]) -> None:
        """Write records at once, sealed with the real vault: the rows that `collect` would have written."""
        vault, now = self._house.grounds.vault, self._town.clock()
        ordinal = (await self._house.grounds.law.current()).ordinal
        new = sorted({record.user for record in records} - self._persons.keys())
        slots = iter(vault.reserve_slots(len(records) + 2 * len(new)))
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
        for user in new:
            self._persons[user], self._slots[user] = new_id("per"), next(slots)
            rows["persons"].append((self._persons[user], self._slots[user], next(slots), "uz", 1, now))
        for record, at in zip(records, collected, strict=True):
            person, name, slot = self._persons[record.user], new_id("rec"), next(slots)
            due = Instant(at + record.term * DAY)
            service = record.purpose.replace("study", "form")
            client = self._town.credentials[record.source].client
            rows["cases"].append((record.key, "order", service, person, client, at))
            rows["records"].append((name, person, service, record.key, ordinal, slot, record.source, at, due, ordinal))
            sealed = vault.seal_section(
                person=person, person_slot=self._slots[record.user], record=name, record_slot=slot,
                category=record.category, version=ordinal, items={"text": record.data},
            )  # fmt: skip
            rows["sections"].append((name, record.category, person, at, sealed))
            self.records[record.key] = name
        async with self._house.grounds.database.transaction() as connection:
            for table, columns in _TABLES.items():
                await connection.copy_records_to_table(table, records=rows[table], columns=columns)

    async def run(self, operation: Operation) -> Mapping[str, str] | int | None:
        """Do one; what a read brings by key, or how many entries of the log, or nothing."""
        person = self._persons[operation.user]
        match operation.kind:
            case "create":
                await self._collect(operation.records[0])
            case "delete":
                await self._erase(operation.records[0])
            case "rewrite":
                await self._rewrite(operation.records[0])
            case "set-purpose":
                assert operation.terms is not None
                self._terms[operation.purpose] = operation.terms
                await self._publish()
            case "object" | "consent":
                await self._choose(person, operation)
            case "own-record" | "own-purpose" | "own-records" | "metadata":
                return _asked(await self._extract(person), operation)
            case "log":
                return self._read_log(operation.length)
            case "verify-deletion":
                await self._verify(operation.records[0].key)
            case _:
                return await self._use(operation.records)
        return None

    async def expire(self) -> int:
        """Rounds of the sweeper until nothing is due, how many records that were; its index follows the policies
        published meanwhile."""
        swept = await self._house.sweeper.round()
        records = swept.records
        while swept.more:
            swept = await self._house.sweeper.round()
            records += swept.records
        return records

    async def state(self) -> dict[str, Record]:
        """Every record by its key, as each person's extract, their choices and the policy in force tell."""
        found: dict[str, Record] = {}
        for user, person in self._persons.items():
            data = await self._extract(person)
            objections = (await self._house.my_data.standing(person)).objections
            for held in data.held:
                record = _record(data, held, user, objections)
                assert record.key not in found, "a record is held twice"
                found[record.key] = record
        return found

    def person(self, user: int) -> str:
        """Whose id a user has."""
        return self._persons[user]

    async def _extract(self, person: str) -> MyData:
        found = await self._house.my_data(person)
        self._town.answered["access:person:viewed"] += 1
        return found

    async def _publish(self) -> None:
        self._published += 1
        text = document(self._terms, version=self._published, effective=self._town.clock())
        compiled, _ = await self._house.publish(publication(text))
        assert (await self._house.grounds.law.current()).ordinal == compiled.ordinal

    async def _collect(self, record: Record) -> None:
        answer = await self._house.collect(
            CollectRequest(
                credential=self._town.credentials[record.source], service=record.purpose.replace("study", "form"),
                items={f"{record.category}.text": record.data}, version=str(self._published), consents={},
                person=self._persons[record.user], case=record.key, accepted=True,
            )
        )  # fmt: skip
        self._town.answered["collect:record:accepted"] += 1
        self.records[record.key] = answer.record

    async def _erase(self, record: Record) -> None:
        person, name = self._persons[record.user], self.records.pop(record.key)
        erasure = await self._house.erase(ErasureRequest(person=person, record=name))
        assert erasure.destroyed_at is not None
        self.erasures[record.key] = erasure.id
        self._town.answered["erasure:record:hidden"] += 1

    async def _rewrite(self, record: Record) -> None:
        """What is right is collected, what was wrong is erased (Q2)."""
        old = self.records[record.key]
        await self._collect(record)
        request = ErasureRequest(person=self._persons[record.user], record=old, cause="inaccurate")
        erasure = await self._house.erase(request)
        self._town.answered["erasure:record:hidden"] += 1
        assert erasure.destroyed_at is not None

    async def _choose(self, person: str, operation: Operation) -> None:
        state = "given" if operation.answer else "withdrawn"
        if operation.kind == "object":
            choosing = Choosing(
                person=person, kind="objection", purpose=f"study-{operation.purpose}", state=state, door="center"
            )
        else:
            choosing = Choosing(person=person, kind="consent", purpose=DECISIONS, state=state, door="center")
        await self._house.choose(choosing)
        self._town.answered[f"choice:{choosing.kind}:{state}"] += 1

    async def _use(self, records: Sequence[Record]) -> Mapping[str, str]:
        """One use for each record: nobody reads everything of a purpose at once, whoever may read does so by case."""
        found: dict[str, str] = {}
        waiting = iter(records)

        async def user() -> None:
            for record in waiting:
                request = UseRequest(credential=self._town.credentials["site"], purpose=record.purpose, case=record.key)
                try:
                    answer = await self._house.use(request)
                except Refused as refused:
                    if refused.code != "objected":
                        raise
                else:
                    self._town.answered["use:person:authorised"] += 1
                    found[record.key] = answer.items[f"{record.category}.text"]

        await asyncio.gather(*(user() for _ in range(min(IN_FLIGHT, len(records)))))
        return found

    def _read_log(self, most: int) -> int:
        """The last entries of the published log, each decoded, under a checkpoint whose signatures hold."""
        size = self._house.evidence.checkpoint().checkpoint.size
        first, entries = max(0, size - most), list[bytes]()
        for number in range(first // WIDTH, -(-size // WIDTH)):
            name = TileName(ENTRIES, number, min(WIDTH, size - number * WIDTH))
            raw = self._house.log.read(name)
            assert raw is not None
            entries += unbundle(raw, name.width)
        return len([decode(entry) for entry in entries[first % WIDTH :]])

    async def _verify(self, key: str) -> None:
        """The certificate of the erasure, with its proofs."""
        erasure = self.erasures[key]
        certificate = await self._house.certify(erasure, for_person=False)
        assert certificate["stages"][1]["at"] is not None, "the key is still there"


def _asked(data: MyData, operation: Operation) -> Mapping[str, str]:
    """Of a person's extract what was asked for."""
    found = {held.case: held.value for held in data.held if held.case is not None}
    if operation.kind == "own-record":
        key = operation.records[0].key
        return {key: found[key]}
    if operation.kind == "own-purpose":
        service = f"form-{operation.purpose}"
        return {held.case: held.value for held in data.held if held.case is not None and held.service == service}
    return found


def _record(data: MyData, held: Held, user: int, objections: frozenset[str]) -> Record:
    (purpose,) = set(held.purposes) - {DECISIONS}
    roles = sorted(role for role in data.policy.policy.purposes[purpose].roles if role != "program")
    recipients = [each.id for each in data.policy.policy.recipients.values() if purpose in each.purposes]
    assert held.due is not None
    assert held.case is not None
    days, rest = divmod(held.due - held.collected_at, DAY)
    assert rest == 0
    return Record(
        key=held.case, purpose=purpose, term=days, user=user, objected=purpose in objections,
        decided=DECISIONS in data.consents, roles=", ".join(roles), recipient=", ".join(recipients),
        source=held.came_from, category=held.item.partition(".")[0], data=held.value,
    )  # fmt: skip
