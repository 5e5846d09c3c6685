"""What a request is: its kind, its state, its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from omonat.base.instants import Instant

TEXT = "transaction.inquiry"
ANSWER = "transaction.answer"
NAME = "contact.name"
EMAIL = "contact.email"
MOBILE = "contact.mobile"
PURPOSE = "answer-requests"
"""The purpose under which receipts and answers are sent, as the policy names it."""


class Kind(StrEnum):
    """What is asked."""

    COMPLAINT = "complaint"
    QUESTION = "question"
    ACCESS = "access"
    CORRECTION = "correction"
    DELETION = "deletion"
    OBJECTION = "objection"


class State(StrEnum):
    """How far it is."""

    RECEIVED = "received"
    CONFIRMED = "confirmed"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"
    REOPENED = "reopened"


class Act(StrEnum):
    """What may be done to it."""

    CONFIRM = "confirm"
    CLAIM = "claim"
    RELEASE = "release"
    ANSWER = "answer"
    CLOSE = "close"
    REOPEN = "reopen"
    LAPSE = "lapse"
    SETTLE = "settle"


class Outcome(StrEnum):
    """How it ended."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    DONE = "done"
    NEVER_CONFIRMED = "never-confirmed"
    ERASED = "erased"


GIVEN = (Outcome.UPHELD, Outcome.PARTLY, Outcome.DONE, Outcome.REJECTED)
"""Those that come with an answer; the others close by themselves."""


REASONS = ("not-founded", "must-be-kept", "not-proved", "not-held", "not-ours", "repeated", "is-right")
"""Why something may be rejected: names, shown in words; the words about the person stand in the answer."""


class Settled(StrEnum):
    """What a request for a correction asked for was done, in one of two ways; the third end is a reason."""

    CORRECTED = "corrected"
    ERASED = "erased"
    ERASED_PARTLY = "erased-partly"
    """Where nothing keeps it; it stays where a duty, a contract or an order does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What follows from the kind. `service` collects it and names the case; `deadline` is the law packs' name for the
    time to answer; `needs_proof`: it changes or shows somebody's data, so the channel must be proved first."""

    service: str
    promise: str
    deadline: str
    needs_proof: bool


_ASKED = Nature(service="data-request", promise="Q2", deadline="answer-request", needs_proof=True)

NATURES: Mapping[Kind, Nature] = {
    Kind.COMPLAINT: Nature(service="complaint", promise="A2", deadline="answer-request", needs_proof=False),
    Kind.QUESTION: Nature(service="data-request", promise="A3", deadline="answer-request", needs_proof=False),
    Kind.ACCESS: _ASKED,
    Kind.CORRECTION: Nature(service="data-request", promise="Q2", deadline="correct", needs_proof=True),
    Kind.DELETION: _ASKED,
    Kind.OBJECTION: _ASKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A request as it stands. `claimed_by` is the staff id; `letter_waits`: the answer's message hasn't left yet;
    `settled`: what came of a request for a correction."""

    kind: Kind
    state: State
    needs_proof: bool
    proved: bool
    claimed_by: str | None
    received_at: Instant
    answered_at: Instant | None
    letter_waits: bool = False
    settled: Settled | None = None
