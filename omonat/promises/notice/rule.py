"""How `told` advances (P2): so that nothing a person never heard of counts as told. Pure."""

from collections.abc import Iterable


def told_after(told: int, versions: Iterable[int], accepted: int = 0) -> int:
    """The newest ordinal of which nothing is left untold.

    `versions` are the ordinals whose notice reached the person, in any order: such a notice says what is new in its own
    version, so one that is missing holds back all after it. `accepted` is the newest version accepted as a whole, 0 for
    none: it says all that holds in it, whatever came before (decision 0008).
    """
    heard = set(versions)
    told = max(told, accepted)
    while told + 1 in heard:
        told += 1
    return told
