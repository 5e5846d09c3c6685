"""A process of its own that offers a witness one history after another, as fast as it can, until it is done or killed.

    python -m tests.witness.hammering FOLDER SEED TIMES [STEP]

Prints `size root` for each cosignature it got. With STEP it dies, as by a power cut, the SEED-th time it gets there.
"""

import os
import random
import sys
from pathlib import Path

from omonat.base.instants import Instant
from omonat.evidence.note import Checkpoint
from omonat.witness.memory import Memory
from omonat.witness.rule import DeclinedError
from tests.witness.conftest import START, FakeLog


def main(folder: str, seed: str, times: str, step: str = "") -> None:
    chance, left = random.Random(int(seed)), [int(seed)]

    def reached(name: str) -> None:
        if name == step:
            left[0] -= 1
            if left[0] <= 0:
                os._exit(9)

    memory = Memory(Path(folder), reached=reached)
    log = FakeLog()
    histories = [log, *(log.forked(at) for at in range(1, 60, 7))]
    old = 0
    for turn in range(int(times)):
        history = chance.choice(histories)
        new = min(old + chance.choice((0, 1, 1, 2, 5)), len(log.leaves))
        try:
            line = memory.cosign(history.request(old, new), now=Instant(START + turn))
        except DeclinedError as declined:
            old = old if declined.seen is None else declined.seen
            continue
        assert line.startswith("— ".encode())
        checkpoint = Checkpoint(log.signer.name, new, history.root(new))
        sys.stdout.write(f"{checkpoint.size} {checkpoint.root.hex()}\n")
        sys.stdout.flush()
        old = new


if __name__ == "__main__":
    main(*sys.argv[1:])
