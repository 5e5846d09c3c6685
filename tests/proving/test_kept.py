"""A whole house."""

from collections import Counter

from tests.proving.conftest import Town


async def test_A1_try(town: Town) -> None:
    import time

    t = time.time()
    proof = await town.prove()
    print("took", time.time() - t)
    print(Counter(one.state for one in proof.promises), proof.seen_off, proof.left)
    for one in proof.promises:
        if one.state != "not-built":
            print(one.promise, one.state, one.why, one.seen[:6], len(one.evidence))
