"""Tables against each other and against the law: what can never run, what nobody needs, what law sees otherwise."""

from collections.abc import Iterator, Sequence

from omonat.policy.durations import is_shorter
from omonat.policy.lint.registry import Found, rule
from omonat.policy.model import Policy
from omonat.policy.packs import Pack, known_sources, lawful_period
from omonat.policy.words import COARSE, Basis, CaseRule, ItemClass, Keep, Kind, Messages, RoleKind, Scope

Packs = Sequence[Pack]
_CARDS = frozenset({Kind.CARD_NUMBER, Kind.CARD_TOKEN, Kind.CARD_BRAND, Kind.CARD_LAST_FOUR, Kind.CARD_EXPIRY})
_SECRETS = frozenset({Kind.PASSWORD, Kind.SECURITY_ANSWER})
_GUARDED = frozenset({ItemClass.FINANCIAL, ItemClass.SPECIAL, ItemClass.BIOMETRIC, ItemClass.CREDENTIAL})
_SPECIAL = frozenset({ItemClass.SPECIAL, ItemClass.BIOMETRIC})


def _at_item(item: str) -> tuple[str, ...]:
    category, _, name = item.partition(".")
    return ("categories", category, "items", name)


def _collected(policy: Policy) -> set[str]:
    """Items some service takes."""
    named = {name for service in policy.services.values() for name in (*service.for_, *service.offers)}
    return {item for name in named for item in policy.purposes[name].items}


@rule("dead-purpose")
def _dead(policy: Policy, _: Packs) -> Iterator[Found]:
    collected = _collected(policy)
    for purpose in policy.purposes.values():
        missing = [item for item in purpose.needs if item not in collected]
        if missing or not purpose.items:
            facts = {"purpose": purpose.id, "items": ", ".join(missing) or "–"}
            yield Found(("purposes", purpose.id), purpose.promises, (purpose.id,), facts)


@rule("item-nobody-needs")
def _unneeded(policy: Policy, _: Packs) -> Iterator[Found]:
    used = {item for purpose in policy.purposes.values() for item in purpose.items}
    for item in (i for i in policy.items if i not in used):
        yield Found(_at_item(item), ("L3",) if "L3" in policy.promises else (), (item,))


@rule("item-not-kept")
def _not_kept(policy: Policy, _: Packs) -> Iterator[Found]:
    for service in policy.services.values():
        schedule = policy.retention[service.keeps]
        used = dict.fromkeys(i for name in (*service.for_, *service.offers) for i in policy.purposes[name].items)
        lost = [item for item in used if not any(r.covers(item) for r in schedule.rules)]
        if lost:
            facts = {"service": service.id, "items": ", ".join(lost), "schedule": schedule.id}
            yield Found(("services", service.id, "keeps"), (), (service.id,), facts)


@rule("at-most-cuts-law")
def _cuts_law(policy: Policy, packs: Packs) -> Iterator[Found]:
    for schedule in policy.retention.values():
        for entry in schedule.rules:
            period = lawful_period(packs, entry.source or "")
            if period is not None and is_shorter(period, schedule.at_most.keep) is not True:
                facts = {"schedule": schedule.id, "source": entry.source or "", "period": str(period)}
                facts["cap"] = str(schedule.at_most.keep)
                yield Found(("retention", schedule.id, "at-most"), (), (schedule.id,), facts)


@rule("keeps-less-than-law")
def _less_than_law(policy: Policy, packs: Packs) -> Iterator[Found]:
    for schedule in policy.retention.values():
        for number, entry in enumerate(schedule.rules):
            period = lawful_period(packs, entry.source or "")
            if period is not None and entry.keep is not None and is_shorter(period, entry.keep) is not True:
                facts = {"schedule": schedule.id, "source": entry.source or "", "period": str(period)}
                facts["kept"] = str(entry.keep)
                yield Found(("retention", schedule.id, "rules", str(number)), (), (schedule.id,), facts)


@rule("source-unknown")
def _unknown_source(policy: Policy, packs: Packs) -> Iterator[Found]:
    known = known_sources(packs)
    for law in policy.controller.laws:
        if law not in {pack.pack for pack in packs}:
            yield Found(("controller", "laws"), (), (law,))
    for purpose in policy.purposes.values():
        if purpose.source is not None and purpose.source not in known:
            yield Found(("purposes", purpose.id, "source"), (), (purpose.source,))
    for schedule in policy.retention.values():
        for number, entry in enumerate(schedule.rules):
            unknown = entry.source is not None and entry.source not in known
            if unknown or (entry.after and not entry.keep and lawful_period(packs, entry.source or "") is None):
                yield Found(("retention", schedule.id, "rules", str(number)), (), (entry.source or "",))


@rule("role-sees-more")
def _sees_more(policy: Policy, _: Packs) -> Iterator[Found]:
    for purpose in policy.purposes.values():
        guarded = [item for item in purpose.may_use if policy.items[item].class_ in _GUARDED]
        for role, part in purpose.roles.items():
            if guarded and part is None and policy.roles[role].kind is RoleKind.HUMAN and len(purpose.roles) > 1:
                facts = {"role": role, "purpose": purpose.id, "items": ", ".join(guarded)}
                yield Found(
                    ("purposes", purpose.id, "roles", role),
                    ("S4",) if "S4" in policy.promises else (),
                    (purpose.id, role),
                    facts,
                )


@rule("role-without-case")
def _without_case(policy: Policy, _: Packs) -> Iterator[Found]:
    for purpose in policy.purposes.values():
        for role in purpose.roles:
            if policy.roles[role].cases is CaseRule.ASSIGNED and not purpose.cases and purpose.items:
                facts = {"role": role, "purpose": purpose.id}
                yield Found(
                    ("purposes", purpose.id, "roles"),
                    ("S4",) if "S4" in policy.promises else (),
                    (purpose.id, role),
                    facts,
                )


@rule("messages-without-channels")
def _channels(policy: Policy, _: Packs) -> Iterator[Found]:
    for purpose in policy.purposes.values():
        if (purpose.messages is Messages.NONE) != (not purpose.channels):
            yield Found(("purposes", purpose.id), purpose.promises, (purpose.id,))


@rule("consent-not-listed")
def _consent_not_listed(policy: Policy, _: Packs) -> Iterator[Found]:
    for purpose in policy.purposes.values():
        if purpose.basis is Basis.CONSENT and purpose.id not in policy.consent_needed:
            yield Found(("consent-needed",), ("C1",) if "C1" in policy.promises else (), (purpose.id,))


@rule("special-without-consent")
def _special(policy: Policy, _: Packs) -> Iterator[Found]:
    for purpose in policy.purposes.values():
        items = [item for item in purpose.items if policy.items[item].class_ in _SPECIAL]
        if items and purpose.basis not in {Basis.CONSENT, Basis.LEGAL_OBLIGATION}:
            facts = {"purpose": purpose.id, "items": ", ".join(items)}
            yield Found(("purposes", purpose.id), purpose.promises, (purpose.id, *items), facts)


@rule("class-too-low")
def _class(policy: Policy, _: Packs) -> Iterator[Found]:
    for item in policy.items.values():
        why = []
        if item.kind in _CARDS and item.class_ is not ItemClass.FINANCIAL:
            why.append("class: financial")
        if item.kind is Kind.CARD_NUMBER and item.scope is not Scope.PCI:
            why.append("scope: pci")
        if item.kind in _SECRETS and item.class_ is not ItemClass.CREDENTIAL:
            why.append("class: credential")
        if item.kind in _SECRETS and item.keep is not Keep.VERIFY_ONLY:
            why.append("keep: verify-only")
        if why:
            yield Found(_at_item(item.id), (), (item.id,), {"why": ", ".join(why)})


@rule("recipient-sees-more")
def _recipient(policy: Policy, _: Packs) -> Iterator[Found]:
    for recipient in policy.recipients.values():
        used = {item for name in recipient.purposes for item in policy.purposes[name].items}
        spare = [item for item in recipient.items if item not in used]
        if spare and recipient.purposes:
            facts = {"recipient": recipient.id, "items": ", ".join(spare)}
            yield Found(("recipients", recipient.id, "items"), (), (recipient.id, *spare), facts)


@rule("recipient-without-ground")
def _ground(policy: Policy, _: Packs) -> Iterator[Found]:
    for recipient in policy.recipients.values():
        if recipient.id not in policy.disclosure[recipient.ground].recipients:
            facts = {"recipient": recipient.id, "ground": recipient.ground}
            yield Found(("recipients", recipient.id, "ground"), (recipient.ground,), (recipient.id,), facts)


@rule("card-without-payment")
def _card(policy: Policy, _: Packs) -> Iterator[Found]:
    """Whatever a purpose says it needs: where no amount is taken, nothing is paid, and a card serves nothing."""
    for service in policy.services.values():
        asked = dict.fromkeys(i for name in (*service.for_, *service.offers) for i in policy.purposes[name].items)
        cards = [item for item in asked if policy.items[item].kind in _CARDS]
        if cards and not any(policy.items[item].kind is Kind.MONEY for item in asked):
            facts = {"service": service.id, "items": ", ".join(cards)}
            promises = ("L3",) if "L3" in policy.promises else ()
            yield Found(("services", service.id, "for"), promises, (service.id, *cards), facts)


@rule("counted-not-anonymous")
def _counted(policy: Policy, _: Packs) -> Iterator[Found]:
    """An IP address leads to a person, and views are special: neither is counted as if it were about nobody (L4)."""
    asked = policy.demographics
    for item in () if asked is None else asked.asks:
        declared = policy.items[item]
        if declared.kind not in COARSE or declared.class_ is not ItemClass.ORDINARY:
            why = declared.class_.value if declared.class_ is not ItemClass.ORDINARY else declared.kind.value
            promises = tuple(p for p in ("L4",) if p in policy.promises)
            yield Found(("demographics", "asks"), promises, (item,), {"item": item, "why": why})


@rule("cookie-without-consent")
def _cookie(policy: Policy, _: Packs) -> Iterator[Found]:
    for cookie in policy.cookies.values():
        if not cookie.necessary and policy.purposes[cookie.purpose].basis is not Basis.CONSENT:
            yield Found(("cookies", cookie.id), ("L7",) if "L7" in policy.promises else (), (cookie.id,))
