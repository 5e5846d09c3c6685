"""Accountability: what the company must still be able to show when a person is gone, and who may see it. A1, G6, C2.

Enforced: a proof packet opens for a proved auditor only, with a reason on record, and not from its due second on.
Evidenced: each packet's making, opening, refusal and end. Attested: that the auditor's reason is a true one.

Kept by: `omonat.flows.proof_packets`, `omonat.flows.openings`.
"""

import re
from typing import Final

from omonat.base.instants import Instant
from omonat.base.verdict import Allow, Deny, Reason, Verdict

OPENERS: Final = frozenset({"auditor"})
"""Roles that may open a proof packet. The privacy officer isn't among them: who runs the house doesn't audit it."""
CLASSES: Final = ("agreed", "answered", "used")
PERIOD: Final = "proof-of-consent"
"""The lawful period that a packet is kept for, from the newest act in it; a country's pack names it."""

_AGREED: Final = re.compile(r"choice:.*|notice:person:(told|informed)|collect:record:accepted|message:person:asked")
_ANSWERED: Final = re.compile(r"(access|erase|correct|request|complaint|restrict|hold|expire):.*")
_BECAUSE: Final = re.compile(r"(audit|claim|court|regulator):20[0-9]{2}-[0-9]{1,5}")
"""A matter and its number: the reason stands in the log, so there must be no room in it for anything about anybody."""


def class_of(act: str) -> str:
    """Which packet an act belongs into: what was agreed and told, asked and answered, and all that was used."""
    if _AGREED.fullmatch(act):
        return "agreed"
    return "answered" if _ANSWERED.fullmatch(act) else "used"


def decide_opening(*, role: str, because: str, due: Instant, now: Instant) -> Verdict:
    """Whether a packet opens for this role and reason, a reference such as `audit:2027-3`."""
    if role not in OPENERS:
        return Deny((Reason("packet-not-yours", "G6", {"role": role}),))
    if _BECAUSE.fullmatch(because) is None:
        return Deny((Reason("packet-needs-reason", "G6", {}),))
    if now >= due:
        return Deny((Reason("packet-over", "R3", {}),))
    return Allow()
