"""The differences of two versions, gathered as a person reads them: each with whom it concerns (P2, P3).

`changes` gathers; `reached` says which records a change reaches, as (version since which, service, category), so that
exactly the people who gave such data can be found without opening anything of theirs. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from omonat.policy.compare import Change as How
from omonat.policy.compare import Difference, compare
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.since import Use
from omonat.policy.words import Basis, Keep

_Touch = tuple[int, str, frozenset[str] | None]
"""(ordinal since which, item, services its use is bound to)"""
Reach = tuple[int, str, str]
"""(ordinal since which, service, category): records of this service taken in before are reached by something new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change a person would speak of.

    `kind` is one of `KINDS`; `about` names the purpose, recipient, service, item, role, promise or age. `services` are
    those whose records it reaches. `tell`: people are told before their old data is used so. `agree`: and must agree,
    because neither a law nor what they were told carries the new use. `milder`: less may be done than before.
    """

    kind: str
    about: str
    items: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    was: str = ""
    now: str = ""
    tell: bool = False
    agree: bool = False
    milder: bool = False


KINDS = (
    *("purpose-new", "items-new", "roles-new", "use-back", "basis-weaker", "occasions-more", "kept-longer"),
    *("recipient-new", "disclosure-new"),
    *("recipient-moved", "objection-lost", "promise-gone", "age-lower", "required", "consent-dropped"),
    *("item-new", "service-new", "role-new", "promise-new"),
    *("purpose-gone", "items-gone", "roles-gone", "basis-milder", "occasions-fewer", "kept-shorter"),
    *("recipient-gone", "disclosure-gone"),
    *("objection-won", "age-higher", "optional", "consent-asked", "item-gone", "service-gone", "role-gone"),
)
"""In the order of a reader's interest: what reaches further first, what is milder last."""
_MILDER = frozenset(KINDS[KINDS.index("purpose-gone") :])
_REACHES = frozenset({"use", "basis", "occasion", "retention", "disclosure", "recipient", "objection", "promise"})
_PLAIN = {
    ("use", How.RETURNED): "use-back",
    ("basis", How.WIDENED): "basis-weaker",
    ("basis", How.NARROWED): "basis-milder",
    ("occasion", How.WIDENED): "occasions-more",
    ("occasion", How.NARROWED): "occasions-fewer",
    ("disclosure", How.RETURNED): "disclosure-new",
    ("retention", How.WIDENED): "kept-longer",
    ("retention", How.NARROWED): "kept-shorter",
    ("age", How.WIDENED): "age-lower",
    ("age", How.NARROWED): "age-higher",
    ("objection", How.REMOVED): "objection-lost",
    ("objection", How.ADDED): "objection-won",
    ("required", How.WIDENED): "required",
    ("required", How.NARROWED): "optional",
    ("consent", How.ADDED): "consent-asked",
    ("consent", How.REMOVED): "consent-dropped",
    ("recipient", How.WIDENED): "recipient-moved",
}


def changes(old: CompiledPolicy, new: CompiledPolicy) -> tuple[Change, ...]:
    """What differs, gathered; empty when the two do the same."""
    gathered: dict[tuple[str, str], list[Difference]] = {}
    for difference in compare(old, new):
        gathered.setdefault((_kind(difference, old, new), difference.names[0]), []).append(difference)
    found = [_gathered(kind, about, parts, old, new) for (kind, about), parts in gathered.items()]
    return tuple(sorted(found, key=lambda change: (KINDS.index(change.kind), change.about)))


def reached(old: CompiledPolicy, new: CompiledPolicy, history: Sequence[CompiledPolicy]) -> frozenset[Reach]:
    """Which records something new reaches. `history` are the versions whose forms may have asked for them."""
    asked = _asked((*history, old))
    found: set[Reach] = set()
    for difference in compare(old, new):
        for since, item, only in _touched(difference, new):
            category = item.partition(".")[0]
            found |= {(since, s, category) for s in asked.get(item, ()) if only is None or s in only}
    return frozenset(found)


def reached_by_told(history: Sequence[CompiledPolicy]) -> tuple[tuple[int, *Reach], ...]:
    """For whoever was told of a version before the newest: (told, since, service, category) of what is new to them.

    Who was told of nothing is taken as told of the first: their data was given under it.
    """
    found = [
        (told, since, service, category)
        for told in range(len(history))
        for since, service, category in reached(history[max(told, 1) - 1], history[-1], history)
        if since > told
    ]
    return tuple(sorted(found))


def _kind(difference: Difference, old: CompiledPolicy, new: CompiledPolicy) -> str:
    what, names = difference.what, difference.names
    if (what, difference.change) in _PLAIN:
        return _PLAIN[what, difference.change]
    added = difference.change is How.ADDED
    before, after = (old, new) if added else (new, old)
    end = "new" if added else "gone"
    if what == "use":
        if names[0] not in before.purposes:
            return f"purpose-{end}"
        item_was_used = any(use[:2] == names[:2] for use in before.tables.uses)
        return f"roles-{end}" if item_was_used and names[1] in after.items else f"items-{end}"
    if what == "disclosure":
        return f"disclosure-{end}" if names[0] in before.policy.recipients else f"recipient-{end}"
    return f"{what}-{end}"


def _gathered(kind: str, about: str, parts: Sequence[Difference], old: CompiledPolicy, new: CompiledPolicy) -> Change:
    of = old if kind.endswith("-gone") else new
    items: list[str] = []
    roles: list[str] = []
    purposes: list[str] = []
    for part in parts:
        match part.what, part.names:
            case "use", (_, item, role):
                items.append(item)
                roles.append(role)
            case "disclosure", (_, purpose, item):
                items.append(item)
                purposes.append(purpose)
            case (("retention" | "required"), (_, item)):
                items.append(item)
    law = of.purposes.get(about)
    now = law.basis.value if law is not None and kind == "purpose-new" else parts[-1].now
    touched = {(item, only) for part in parts for _, item, only in _touched(part, new)}
    asked = _asked((old,))
    return Change(
        kind=kind,
        about=about,
        items=tuple(item for item in of.items if item in set(items)),
        roles=tuple(role for role in of.roles if role in set(roles)),
        purposes=tuple(purpose for purpose in of.purposes if purpose in set(purposes)),
        services=tuple(
            s
            for s in old.services
            if any(s in asked.get(item, ()) and (not only or s in only) for item, only in touched)
        ),
        was=parts[-1].was,
        now=now,
        tell=any(part.what in _REACHES and (part.widens or part.weakens) for part in parts),
        agree=any(_needs_agreement(part, new) for part in parts),
        milder=kind in _MILDER,
    )


def _asks(service: str, item: str, only: frozenset[str] | None, asked: Mapping[str, set[str]]) -> bool:
    return service in asked.get(item, ()) and (only is None or service in only)


def _needs_agreement(difference: Difference, new: CompiledPolicy) -> bool:
    """Old data serves a wider use only after agreement, unless a law obliges (the rule of use, step 6)."""
    if not difference.widens or difference.what not in ("use", "basis", "occasion", "retention"):
        return False
    return new.purposes[difference.names[0]].basis is not Basis.LEGAL_OBLIGATION


def _touched(difference: Difference, new: CompiledPolicy) -> Iterator[_Touch]:
    """What of data given before the difference reaches; nothing for one that doesn't."""
    names = difference.names
    if not (difference.widens or difference.weakens) or difference.what not in _REACHES:
        return
    match difference.what:
        case "use":
            yield from _uses(new, [use for use in new.tables.uses if use == names])
        case "basis" | "occasion":
            yield from _uses(new, [use for use in new.tables.uses if use[0] == names[0]])
        case "retention":
            yield from _uses(new, [use for use in new.tables.uses if use[:2] == names])
        case "disclosure":
            recipient, purpose, item = names
            yield new.tables.recipients[recipient, purpose, item], item, None
        case "recipient":
            yield from ((new.ordinal, item, None) for item in new.policy.recipients[names[0]].items)
        case "objection":
            yield from ((new.ordinal, item, None) for item in new.purposes[names[0]].items)
        case "promise":
            yield from ((new.ordinal, item, None) for item in new.items)


def _uses(new: CompiledPolicy, uses: Iterable[Use]) -> Iterator[_Touch]:
    for purpose, item, role in uses:
        if new.items[item].keep is not Keep.VERIFY_ONLY:  # nobody ever reads it
            yield new.tables.uses[purpose, item, role].ordinal, item, new.grant(purpose, role).relation


def _asked(versions: Iterable[CompiledPolicy]) -> dict[str, set[str]]:
    """The services that may have taken in each item, under any of these versions."""
    found: dict[str, set[str]] = {}
    for version in versions:
        for service, form in version.forms.items():
            for item in form.items:
                found.setdefault(item, set()).add(service)
    return found
