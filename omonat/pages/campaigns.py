"""Words for campaigns that the Desk and the command line both say."""

from collections.abc import Mapping
from typing import Final

from omonat.pages.words import N_

STATES: Final[Mapping[str, str]] = {
    "planned": N_("Planned, not approved yet"),
    "approved": N_("Approved, not started"),
    "running": N_("Running"),
    "stopped": N_("Stopped"),
    "done": N_("Ended"),
}
REASONS: Final[Mapping[str, str]] = {
    "permitted": N_("May be written to"),
    "no-consent": N_("Never said yes"),
    "consent-withdrawn": N_("Took the yes back"),
    "consent-doubtful": N_("Whether they said yes is in doubt"),
    "objected": N_("Objected"),
    "person-restricted": N_("Asked to use nothing for now"),
    "person-quarantined": N_("May be a child"),
    "person-erased": N_("Deleted"),
    "not-held": N_("Gave no such address or number"),
    "not-told-yet": N_("Not told of what is new yet"),
}
LETTERS: Final[Mapping[str, str]] = {
    "waiting": N_("Waiting"),
    "claimed": N_("About to leave"),
    "handing-over": N_("Being handed over"),
    "sent": N_("Sent"),
    "uncertain": N_("Handed over, the answer was lost"),
    "failed": N_("Could not be delivered"),
    "refused": N_("Kept back"),
}
