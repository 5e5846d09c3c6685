"""Which campaigns a role has to do with: those it plans, and those it approves, looks at and stops (U5, U8, S4)."""

from collections.abc import Mapping

from omonat.base.verdict import Allow, Verdict
from omonat.policy.compiled import CompiledPolicy
from omonat.promises.campaigns.rule import ITEMS, may_act, may_have_campaigns


def may(policy: CompiledPolicy, role: str, purpose: str, *, decides: bool) -> Verdict:
    """Whether this role acts in campaigns of the purpose; `decides` as in `may_act`. A purpose the policy no longer has
    leaves nobody."""
    known = policy.purposes.get(purpose)
    declared = policy.policy.promises
    owners = {declared[promise].owner for promise in known.promises if promise in declared} if known else set()
    return may_act(role, purpose, roles=known.roles if known else (), owners=owners, decides=decides)


def plannable(policy: CompiledPolicy, role: str) -> Mapping[str, tuple[str, ...]]:
    """The purposes this role plans campaigns for, each with its channels."""
    found = {each: channels_of(policy, each) for each in policy.purposes}
    return {
        each: channels
        for each, channels in found.items()
        if channels and isinstance(may(policy, role, each, decides=False), Allow)
    }


def has_to_do(policy: CompiledPolicy, role: str) -> bool:
    """Whether there can be campaigns that this role plans or decides on."""
    return any(
        channels_of(policy, each) and isinstance(may(policy, role, each, decides=True), Allow)
        for each in policy.purposes
    )


def channels_of(policy: CompiledPolicy, purpose: str) -> tuple[str, ...]:
    """The channels a campaign of this purpose may take; none where it may have no campaign."""
    known = policy.purposes[purpose]
    declared = frozenset(channel.value for channel in known.channels)
    return tuple(
        channel
        for channel, item in ITEMS.items()
        if item in known.items
        and isinstance(may_have_campaigns(purpose, known.messages.value, known.basis.value, declared, channel), Allow)
    )
