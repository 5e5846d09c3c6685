"""Time in the log, as a rule of facts and `now` (design: Time).

The log's own entries bound everybody else's:

    clock:mark      the sequencer's time; entries before it were placed before it. At least one in ten seconds
                    in which anything is placed, and one in an hour in which nothing is. Among entries that waited
                    through an outage, one in ten seconds of their own time, which says when it was `placed`.
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
    """What is placed: the ids of the fresh entries in their order, with the clock's own entries at their places among
    them; and the newest mark then."""

    order: tuple[Entry | str, ...]
    marked: Instant

    @property
    def own(self) -> tuple[Entry, ...]:
        """The clock's own entries."""
        return tuple(one for one in self.order if isinstance(one, Entry))


def plan(fresh: Sequence[tuple[str, Instant]], *, marked: Instant, now: Instant, more: bool = False) -> Timing:
    """Which clock entries go with these (id, at), given the newest mark. Fresh entries keep their order.

    With `more` waiting, no mark of this very moment is made: what waits is older, and would all be doubted.
    """
    order: list[Entry | str] = []
    floor = marked
    if now < marked - STEP:
        order.append(Entry(new_id("ev"), now, "clock:regress", {"seen": marked}))
        floor = now
    for entry, at in fresh:
        theirs = Instant(min(at, now))
        if not floor - GRACE <= at <= max(now, floor) + GRACE:
            order.append(Entry(new_id("ev"), max(now, floor), "clock:doubt", {"entry": entry, "says": at}))
        elif theirs - floor >= MARK_EVERY and (more or now - at > GRACE):
            order.append(Entry(new_id("ev"), theirs, "clock:mark", {"placed": now}))
            floor = theirs
        order.append(entry)
    since = now - floor
    due = since >= MARK_IDLE or (order and since >= MARK_EVERY)
    if more or (not due and floor == marked):
        return Timing(tuple(order), floor)
    mark = Instant(max(now, floor))
    return Timing((*order, Entry(new_id("ev"), mark, "clock:mark", {})), mark)
