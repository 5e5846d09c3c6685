"""A parent's payment, as the provider reports it: it counts once, and only as exactly what was asked for (K2). Pure.

A payment shows a parent who holds an account and gets its statements. So the report must name the question, the amount
and the notice that was shown for it; what differs in one of them is somebody else's payment.
"""

from dataclasses import dataclass

from omonat.base.verdict import Allow, Deny, Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is paid and for which notice: `total` in tiyin, the notice as its digest."""

    ask: str
    total: int
    currency: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A payment that was reported before, and for which question."""

    ask: str
    refunded: bool


def decide_payment(paid: Terms, shown: Terms | None, before: Reported | None) -> Verdict:
    """Whether a payment is a parent's yes. `shown`: what the question that waits for it showed; None, where none does.

    A payment that counted, for whichever question, or went back, never counts again.
    """
    if before is not None:
        return Deny((Reason("payment-refunded" if before.refunded else "payment-counted", "K2"),))
    if shown is None or paid.ask != shown.ask:
        return Deny((Reason("payment-unexpected", "K2"),))
    if paid != shown:
        return Deny((Reason("payment-differs", "K2"),))
    return Allow()
