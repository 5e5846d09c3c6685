"""The policy document, typed and frozen: what `docs/policy-format.md` describes, one class per structure.

Every field carries its shape, from which reader, printer and JSON Schema follow. Tables are mappings in the order of
the document, items are named `category.item`. A document that exists has passed the reader: every name it uses is
declared and every structure is whole.
"""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from collections.abc import Mapping
from dataclasses import dataclass

from omonat.base.codes import LANGUAGES
from omonat.base.instants import Instant
from omonat.policy.durations import Duration
from omonat.policy.shapes import (
    EMPTY,
    Choice,
    Flag,
    Many,
    Moment,
    Name,
    Period,
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
    Anchor,
    Basis,
    CaseRule,
    Channel,
    CookieKind,
    Erases,
    Factor,
    ItemClass,
    Keep,
    Keeping,
    Kind,
    Messages,
    Party,
    RecipientKind,
    RoleKind,
    SafeguardKind,
    Scope,
    Status,
    Threshold,
)

__all__ = [
    "Basis",
    "Caps",
    "CaseRule",
    "Item",
    "ItemClass",
    "Keep",
    "Kind",
    "Policy",
    "Purpose",
    "Role",
    "RoleKind",
    "Scope",
]
__all__ += ["Category", "Claims", "Controller", "Cookie", "Ground", "Named", "Promise", "Recipient", "Rule", "Schedule"]
__all__ += ["Answer", "AtMost", "Children", "CollectedIn", "Option", "Safeguard", "Service", "System", "Words"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same words in every language; a missing language is refused by the reader."""

    uz: str = key(Text())
    ru: str = key(Text())
    en: str = key(Text())

    def __getitem__(self, language: str) -> str:
        """The words in `language`. Raises KeyError for a language nobody speaks here."""
        if language not in LANGUAGES:
            raise KeyError(language)
        text: str = getattr(self, language)
        return text


_WORDS = Struct(Words)
_ITEMS = Many(Ref("items"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The company the policy binds."""

    name: str = key(Text(200))
    country: str = key(Name())
    mailbox: str = key(Text(254))
    laws: tuple[str, ...] = key(Many(Name(), least=1))
    time_zone: str = key(Zone())
    tax_id: str | None = key(Text(20), default=None)
    address: Words | None = key(_WORDS, default=None)
    phone: str | None = key(Text(40), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedIn:
    """The claim that these items are collected in these services."""

    items: tuple[str, ...] = key(Many(Ref("items"), least=1))
    services: tuple[str, ...] = key(Many(Ref("services"), least=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a promise's words claim, for the linter to hold against the tables."""

    no_third_parties: bool = key(Flag(), default=False)
    third_party_cookies: bool = key(Flag(), default=False)
    anonymous: tuple[str, ...] = key(_ITEMS, default=())
    consent_by_use: bool = key(Flag(), default=False)
    immediate_deletion: bool = key(Flag(), default=False)
    open_purpose_list: bool = key(Flag(), default=False)
    child_age: int | None = key(Whole(1, 21), default=None)
    mail_only_change: tuple[str, ...] = key(_ITEMS, default=())
    sensitive_only: tuple[ItemClass, ...] = key(Many(Choice(ItemClass)), default=())
    without_consent: tuple[str, ...] = key(Many(Ref("purposes")), default=())
    channels_only: tuple[Channel, ...] = key(Many(Choice(Channel)), default=())
    voluntary_only: bool = key(Flag(), default=False)
    collected_in: CollectedIn | None = key(Struct(CollectedIn), default=None)
    consent_situations_defined: bool = key(Flag(), default=False)
    consent_situations_listed: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One numbered promise: who answers for it and how it is kept."""

    id: str = own_id()
    section: str = key(Ref("sections"))
    owner: str = key(Ref("roles"))
    keeping: tuple[Keeping, ...] = key(Many(Choice(Keeping), least=1))
    says: Words = key(_WORDS)
    tells: Words = key(_WORDS)
    claims: Claims = key(Struct(Claims), default=Claims())


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A thing with a label and perhaps a sentence: a chapter, a kind of case, a source."""

    id: str = own_id()
    says: Words = key(_WORDS)
    tells: Words | None = key(_WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer of an item of kind `choice`."""

    id: str = own_id()
    says: Words = key(_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that may be known about a person; `id` is `category.item`."""

    id: str = own_id()
    kind: Kind = key(Choice(Kind))
    says: Words = key(_WORDS)
    tells: Words | None = key(_WORDS, default=None)
    class_: ItemClass = key(Choice(ItemClass), default=ItemClass.ORDINARY)
    lookup: bool = key(Flag(), default=False)
    voluntary: bool = key(Flag(), default=True)
    because: Words | None = key(_WORDS, default=None)
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
    says: Words = key(_WORDS)
    items: Mapping[str, Item] = key(Table(Struct(Item), joined=True))
    group: str | None = key(Ref("promises"), default=None)
    tells: Words | None = key(_WORDS, default=None)
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
    says: Words = key(_WORDS)
    cases: CaseRule = key(Choice(CaseRule))
    tells: Words | None = key(_WORDS, default=None)
    caps: Caps = key(Struct(Caps), default=Caps())
    kind: RoleKind = key(Choice(RoleKind), default=RoleKind.HUMAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What data is used for, on which basis, by whom. `roles` maps a role to its items; None: all of them."""

    id: str = own_id()
    says: Words = key(_WORDS)
    tells: Words = key(_WORDS)
    refuses: Words = key(_WORDS)
    promises: tuple[str, ...] = key(Many(Ref("promises"), least=1))
    basis: Basis = key(Choice(Basis))
    roles: Mapping[str, tuple[str, ...] | None] = key(RoleParts())
    group: str | None = key(Ref("promises"), default=None)
    interest: Words | None = key(_WORDS, default=None)
    source: str | None = key(Name("source"), default=None)
    cases: tuple[str, ...] = key(Many(Ref("cases")), default=())
    needs: tuple[str, ...] = key(_ITEMS, default=())
    may_use: tuple[str, ...] = key(_ITEMS, default=())
    messages: Messages = key(Choice(Messages), default=Messages.NONE)
    channels: tuple[Channel, ...] = key(Many(Choice(Channel)), default=())
    lookup: tuple[str, ...] = key(_ITEMS, default=())
    dpv: str | None = key(Text(200), default=None)

    @property
    def items(self) -> tuple[str, ...]:
        """All items the purpose needs or may use, in that order."""
        return self.needs + self.may_use

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
    says: Words = key(_WORDS)
    for_: tuple[str, ...] = key(Many(Ref("purposes"), least=1))
    keeps: str = key(Ref("retention"))
    sources: tuple[str, ...] = key(Many(Ref("sources"), least=1))
    tells: Words | None = key(_WORDS, default=None)
    case: str | None = key(Ref("cases"), default=None)
    offers: tuple[str, ...] = key(Many(Ref("purposes")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason to keep items: until an event (`keep-until`), or a period after one (`after`, `keep`)."""

    factor: Factor = key(Choice(Factor))
    keep_until: Anchor | None = key(Choice(Anchor), default=None)
    after: Anchor | None = key(Choice(Anchor), default=None)
    keep: Duration | None = key(Period(), default=None)
    items: tuple[str, ...] = key(_ITEMS, default=())
    source: str | None = key(Name("source"), default=None)
    says: Words | None = key(_WORDS, default=None)

    def covers(self, item: str) -> bool:
        """Whether the rule speaks of this item; one without `items` speaks of all."""
        return not self.items or item in self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """The end that nothing but a legal hold can move."""

    after: Anchor = key(Choice(Anchor))
    keep: Duration = key(Period())


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long the records of a service are kept (R1, R2)."""

    id: str = own_id()
    says: Words = key(_WORDS)
    rules: tuple[Rule, ...] = key(Many(Struct(Rule), least=1))
    at_most: AtMost = key(Struct(AtMost))
    tells: Words | None = key(_WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One of the only grounds on which data leaves the company (X1–X7)."""

    id: str = own_id()
    says: Words = key(_WORDS)
    tells: Words = key(_WORDS)
    proof: tuple[str, ...] = key(Many(Name(), least=1))
    recipients: tuple[str, ...] = key(Many(Ref("recipients")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody outside who receives data."""

    id: str = own_id()
    says: Words = key(_WORDS)
    kind: RecipientKind = key(Choice(RecipientKind))
    country: str = key(Name())
    ground: str = key(Ref("disclosure"))
    tells: Words | None = key(_WORDS, default=None)
    purposes: tuple[str, ...] = key(Many(Ref("purposes")), default=())
    items: tuple[str, ...] = key(_ITEMS, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The ages below which data is not taken, in whole years (K1–K3)."""

    under: int = key(Whole(1, 21))
    images_under: int = key(Whole(1, 21))
    threshold: Threshold = key(Choice(Threshold), default=Threshold.HIGHER)
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A registered cookie, storage key, beacon or pixel (L7)."""

    id: str = own_id()
    says: Words = key(_WORDS)
    kind: CookieKind = key(Choice(CookieKind))
    owner: str = key(Text(200))
    party: Party = key(Choice(Party))
    purpose: str = key(Ref("purposes"))
    tells: Words | None = key(_WORDS, default=None)
    lifetime: Duration | None = key(Period(), default=None)
    necessary: bool = key(Flag(), default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """A protection with an owner and a review date (S3)."""

    id: str = key(Name())
    promise: str = key(Ref("promises"))
    kind: SafeguardKind = key(Choice(SafeguardKind))
    owner: str = key(Ref("roles"))
    keeping: Keeping = key(Choice(Keeping))
    says: Words = key(_WORDS)
    review: Duration = key(Period())
    tells: Words | None = key(_WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Another system of the company that holds copies."""

    id: str = key(Name())
    says: Words = key(_WORDS)
    erases: Erases = key(Choice(Erases))
    items: tuple[str, ...] = key(_ITEMS, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the document answers a finding of the linter."""

    finding: str = key(Name())
    status: Status = key(Choice(Status))
    because: Words = key(_WORDS)
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())
    about: tuple[str, ...] = key(Many(Text(200)), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole document."""

    policy: str = key(Name())
    version: str = key(Text(40))
    effective: Instant = key(Moment())
    controller: Controller = key(Struct(Controller))
    summary: tuple[Words, ...] = key(Many(_WORDS), default=())
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
    consent_needed: tuple[str, ...] = key(Many(Ref("purposes")), default=())
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
