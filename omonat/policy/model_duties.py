"""What the company owes: ends of keeping, grounds of disclosure, ages, cookies, safeguards, systems with copies."""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from dataclasses import dataclass

from omonat.policy.durations import Duration
from omonat.policy.model_basics import ITEMS, WORDS, Words
from omonat.policy.shapes import Choice, Flag, Many, Name, Period, Ref, Struct, Text, Whole, key, own_id
from omonat.policy.words import (
    Anchor,
    CookieKind,
    Erases,
    Factor,
    Keeping,
    Language,
    Party,
    RecipientKind,
    SafeguardKind,
    Threshold,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason to keep items: until an event (`keep-until`), or a period after one (`after`, `keep`)."""

    factor: Factor = key(Choice(Factor))
    keep_until: Anchor | None = key(Choice(Anchor), default=None)
    after: Anchor | None = key(Choice(Anchor), default=None)
    keep: Duration | None = key(Period(), default=None)
    items: tuple[str, ...] = key(ITEMS, default=())
    source: str | None = key(Name("source"), default=None)
    says: Words | None = key(WORDS, default=None)

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
    says: Words = key(WORDS)
    rules: tuple[Rule, ...] = key(Many(Struct(Rule), least=1))
    at_most: AtMost = key(Struct(AtMost))
    tells: Words | None = key(WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One of the only grounds on which data leaves the company (X1–X7)."""

    id: str = own_id()
    says: Words = key(WORDS)
    tells: Words = key(WORDS)
    proof: tuple[str, ...] = key(Many(Name(), least=1))
    recipients: tuple[str, ...] = key(Many(Ref("recipients")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody outside who receives data."""

    id: str = own_id()
    says: Words = key(WORDS)
    kind: RecipientKind = key(Choice(RecipientKind))
    country: str = key(Name())
    ground: str = key(Ref("disclosure"))
    tells: Words | None = key(WORDS, default=None)
    purposes: tuple[str, ...] = key(Many(Ref("purposes")), default=())
    items: tuple[str, ...] = key(ITEMS, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """The ages below which data is not taken, in whole years (K1–K3)."""

    under: int = key(Whole(1, 21))
    images_under: int = key(Whole(1, 21))
    threshold: Threshold = key(Choice(Threshold), default=Threshold.HIGHER)
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirming:
    """What somebody is asked to confirm when it is `after` old, where it was given to one of these services (Q1). `by`
    is the purpose they are written to under; without it they are asked in the Privacy Center alone."""

    items: tuple[str, ...] = key(Many(Ref("items"), least=1))
    services: tuple[str, ...] = key(Many(Ref("services"), least=1))
    after: Duration = key(Period())
    by: str | None = key(Ref("purposes"), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """When requests and complaints go up to the role that owns A2, besides when they are overdue.

    `near_at`: after this share of the time to answer, in per cent. `mailbox`: one of the role's, not of somebody's;
    without it nobody is written to.
    """

    near_at: int = key(Whole(1, 99))
    mailbox: str | None = key(Text(200), default=None)
    language: Language = key(Choice(Language), default=Language.UZBEK)
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """What is asked of nobody in particular and counted in coarse bands; no number below `threshold` is shown (L4)."""

    asks: tuple[str, ...] = key(Many(Ref("items"), least=1))
    threshold: int = key(Whole(5, 1000))
    promises: tuple[str, ...] = key(Many(Ref("promises")), default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A registered cookie, storage key, beacon or pixel (L7)."""

    id: str = own_id()
    says: Words = key(WORDS)
    kind: CookieKind = key(Choice(CookieKind))
    owner: str = key(Text(200))
    party: Party = key(Choice(Party))
    purpose: str = key(Ref("purposes"))
    tells: Words | None = key(WORDS, default=None)
    lifetime: Duration | None = key(Period(), default=None)
    necessary: bool = key(Flag(), default=False)
    names: tuple[str, ...] = key(Many(Text(100)), default=())
    """What the browser calls it; `_x_*` stands for all that begin with `_x_`. Nothing given: its id."""
    hosts: tuple[str, ...] = key(Many(Text(253)), default=())
    """Where it is loaded from or sends to, when that is another host than the site's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard:
    """A protection with an owner and a review date (S3)."""

    id: str = key(Name())
    promise: str = key(Ref("promises"))
    kind: SafeguardKind = key(Choice(SafeguardKind))
    owner: str = key(Ref("roles"))
    keeping: Keeping = key(Choice(Keeping))
    says: Words = key(WORDS)
    review: Duration = key(Period())
    tells: Words | None = key(WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Another system of the company that holds copies."""

    id: str = key(Name())
    says: Words = key(WORDS)
    erases: Erases = key(Choice(Erases))
    items: tuple[str, ...] = key(ITEMS, default=())
