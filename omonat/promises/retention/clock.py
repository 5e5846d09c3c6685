"""Whether time may destroy (design: Time). Pure.

A clock that stepped back, or forward by more than an hour, is not believed: what is due stays hidden by the read, and
nothing is destroyed until application and database agree on the time, or a person confirms it. What somebody asked to
be erased doesn't depend on the time and goes on.
"""

from typing import Final

from omonat.base.instants import HOUR, SECOND, Instant
from omonat.base.verdict import Allow, CannotTell, Reason, Verdict

STEP: Final = SECOND
"""Less than this back is the jitter of a clock being slewed."""
JUMP: Final = HOUR
AGREE: Final = 60 * SECOND
"""How far the clocks of two hosts may lie apart and still agree."""

_BACK = CannotTell(("clock",), (Reason("clock-stepped-back", "R3"),))
_AHEAD = CannotTell(("clock",), (Reason("clock-jumped", "R3"),))


def decide_clock(now: Instant, *, seen: Instant, database: Instant) -> Verdict:
    """Whether destruction by time may go on; `seen` is the latest time that was believed."""
    if now < seen - STEP:
        return _BACK
    if now > seen + JUMP and abs(now - database) > AGREE:
        return _AHEAD
    return Allow()
