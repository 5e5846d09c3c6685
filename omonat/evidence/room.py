"""On a full disk what is left is for people's rights: no entry of ordinary business is taken while it is (S6, c6).

Without an entry there is no act, so refusing the entry refuses the act, whatever flow it comes from.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from omonat.base.errors import Unavailable
from omonat.database.reserve import is_given

BUSINESS: Final = ("collect:", "use:", "lookup:", "case:", "message:", "notice:", "campaign:", "backup:")
"""What a company does all day, by the first word of its entries. Not here: choices, access, requests, corrections,
erasures, holds, what retention destroys, staff who leave, keys. They go on as long as there is any room at all."""
_LOOK_EVERY: Final = 0.5


class Room:
    """Asks the disk's state of a home, at most twice a second. `monotonic` counts seconds and never steps."""

    def __init__(self, home: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._monotonic = monotonic
        self._full = False
        self._looked = float("-inf")

    def require(self, act: str) -> None:
        """Raises Unavailable `disk-full` for what can wait while the disk is full."""
        now = self._monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._full, self._looked = is_given(self._home), now
        if self._full and act.startswith(BUSINESS):
            raise Unavailable("disk-full")
