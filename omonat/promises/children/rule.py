"""The age rule (K1): a birth date, a band or an identity number that tells of a child stops the collection.

And what an age tells besides: until when a person's images are a parent's to agree to (G5, K3). Pure.
"""

from collections.abc import Collection, Iterable
from datetime import date

from omonat.base.verdict import Allow, Deny, Reason, Verdict

_CHILD = Deny((Reason("child", "K1"),))
_NOBODY = Deny((Reason("footage-of-nobody", "K1"),))
_IMAGES = Deny((Reason("images-need-parent", "K3"),))
_ALLOW = Allow()


def decide_age(signals: Iterable[date | int], *, under: int, today: date, consented: bool = False) -> Verdict:
    """Whether what a collection tells of an age, asked for or not, allows it: birth dates, or a band's youngest age.

    `today` is the day in the service's own country. A date that is still to come is a child's, not a mistake to pass;
    a band that may hold a child is one. `consented`: a parent's consent over this person stands (K3).
    """
    return _CHILD if not consented and any(age < under for age in _ages(signals, today)) else _ALLOW


def decide_images(latest_birth: date, *, under: int, today: date) -> Verdict:
    """Whether images, videos and voice of somebody may be used without a parent: once they are surely old enough."""
    return _IMAGES if years_old(latest_birth, today) < under else _ALLOW


def decide_footage(footage: Collection[str], *, identified: bool) -> Verdict:
    """Whether what records whoever comes into view may be taken in: only of somebody who is held already.

    Footage in which nobody is identified is nobody's data, and nobody is made up for it: whoever is in it may be a
    child. From the moment somebody is identified in it, everything that protects them decides: of a child nothing is
    taken in, of the young nothing without a parent.
    """
    return _NOBODY if footage and not identified else _ALLOW


def latest_birth(signals: Iterable[date | int], today: date) -> date | None:
    """The latest day on which somebody can have been born, as a collection tells; None when it tells nothing."""
    return max((_born(signal, today) for signal in signals), default=None)


def years_old(born: date, today: date) -> int:
    """Full years; somebody born on 29 February turns a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _ages(signals: Iterable[date | int], today: date) -> Iterable[int]:
    return (signal if isinstance(signal, int) else years_old(signal, today) for signal in signals)


def _born(signal: date | int, today: date) -> date:
    """Of an age, the youngest it can mean: a birthday today."""
    if not isinstance(signal, int):
        return signal
    day = (today.month, today.day) if (today.month, today.day) != (2, 29) else (3, 1)
    return date(today.year - signal, *day)
