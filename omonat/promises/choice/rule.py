"""What may be chosen (C1, C2): consent only where the basis is consent; objection only where the law gives it."""

from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis
from omonat.promises.choice.standing import Kind, State


def decide_choice(policy: CompiledPolicy, *, kind: Kind, purpose: str, state: State) -> Verdict:
    """Whether this choice exists under the policy. Withdrawing is always possible; giving only what is offered."""
    if kind == "restriction" or state == "withdrawn":
        return Allow()
    asked = policy.purposes[purpose]
    if kind == "consent" and asked.basis is not Basis.CONSENT:
        return Deny((Reason("consent-not-asked", "C1", {"purpose": purpose}),))
    if kind == "objection" and not asked.may_be_objected_to:
        return Deny((Reason("objection-not-open", "C2", {"purpose": purpose}),))
    return Allow()
