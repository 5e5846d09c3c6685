"""People with many records of a kilobyte, sealed with the real vault and written with COPY; beside them plain rows."""

from typing import Any

import msgspec

from bench.town import Town, delivery
from omonat.base.ids import new_id
from omonat.base.instants import DAY, HOUR, Instant

NEWSLETTER, VISIT = "newsletter", "site-visit"
"""Services none of whose items has to stay: the first keeps for years, a visit is due after ninety days."""
STANDS: tuple[tuple[str, int], ...] = ((NEWSLETTER, HOUR),)
DUE = (VISIT, 91 * DAY)
_AT_ONCE = 10_000
_TABLES = {
    "persons": ("id", "slot", "evidence_slot", "language", "told", "created_at"),
    "records": ("id", "person", "service", "version", "slot", "source", "collected_at", "due_at", "due_under"),
    "sections": ("record", "category", "person", "collected_at", "sealed"),
    "plain_records": ("id", "person", "service", "version", "source", "collected_at", "due_at", "document"),
}


def kilobyte(number: int) -> dict[str, str]:
    """What such a record holds: a function of its number, about a thousand bytes as JSON."""
    return delivery(number) | {"landmark": f"{number}-uy, {'katta chorraha yonida, ' * 36}"}


async def settle(town: Town, people: int, records: list[tuple[str, int]], *, plain: bool = True) -> list[str]:
    """So many people, each with these records (service, microseconds of age), the record's place being its number;
    without `plain` no plain rows beside them.

    Gives their ids.
    """
    ids: list[str] = []
    each = max(1, _AT_ONCE // len(records))
    for first in range(0, people, each):
        ids += await _settle_some(town, min(each, people - first), records, plain)
    return ids


async def _settle_some(town: Town, people: int, records: list[tuple[str, int]], plain: bool) -> list[str]:
    vault, now = town.house.grounds.vault, town.clock()
    slots = iter(vault.reserve_slots(people * (2 + len(records))))
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _TABLES}
    for _ in range(people):
        person, person_slot, evidence_slot = new_id("per"), next(slots), next(slots)
        rows["persons"].append((person, person_slot, evidence_slot, "uz", 1, now))
        for number, (service, age) in enumerate(records):
            record, slot, at = new_id("rec"), next(slots), Instant(now - age - len(rows["records"]))  # no two alike
            due = Instant(at + (90 if service == VISIT else 1000) * DAY)
            items = kilobyte(number)
            sealed = vault.seal_section(
                person=person, person_slot=person_slot, record=record, record_slot=slot,
                category="contact", version=1, items=items,
            )  # fmt: skip
            rows["records"].append((record, person, service, 1, slot, "site", at, due, 1))
            rows["sections"].append((record, "contact", person, at, sealed))
            if plain:
                document = msgspec.json.encode(items).decode()
                rows["plain_records"].append((record, person, service, 1, "site", at, due, document))
    async with town.house.grounds.database.transaction() as connection:
        for table, columns in _TABLES.items():
            await connection.copy_records_to_table(table, records=rows[table], columns=columns)
    return [row[0] for row in rows["persons"]]
