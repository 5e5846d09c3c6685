"""The openings of one look at the registers: which can be judged by now, and what explains each line (A1, S4).

No rule of the policy's: facts of the registers and of the entries they name, and nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from omonat.base.instants import SECOND, Instant
from omonat.database.codecs import FOREVER
from omonat.evidence.entry import Entry
from omonat.flows.unanswered import Claims, Line
from omonat.vault.openings import OPENED, SETTLED, WITHHELD, Opening, Register

SETTLES: Final = 30 * SECOND
"""An opening younger than this may belong to a use under way: its entry is durable two seconds after it at most."""
APART: Final = 60 * SECOND
"""How far an opening and its entry may lie apart: nobody opens today for an entry of last week."""
CUT_OFF: Final = 10 * SECOND
"""What a process opened so shortly before it died without a word may have been in the middle of a use."""


@dataclass(slots=True)
class Look:
    """One comparison under way: the entries named, how many openings each has answered, which processes were seen to
    write entries for what they open.
    """

    entries: Mapping[str, Entry]
    spent: dict[str, tuple[int, Instant]]
    in_order: set[str]

    def judge(self, run: str, lines: Sequence[Line], *, alive: bool) -> tuple[Claims, list[Line]]:
        """Of one process's lines, in order: what its registers claim came to nothing, and what nothing explains."""
        claims, unexplained, orphans = Claims(), [], []
        for register, line in lines:
            if line.state == SETTLED:
                continue
            if self._is_spoken_of(line):
                self.in_order.add(run)
            else:
                orphans.append((register, line))
        # A service that was killed leaves lines of the uses it was in the middle of, behind others that are in order; a
        # shell that only ever opened leaves nothing but such lines. Whoever names an entry that is there, or none, says
        # something else than that it couldn't be written.
        since = lines[-1][1].at - CUT_OFF if not alive and run in self.in_order and lines else FOREVER
        for register, line in orphans:
            own = line.entry and line.entry not in self.entries
            if own and line.state == WITHHELD:
                claims.withheld.append((register, line))
            elif own and line.state == OPENED and line.at >= since:
                claims.cut_off.append((register, line))
            else:
                unexplained.append((register, line))
        return claims, unexplained

    def _is_spoken_of(self, line: Opening) -> bool:
        """Whether the entry says that so many were opened, about that time, counted over all registers."""
        entry = self.entries.get(line.entry)
        if entry is None or abs(entry.at - line.at) > APART:
            return False
        spent, _ = self.spent.get(line.entry, (0, line.at))
        if spent >= int(entry.facts.get("opened", 0)):
            return False
        self.spent[line.entry] = (spent + 1, line.at)
        return True


def ripe_lines(new: Mapping[Register, Sequence[Opening]], now: Instant) -> Mapping[Register, Sequence[Opening]]:
    """The lines no use under way can own, in order; of one entry all or nothing, in whichever file they stand."""
    ages = {
        register: next((n for n, line in enumerate(lines) if line.at > now - SETTLES), len(lines))
        for register, lines in new.items()
    }
    names = {line.entry for register, lines in new.items() for line in lines[ages[register] :]}
    found = {}
    for register, lines in new.items():
        young = ages[register]
        while young and lines[young - 1].entry in names:
            young -= 1
        found[register] = lines[:young]
    return found
