"""When a safeguard counts as broken, and who may say that it stands (S3, S5, S6). Pure.

A safeguard stands until its period is over: the period runs from the last review that found it in place, and before the
first one from when the company promised it. A review that finds it broken breaks it at once, until another finds it
mended. Hosts and rooms that hold personal data are looked at in the period of the physical safeguards of S5.
"""

import re
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from omonat.base.instants import MINUTE, Instant
from omonat.base.verdict import Allow, CannotTell, Deny, Reason, Verdict
from omonat.policy.durations import Duration

HOST: Final = "host"
ROOM: Final = "room"
KINDS: Final = (HOST, ROOM)
LONGEST_PROOF: Final = 200
UNNAMED: Final = "unnamed"
_OVERDUE: Final = Deny((Reason("drill-overdue", "S6"),))
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._:-]{0,251}[a-z0-9])?")
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What somebody found: when, whether it is in place, and where the proof lies, in words that name nobody.

    `document` is the SHA-256 of a file that proves it, in hex, or empty; `by` the reviewer's pseudonym; `entry` its
    entry in the log, and `proved` whether that says the same: a row that the database alone knows of is nobody's word.
    """

    at: Instant
    kept: bool
    proof: str = ""
    document: str = ""
    by: str = ""
    entry: str = ""
    proved: bool = True


def decide_drill(review: Duration | None, *, passed_at: Instant | None, since: Instant, now: Instant) -> Verdict:
    """Whether backups can be trusted: a drill passed within the period the policy names.

    `review` None: the policy names none, and nobody can tell. `passed_at` None: no drill ever passed; then the period
    runs from `since`, when the installation was made.
    """
    if review is None:
        return CannotTell(("restore-drill",), (Reason("drill-unplanned", "S6"),))
    return Allow() if now < review.after(since if passed_at is None else passed_at, UTC) else _OVERDUE


def decide_review(
    period: Duration | None, *, last: Review | None, since: Instant | None, now: Instant, promise: str
) -> Verdict:
    """Whether a safeguard of this promise stands: Deny `safeguard-broken` or `safeguard-overdue`; CannotTell
    `safeguard-unplanned` where nothing says how often it is looked at, `safeguard-unproved` where the newest review
    isn't as its entry says, `safeguard-ahead` where it lies in the future.

    `since` None: it comes into the register with its first review alone, as places do; without one it came in another
    way, and is unproved.
    """
    if period is None:
        return CannotTell(("review",), (Reason("safeguard-unplanned", promise),))
    if (last is None and since is None) or (last is not None and not last.proved):
        return CannotTell(("entry",), (Reason("safeguard-unproved", promise),))
    if last is not None and last.at > now + MINUTE:
        return CannotTell(("clock",), (Reason("safeguard-ahead", promise),))
    if last is not None and not last.kept:
        return Deny((Reason("safeguard-broken", promise),))
    until = due(period, last=last, since=since)
    return Allow() if until is not None and now < until else Deny((Reason("safeguard-overdue", promise),))


def due(period: Duration, *, last: Review | None, since: Instant | None) -> Instant | None:
    """By when it must have been looked at again; None where the period runs from nothing. Reckoned in UTC."""
    begins = since if last is None else last.at
    return None if begins is None else period.after(begins, UTC)


def may_review(role: str, owner: str) -> Verdict:
    """Whether somebody in this role may say how a safeguard stands: its owner alone, so that nobody vouches for what
    others answer for."""
    return Allow() if role == owner else Deny((Reason("safeguard-not-yours", "S3", {"role": owner}),))


def check_proof(proof: str, document: str) -> Verdict:
    """Whether this says where the proof lies: one line of at most two hundred characters, and a digest or nothing."""
    shaped = 3 <= len(proof) <= LONGEST_PROOF and _ONE_LINE.fullmatch(proof) is not None
    if not shaped or (document and re.fullmatch(r"[0-9a-f]{64}", document) is None):
        return Deny((Reason("proof-missing", "S3"),))
    return Allow()


def check_place(kind: str, name: str) -> Verdict:
    """Whether this can stand in the register: a host by the name it calls itself, a room by a name spelled alike."""
    if kind not in KINDS or _NAME.fullmatch(name) is None:
        return Deny((Reason("place-misshapen", "S5"),))
    return Allow()


def host_spelled(name: str) -> str:
    """A machine's name as the register spells it: lower case; `unnamed` where it has none that could stand there, so
    that it is missed and not passed over."""
    spelled = name.strip().strip(".-_:[]").lower()
    return spelled if _NAME.fullmatch(spelled) else UNNAMED
