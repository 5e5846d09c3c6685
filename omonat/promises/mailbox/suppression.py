"""Which letters an address still gets that left, complained or gave one back. Pure.

1. `left`, `complained`: no advertising, until the person behind it said yes anew since: signed in, or with the address
   proved since. A tick in a form under somebody else's address is no yes of theirs.
2. `bounced`: neither advertising nor a letter nobody asked for, until the address is proved anew. What a person asks
   for (a code, an answer) is tried: that is how they prove it.
3. A letter of the service's own class is silenced by no unsubscribe (N2).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict

Why = Literal["left", "complained", "bounced"]
_BY_THEMSELVES: Final = frozenset({"me", "mail"})
"""Doors at which nobody but the person chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """One reason not to write to an address, and since when."""

    reason: Why
    at: Instant


def decide_address(
    message_class: str,
    suppressed: Collection[Suppressed],
    *,
    consented: tuple[Instant, str] | None,
    proved: Instant | None,
) -> Verdict:
    """Whether a message of this class may go to the address. `consented`: when and at which door the person last said
    yes to its purpose; `proved`: when they last showed that the address is theirs."""
    for one in suppressed:
        proved_since = proved is not None and proved > one.at
        if one.reason == "bounced":
            held = message_class in ("marketing", "service") and not proved_since
        else:
            yes = consented is not None and consented[0] > one.at
            held = message_class == "marketing" and not (
                yes and consented is not None and (consented[1] in _BY_THEMSELVES or proved_since)
            )
        if held:
            promise = "N2" if one.reason == "bounced" else "C3"
            return Deny((Reason("message-address-suppressed", promise, {"reason": one.reason}),))
    return Allow()
