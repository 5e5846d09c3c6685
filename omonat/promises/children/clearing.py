"""Somebody taken for a child by mistake: what it needs to take the signal back (K2). Pure rules."""

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.promises.children.rule import years_old

Cause = Literal["age-proved", "somebody-else", "mistyped"]
CAUSES: Final[Sequence[Cause]] = ("age-proved", "somebody-else", "mistyped")
"""Why the signal was wrong: the person showed who they are, it was about somebody else, or a date was mistyped."""
_OLDEST: Final = 120


def decide_clearing(*, taken: bool, born: date | None, under: int, today: date) -> Verdict:
    """Whether a person is no child, by the birth date an officer read from a document.

    `taken`: they are closed as a child, their images are, or a parent's consent stands over them.
    """
    if not taken:
        return Deny((Reason("not-taken-for-a-child", "K2"),))
    if born is None or not 0 <= years_old(born, today) <= _OLDEST:
        return CannotTell(("birth-date",), (Reason("proof-of-age-needed", "K2"),))
    if years_old(born, today) < under:
        return Deny((Reason("a-child-indeed", "K2", {"under": str(under)}),))
    return Allow()
