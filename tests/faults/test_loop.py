"""Broken at any moment, in any way: no acknowledged thing is lost or undone (I1–I9; bars c2, c3, c5, c6).

Ten clients work; round after round something is broken, often several things at once; after each round the questions
of `loop.Loop` are asked. What the clients were told is kept outside the service and judged by `model`. Every kind of
fault comes up, every failpoint in turn, in an order told by a seed. Three hundred loops, two thousand with `--long`.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.loop import READY, Loop, Points
from tests.faults.outside import Outside
from tests.whole.serving import Installation

LOOPS = 100
"""In one installation: an hour's sign-ins of one network address are enough for that."""
PARTS: Sequence[object] = (*range(3), *(pytest.param(part, marks=pytest.mark.long) for part in range(3, 20)))
POINTS = Points()


@pytest.mark.parametrize("part", PARTS)
async def test_A1_whatever_breaks_nothing_acknowledged_is_lost_or_undone(
    installation: Installation, tmp_path: Path, part: int
) -> None:
    seed, began = random.randrange(10**6), time.monotonic()
    loop = Loop(installation, tmp_path, Outside(), POINTS, seed)
    try:
        await loop.run(LOOPS)
        duties = loop.town.duties
        assert duties.amounts_read
        assert any(one.erased and not one.ending for one in duties.held), "something was held"
        assert any(one.erased and one.over for one in duties.held), "a hold was over"
    finally:
        said(loop, part, seed, time.monotonic() - began)


def test_A1_processes_were_killed_at_fifty_points_and_more() -> None:
    """After the parts above; alone it says nothing."""
    assert not POINTS.killed_at or len(POINTS.killed_at) >= 50, sorted(POINTS.killed_at)


def said(loop: Loop, part: int, seed: int, took: float) -> None:
    faults, history = sum(loop.faults.values()), loop.town.history
    print(f"\npart {part}, seed {seed}: {faults} faults in {loop.loops} loops, {took:.0f} s: {dict(loop.faults)}")
    print(f"  asked {dict(Counter(o.outcome for o in history.operations))}; letters {len(loop.outside.letters)}")
    print(f"  acknowledged {dict(Counter(o.act for o in history.acknowledged()))}")
    late = [round(took, 1) for took in loop.recoveries if took > READY]
    print(f"  killed at {len(loop.points.killed_at)} points so far; ready {loop.slowest}")
    print(f"  of {len(loop.recoveries)} recoveries later than {READY} s: {late}")
