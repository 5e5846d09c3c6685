"""Labels: what each declared thing is called, by kind and id; nominative noun phrases that are never inflected."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from omonat.policy.model import Policy, Words


class _Labelled(Protocol):
    @property
    def says(self) -> Words: ...


def labels_of(policy: Policy) -> Mapping[tuple[str, str], Words]:
    """Every label of the document under (kind, id)."""
    tables: dict[str, Mapping[str, _Labelled]] = {
        "item": policy.items,
        "category": policy.categories,
        "purpose": policy.purposes,
        "role": policy.roles,
        "service": policy.services,
        "promise": policy.promises,
        "recipient": policy.recipients,
        "case": policy.cases,
        "source": policy.sources,
        "section": policy.sections,
        "schedule": policy.retention,
        "ground": policy.disclosure,
        "cookie": policy.cookies,
    }
    found = {(kind, name): entry.says for kind, table in tables.items() for name, entry in table.items()}
    found |= {("safeguard", safeguard.id): safeguard.says for safeguard in policy.safeguards}
    found |= {("system", system.id): system.says for system in policy.systems}
    return MappingProxyType(found)
