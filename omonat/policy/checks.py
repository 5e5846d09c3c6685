"""What only the whole document can answer: is each structure consistent with the ones it names?

These are faults, not opinions: a document with one of them has no meaning the engine could run. Opinions, and
contradictions between words and tables, are the linter's.
"""

from collections.abc import Callable

from omonat.policy.complaints import Complaints, Place
from omonat.policy.model import AtMost, Item, Policy, Purpose, Rule, Schedule, Service
from omonat.policy.words import KNOWN_FROM_THE_START, OF_A_CASE, Basis, Factor, Kind

Where = Callable[..., Place]


def check(policy: Policy, where: Where, complaints: Complaints) -> None:
    """Note every inconsistency of `policy`; `where` tells the place of a path."""
    for item in policy.items.values():
        _item(item, where, complaints)
    for purpose in policy.purposes.values():
        _purpose(policy, purpose, where, complaints)
    for service in policy.services.values():
        _service(policy, service, where, complaints)
    for schedule in policy.retention.values():
        _schedule(schedule, where, complaints)
    for table in ("safeguards", "systems"):
        # What a system and a recipient are told of the same erasure is kept by their name.
        seen: set[str] = set(policy.recipients) if table == "systems" else set()
        for i, entry in enumerate(getattr(policy, table)):
            if entry.id in seen:
                complaints.add(where(table, str(i)), "policy-twice", path=table, name=entry.id)
            seen.add(entry.id)
    for i, name in enumerate(policy.consent_needed):
        if policy.purposes[name].basis is not Basis.CONSENT:
            complaints.add(where("consent-needed", str(i)), "policy-consent-needed", purpose=name)


def _item(item: Item, where: Where, complaints: Complaints) -> None:
    category, _, name = item.id.partition(".")
    path = ("categories", category, "items", name)
    if item.kind is Kind.CARD_VERIFICATION:
        complaints.add(where(*path, "kind"), "policy-card-verification", item=item.id)
    if item.voluntary == (item.because is not None):
        complaints.add(where(*path), "policy-voluntary", item=item.id)
    if (item.kind is Kind.CHOICE) != bool(item.choices):
        complaints.add(where(*path), "policy-choices", item=item.id)


def _purpose(policy: Policy, purpose: Purpose, where: Where, complaints: Complaints) -> None:
    path = ("purposes", purpose.id)
    for basis, key, given in (
        (Basis.LEGITIMATE_INTEREST, "interest", purpose.interest is not None),
        (Basis.LEGAL_OBLIGATION, "source", purpose.source is not None),
    ):
        if (purpose.basis is basis) != given:
            code = "policy-key-missing-for" if not given else "policy-key-only-for"
            complaints.add(where(*path), code, key=key, path=".".join(path), basis=basis)
    for item in set(purpose.needs) & set(purpose.may_use):
        complaints.add(where(*path, "may-use"), "policy-twice", path=".".join((*path, "may-use")), name=item)
    parts = [("lookup", purpose.lookup), *((f"roles.{r}", p) for r, p in purpose.roles.items() if p is not None)]
    for key, items in parts:
        for item in (i for i in items if i not in purpose.items):
            complaints.add(where(*path, *key.split(".")), "policy-item-beyond-purpose", item=item, purpose=purpose.id)
    for item in (i for i in purpose.lookup if not policy.items[i].lookup):
        complaints.add(where(*path, "lookup"), "policy-item-no-lookup", item=item)


def _service(policy: Policy, service: Service, where: Where, complaints: Complaints) -> None:
    path = ("services", service.id)
    for name in service.offers:
        if policy.purposes[name].basis is not Basis.CONSENT:
            complaints.add(where(*path, "offers"), "policy-offer-without-consent", purpose=name, service=service.id)
    schedule = policy.retention[service.keeps]
    anchors = {schedule.at_most.after, *(a for r in schedule.rules for a in (r.after, r.keep_until) if a)}
    if service.case is None and anchors & OF_A_CASE:
        about = {"service": service.id, "schedule": schedule.id, "anchor": min(anchors & OF_A_CASE)}
        complaints.add(where(*path, "keeps"), "policy-anchor-needs-case", **about)


def _schedule(schedule: Schedule, where: Where, complaints: Complaints) -> None:
    path = ("retention", schedule.id)
    for i, rule in enumerate(schedule.rules):
        _rule(rule, where(*path, "rules", str(i)), schedule, complaints)
    _at_most(schedule.at_most, where(*path, "at-most"), schedule.id, complaints)


def _rule(rule: Rule, place: Place, schedule: Schedule, complaints: Complaints) -> None:
    about = {"schedule": schedule.id, "factor": str(rule.factor)}
    if (rule.keep_until is None) == (rule.after is None) or (rule.keep_until is not None and rule.keep is not None):
        complaints.add(place, "policy-rule-end", **about)
    elif rule.after is not None and rule.keep is None and rule.source is None:
        complaints.add(place, "policy-rule-period", **about)
    if rule.factor is Factor.OBLIGATION and rule.source is None:
        complaints.add(place, "policy-rule-source", **about)
    if rule.factor is Factor.INTEREST:
        relevance = [r for r in schedule.rules if r.factor is Factor.RELEVANCE]
        everything = any(not r.items for r in relevance)
        covered = {item for r in relevance for item in r.items}
        if not everything and (not rule.items or not set(rule.items) <= covered):
            complaints.add(place, "policy-interest-without-relevance", **about)


def _at_most(at_most: AtMost, place: Place, schedule: str, complaints: Complaints) -> None:
    if at_most.after not in KNOWN_FROM_THE_START:
        known = " | ".join(sorted(KNOWN_FROM_THE_START))
        complaints.add(place, "policy-at-most-anchor", schedule=schedule, anchor=str(at_most.after), known=known)
