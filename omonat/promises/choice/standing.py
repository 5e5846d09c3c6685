"""Standing: the live projection of a person's append-only choices, as one small mapping on the person's row.

    {"consents": {purpose: ordinal}, "objections": [purpose, …], "agreed": {purpose: ordinal}, "anchors": {name: µs},
     "doubt": [purpose, …]}    consents of which a restore couldn't tell whether they were taken back since

Pure: `applied` returns a new mapping and never changes the old one, so the latest choice of each kind and purpose
wins and history stays in `choices` (I7).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from omonat.base.instants import Instant

Standing = Mapping[str, Any]
Kind = Literal["consent", "objection", "restriction", "agreement"]
State = Literal["given", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice. `version` is the policy ordinal whose words were shown; a restriction names no purpose."""

    kind: Kind
    purpose: str
    state: State
    version: int
    at: Instant


def applied(standing: Standing | None, choice: Choice) -> dict[str, Any]:
    """The standing after a choice. A restriction is a column of its own and leaves the standing as it is."""
    after: dict[str, Any] = dict(standing or {})
    match choice.kind:
        case "consent":
            consents = dict(after.get("consents", {}))
            anchors = dict(after.get("anchors", {}))
            if choice.state == "given":
                consents[choice.purpose] = choice.version
                anchors.pop("consent-withdrawn", None)
            elif consents.pop(choice.purpose, None) is not None and not consents:
                anchors["consent-withdrawn"] = choice.at
            after.update(consents=consents, anchors=anchors)
            if doubts := [p for p in after.pop("doubt", ()) if p != choice.purpose]:
                after["doubt"] = doubts  # of a restore, for other purposes
        case "objection":
            objections = [p for p in after.get("objections", []) if p != choice.purpose]
            after["objections"] = [*objections, choice.purpose] if choice.state == "given" else objections
        case "agreement":
            agreed = dict(after.get("agreed", {}))
            agreed[choice.purpose] = max(choice.version, agreed.get(choice.purpose, 0))
            after["agreed"] = agreed
        case "restriction":
            pass
    return after


def live_consents(standing: Standing | None) -> frozenset[str]:
    """The purposes consented to now; without those in doubt."""
    known = standing or {}
    return frozenset(known.get("consents", ())).difference(known.get("doubt", ()))
