"""Take away: everything held about a person as one file of theirs, encrypted on wish (A3, S2).

Like looking at it, but whole: every record, every choice, every line of who looked. The entry says in which form it
left and whether it was locked; nobody keeps a copy of the file. What nobody may read back isn't in it, and says so.

A copy is dear to make, so each person may take a few in an hour, whatever others do; one too many opens nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from omonat.base.errors import Refused
from omonat.base.instants import HOUR, Instant, to_rfc3339
from omonat.evidence.entry import Entry
from omonat.flows.grounds import Grounds
from omonat.flows.held import Held
from omonat.flows.locking import Lock, check
from omonat.flows.my_data import Choice, MyData, ViewMyData
from omonat.flows.requesting import count
from omonat.policy.words import Basis, Keep

FORMAT: Final = "omonat/my-data-copy/1"
Form = Literal["json", "html", "pdf"]
IN_AN_HOUR: Final = 6
"""Copies one person may take: all three forms, and each once more."""
_TOLD: Final = (
    "role", "purpose", "service", "item", "items", "allowed", "withheld", "recipient", "channel", "state", "deed",
    "version", "form",
)  # fmt: skip
"""What of an entry is told in the file: names alone. The entry itself has its page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Everything, of one instant."""

    at: Instant
    mine: MyData
    choices: tuple[Choice, ...]
    looked: tuple[Entry, ...]


class TakeAway:
    """The flow of the copy."""

    def __init__(self, grounds: Grounds, my_data: ViewMyData) -> None:
        self._grounds = grounds
        self._my_data = my_data

    async def __call__(self, person: str, *, form: Form, lock: Lock, guardian: str = "") -> Copy:
        """Everything held; the evidence says that it left. `guardian`: who takes it in the child's place (K3); whether
        they may is the caller's to know. Raises as `ViewMyData`, BadInput as `check`, Refused
        `too-many-copies`: then nothing was opened."""
        check(lock)
        if await count(self._grounds, f"copies-of:{person}", HOUR, self._grounds.clock()) > IN_AN_HOUR:
            raise Refused("too-many-copies")
        left = {"form": form, "locked": lock.used}
        mine = await self._my_data(person, taken_away=left, guardian=guardian)
        return Copy(
            at=self._grounds.clock(),
            mine=mine,
            choices=await self._my_data.choices(person, most=None),
            looked=await self._my_data.everybody_who_looked(person),
        )

    def as_data(self, copy: Copy, language: str) -> dict[str, Any]:
        """The copy as plain data: docs/my-data-copy.schema.json."""
        mine, policy = copy.mine, copy.mine.policy
        used = sorted({purpose for held in mine.held for purpose in held.purposes})
        return {
            "copy": FORMAT,
            "as-of": to_rfc3339(copy.at),
            "installation": self._grounds.vault.installation,
            "controller": policy.policy.controller.name,
            "policy": {"version": policy.version, "digest": policy.digest},
            "language": language,
            "person": mine.person,
            "known-since": to_rfc3339(mine.since),
            "use-restricted": mine.restricted,
            "evidence": mine.receipt.id,
            "purposes": {
                name: {
                    "name": policy.purposes[name].says[language],
                    "tells": policy.purposes[name].tells[language],
                    "basis": policy.purposes[name].basis.value,
                }
                for name in used
            },
            "held": [_held(mine, held, language) for held in mine.held],
            "choices": [_choice(choice) for choice in copy.choices],
            "who-looked": [_looked(entry) for entry in copy.looked],
        }


def next_copy_at(now: Instant) -> Instant:
    """When whoever took too many may take another: copies are counted by the full hour."""
    return Instant(now - now % HOUR + HOUR)


def live(mine: MyData, held: Held) -> Sequence[str]:
    """The purposes that use it now: those of a consent only where it stands."""
    purposes = mine.policy.purposes
    return [p for p in held.purposes if purposes[p].basis is not Basis.CONSENT or p in mine.consents]


def _held(mine: MyData, held: Held, language: str) -> Mapping[str, Any]:
    unreadable = held.declared.keep is Keep.VERIFY_ONLY
    used = live(mine, held)
    return {
        "item": held.item,
        "name": held.declared.says[language],
        "category": held.declared.category,
        "value": None if unreadable else held.value,
        "readable": not unreadable,
        "record": held.record,
        "service": held.service,
        "case": held.case,
        "source": held.came_from,
        "collected-at": to_rfc3339(held.collected_at),
        "policy-version": held.version,
        "used-for": used,
        "only-if-you-agree": [p for p in held.purposes if p not in used],
        "kept-until": None if held.due is None else to_rfc3339(held.due),
        "sooner-after": held.waits_for or None,
        "kept-because": held.factor or None,
        "law": held.source or None,
    }


def _choice(choice: Choice) -> Mapping[str, Any]:
    return {
        "kind": choice.kind,
        "purpose": choice.purpose or None,
        "state": choice.state,
        "at": to_rfc3339(choice.at),
        "door": choice.door,
        "evidence": choice.entry,
    }


def _looked(entry: Entry) -> Mapping[str, Any]:
    about = {name: entry.facts[name] for name in _TOLD if name in entry.facts}
    return {"at": to_rfc3339(entry.at), "act": entry.act, "evidence": entry.id, "about": about}
