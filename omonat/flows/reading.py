"""Reading for a use: one statement, shared by all uses that wait at the moment, brings facts and sealed data together.

So what a decision rests on and what it releases are of the same instant, on the primary (design: One door out).
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from omonat.base.instants import Instant
from omonat.database.codecs import FOREVER
from omonat.database.pool import Database
from omonat.database.statements import load
from omonat.database.trouble import converted
from omonat.flows.coalesce import Coalescer
from omonat.promises.use.facts import PersonFacts

_SQL = load("omonat.flows", "use.sql").read_for_use.sql
FEW = 4
"""The newest sections of a category hold what is wanted, nearly always."""
MANY = 64
"""How far back one looks for what they don't hold: somebody who orders every week gave their e-mail a year ago."""
_NOTHING: Mapping[str, Any] = {}
_when = attrgetter("collected_at")


class Question(Struct, frozen=True, gc=False):
    """What to read. `categories` is a comma-separated list: the sections that may be opened, the `most` newest of each;
    with a case, of those that belong to it."""

    client: str
    staff: str | None
    person: str | None
    case: str | None
    categories: str
    most: int = FEW


class SealedSection(Struct, frozen=True, gc=False):
    """One sealed section, what its record says of itself (`anchors`: its named instants), and its record's own case.

    The case of the record decides how long it is kept, whatever case the use itself runs in. Fields in the statement's
    order.
    """

    record: str
    category: str
    sealed: bytes
    slot: int
    version: int
    service: str
    collected_at: Instant
    anchors: Mapping[str, Instant] | None
    case_opened_at: Instant | None
    case_closed_at: Instant | None
    case_anchors: Mapping[str, Instant] | None


class Found(Struct, gc=False):
    """What was read for one question; a part that isn't there is None or empty. `sections` come newest first."""

    ordinal: int
    client_secret: bytes | None
    client_roles: Sequence[str]
    client_until: Instant
    staff: str | None
    staff_role: str
    staff_until: Instant
    trained_until: Instant
    case_kind: str | None
    case_person: str | None
    case_assigned: Sequence[str]
    case_closed_at: Instant | None
    person: str | None
    person_slot: int
    evidence_slot: int
    facts: PersonFacts
    withdrawn: Mapping[str, Instant]
    images_closed: bytes | None
    sections: list[SealedSection] = []

    def is_full(self, item: str) -> bool:
        """Whether older sections of the item's category may lie behind those that were read."""
        category = item.partition(".")[0]
        return sum(section.category == category for section in self.sections) >= FEW


class Reader:
    """Answers questions through at most two statements at a time, up to 64 questions each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.read: Coalescer[Question, Found] = Coalescer(self._read, limit=32, lanes=2)

    async def _read(self, questions: Sequence[Question]) -> Sequence[Found | Exception]:
        with converted():
            rows = await self._database.pool.fetch(
                _SQL,
                [q.client for q in questions],
                [q.staff for q in questions],
                [q.person for q in questions],
                [q.case for q in questions],
                [q.categories for q in questions],
                [q.most for q in questions],
            )
        found: list[Any] = [None] * len(questions)
        for row in rows:
            number = row[0] - 1
            if found[number] is None:
                found[number] = _facts(row)
            if row[20] is not None:
                found[number].sections.append(SealedSection(*row[20:]))
        for each in found:
            if len(each.sections) > 1:
                each.sections.sort(key=_when, reverse=True)
        return found


def _facts(row: Sequence[Any]) -> Found:
    (
        _, ordinal, secret, roles, until, staff, role, role_until, trained_until,
        kind, case_person, assigned, closed_at,
        person, slot, evidence_slot, told, standing, blocked, images_closed,
    ) = row[:20]  # fmt: skip
    standing = standing or _NOTHING
    return Found(
        ordinal,
        secret,
        roles or (),
        until or Instant(0),
        staff,
        role or "",
        role_until or Instant(0),
        trained_until or Instant(0),
        kind,
        case_person,
        assigned or (),
        closed_at,
        person,
        slot or 0,
        evidence_slot or 0,
        person_facts(told or 0, blocked, standing),
        standing.get("withdrawn", _NOTHING),
        images_closed,
    )


def person_facts(told: int, blocked: str, standing: Mapping[str, Any]) -> PersonFacts:
    """A person's live state from the row's columns; `standing` is the projection of the person's choices."""
    if not standing:
        return PersonFacts(told=told, blocked=blocked)
    return PersonFacts(
        told=told,
        blocked=blocked,
        consents=standing.get("consents", _NOTHING),
        objections=tuple(standing.get("objections", ())),
        doubts=tuple(standing.get("doubt", ())),
        agreed=standing.get("agreed", _NOTHING),
        terms=standing.get("terms", _NOTHING),
    )


__all__ = ["FOREVER", "Found", "Question", "Reader", "SealedSection", "person_facts"]
