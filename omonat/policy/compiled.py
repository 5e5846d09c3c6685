"""The policy as decision tables: what runs. Built once per published version, immutable, asked millions of times.

`grant` answers the static half of the exact rule (purpose × role × item × basis, with `since`); the live half (consent,
restriction, cases, caps) is `omonat.promises.use`. `form` says what a service asks, `due` when an item must be gone.
Keeps L1–L3, S4, C1, P2 (`since`), R1–R2. Raises BadInput with the nearest name for a name nobody declared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import Instant, to_datetime
from omonat.base.verdict import CannotTell, Reason
from omonat.policy.building import form_of, packs_of, terms_table
from omonat.policy.complaints import nearest
from omonat.policy.grants import Form, Grant
from omonat.policy.kinds import Normalised, normalise
from omonat.policy.labels import labels_of
from omonat.policy.model import Item, Policy, Purpose, Role, Service, Words
from omonat.policy.packs import Advertising, Deadline, Pack, strictest_advertising, strictest_age, strictest_deadline
from omonat.policy.printer import digest_of
from omonat.policy.reader import Document
from omonat.policy.retention import ERASURE, OUTLIVE_A_REQUEST, Due, Terms, is_asked
from omonat.policy.since import Tables, since_of
from omonat.policy.words import Basis, Keep, Messages, RoleKind, Threshold

_MOST_REMEMBERED = 16_384  # request shapes differ little; what a stranger makes up must not fill the memory

__all__ = ["Basis", "CompiledPolicy", "Due", "Form", "Grant", "compile_policy"]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPolicy:
    """One version, ready to run, with the ages that hold here, packs included (K1).

    Below `child_under` nothing is taken without a parent; below `consent_under` a parent consents beside the child;
    below `images_under` a parent consents to being filmed.
    """

    ordinal: int
    version: str
    digest: str
    policy: Policy
    packs: tuple[Pack, ...]
    zone: ZoneInfo
    items: Mapping[str, Item]
    purposes: Mapping[str, Purpose]
    services: Mapping[str, Service]
    roles: Mapping[str, Role]
    forms: Mapping[str, Form]
    tables: Tables
    child_under: int
    consent_under: int
    images_under: int
    _labels: Mapping[tuple[str, str], Words]
    _grants: dict[tuple[str, str, tuple[str, ...], str | None], Grant] = field(default_factory=dict)
    _sections: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    _needed: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _lasting: dict[tuple[str, tuple[str, ...]], tuple[Terms, ...]] = field(default_factory=dict)

    def grant(self, purpose: str, role: str, items: tuple[str, ...] = (), recipient: str | None = None) -> Grant:
        """What `role` may see of `items` under `purpose`; no items: all that the purpose has for the role.

        With a `recipient`: what may be handed to it (T1). Raises BadInput (`purpose-unknown`, `role-unknown`,
        `item-unknown`) and Refused (`role-may-not`).
        """
        known = self._grants.get((purpose, role, items, recipient))
        return known if known is not None else self._grant(purpose, role, items, recipient)

    def _grant(self, purpose: str, role: str, items: tuple[str, ...], recipient: str | None) -> Grant:
        law, actor = self.purpose(purpose), self.role(role)
        if role not in law.roles:
            raise Refused("role-may-not", role=role, purpose=purpose)
        visible = law.items_for(role)
        allowed: list[str] = []
        withheld: dict[str, Reason] = {}
        for item in dict.fromkeys(items or visible):
            reason = self._withheld(law, self.item(item), visible) or self._stays_here(law, item, recipient)
            if reason is None:
                allowed.append(item)
            else:
                withheld[item] = reason
        since = {item: self.tables.uses[purpose, item, role].ordinal for item in allowed}
        answers_person = law.messages is Messages.TRANSACTIONAL and not law.cases
        goes: dict[str, int] = {}
        waits = law.messages is not Messages.SERVICE and law.basis is not Basis.LEGAL_OBLIGATION and not answers_person
        if recipient is not None and waits:
            # What tells people can't wait until they were told, nor can what answers them, now or by a duty.
            goes = {item: self.tables.recipients[recipient, purpose, item] for item in allowed}
        grant = Grant(
            purpose=purpose,
            role=role,
            basis=law.basis,
            allowed=tuple(allowed),
            categories=tuple(sorted({self.items[item].category for item in allowed})),
            withheld=MappingProxyType(withheld),
            since=max((*since.values(), *goes.values()), default=0),
            since_of=MappingProxyType(since),
            cases=frozenset(law.cases),
            case_rule=actor.cases,
            reads_consent=law.basis is Basis.CONSENT,
            may_object=law.may_be_objected_to,
            answers_person=answers_person,
            relation=self._relation(law, actor),
            recipient=recipient,
            goes_since=MappingProxyType(goes),
        )
        if len(self._grants) < _MOST_REMEMBERED:
            self._grants[purpose, role, items, recipient] = grant
        return grant

    def _stays_here(self, purpose: Purpose, item: str, recipient: str | None) -> Reason | None:
        if recipient is None or self.since_recipient(recipient, purpose.id, item) is not None:
            return None
        about = {"recipient": recipient, "purpose": purpose.id, "item": item}
        return Reason("recipient-not-registered", "T1", about)

    def _relation(self, purpose: Purpose, actor: Role) -> frozenset[str] | None:
        if actor.kind is RoleKind.SYSTEM or purpose.cases or purpose.basis is Basis.CONSENT:
            return None
        asking = (s for s in self.services.values() if purpose.id in s.for_ or purpose.id in s.offers)
        return frozenset(service.id for service in asking) or None

    def _withheld(self, purpose: Purpose, item: Item, visible: tuple[str, ...]) -> Reason | None:
        if item.id not in purpose.items:
            return Reason("item-not-needed", "L3", {"item": item.id, "purpose": purpose.id})
        if item.id not in visible:
            return Reason("role-does-not-see", "S4", {"item": item.id, "purpose": purpose.id})
        if item.keep is Keep.VERIFY_ONLY:
            return Reason("item-verify-only", "G3", {"item": item.id})
        return None

    def form(self, service: str) -> Form:
        """What the service asks. Raises BadInput `service-unknown`."""
        self.service(service)
        return self.forms[service]

    def needed_by(self, service: str, item: str) -> tuple[str, ...]:
        """The purposes for which the service asks the item, its own first, then those it offers; for notices."""
        known = self._needed.get((service, item))
        if known is None:
            law = self.service(service)
            self.item(item)
            known = tuple(p for p in (*law.for_, *law.offers) if item in self.purposes[p].items)
            self._needed[service, item] = known
        return known

    def sections(self, purpose: str, items: tuple[str, ...] = ()) -> str:
        """The categories that may have to be opened, comma-separated and sorted, as statements take them."""
        known = self._sections.get((purpose, items))
        if known is not None:
            return known
        law = self.purpose(purpose)
        wanted = [self.item(item) for item in items or law.items]
        found = ",".join(sorted({item.category for item in wanted if item.id in law.items}))
        if len(self._sections) < _MOST_REMEMBERED:
            self._sections[purpose, items] = found
        return found

    def since_recipient(self, recipient: str, purpose: str, item: str) -> int | None:
        """The ordinal since which this recipient may get the item for the purpose; None: it may not."""
        return self.tables.recipients.get((recipient, purpose, item))

    def normalise(self, item: str, value: Any) -> Normalised:
        """One value of an item in its one spelling, by the item's kind, its declared answers and the country.

        Raises BadInput: `item-unknown`, or a `value-…` code that never holds the value.
        """
        thing = self.item(item)
        return normalise(thing.kind, value, country=self.policy.controller.country, choices=tuple(thing.choices))

    def due(self, service: str, item: str, anchors: Mapping[str, Instant]) -> Due:
        """When the item of a record of this service must be gone (R1, R2); exact, on the calendar of the zone.

        `anchors` names events (`collected` always; `case-closed` … once they came). While an event is awaited, the
        instant is the `at-most`. Raises BadInput for unknown names, Fault without `collected`.
        """
        return self._terms_of(service, item).due(anchors, self.zone, asked=is_asked(anchors, item))

    def dues(self, service: str, items: Iterable[str], anchors: Mapping[str, Instant]) -> dict[str, Due]:
        """As `due`, for many items of one record: those under the same rules are reckoned once."""
        if ERASURE in anchors:
            return {item: self.due(service, item, anchors) for item in items}
        reckoned: dict[Terms, Due] = {}
        found = {}
        for item in items:
            terms = self._terms_of(service, item)
            due = reckoned.get(terms)
            if due is None:
                due = reckoned[terms] = terms.due(anchors, self.zone)
            found[item] = due
        return found

    def surely_kept_until(self, service: str, items: tuple[str, ...], anchors: Mapping[str, Instant]) -> Instant:
        """An instant before which none of `items` is due, from integers alone: lets hot reads skip the calendar."""
        if ERASURE in anchors:  # rare, and then only the calendar tells
            return Instant(0)
        terms = self._lasting.get((service, items)) or self._different(service, items)
        if len(terms) == 1:
            return terms[0].surely_until(anchors)
        return min([each.surely_until(anchors) for each in terms], default=Instant(0))

    def all_due(self, service: str, items: tuple[str, ...], anchors: Mapping[str, Instant], now: Instant) -> bool:
        """Whether `due` says of each of these items that its instant has come; those under the same rules are reckoned
        once. Raises as `due`."""
        if ERASURE in anchors:
            return all(self.due(service, item, anchors).instant <= now for item in items)
        terms = self._lasting.get((service, items)) or self._different(service, items)
        return all(each.due(anchors, self.zone).instant <= now for each in terms)

    def _different(self, service: str, items: tuple[str, ...]) -> tuple[Terms, ...]:
        """The different terms these items stand under."""
        terms = tuple(dict.fromkeys(self._terms_of(service, item) for item in items))
        if len(self._lasting) < _MOST_REMEMBERED:
            self._lasting[service, items] = terms
        return terms

    def due_record(self, service: str, anchors: Mapping[str, Instant]) -> Instant:
        """When the first item of a record of this service becomes due: the sweeper's index."""
        items = self.form(service).items
        if ERASURE in anchors:
            dues = [self.due(service, item, anchors).instant for item in items]
        else:
            dues = [t.due(anchors, self.zone).instant for t in dict.fromkeys(self._terms_of(service, i) for i in items)]
        return min(dues) if dues else anchors["collected"]

    def keeping(self, service: str) -> tuple[Any, ...]:
        """All that decides when a record of this service is due: equal in two versions that keep it alike."""
        form = self.form(service)
        terms = {item: self._terms_of(service, item) for item in form.items}
        rules = {item: (each.terms, each.cap_anchor, each.cap) for item, each in terms.items()}
        return self.zone.key, form.offers, rules

    def outlives_a_request(self, service: str) -> bool:
        """Whether anything of a record of this service may have to stay after its erasure was asked for."""
        thing = self.service(service)
        return any(rule.factor in OUTLIVE_A_REQUEST for rule in self.policy.retention[thing.keeps].rules)

    def _terms_of(self, service: str, item: str) -> Terms:
        terms = self.tables.terms.get((service, item))
        return terms if terms is not None else self.tables.terms[self.service(service).id, self.item(item).id]

    def label(self, kind: str, id: str, language: str) -> str:
        """The label of a declared thing in `language`; the id itself for a name this version does not know.

        `kind`: item, category, purpose, role, service, promise, recipient, case, source, section, schedule, ground,
        cookie, safeguard, system.
        """
        words = self._labels.get((kind, id))
        return words[language] if words is not None else id

    def today(self, now: Instant) -> date:
        """The calendar day at `now` where the company is."""
        return to_datetime(now).astimezone(self.zone).date()

    def born_by(self, now: Instant) -> int:
        """The last year of birth of which it is sure that whoever names it needs no parent, whatever the day (K1)."""
        return self.today(now).year - self.child_under - 1

    def deadline(self, name: str) -> Deadline | CannotTell:
        """The strictest deadline of the policy's packs."""
        return strictest_deadline(self.packs, name)

    def advertising(self) -> Advertising | CannotTell | None:
        """How an advertisement must read by the policy's packs; None where they are silent."""
        return strictest_advertising(self.packs)

    def item(self, id: str) -> Item:
        """The item. Raises BadInput `item-unknown` with the nearest."""
        return self.items.get(id) or _unknown("item", id, self.items)

    def purpose(self, id: str) -> Purpose:
        """The purpose. Raises BadInput `purpose-unknown` with the nearest."""
        return self.purposes.get(id) or _unknown("purpose", id, self.purposes)

    def role(self, id: str) -> Role:
        """The role. Raises BadInput `role-unknown` with the nearest."""
        return self.roles.get(id) or _unknown("role", id, self.roles)

    def service(self, id: str) -> Service:
        """The service. Raises BadInput `service-unknown` with the nearest."""
        return self.services.get(id) or _unknown("service", id, self.services)


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> NoReturn:
    raise BadInput(f"{kind}-unknown", **{kind: name[:100], "nearest": nearest(name[:100], list(known))})


def compile_policy(
    policy: Policy | Document, packs: Sequence[Pack] = (), history: Sequence[CompiledPolicy] = ()
) -> CompiledPolicy:
    """Compile a document against its law packs and the versions before it, oldest first.

    Raises BadInput `policy-pack-unknown` or `policy-source-unknown` when the packs at hand don't hold what it names.
    """
    law = policy.policy if isinstance(policy, Document) else policy
    used, items = packs_of(law, packs), law.items
    terms = terms_table(law, used, items)
    tables = since_of(law, terms, len(history) + 1, history[-1].tables if history else None)
    higher = used if law.children.threshold is Threshold.HIGHER else ()
    return CompiledPolicy(
        ordinal=len(history) + 1,
        version=law.version,
        digest=digest_of(law),
        policy=law,
        packs=used,
        zone=ZoneInfo(law.controller.time_zone),
        items=MappingProxyType(dict(items)),
        purposes=law.purposes,
        services=law.services,
        roles=law.roles,
        forms=MappingProxyType({service.id: form_of(law, service) for service in law.services.values()}),
        tables=tables,
        child_under=strictest_age(higher, "child", policy=law.children.under),
        consent_under=strictest_age(higher, "data-consent", policy=law.children.under),
        images_under=strictest_age(higher, "images", policy=law.children.images_under),
        _labels=labels_of(law),
    )
