"""What a slot file remembers of its past, and how an older one is brought up to what happened since (S6, R3).

A key file brought back from a backup is older than the newest one. Whatever was destroyed since is destroyed again, and
numbers given out since are never given out a second time: what they held is lost, and reads as destroyed.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from omonat.vault.header import FIRST_SLOT, SLOT
from omonat.vault.storage import write_all

MARGIN: Final = 1 << 16
"""Numbers skipped beyond those a journal knows: more than all processes take between two of its frames."""

_STRETCH: Final = 1 << 16  # slots read at a time
_DESTROYED: Final = b"X"


class KeyState(NamedTuple):
    """The first number never given out, and how many batches of destructions there were; both only grow."""

    high_water: int
    generation: int


def tombstones(descriptor: int, is_tombstone: Callable[[int, bytes], bool], after: int) -> list[tuple[int, int]]:
    """Number and batch of the true tombstones of batches later than `after`; damage is none."""
    found = []
    number = 0
    while stretch := os.pread(descriptor, SLOT * _STRETCH, FIRST_SLOT + SLOT * number):
        kinds = stretch[::SLOT]
        at = kinds.find(_DESTROYED)
        while at >= 0:
            slot = stretch[SLOT * at : SLOT * at + SLOT]
            batch = int.from_bytes(slot[4:12], "big")
            if batch > after and is_tombstone(number + at, slot):
                found.append((number + at, batch))
            at = kinds.find(_DESTROYED, at + 1)
        number += _STRETCH
    return found


def bury(descriptor: int, numbers: Sequence[int], stones: Sequence[bytes]) -> None:
    """Put tombstones in place, runs of neighbours in one write; not yet durable."""
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            write_all(descriptor, b"".join(stones[start:at]), FIRST_SLOT + SLOT * numbers[start])
            start = at
