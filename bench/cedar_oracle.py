"""The same policy in Cedar: an independent second opinion for tests, and the pace the bench compares with.

Every purpose × role becomes `permit` policies whose conditions are the exact rule of the one door out, written again
in Cedar from the document, not from our tables: who has a part, which items, consent, objection, case, record version,
due instant. Verify-only items are forbidden to everybody.

    oracle = CedarOracle(policy)                       parsed once, as a fair caller would
    oracle.allows("deliver-order", "courier", "contact.name", facts())
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import cedarpy

from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Purpose
from omonat.policy.words import Basis, CaseRule, Keep, Messages

_FAR = 2**60


def facts(**known: Any) -> dict[str, Any]:
    """The live facts of a use as Cedar's context; by default everything speaks for it but consent.

    `now`, `until`, `trained`, `due` are microseconds; `told`, `agreed`, `version` policy ordinals; `case` a kind, or
    empty for none; `blocked` as in the use rule.
    """
    ordinary: dict[str, Any] = {
        **{"now": 1, "until": _FAR, "trained": _FAR, "due": _FAR, "told": 0, "agreed": 0, "version": _FAR},
        **{"case": "", "open": False, "assigned": False, "blocked": "", "consents": [], "objections": []},
    }
    return ordinary | known


class CedarOracle:
    """A compiled policy as a parsed Cedar policy set."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.text = cedar_text(policy)
        self._policies = cedarpy.PolicySet.from_str(self.text)
        self._entities = cedarpy.Entities.from_json_str("[]")

    def allows(self, purpose: str, role: str, item: str, context: Mapping[str, Any]) -> bool:
        """Cedar's verdict on one item."""
        return self.decide(request(purpose, role, item, context))

    def decide(self, asked: dict[str, Any]) -> bool:
        """As `allows`, for a request made before: what the bench times."""
        return cedarpy.is_authorized(asked, self._policies, self._entities).allowed

    def decide_all(self, asked: Iterable[dict[str, Any]]) -> list[bool]:
        """Verdicts on many requests in one call."""
        return [r.allowed for r in cedarpy.is_authorized_batch(list(asked), self._policies, self._entities)]


def request(purpose: str, role: str, item: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """A Cedar request."""
    return {
        "principal": {"type": "Role", "id": role},
        "action": {"type": "Action", "id": purpose},
        "resource": {"type": "Item", "id": item},
        "context": dict(context),
    }


def cedar_text(policy: CompiledPolicy) -> str:
    """The policy in Cedar."""
    parts = [_permit(policy, p, role, *group) for p in policy.purposes.values() for role, group in _groups(policy, p)]
    secret = [item.id for item in policy.items.values() if item.keep is Keep.VERIFY_ONLY]
    if secret:
        parts.append(f"forbid (principal, action, resource) when {{ {_among('resource', secret)} }};")
    return "\n\n".join(parts)


def _groups(policy: CompiledPolicy, purpose: Purpose) -> Iterable[tuple[str, tuple[int, list[str]]]]:
    """Items of each role by the version since which they are granted: Cedar has no table to look that up in."""
    for role, part in purpose.roles.items():
        items = [*purpose.needs, *purpose.may_use] if part is None else part
        by_since: dict[int, list[str]] = defaultdict(list)
        for item in items:
            by_since[policy.tables.uses[purpose.id, item, role].ordinal].append(item)
        yield from ((role, group) for group in sorted(by_since.items()))


def _permit(policy: CompiledPolicy, purpose: Purpose, role: str, since: int, items: list[str]) -> str:
    told = f"context.told >= {since}"
    if purpose.basis is not Basis.LEGAL_OBLIGATION:
        told = f"({told} && context.agreed >= {since})"
    conditions = [
        _among("resource", items),
        "context.until > context.now",
        "context.trained > context.now",
        "context.due > context.now",
        f"(context.version >= {since} || {told})",
        _unblocked(purpose),
    ]
    if purpose.cases:
        kinds = " || ".join(f'context.case == "{kind}"' for kind in purpose.cases)
        conditions += ["context.open", f"({kinds})"]
        if policy.roles[role].cases is CaseRule.ASSIGNED:
            conditions.append("context.assigned")
    if purpose.basis is Basis.CONSENT:
        conditions.append(f'context.consents.contains("{purpose.id}")')
    ours = purpose.basis is Basis.LEGITIMATE_INTEREST and purpose.messages is not Messages.SERVICE
    if ours or purpose.messages is Messages.MARKETING:
        conditions.append(f'!context.objections.contains("{purpose.id}")')
    when = " &&\n  ".join(conditions)
    scope = f'principal == Role::"{role}", action == Action::"{purpose.id}", resource'
    return f"permit ({scope}) when {{\n  {when}\n}};"


def _unblocked(purpose: Purpose) -> str:
    """Who restricted all use still gets the code to sign in and lift it."""
    free = 'context.blocked == ""'
    if purpose.messages is Messages.TRANSACTIONAL and not purpose.cases:
        return f'({free} || context.blocked == "restricted")'
    return free


def _among(what: str, items: Iterable[str]) -> str:
    listed = ", ".join(f'Item::"{item}"' for item in items)
    return f"[{listed}].contains({what})"
