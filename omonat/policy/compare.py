"""Two versions of a policy, compared by meaning (P1, P2, P3): what is new, what is gone, what reaches further.

Wording, order and spelling do not count; what people's data may be used for does. `widens` marks every change after
which data given before may be used in a way its owner was not told of, `weakens` one after which a person may do less
about it; people are told of exactly those (P2). `omonat.policy.changes` gathers them for a reader and says whom they
concern.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Policy, Purpose
from omonat.policy.since import is_weaker, kept_longer, serves_further
from omonat.policy.words import Basis


class Change(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    WIDENED = "widened"
    NARROWED = "narrowed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One change of meaning.

    `what`: purpose, item, service, role, recipient, use, disclosure, basis, occasion, retention, consent, age,
    objection, required, promise. `names` says of what, outermost first: a use is (purpose, item, role). `widens`: data
    given before reaches further now. `weakens`: a right or a promise is less than it was.
    """

    what: str
    change: Change
    names: tuple[str, ...]
    was: str = ""
    now: str = ""
    widens: bool = False
    weakens: bool = False


def compare(old: CompiledPolicy, new: CompiledPolicy) -> tuple[Difference, ...]:
    """Everything that differs in meaning, in a stable order; empty when the two do the same."""
    found = [
        *_declared(old.policy, new.policy),
        *_bases(old.policy, new.policy),
        *_occasions(old.policy, new.policy),
        *_uses(old, new),
        *_retention(old, new),
        *_disclosures(old, new),
        *_consents(old.policy, new.policy),
        *_ages(old, new),
        *_rights(old.policy, new.policy),
        *_required(old, new),
    ]
    return tuple(sorted(found))


def new_uses(old: CompiledPolicy, new: CompiledPolicy) -> tuple[Difference, ...]:
    """What people must be told of before their old data is used so (P2)."""
    return tuple(difference for difference in compare(old, new) if difference.widens)


def _declared(old: Policy, new: Policy) -> Iterator[Difference]:
    for what, before, after in (
        ("purpose", old.purposes, new.purposes),
        ("item", old.items, new.items),
        ("service", old.services, new.services),
        ("role", old.roles, new.roles),
        ("recipient", old.recipients, new.recipients),
    ):
        yield from _added_and_removed(what, ((name,) for name in before), ((name,) for name in after))


def _added_and_removed(
    what: str, old: Iterable[tuple[str, ...]], new: Iterable[tuple[str, ...]], *, widens: bool = False
) -> Iterator[Difference]:
    before, after = set(old), set(new)
    for names in after - before:
        yield Difference(what, Change.ADDED, names, widens=widens)
    for names in before - after:
        yield Difference(what, Change.REMOVED, names)


def _bases(old: Policy, new: Policy) -> Iterator[Difference]:
    for purpose in new.purposes.values():
        was = old.purposes.get(purpose.id)
        if was is not None and was.basis is not purpose.basis:
            wider = is_weaker(purpose.basis, was.basis)
            change = Change.WIDENED if wider else Change.NARROWED
            yield Difference("basis", change, (purpose.id,), was.basis, purpose.basis, widens=wider)


def _occasions(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in old.purposes.keys() & new.purposes.keys():
        if serves_further(new.purposes[name], old.purposes[name]):
            yield Difference("occasion", Change.WIDENED, (name,), widens=True)
        elif serves_further(old.purposes[name], new.purposes[name]):
            yield Difference("occasion", Change.NARROWED, (name,))


def _uses(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    """A new item or role widens an old purpose; under a new purpose every use is new.

    Where versions lie between the two, one may have dropped or narrowed a use and a later one brought it back: it is
    new again since then.
    """
    yield from _added_and_removed("use", old.tables.uses, new.tables.uses, widens=True)
    for use in new.tables.uses.keys() & old.tables.uses.keys():
        purpose, item, _ = use
        law, was = new.purposes[purpose], old.purposes[purpose]
        if new.tables.uses[use].ordinal <= old.ordinal or is_weaker(law.basis, was.basis) or serves_further(law, was):
            continue
        if not kept_longer(new.policy, new.tables.terms, old.tables, law, item):
            yield Difference("use", Change.RETURNED, use, widens=True)


def _retention(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    for purpose, item in _common(old.policy, new.policy):
        if kept_longer(new.policy, new.tables.terms, old.tables, new.purposes[purpose], item):
            yield Difference("retention", Change.WIDENED, (purpose, item), widens=True)
        elif kept_longer(old.policy, old.tables.terms, new.tables, old.purposes[purpose], item):
            yield Difference("retention", Change.NARROWED, (purpose, item))


def _common(old: Policy, new: Policy) -> Iterator[tuple[str, str]]:
    for purpose in new.purposes.values():
        before = _items(old.purposes, purpose.id)
        yield from ((purpose.id, item) for item in purpose.items if item in before)


def _items(purposes: Mapping[str, Purpose], name: str) -> tuple[str, ...]:
    return purposes[name].items if name in purposes else ()


def _disclosures(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    """A recipient that went, or went elsewhere, and came back between the two is new again since then."""
    yield from _added_and_removed("disclosure", old.tables.recipients, new.tables.recipients, widens=True)
    moved: set[str] = set()
    for recipient in new.policy.recipients.values():
        was = old.policy.recipients.get(recipient.id)
        if was is not None and (was.country, was.kind) != (recipient.country, recipient.kind):
            moved.add(recipient.id)
            before, after = f"{was.kind}, {was.country}", f"{recipient.kind}, {recipient.country}"
            yield Difference("recipient", Change.WIDENED, (recipient.id,), before, after, widens=True)
    for key in old.tables.recipients.keys() & new.tables.recipients.keys():
        if key[0] not in moved and new.tables.recipients[key] > old.ordinal:
            yield Difference("disclosure", Change.RETURNED, key, widens=True)


def _consents(old: Policy, new: Policy) -> Iterator[Difference]:
    was, now = ((name,) for name in old.consent_needed), ((name,) for name in new.consent_needed)
    yield from _added_and_removed("consent", was, now)


def _ages(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    for name in ("child_under", "consent_under", "images_under"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            change = Change.NARROWED if now > was else Change.WIDENED
            yield Difference("age", change, (name.replace("_", "-"),), str(was), str(now), widens=now < was)


def _rights(old: Policy, new: Policy) -> Iterator[Difference]:
    """What a person could do, and was promised: objections that fell away or came, promises likewise."""
    for name in old.purposes.keys() & new.purposes.keys():
        could, can = old.purposes[name].may_be_objected_to, new.purposes[name].may_be_objected_to
        if could != can and (can or new.purposes[name].basis is not Basis.CONSENT):  # who is asked needn't object
            yield Difference("objection", Change.ADDED if can else Change.REMOVED, (name,), weakens=could)
    for name in old.promises.keys() - new.promises.keys():
        yield Difference("promise", Change.REMOVED, (name,), weakens=True)
    for name in new.promises.keys() - old.promises.keys():
        yield Difference("promise", Change.ADDED, (name,))


def _required(old: CompiledPolicy, new: CompiledPolicy) -> Iterator[Difference]:
    """What a service can no longer be had without, or now can (L1): it concerns what is given from now on."""
    for service in old.forms.keys() & new.forms.keys():
        before, after = set(old.forms[service].required), set(new.forms[service].required)
        for item in after - before:
            yield Difference("required", Change.WIDENED, (service, item))
        for item in before - after:
            yield Difference("required", Change.NARROWED, (service, item))
