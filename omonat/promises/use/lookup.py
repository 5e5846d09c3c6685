"""Who may look somebody up by an exact value (S4): only under a purpose that says so, in a role that has a part."""

from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.model import Purpose


def decide_lookup(purpose: Purpose, *, role: str, item: str) -> Verdict:
    """Whether `role` may look people up by `item` under this purpose. Pure."""
    if role not in purpose.roles:
        return Deny((Reason("role-may-not", "S4", {"role": role, "purpose": purpose.id}),))
    if item not in purpose.lookup:
        return Deny((Reason("lookup-not-allowed", "S4", {"item": item, "purpose": purpose.id}),))
    return Allow()
