"""The age rule (K1): a birth date, an age or an identity number that tells of a child stops the collection."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from omonat.base.verdict import Allow, Deny, Reason, Verdict

_CHILD = Deny((Reason("child", "K1"),))


def decide_age(signals: Mapping[str, Any], *, under: int, today: date) -> Verdict:
    """Whether the age signals in a collection allow it. `signals` maps a kind (birth-date, age) to its value.

    `today` is the day in the service's own country. A value that can't be read as a signal isn't one: the item's own
    kind refuses what is malformed before this rule is asked.
    """
    born = signals.get("birth-date")
    if isinstance(born, str) and _years(date.fromisoformat(born), today) < under:
        return _CHILD
    age = signals.get("age")
    if isinstance(age, int) and age < under:
        return _CHILD
    return Allow()


def _years(born: date, today: date) -> int:
    """Full years; somebody born on 29 February turns a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
