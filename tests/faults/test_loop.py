"""Broken at any moment, in any way: no acknowledged thing is lost or undone (I1–I9; bars c2, c3, c5, c6).

Eight clients, one fault after the other, and after each the questions of `loop.Loop`. What they were told is kept
outside the service and judged by `model`. Every kind of fault and every failpoint comes up, in an order told by a seed.
"""

import random
import time
from collections import Counter
from pathlib import Path

from tests.faults.loop import Loop
from tests.faults.outside import Outside
from tests.whole.serving import Installation


async def many(of: Installation, folder: Path, loops: int) -> Loop:
    seed, began = random.randrange(10**6), time.monotonic()
    loop = Loop(of, folder, Outside(), seed)
    try:
        await loop.run(loops)
    finally:
        took = time.monotonic() - began
        counts = Counter(o.outcome for o in loop.town.history.operations)
        acts = Counter(o.act for o in loop.town.history.acknowledged())
        print(f"\nseed {seed}: {sum(loop.faults.values())} faults in {took:.0f} s {dict(loop.faults)}; {dict(counts)}")
        print(
            f"  acknowledged {dict(acts)}; letters {len(loop.outside.letters)}, messages {len(loop.outside.messages)}"
        )
        print(f"  killed at {len(loop.killed_at)} points; ready {loop.slowest}")
    return loop


async def test_A1_whatever_breaks_nothing_acknowledged_is_lost_or_undone(
    installation: Installation,
    tmp_path: Path,
) -> None:
    await many(installation, tmp_path, 100)
