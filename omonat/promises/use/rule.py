"""The exact rule of the one door out (design: One door out).

    item allowed ⇔ granted now by purpose × role × item × basis                                        (1)
    ∧ actor active, trained                                                                            (2)
    ∧ the case is of the purpose's kinds, open, and assigned where the role needs it                   (3)
    ∧ no erasure, quarantine, restriction (but who restricted still gets the code to sign in and lift it;
      and what had to stay of somebody erased serves the duty or the open contract that keeps it)     (4)
    ∧ consent live and not in doubt where the basis is consent; no objection                           (5)
    ∧ since ≤ record.version ∨ (since ≤ person.told ∧ (since ≤ agreed[purpose] ∨ legal obligation))    (6)
    ∧ the record's item is not due                                                                     (7)
    ∧ without a case or a consent, staff see records of the purpose's own services only                (8)

Step 1 is the `Grant`; its refusals are already in `grant.withheld`. `decide_standing` does 2 to 5, once for a use;
`decide_record` does 6 to 8 for one record. The caller still owes: the cap (counted before release), and evidence.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.compiled import Grant
from omonat.policy.model import Basis
from omonat.promises.use.facts import ActorFacts, CaseFacts, PersonFacts, RecordFacts

ALLOW = Allow()
_NONE: Mapping[str, Reason] = {}

NO_CASE = Deny((Reason("no-open-case", "S4"),))
"""No open case ties actor and person; also the answer for a case that doesn't exist: neither can be told apart."""
NO_PERSON = Deny((Reason("person-unknown", "R3"),))
"""Nobody of that id is held: the same answer as for somebody who was erased."""
_BLOCKED = {
    "quarantined": Deny((Reason("person-quarantined", "K2"),)),
    "restricted": Deny((Reason("person-restricted", "C2"),)),
}
_ROLE_ENDED = Deny((Reason("role-ended", "S4"),))
_TRAINING_LAPSED = Deny((Reason("training-lapsed", "B2"),))


def decide_standing(
    grant: Grant, actor: ActorFacts, case: CaseFacts | None, person: PersonFacts, now: Instant
) -> Verdict:
    """Whether this actor may act for this purpose on this person now, whatever the record. Pure."""
    if actor.until <= now:  # 2
        return _ROLE_ENDED
    if actor.trained_until <= now:
        return _TRAINING_LAPSED
    if grant.cases:  # 3
        if case is None or not case.is_open or case.kind not in grant.cases:
            return NO_CASE
        if grant.case_rule == "assigned" and actor.id not in case.assigned:
            return NO_CASE
    if person.blocked and not _reaches_blocked(grant, person.blocked):  # 4
        return _BLOCKED.get(person.blocked, NO_PERSON)
    if grant.reads_consent and grant.purpose not in person.consents:  # 5
        return _denied("no-consent", "C1", grant.purpose)
    if person.doubts and grant.reads_consent and grant.purpose in person.doubts:
        return _doubtful(grant.purpose)
    if person.objections and grant.may_object and grant.purpose in person.objections:
        return _denied("objected", "C2", grant.purpose)
    return ALLOW


def _reaches_blocked(grant: Grant, blocked: str) -> bool:
    """Whether this use goes on although the person is closed for others."""
    if blocked == "remains":
        return grant.basis is Basis.LEGAL_OBLIGATION or (grant.basis is Basis.CONTRACT and bool(grant.cases))
    return blocked == "restricted" and grant.answers_person


def decide_record(
    grant: Grant, person: PersonFacts, record: RecordFacts, now: Instant, items: Collection[str]
) -> tuple[Verdict, Mapping[str, Reason]]:
    """Whether this record may serve the use: a verdict for the record, and those of `items` that it may not give.

    `items` are the granted items looked for in this record. An empty mapping means: all of them. Pure.
    """
    if grant.relation is not None and record.service not in grant.relation:  # 8
        unrelated = {item: _of_item("no-relation", "S4", item) for item in items}
        return Deny(tuple(unrelated.values())), unrelated
    if grant.since <= record.version and record.due is None:
        return ALLOW, _NONE
    refused: dict[str, Reason] = {}
    unsure: list[str] = []
    for item in items:
        since = grant.since_of[item]
        goes = grant.goes_since.get(item, 0)
        if since > record.version and not _reaches(grant, person, since):  # 6
            refused[item] = _not_told_yet(item, grant.purpose)
        elif goes > record.version and goes > person.told:
            refused[item] = _recipient_not_told_yet(item, grant.recipient or "")
        elif record.due is not None:  # 7
            due = record.due.get(item)
            if due is None:
                refused[item] = _of_item("due-unknown", "R1", item)
                unsure.append(item)
            elif due <= now:
                refused[item] = _over(item, record.service)
    if len(refused) < len(items):
        return ALLOW, refused
    if len(unsure) == len(refused):
        return CannotTell(tuple(unsure), tuple(refused.values())), refused
    return Deny(tuple(refused.values())), refused


def _reaches(grant: Grant, person: PersonFacts, since: int) -> bool:
    """Whether a use introduced at `since` reaches data collected before it (C4, P2)."""
    if since > person.told:
        return False
    return grant.basis is Basis.LEGAL_OBLIGATION or since <= person.agreed.get(grant.purpose, 0)


# Reasons name nothing but the policy's purposes and items, so there are few of them, and each is made once.


@lru_cache(4096)
def _denied(code: str, promise: str, purpose: str) -> Deny:
    return Deny((Reason(code, promise, {"purpose": purpose}),))


@lru_cache(4096)
def _doubtful(purpose: str) -> CannotTell:
    return CannotTell((f"consent-{purpose}",), (Reason("consent-doubtful", "C1", {"purpose": purpose}),))


@lru_cache(4096)
def _of_item(code: str, promise: str, item: str) -> Reason:
    return Reason(code, promise, {"item": item})


@lru_cache(4096)
def _over(item: str, service: str) -> Reason:
    return Reason("no-longer-kept", "R3", {"item": item, "service": service})


@lru_cache(4096)
def _not_told_yet(item: str, purpose: str) -> Reason:
    return Reason("not-told-yet", "P2", {"item": item, "purpose": purpose})


@lru_cache(4096)
def _recipient_not_told_yet(item: str, recipient: str) -> Reason:
    return Reason("recipient-not-told-yet", "P2", {"item": item, "recipient": recipient})
