"""How `told` advances (P2): contiguously, so that no version a person never heard of is counted as told."""

from collections.abc import Iterable


def told_after(told: int, versions: Iterable[int]) -> int:
    """The newest ordinal up to which every version was told. `versions` are the ordinals told, in any order."""
    heard = set(versions)
    while told + 1 in heard:
        told += 1
    return told
