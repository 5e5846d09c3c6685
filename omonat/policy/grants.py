"""What the tables answer: a `Grant` for a use, a `Form` for a service. Immutable, shared by every use of one shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from omonat.base.verdict import Reason
from omonat.policy.words import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What purpose × role × items statically grants; immutable, shared by every use of the same shape.

    `answers_person`: the purpose only answers what the person does at this moment (a sign-in code, and nothing about
    an order or a request), so that who restricted all use can still come in and lift it. `by_category` maps each
    category to its allowed items: what a section is opened for. `relation` names the services that collect for the
    purpose: where staff act without a case, only records of these are theirs to see (S4). None: a case or a consent
    ties them to the person, a program acts, or no service collects for the purpose by itself. `goes_since` says of each
    item since when somebody outside gets it by this use; empty where nobody does, or people needn't be told first.
    """

    purpose: str
    role: str
    basis: Basis
    allowed: tuple[str, ...]
    categories: tuple[str, ...]
    withheld: Mapping[str, Reason]
    since: int
    since_of: Mapping[str, int]
    cases: frozenset[str]
    case_rule: str
    reads_consent: bool
    may_object: bool
    answers_person: bool
    relation: frozenset[str] | None = None
    recipient: str | None = None
    goes_since: Mapping[str, int] = field(default_factory=dict)
    by_category: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        by_category: dict[str, tuple[str, ...]] = {}
        for item in self.allowed:
            category = item.partition(".")[0]
            by_category[category] = (*by_category.get(category, ()), item)
        object.__setattr__(self, "by_category", by_category)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a service asks: its own purposes' items, and those that wait for a consent.

    A consent purpose is never required: whether the service names it under `for` or `offers`, its items stand under
    `offered` until the person says yes to it. `needs_of` says what each such purpose can't do without.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    offered: Mapping[str, tuple[str, ...]]
    offers: tuple[str, ...]
    needs_of: Mapping[str, tuple[str, ...]]
    case: str | None
    sources: tuple[str, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """Every item the form may take, each once, in the order to ask them."""
        return tuple(dict.fromkeys((*self.required, *self.optional, *self.offered)))
