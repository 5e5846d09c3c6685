"""Since when: the version that introduced, reintroduced or widened each use (P2).

A use is purpose × item × role, with its basis; a disclosure is recipient × purpose × item. Widened means: the basis
became another one than consent, the item may now be kept longer for that purpose, or the purpose is served on more
occasions. Compared with the version before only, so a use that was dropped and came back counts from its return.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from omonat.policy.model import Policy, Purpose
from omonat.policy.retention import Terms, lasts_longer
from omonat.policy.words import Basis, Messages

Use = tuple[str, str, str]
"""(purpose, item, role)"""
RecipientUse = tuple[str, str, str]
"""(recipient, purpose, item)"""
TermsTable = Mapping[tuple[str, str], Terms]
"""(service, item) -> terms"""


@dataclass(frozen=True, slots=True)
class Since:
    """The ordinal of the version since which a use is granted on this basis."""

    ordinal: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Tables:
    """What a version is compared by."""

    policy: Policy
    terms: TermsTable
    uses: Mapping[Use, Since]
    recipients: Mapping[RecipientUse, int]


def since_of(policy: Policy, terms: TermsTable, ordinal: int, before: Tables | None) -> Tables:
    """The `since` tables of version `ordinal`, given the version before it (None for the first)."""
    longer: dict[tuple[str, str], bool] = {}
    uses: dict[Use, Since] = {}
    for purpose, role, item in policy.uses():
        known = before.uses.get((purpose.id, item, role)) if before else None
        further = before and known and serves_further(purpose, before.policy.purposes[purpose.id])
        if before and known and not further and not is_weaker(purpose.basis, known.basis):
            if (purpose.id, item) not in longer:
                longer[purpose.id, item] = kept_longer(policy, terms, before, purpose, item)
            kept = not longer[purpose.id, item]
        else:
            kept = False
        uses[purpose.id, item, role] = Since(known.ordinal if known and kept else ordinal, purpose.basis)
    return Tables(policy, terms, MappingProxyType(uses), MappingProxyType(_recipients(policy, ordinal, before)))


def is_weaker(new: Basis, old: Basis) -> bool:
    """Whether people must be told of the new basis: any other than before, unless they are now asked for consent."""
    return new is not old and new is not Basis.CONSENT


def serves_further(new: Purpose, old: Purpose) -> bool:
    """Whether a purpose is now served where it wasn't: without a case or in another kind of one; by messages that go
    out whether or not somebody wants them."""
    more = bool(old.cases) and not (new.cases and set(new.cases) <= set(old.cases))
    return more or (new.messages is Messages.SERVICE and old.messages is not Messages.SERVICE)


def kept_longer(policy: Policy, terms: TermsTable, before: Tables, purpose: Purpose, item: str) -> bool:
    """Whether some service now keeps the item longer for this purpose than any it is known from did."""
    was = {
        name: before.terms[name, item] for name in _services(before.policy, purpose.id) if (name, item) in before.terms
    }
    for name in _services(policy, purpose.id):
        known = [was[name]] if name in was else list(was.values())
        if all(lasts_longer(terms[name, item], old) for old in known):
            return True
    return False


def _services(policy: Policy, purpose: str) -> list[str]:
    return [s.id for s in policy.services.values() if purpose in s.for_ or purpose in s.offers]


def _recipients(policy: Policy, ordinal: int, before: Tables | None) -> dict[RecipientUse, int]:
    """A recipient of another kind, or in another country than before, is a new one."""
    known: Mapping[RecipientUse, int] = before.recipients if before else {}
    found: dict[RecipientUse, int] = {}
    for recipient in policy.recipients.values():
        was = before.policy.recipients.get(recipient.id) if before else None
        same = was is not None and (was.kind, was.country) == (recipient.kind, recipient.country)
        for key in ((recipient.id, purpose, item) for purpose in recipient.purposes for item in recipient.items):
            found[key] = known.get(key, ordinal) if same else ordinal
    return found
