"""What may be chosen (C1, C2): consent only where the basis is consent; objection only where the law gives it."""

from collections.abc import Collection

from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis, CaseRule, RoleKind
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


def decide_report(
    policy: CompiledPolicy, *, roles: Collection[str], widens: str, purpose: str = "", source: str | None = None
) -> Verdict:
    """Whether a system that acts in these roles may report what widens a use: that somebody agreed, was told, or took
    back their no. Whoever uses data by a permission doesn't write the permission.

    `widens` is the promise it is about; its owner may. For one purpose, those whose people act for it may only where
    they meet the person in a case, and, with `source`, at a service that offers the purpose there. Where it concerns
    every purpose (`purpose` empty), no system with people of its own may.
    """
    promise = policy.policy.promises.get(widens)
    if promise is not None and promise.owner in roles:
        return Allow()
    human = [role for role in roles if role not in policy.roles or policy.roles[role].kind is RoleKind.HUMAN]
    if purpose:
        human = [role for role in human if role in policy.purposes[purpose].roles]
        offered = {s for form in policy.forms.values() if purpose in form.offers for s in form.sources}
        meets = all(role in policy.roles and policy.roles[role].cases is not CaseRule.NONE for role in human)
        if meets and (source is None or source in offered):
            return Allow()
    return Deny((Reason("permission-not-yours", widens),)) if human else Allow()
