"""Integrity: a section that is not what was sealed for its record is withheld, stands in evidence, waits for a person.

Somebody changed or moved it in the database, or a disk did. The rest of the record is unharmed: each section stands
for itself (S2, S6).
"""

from collections.abc import Sequence
from typing import Final

from omonat.base.errors import Fault
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.work import open_work_item

BROKEN: Final = "section-tampered"
"""The code under which such an item is withheld."""
_OF_A_SECTION: Final = frozenset({BROKEN, "slot-changed", "slot-unknown"})


def only_if_broken(fault: Fault) -> None:
    """Return for a section that doesn't open as what its row says; raise every other fault again."""
    if fault.code not in _OF_A_SECTION:
        raise fault


async def note_broken(
    grounds: Grounds, categories: Sequence[str], *, person: str, evidence_slot: int, by: str, now: Instant
) -> None:
    """Write down what was found, before anything is answered: one entry, and an item of work for each category.

    `by` is the client whose use met it, or `person`. Raises Unavailable: then nothing is answered.
    """
    if not categories:
        return
    entry, named = new_id("ev"), sorted(set(categories))
    whose = grounds.vault.commitment(evidence_slot=evidence_slot, entry=entry, field="person", value=person)
    facts = {"categories": named, "by": by, "person": whose}
    await grounds.journal.submit(Entry(entry, now, "integrity:section:broken", facts))
    for category in named:
        await open_work_item(grounds.database, rule="integrity", person=person, missing=category, now=now)
