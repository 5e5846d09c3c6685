"""Gathering what many accepted collections write: sealed first, then one transaction with a row each (L1, S2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omonat.base.errors import Refused
from omonat.base.ids import new_id
from omonat.base.instants import Instant
from omonat.evidence.entry import Entry
from omonat.flows.admitting import Facts
from omonat.flows.handed_in import Parsed
from omonat.flows.images import close_images, seal_if_young
from omonat.flows.locating import locate
from omonat.flows.reckon import note_moved
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.accuracy.rule import confirm_after, first_look
from omonat.promises.choice.standing import Choice, Standing, applied, choice_anchors, live_consents
from omonat.promises.notice.rule import told_after
from omonat.vault.vault import Vault


class OvertakenError(Exception):
    """Something changed since it was decided on, so nothing of the batch may be written.

    `refusal` is what to answer whoever is overtaken; None: they are to be asked about once more.
    """

    def __init__(self, refusal: Refused | None) -> None:
        super().__init__()
        self.refusal = refusal


@dataclass(slots=True)
class _Person:
    """A person while a batch is gathered: who was met in the database, or is new."""

    id: str
    slot: int
    evidence_slot: int
    told: int
    standing: Mapping[str, Any] | None
    is_new: bool
    language: str
    since: Instant | None = None
    closed: bool = False
    heard: Sequence[int] = ()
    chosen: dict[str, Instant] = field(default_factory=dict)
    """When they last chose about a purpose; known only where a sealed form may come later than that."""


@dataclass(slots=True)
class Writing:
    """What one transaction writes for many collections; `written` and `entries` keep the order of `add`."""

    vault: Vault
    now: Instant
    people: dict[str, _Person] = field(default_factory=dict)
    written: list[tuple[str, str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    _ungranted: bool = False
    _waits: Refused | None = None
    _young: dict[str, bytes] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)
    _moved: set[str] = field(default_factory=set)
    _cases: dict[str, tuple[str, str, str, str, str, Instant, str]] = field(default_factory=dict)
    _records: list[tuple[Any, ...]] = field(default_factory=list)
    _sections: list[tuple[Any, ...]] = field(default_factory=list)
    _lookups: list[tuple[Any, ...]] = field(default_factory=list)
    _choices: list[tuple[Any, ...]] = field(default_factory=list)
    _confirmations: dict[str, Instant] = field(default_factory=dict)
    _dues: dict[tuple[int, str, Instant, Instant], Instant] = field(default_factory=dict)

    def meet(self, row: Mapping[str, Any]) -> None:
        """Somebody who was there before, read and locked in this transaction."""
        self.people[row["id"]] = _Person(
            row["id"], row["slot"], row["evidence_slot"], row["told"], row["standing"], False, "",
            closed=row["closed"], heard=row["heard"],
        )  # fmt: skip

    def add(self, parsed: Parsed, facts: Facts) -> None:
        """Plan and seal one collection."""
        request, entry = parsed.request, new_id("ev")
        record = (
            f"rec{entry[2:]}"  # the record and the entry that speaks of it share their name, so neither can go alone
        )
        at = self.now if request.at is None else min(request.at, self.now)
        person = self._person(parsed, facts, at)
        (slot,) = self.vault.reserve_slots(1)
        if request.case is not None:
            kind = request.case.partition(":")[0]
            self._cases[request.case] = (
                request.case, kind, request.service, person.id, request.credential.client, at, entry,
            )  # fmt: skip
        self._choose(parsed, facts, person, entry, at)
        values, precision = self._place(parsed, person, at)
        due = self._due(parsed.policy, request.service, at, facts.case_opened or at, person.standing)
        self._records.append(
            (record, person.id, request.service, request.case, parsed.shown.ordinal, slot, facts.source or "",
             at, due, parsed.policy.ordinal)
        )  # fmt: skip
        self._seal(parsed, values, person, record, slot=slot, at=at)
        asks = confirm_after(parsed.policy, request.service, at)
        if asks is not None:
            asks = first_look(asks, person.id, self.now)
            self._confirmations[person.id] = min(asks, self._confirmations.get(person.id, asks))
        young = seal_if_young(self.vault, parsed.policy, parsed.ages, self.now, person=person.id, slot=person.slot)
        if young is not None:
            self._young[person.id] = young
        for item, (epoch, digest) in parsed.lookups.items():
            self._lookups.append((person.id, item, epoch, digest, at))
        self.written.append((person.id, record))
        self.entries.append(self._entry(parsed, person, entry, precision))

    def _due(
        self, policy: CompiledPolicy, service: str, at: Instant, opened: Instant, standing: Standing | None
    ) -> Instant:
        """When the first item goes; a batch is taken in at one instant, so it is reckoned once a service."""
        if anchors := choice_anchors(policy, service, standing):
            return policy.due_record(service, {"collected": at, **anchors, "case-opened": opened})
        shape = (policy.ordinal, service, at, opened)
        due = self._dues.get(shape)
        if due is None:
            due = self._dues[shape] = policy.due_record(service, {"collected": at, "case-opened": opened})
        return due

    def _person(self, parsed: Parsed, facts: Facts, at: Instant) -> _Person:
        known = facts.whose(parsed)
        if known is not None:
            return self.people[known]
        slot, evidence_slot = self.vault.reserve_slots(2)
        language = parsed.request.language
        person = _Person(new_id("per"), slot, evidence_slot, parsed.shown.ordinal, None, True, language, at)
        self.people[person.id] = person
        return person

    def _place(self, parsed: Parsed, person: _Person, at: Instant) -> tuple[Mapping[str, Any], str]:
        """The values, a place no finer than its grant; a grant for once is used up by it (L5)."""
        located = locate(parsed, person.standing, at)
        if located is None:
            self._ungranted = True
            return parsed.values, ""
        if located.standing is not person.standing:
            person.standing = located.standing
            self._touched.add(person.id)
        return located.values, located.precision

    def _seal(
        self, parsed: Parsed, values: Mapping[str, Any], person: _Person, record: str, *, slot: int, at: Instant
    ) -> None:
        by_category: dict[str, dict[str, Any]] = {}
        for item, value in values.items():
            category, _, name = item.partition(".")
            by_category.setdefault(category, {})[name] = value
        for category, items in by_category.items():
            sealed = self.vault.seal_section(
                person=person.id,
                person_slot=person.slot,
                record=record,
                record_slot=slot,
                category=category,
                version=parsed.shown.ordinal,
                items=items,
            )
            self._sections.append((record, category, person.id, at, sealed))

    def _choose(self, parsed: Parsed, facts: Facts, person: _Person, entry: str, at: Instant) -> None:
        ordinal = parsed.shown.ordinal
        if parsed.request.accepted and ordinal > person.told and facts.may_tell(parsed.policy):
            person.told = told_after(person.told, person.heard, accepted=ordinal)
            self._touched.add(person.id)
        for purpose, yes in _standing_word(parsed, person, at).items():
            state = "given" if yes else "withdrawn"
            choice = Choice(
                kind="consent", purpose=purpose, state="given" if yes else "withdrawn", version=ordinal, at=at
            )
            before, person.standing = person.standing or {}, applied(person.standing, choice)
            if person.standing["withdrawn"] != before.get("withdrawn", {}) and not person.is_new:
                self._moved.add(person.id)
            self._touched.add(person.id)
            person.chosen[purpose] = max(at, person.chosen.get(purpose, at))
            self._choices.append((new_id("cho"), person.id, "consent", purpose, "", state, at, ordinal, "form", entry))
        self._waits = self._waits or _waiting(parsed, person, at)
        if parsed.request.accepted:
            self._choices.append((new_id("cho"), person.id, "acceptance", "", "", "given", at, ordinal, "form", entry))

    def _entry(self, parsed: Parsed, person: _Person, entry: str, precision: str) -> Entry:
        request = parsed.request
        consents = _standing_word(parsed, person, self.now if request.at is None else min(request.at, self.now))
        facts: dict[str, Any] = {
            "policy": parsed.policy.digest,
            "shown": parsed.shown.version,
            "service": request.service,
            "client": request.credential.client,
            "items": sorted(parsed.values),
            "person": self.vault.commitment(
                evidence_slot=person.evidence_slot, entry=entry, field="person", value=person.id
            ),
        }
        if precision:
            facts["location"] = precision
        if consents:
            facts["consents"] = {purpose: "given" if yes else "refused" for purpose, yes in consents.items()}
        if len(consents) < len(request.consents):
            facts["overtaken"] = sorted(request.consents.keys() - consents.keys())
        if request.accepted:
            facts["accepted"] = True
        if request.at is not None:  # the entry says when it was written, and what was stated
            facts["collected-at"] = request.at
        if request.sealed is not None:
            facts["form"] = request.sealed.id
        return Entry(id=entry, at=self.now, act="collect:record:accepted", facts=facts, subjects=(person.id,))

    async def write(self, connection: Any, queries: Any) -> None:
        """Write everything but the entries. Raises OvertakenError when a person or case isn't open any more."""
        if any(person.closed for person in self.people.values()):
            raise OvertakenError(Refused("person-unknown"))
        if self._ungranted:  # ended, or used up, since it was decided on
            raise OvertakenError(Refused("location-not-granted"))
        if self._waits is not None:
            raise OvertakenError(self._waits)
        changed = [p for p in self.people.values() if not p.is_new and p.id in self._touched]
        if changed:
            rows = [(p.id, p.told, p.standing) for p in changed]
            await queries.update_standing(connection, **_columns("", ("id", "told", "standing"), rows))
        await note_moved(connection, "person", sorted(self._moved), self.now)
        if await queries.take_in(connection, **self._rows()) != len(self._cases):
            raise OvertakenError(Refused("no-open-case"))
        await close_images(connection, self._young)

    def _rows(self) -> dict[str, list[Any]]:
        """The rows of every table, each parameter the column of one."""
        new = [p for p in self.people.values() if p.is_new]
        people = [(p.id, p.slot, p.evidence_slot, p.language, p.told, p.standing, p.since) for p in new]
        lookups = {(row[3], row[1], row[0]): row for row in self._lookups}
        tables: dict[str, Sequence[Sequence[Any]]] = {
            "persons": people,
            "cases": [self._cases[case] for case in sorted(self._cases)],
            "records": self._records,
            "sections": self._sections,
            "lookups": [lookups[key] for key in sorted(lookups)],
            "choices": self._choices,
            "confirmations": sorted(self._confirmations.items()),
        }
        parameters: dict[str, list[Any]] = {}
        for table, names in _TABLES.items():
            parameters |= _columns(f"{table}_", names, tables[table])
        return parameters


def _standing_word(parsed: Parsed, person: _Person, at: Instant) -> Mapping[str, bool]:
    """The consents that are the person's last word: on those they have chosen about since, a form that comes late says
    nothing any more (C2)."""
    consents = parsed.request.consents
    if parsed.request.sealed is None:
        return consents
    return {purpose: yes for purpose, yes in consents.items() if person.chosen.get(purpose, at) <= at}


def _waiting(parsed: Parsed, person: _Person, at: Instant) -> Refused | None:
    """Why nothing of it may be kept: it holds something for a consent that was taken back since (C1)."""
    if len(_standing_word(parsed, person, at)) == len(parsed.request.consents):
        return None
    live, own = live_consents(person.standing), {*parsed.form.required, *parsed.form.optional}
    for item in parsed.values:
        if item not in own and live.isdisjoint(parsed.form.offered.get(item, ())):
            return Refused("item-waits-for-consent", item=item, purpose=parsed.form.offered[item][0])
    return None


_TABLES = {
    "persons": ("id", "slot", "evidence_slot", "language", "told", "standing", "created_at"),
    "cases": ("id", "kind", "service", "person", "opened_by", "opened_at", "entry"),
    "records": (
        "id", "person", "service", "case_id", "version", "slot", "source", "collected_at", "due_at", "due_under",
    ),
    "sections": ("record", "category", "person", "collected_at", "sealed"),
    "lookups": ("person", "item", "epoch", "digest", "since"),
    "choices": ("id", "person", "kind", "purpose", "channel", "state", "at", "version", "door", "entry"),
    "confirmations": ("person", "due_at"),
}  # fmt: skip


def _columns(prefix: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows turned into one array per parameter."""
    return {prefix + name: [row[n] for row in rows] for n, name in enumerate(names)}
