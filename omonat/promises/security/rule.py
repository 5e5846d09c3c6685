"""When a safeguard counts as broken (S3, S6)."""

from datetime import UTC

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.durations import Duration

_OVERDUE = Deny((Reason("drill-overdue", "S6"),))


def decide_drill(review: Duration | None, *, passed_at: Instant | None, since: Instant, now: Instant) -> Verdict:
    """Whether backups can be trusted: a drill passed within the period the policy names. Pure.

    `review` None: the policy names none, and nobody can tell. `passed_at` None: no drill ever passed; then the period
    runs from `since`, when the installation was made.
    """
    if review is None:
        return CannotTell(("restore-drill",), (Reason("drill-unplanned", "S6"),))
    return Allow() if now < review.after(since if passed_at is None else passed_at, UTC) else _OVERDUE
