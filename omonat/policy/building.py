"""The parts a compiled policy is built from: its packs, the terms of every item in every service, the forms."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from omonat.base.errors import BadInput
from omonat.policy.complaints import nearest
from omonat.policy.grants import Form
from omonat.policy.model import Item, Policy, Service
from omonat.policy.packs import Pack, known_sources
from omonat.policy.retention import Terms, terms_of
from omonat.policy.words import Basis


def packs_of(policy: Policy, packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """The packs the policy names, in its order, after checking that every source it names is in one of them."""
    at_hand = {pack.pack: pack for pack in packs}
    for name in policy.controller.laws:
        if name not in at_hand:
            raise BadInput("policy-pack-unknown", name=name)
    used = tuple(at_hand[name] for name in policy.controller.laws)
    named = [p.source for p in policy.purposes.values()]
    named += [rule.source for schedule in policy.retention.values() for rule in schedule.rules]
    known = known_sources(used)
    for source in named:
        if source is not None and source not in known:
            raise BadInput("policy-source-unknown", name=source, nearest=nearest(source, sorted(known)))
    return used


def terms_table(policy: Policy, packs: Sequence[Pack], items: Mapping[str, Item]) -> Mapping[tuple[str, str], Terms]:
    """Terms of every item in every service; items under the same rules share one object."""
    shared: dict[tuple[str, tuple[bool, ...]], Terms] = {}
    found: dict[tuple[str, str], Terms] = {}
    by_schedule: dict[str, dict[str, Terms]] = {}
    for schedule in policy.retention.values():
        by_schedule[schedule.id] = table = {}
        for item in items:
            covering = tuple(rule.covers(item) for rule in schedule.rules)
            if (schedule.id, covering) not in shared:
                shared[schedule.id, covering] = terms_of(schedule, item, packs)
            table[item] = shared[schedule.id, covering]
    for service in policy.services.values():
        found |= {(service.id, item): terms for item, terms in by_schedule[service.keeps].items()}
    return MappingProxyType(found)


def form_of(policy: Policy, service: Service) -> Form:
    """What the service asks; whatever only a consent purpose uses waits for the consent (C1)."""
    named = [policy.purposes[name] for name in service.for_]
    own = [purpose for purpose in named if purpose.basis is not Basis.CONSENT]
    asked = tuple(dict.fromkeys((*(p.id for p in named if p.basis is Basis.CONSENT), *service.offers)))
    required = tuple(dict.fromkeys(item for purpose in own for item in purpose.needs))
    optional = tuple(dict.fromkeys(i for purpose in own for i in purpose.may_use if i not in required))
    offered: dict[str, tuple[str, ...]] = {}
    for name in asked:
        for item in policy.purposes[name].items:
            offered[item] = (*offered.get(item, ()), name)
    return Form(
        required=required,
        optional=optional,
        offered=MappingProxyType(offered),
        offers=asked,
        needs_of={name: policy.purposes[name].needs for name in asked},
        case=service.case,
        sources=service.sources,
    )
