"""How business clients are told (N1): what a procedure must say, and what it still owes to a client. Pure.

A procedure is a list of steps: on which occasion, who at the client is told what, within how many days, and by which of
the channels. A step is owed to everybody whom a client names for its part, until a notice of it was given to them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.instants import DAY, Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict
from omonat.promises.notice.words import Said, check_words

OCCASIONS: Final = ("engaged", "policy-version", "security-breach")
"""The client was registered; a version of the policy was published; a notice of a breach was approved."""
CHANNELS: Final = ("email", "sms", "letter", "meeting", "contract", "privacy-center")
LONGEST_WITHIN: Final = 365
_MOST_STEPS: Final = 50
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `part` names whom at the client; `within` counts days from the occasion."""

    id: str
    occasion: str
    part: str
    within: int
    channels: tuple[str, ...]
    says: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something happened that clients are told of. `about` tells one of a kind from another."""

    kind: str
    about: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A notice that was given: to whom, of which step, when."""

    person: str
    step: str
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A notice that wasn't given yet: to whom, of which step and occasion, and until when it is due."""

    person: str
    step: str
    about: str
    due: Instant


def check_steps(steps: Sequence[Step], *, mailbox: str, phone: str | None) -> Verdict:
    """Whether a procedure may go to a second person."""
    if not 0 < len(steps) <= _MOST_STEPS or len({step.id for step in steps}) != len(steps):
        return _wrong("")
    for step in steps:
        named = _NAME.fullmatch(step.id) and _NAME.fullmatch(step.part) and len(step.id + step.part) <= 120
        known = step.occasion in OCCASIONS and step.channels and set(step.channels) <= set(CHANNELS)
        if not named or not known or not 0 <= step.within <= LONGEST_WITHIN:
            return _wrong(step.id if _NAME.fullmatch(step.id) else "")
        words = check_words(step.says, promise="N1", mailbox=mailbox, phone=phone)
        if not isinstance(words, Allow):
            return words
    return Allow()


def _wrong(step: str) -> Deny:
    about = {"step": step, "occasions": ", ".join(OCCASIONS), "channels": ", ".join(CHANNELS)}
    return Deny((Reason("procedure-malformed", "N1", about),))


def owed(
    steps: Sequence[Step],
    occasions: Iterable[Occasion],
    contacts: Iterable[tuple[str, str, Instant]],
    given: Iterable[Given],
) -> tuple[Owed, ...]:
    """What is still to be told, the most urgent first. `contacts` are (person, part, since).

    A notice counts for every occasion of its step before it: it tells how things stand. Who became a contact after an
    occasion is told of the newest one alone, counted from that day.
    """
    told, happened, found = list(given), sorted(occasions, key=lambda one: one.at), []
    for person, part, since in contacts:
        for step in steps:
            if step.part != part:
                continue
            these = [one for one in happened if one.kind == step.occasion]
            earlier = [one for one in these if one.at <= since][-1:]
            for one in (*earlier, *(each for each in these if each.at > since)):
                if not any(g.person == person and g.step == step.id and g.at >= one.at for g in told):
                    due = Instant(max(one.at, since) + step.within * DAY)
                    found.append(Owed(person=person, step=step.id, about=one.about, due=due))
    return tuple(sorted(found, key=lambda each: (each.due, each.person, each.step)))


__all__ = ["CHANNELS", "OCCASIONS", "Given", "Occasion", "Owed", "Step", "check_steps", "owed"]
