"""The policy document, typed and frozen: what `docs/policy-format.md` describes, one class per structure.

Every field carries its shape, from which reader, printer and JSON Schema follow. Tables are mappings in the order of
the document, items are named `category.item`. A document that exists has passed the reader: every name it uses is
declared and every structure is whole.
"""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from collections.abc import Mapping
from dataclasses import dataclass

from omonat.base.instants import Instant
from omonat.policy.model_basics import ITEMS, WORDS, Named, Option, Words
from omonat.policy.model_duties import (
    AtMost,
    Children,
    Confirming,
    Cookie,
    Demographics,
    Escalation,
    Ground,
    Recipient,
    Rule,
    Safeguard,
    Schedule,
    System,
)
from omonat.policy.model_promises import Answer, Claims, CollectedIn, Promise
from omonat.policy.shapes import (
    EMPTY,
    Choice,
    Flag,
    Many,
    Moment,
    Name,
    Ref,
    RoleParts,
    Struct,
    Table,
    Text,
    Whole,
    Zone,
    key,
    own_id,
)
from omonat.policy.words import (
    Basis,
    CaseRule,
    Channel,
    ItemClass,
    Keep,
    Kind,
    Messages,
    RoleKind,
    Scope,
)

__all__ = [
    "Answer",
    "AtMost",
    "Basis",
    "Caps",
    "CaseRule",
    "Category",
    "Children",
    "Claims",
    "CollectedIn",
    "Controller",
]
__all__ += ["Cookie", "Ground", "Item", "ItemClass", "Keep", "Kind", "Named", "Option", "Policy", "Promise", "Purpose"]
__all__ += ["Recipient", "Role", "RoleKind", "Rule", "Safeguard", "Schedule", "Scope", "Service", "System", "Words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The company the policy binds."""

    name: str = key(Text(200))
    country: str = key(Name())
    mailbox: str = key(Text(254))
    laws: tuple[str, ...] = key(Many(Name(), least=1))
    time_zone: str = key(Zone())
    tax_id: str | None = key(Text(20), default=None)
    address: Words | None = key(WORDS, default=None)
    phone: str | None = key(Text(40), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that may be known about a person; `id` is `category.item`."""

    id: str = own_id()
    kind: Kind = key(Choice(Kind))
    says: Words = key(WORDS)
    tells: Words | None = key(WORDS, default=None)
    class_: ItemClass = key(Choice(ItemClass), default=ItemClass.ORDINARY)
    lookup: bool = key(Flag(), default=False)
    voluntary: bool = key(Flag(), default=True)
    because: Words | None = key(WORDS, default=None)
    keep: Keep = key(Choice(Keep), default=Keep.READABLE)
    scope: Scope = key(Choice(Scope), default=Scope.NONE)
    choices: Mapping[str, Option] = key(Table(Struct(Option)), default=EMPTY)

    @property
    def category(self) -> str:
        """The category the item belongs to: the sealed section it lies in."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One of G1–G6, or payment data: items that are sealed together."""

    id: str = own_id()
    says: Words = key(WORDS)
    items: Mapping[str, Item] = key(Table(Struct(Item), joined=True))
    group: str | None = key(Ref("promises"), default=None)
    tells: Words | None = key(WORDS, default=None)
    purposes: tuple[str, ...] = key(Many(Ref("purposes")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How often one member of staff may act; None: no cap."""

    uses_per_hour: int | None = key(Whole(), default=None)
    uses_per_day: int | None = key(Whole(), default=None)
    lookups_per_hour: int | None = key(Whole(), default=None)
    lookups_per_day: int | None = key(Whole(), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A kind of job."""

    id: str = own_id()
    says: Words = key(WORDS)
    cases: CaseRule = key(Choice(CaseRule))
    tells: Words | None = key(WORDS, default=None)
    caps: Caps = key(Struct(Caps), default=Caps())
    kind: RoleKind = key(Choice(RoleKind), default=RoleKind.HUMAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What data is used for, on which basis, by whom. `roles` maps a role to its items; None: all of them."""

    id: str = own_id()
    says: Words = key(WORDS)
    tells: Words = key(WORDS)
    refuses: Words = key(WORDS)
    promises: tuple[str, ...] = key(Many(Ref("promises"), least=1))
    basis: Basis = key(Choice(Basis))
    roles: Mapping[str, tuple[str, ...] | None] = key(RoleParts())
    group: str | None = key(Ref("promises"), default=None)
    interest: Words | None = key(WORDS, default=None)
    source: str | None = key(Name("source"), default=None)
    cases: tuple[str, ...] = key(Many(Ref("cases")), default=())
    needs: tuple[str, ...] = key(ITEMS, default=())
    may_use: tuple[str, ...] = key(ITEMS, default=())
    messages: Messages = key(Choice(Messages), default=Messages.NONE)
    channels: tuple[Channel, ...] = key(Many(Choice(Channel)), default=())
    lookup: tuple[str, ...] = key(ITEMS, default=())
    dpv: str | None = key(Text(200), default=None)

    @property
    def items(self) -> tuple[str, ...]:
        """All items the purpose needs or may use, in that order."""
        return self.needs + self.may_use

    @property
    def may_be_objected_to(self) -> bool:
        """Whether an objection stops it: our own interest and all marketing, but never a service message (C2, N2)."""
        if self.messages is Messages.SERVICE:
            return False
        return self.basis is Basis.LEGITIMATE_INTEREST or self.messages is Messages.MARKETING

    def items_for(self, role: str) -> tuple[str, ...]:
        """The items this role sees under this purpose; none for a role without a part in it."""
        if role not in self.roles:
            return ()
        part = self.roles[role]
        return self.items if part is None else tuple(item for item in self.items if item in part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a person comes for, and what is asked there."""

    id: str = own_id()
    says: Words = key(WORDS)
    for_: tuple[str, ...] = key(Many(Ref("purposes"), least=1))
    keeps: str = key(Ref("retention"))
    sources: tuple[str, ...] = key(Many(Ref("sources"), least=1))
    tells: Words | None = key(WORDS, default=None)
    case: str | None = key(Ref("cases"), default=None)
    offers: tuple[str, ...] = key(Many(Ref("purposes")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole document."""

    policy: str = key(Name())
    version: str = key(Text(40))
    effective: Instant = key(Moment())
    controller: Controller = key(Struct(Controller))
    summary: tuple[Words, ...] = key(Many(WORDS), default=())
    promises: Mapping[str, Promise] = key(Table(Struct(Promise), key=Name("promise")))
    sections: Mapping[str, Named] = key(Table(Struct(Named)))
    categories: Mapping[str, Category] = key(Table(Struct(Category)))
    cases: Mapping[str, Named] = key(Table(Struct(Named)), default=EMPTY)
    sources: Mapping[str, Named] = key(Table(Struct(Named)))
    roles: Mapping[str, Role] = key(Table(Struct(Role)))
    purposes: Mapping[str, Purpose] = key(Table(Struct(Purpose)))
    services: Mapping[str, Service] = key(Table(Struct(Service)))
    retention: Mapping[str, Schedule] = key(Table(Struct(Schedule)))
    disclosure: Mapping[str, Ground] = key(Table(Struct(Ground), key=Ref("promises")), default=EMPTY)
    recipients: Mapping[str, Recipient] = key(Table(Struct(Recipient)), default=EMPTY)
    children: Children = key(Struct(Children))
    escalation: Escalation | None = key(Struct(Escalation), default=None)
    consent_needed: tuple[str, ...] = key(Many(Ref("purposes")), default=())
    demographics: Demographics | None = key(Struct(Demographics), default=None)
    confirm: tuple[Confirming, ...] = key(Many(Struct(Confirming)), default=())
    cookies: Mapping[str, Cookie] = key(Table(Struct(Cookie)), default=EMPTY)
    safeguards: tuple[Safeguard, ...] = key(Many(Struct(Safeguard)), default=())
    systems: tuple[System, ...] = key(Many(Struct(System)), default=())
    contradictions: tuple[Answer, ...] = key(Many(Struct(Answer)), default=())

    @property
    def items(self) -> Mapping[str, Item]:
        """All items by id, in the order of the document."""
        return {item.id: item for category in self.categories.values() for item in category.items.values()}

    def uses(self) -> list[tuple[Purpose, str, str]]:
        """Every (purpose, role, item) the document grants, verify-only items included."""
        return [(p, role, item) for p in self.purposes.values() for role in p.roles for item in p.items_for(role)]
