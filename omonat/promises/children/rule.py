"""The age rule (K1): a birth date, a band or an identity number that tells of a child stops the collection."""

from collections.abc import Iterable
from datetime import date

from omonat.base.verdict import Allow, Deny, Reason, Verdict

_CHILD = Deny((Reason("child", "K1"),))


def decide_age(signals: Iterable[date | int], *, under: int, today: date) -> Verdict:
    """Whether what a collection tells of an age, asked for or not, allows it: birth dates, or a band's youngest age.

    Pure. `today` is the day in the service's own country. A date that is still to come is a child's, not a mistake to
    pass; a band that may hold a child is one.
    """
    ages = (signal if isinstance(signal, int) else _years(signal, today) for signal in signals)
    return _CHILD if any(age < under for age in ages) else Allow()


def _years(born: date, today: date) -> int:
    """Full years; somebody born on 29 February turns a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
