"""Time in the log, as a rule of facts and `now` (design: Time).

The log's own entries bound everybody else's:

    clock:mark      the sequencer's time; entries before it were placed before it. At least one in ten seconds
                    in which anything is placed, and one in an hour in which nothing is.
    clock:regress   the sequencer's clock stepped back, from `seen`; marks go on from the earlier time.
    clock:doubt     the next entry named `entry` claims a time that lies outside the window, and is placed all the
                    same: it was acknowledged. Said *before* it, so nobody can slip a backdated entry in silently.

The window of an entry: no earlier than the mark before it less `GRACE`, no later than the mark after it plus `GRACE`.
The verifier applies the same rule to the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.ids import new_id
from omonat.base.instants import HOUR, SECOND, Instant
from omonat.evidence.entry import Entry

GRACE: Final = 60 * SECOND
"""How far an entry's time may lie from the marks around it: the longest transaction plus clocks of several hosts."""
MARK_EVERY: Final = 10 * SECOND
MARK_IDLE: Final = HOUR
STEP: Final = SECOND
"""A clock behind the last mark by more than this has stepped back; less is the jitter of a clock being slewed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What the sequencer writes around the entries it places: before them, after them, and the newest mark then."""

    before: tuple[Entry, ...]
    after: tuple[Entry, ...]
    marked: Instant


def plan(fresh: Sequence[tuple[str, Instant]], *, marked: Instant, now: Instant) -> Timing:
    """Which clock entries go with these (id, at), given the newest mark. Fresh entries keep their order."""
    before: list[Entry] = []
    floor = marked
    if now < marked - STEP:
        before.append(Entry(new_id("ev"), now, "clock:regress", {"seen": marked}))
        floor = now
    for entry, at in fresh:
        if not floor - GRACE <= at <= max(now, floor) + GRACE:
            before.append(Entry(new_id("ev"), max(now, floor), "clock:doubt", {"entry": entry, "says": at}))
    since = now - floor
    due = since >= MARK_IDLE or ((fresh or before) and since >= MARK_EVERY)
    if not due and floor == marked:
        return Timing(tuple(before), (), marked)
    mark = Instant(max(now, floor))
    return Timing(tuple(before), (Entry(new_id("ev"), mark, "clock:mark", {}),), mark)
