"""The steps of `use`: what the decision stands on, opening what it grants, and the entry that proves it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from omonat.base.errors import Fault, Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Reason
from omonat.evidence.entry import Entry
from omonat.flows.images import closed_items
from omonat.flows.integrity import BROKEN, only_if_broken
from omonat.flows.reading import FEW, Found, Question, SealedSection
from omonat.policy.compiled import CompiledPolicy, Grant
from omonat.policy.words import Anchor
from omonat.promises.choice.standing import withdrawn_at
from omonat.promises.use.facts import RecordFacts
from omonat.promises.use.rule import decide_record
from omonat.vault.vault import Vault

if TYPE_CHECKING:
    from omonat.flows.use import UseRequest

_NOTHING: Mapping[str, Any] = {}


class Situation(Struct, frozen=True, gc=False):
    """All one use is decided on, of one instant; `entry` is the id of the entry that will speak of it."""

    entry: str
    request: "UseRequest"
    policy: CompiledPolicy
    found: Found
    grant: Grant
    now: Instant

    def beyond_the_case(self, items: list[str], most: int = FEW) -> Question:
        """The same question about these items, outside the case: the person's newest records, at most so many."""
        categories = ",".join(sorted({item.partition(".")[0] for item in items}))
        request = self.request
        return Question(request.credential.client, request.on_behalf_of, self.found.person, None, categories, most)


class Opened(Struct, gc=False):
    """What came out so far: values, reasons for what stays closed, the records the values came from, how many sections
    were opened for it, and the categories of those that are not what was sealed."""

    values: dict[str, Any] = {}
    refused: dict[str, Reason] = {}
    records: list[str] = []
    sections: int = 0
    broken: list[str] = []

    def missing(self, grant: Grant) -> list[str]:
        """Granted items nothing has been said about."""
        return [item for item in grant.allowed if item not in self.values and item not in self.refused]

    def key_gone(self) -> bool:
        """Whether a section couldn't be opened for want of its key."""
        return bool(self.refused) and any(reason.code == "key-gone" for reason in self.refused.values())

    def speak_of_the_case(self, before: Mapping[str, Reason]) -> None:
        """Another record's end is not the case's: what the case said stays said, and what it never held is said so."""
        for item, reason in self.refused.items():
            if reason.code != "no-longer-kept":
                continue
            self.refused[item] = before.get(item) or Reason("only-in-an-older-record", "R3", reason.about)

    def withheld(self, grant: Grant) -> Mapping[str, Reason]:
        """Reasons by item for all that was asked for and isn't given."""
        return {**grant.withheld, **self.refused} if self.refused else grant.withheld


def open_sections(vault: Vault, here: Situation, opened: Opened, found: Found) -> None:
    """Decide each section's record and open what it may give. Sections come newest first; an item is taken once."""
    grant, policy, now = here.grant, here.policy, here.now
    closed = images_closed(vault, here, found)
    if closed:
        opened.refused.update(closed)
    for section in found.sections:
        wanted = grant.by_category.get(section.category, ())
        if opened.values or closed:
            wanted = tuple(item for item in wanted if item not in opened.values and item not in closed)
        if not wanted:
            continue
        if before_its_grant(found, grant.purpose, section):
            opened.refused.update(
                {item: Reason("location-not-granted", "L5", {"purpose": grant.purpose}) for item in wanted}
            )
            continue
        due = dues(policy, found, section, wanted, now)
        record = RecordFacts(service=section.service, version=section.version, due=due)
        _, refused = decide_record(grant, found.facts, record, now, wanted)
        if len(refused) == len(wanted):
            opened.refused.update(refused)
            continue
        try:
            held = vault.open_section(
                person=found.person or "",
                person_slot=found.person_slot,
                record=section.record,
                record_slot=section.slot,
                category=section.category,
                version=section.version,
                sealed=section.sealed,
                entry=here.entry,
            )
        except Refused:  # its key was destroyed: erased or expired since
            opened.refused.update({item: Reason("key-gone", "R3", {"item": item}) for item in wanted})
            continue
        except Fault as fault:
            only_if_broken(fault)
            opened.refused.update({item: Reason(BROKEN, "S6", {"category": section.category}) for item in wanted})
            opened.broken.append(section.category)
            opened.sections += 1
            continue
        opened.sections += 1
        _take(opened, section, held, wanted, refused)


def images_closed(vault: Vault, here: Situation, found: Found) -> Mapping[str, Reason]:
    """The granted items that show somebody so young that a parent has to agree, and none has (G5)."""
    if found.images_closed is None:
        return {}
    return closed_items(
        vault, here.policy, here.grant.allowed, basis=here.grant.basis, person=found.person or "",
        slot=found.person_slot, sealed=found.images_closed, now=here.now,
    )  # fmt: skip


def before_its_grant(found: Found, purpose: str, section: SealedSection) -> bool:
    """Whether a record is older than the grant it would be read under: a new yes doesn't open an earlier place (L5)."""
    term = found.facts.terms.get(purpose) if found.facts.terms else None
    return term is not None and section.collected_at < term["at"]


def _take(
    opened: Opened,
    section: SealedSection,
    held: Mapping[str, Any],
    wanted: tuple[str, ...],
    refused: Mapping[str, Reason],
) -> None:
    """Move the wanted items that may go from an opened section to the answer."""
    taken = False
    start = len(section.category) + 1
    for item in wanted:
        name = item[start:]
        if name not in held:
            continue
        if item in refused:
            opened.refused[item] = refused[item]
            continue
        opened.values[item] = held[name]
        if opened.refused:
            opened.refused.pop(item, None)
        taken = True
    if taken and section.record not in opened.records:
        opened.records.append(section.record)


def dues(
    policy: CompiledPolicy, found: Found, section: SealedSection, items: tuple[str, ...], now: Instant
) -> Mapping[str, Instant] | None:
    """When each item of the section must go, or None while all are surely kept; an item left out can't be told (R1).

    Nothing is known of a record whose service the policy no longer has: it stays closed, and somebody must decide.
    """
    if section.service not in policy.services:
        return _NOTHING
    anchors = record_anchors(policy, found, section)
    if now < policy.surely_kept_until(section.service, items, anchors):
        return None
    return {item: due.instant for item, due in policy.dues(section.service, items, anchors).items()}


def record_anchors(policy: CompiledPolicy, found: Found, section: SealedSection) -> dict[str, Instant]:
    """The named instants that decide how long a section is kept: its own, its case's, its person's choices."""
    anchors = {**(section.anchors or _NOTHING), "collected": section.collected_at}
    if found.withdrawn:
        ended = withdrawn_at(found.facts.consents, found.withdrawn, policy.forms[section.service].offers)
        if ended is not None:
            anchors[Anchor.CONSENT_WITHDRAWN.value] = ended
    if section.case_opened_at is not None:
        anchors["case-opened"] = section.case_opened_at
        if section.case_anchors is not None:
            anchors |= section.case_anchors
        if section.case_closed_at is not None:
            anchors["case-closed"] = section.case_closed_at
    return anchors


def entry(vault: Vault, here: Situation, opened: Opened) -> Entry:
    """The evidence of what was released and what was not, without a value and without a name."""
    entry_id = here.entry
    found, grant = here.found, here.grant
    facts: dict[str, Any] = {
        "policy": here.policy.digest,
        "purpose": grant.purpose,
        "role": grant.role,
        "client": here.request.credential.client,
        "allowed": list(opened.values),
        "withheld": _by_code(opened.withheld(grant)),
    }
    if opened.sections:
        facts["opened"] = opened.sections
    if grant.recipient is not None:
        facts["recipient"] = grant.recipient
    if found.staff is not None:
        facts["staff"] = vault.pseudonym("staff", found.staff)
    subjects: tuple[str, ...] = ()
    if found.person is not None and found.facts.blocked != "erased":
        case = here.request.case  # one commitment opens both: deriving a salt costs more than hashing
        value = found.person if case is None else f"{found.person} {case}"
        facts["person"] = vault.commitment(
            evidence_slot=found.evidence_slot, entry=entry_id, field="person", value=value
        )
        subjects = (found.person,)
    act = "use:person:authorised" if opened.values else "use:person:refused"
    return Entry(entry_id, here.now, act, facts, subjects)


def _by_code(withheld: Mapping[str, Reason]) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for item, reason in withheld.items():
        codes.setdefault(reason.code, []).append(item)
    return codes
