"""Words for requests and complaints that both the one who asks and the one who answers read."""

from collections.abc import Mapping
from typing import Final

from omonat.pages.words import N_

KINDS: Final[Mapping[str, str]] = {
    "complaint": N_("Complaint"),
    "question": N_("Question about my data"),
    "access": N_("Show me or give me my data"),
    "correction": N_("Correct my data"),
    "deletion": N_("Delete my data"),
    "objection": N_("Stop a use of my data"),
}
STATES: Final[Mapping[str, str]] = {
    "received": N_("Received"),
    "confirmed": N_("Received and confirmed"),
    "claimed": N_("Somebody is working on it"),
    "answered": N_("Answered"),
    "closed": N_("Closed"),
    "reopened": N_("Taken up again"),
}
MARKS: Final[Mapping[str, str]] = {
    "received": "open",
    "confirmed": "open",
    "claimed": "open",
    "answered": "good",
    "closed": "none",
    "reopened": "soon",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "upheld": N_("The complaint is justified"),
    "partly": N_("Justified in part"),
    "rejected": N_("Rejected"),
    "done": N_("Done as asked"),
    "never-confirmed": N_("Closed: never confirmed with the code"),
    "erased": N_("Closed: the data it was about is deleted"),
}
REASONS: Final[Mapping[str, str]] = {
    "not-founded": N_("what was complained of did not happen so"),
    "must-be-kept": N_("a duty or a contract has the data kept"),
    "not-proved": N_("it could not be proved whose data it is"),
    "not-held": N_("no such data is held"),
    "not-ours": N_("it concerns somebody else"),
    "repeated": N_("it was answered before"),
    "is-right": N_("the data is right as it is"),
}
SETTLED: Final[Mapping[str, str]] = {
    "corrected": N_("It was corrected"),
    "erased": N_("It was deleted"),
    "erased-partly": N_("It was deleted in part"),
}
KEPT_STILL: Final = N_("Where a duty, a contract or an order keeps it, it stays.")
