"""The age rule (K1): a birth date or an identity number that tells of a child stops the collection."""

from collections.abc import Iterable
from datetime import date

from omonat.base.verdict import Allow, Deny, Reason, Verdict

_CHILD = Deny((Reason("child", "K1"),))


def decide_age(births: Iterable[date], *, under: int, today: date) -> Verdict:
    """Whether the birth dates a collection tells, asked for or not, allow it. Pure.

    `today` is the day in the service's own country. A date that is still to come is a child's, not a mistake to pass.
    """
    return _CHILD if any(_years(born, today) < under for born in births) else Allow()


def _years(born: date, today: date) -> int:
    """Full years; somebody born on 29 February turns a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
