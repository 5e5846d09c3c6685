"""A guardian over a child's data (K3): whose consent stands, while the child is one. Pure."""

from dataclasses import dataclass
from datetime import date

from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.promises.children.rule import years_old


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """What is known of a consent that names a guardian. `born` is None where nobody can tell it any more."""

    born: date | None


def decide_guardian(consent: Guarded | None, *, under: int, today: date) -> Verdict:
    """Whether somebody may see and limit a child's data as its guardian.

    None: no consent of theirs over this person stands, or there is no such person; neither can be told apart. A child
    that has come of age is nobody's ward. An age nobody can tell opens nothing.
    """
    if consent is None:
        return Deny((Reason("not-the-guardian", "K3"),))
    if consent.born is None:
        return CannotTell(("birth-date",), (Reason("not-the-guardian", "K3"),))
    if years_old(consent.born, today) >= under:
        return Deny((Reason("not-the-guardian", "K3"),))
    return Allow()


def born_context(person: str) -> str:
    """What a sealed birth date is bound to: the person alone, so that it can move between their rows."""
    return f"born:{person}"
