"""Standing: the live projection of a person's append-only choices, as one small mapping on the person's row.

  {"consents": {purpose: ordinal}, "agreed": {purpose: ordinal}, "withdrawn": {purpose: µs}, "objections": [purpose, …],
   "doubt": [purpose, …],    consents of which a restore couldn't tell whether they were taken back since
   "terms": {purpose: {…}}}  how long a consent lasts that ends by itself (`omonat.promises.location`)

Pure: `applied` returns a new mapping and never changes the old one, so the latest choice of each kind and purpose
wins and history stays in `choices` (I7).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from omonat.base.instants import Instant
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.words import Anchor

Standing = Mapping[str, Any]
Kind = Literal["consent", "objection", "restriction", "agreement"]
State = Literal["given", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice. `version` is the policy ordinal whose words were shown; a restriction names no purpose; `term` says
    of a consent how long it lasts."""

    kind: Kind
    purpose: str
    state: State
    version: int
    at: Instant
    term: Mapping[str, Any] | None = None


def applied(standing: Standing | None, choice: Choice) -> dict[str, Any]:
    """The standing after a choice. A restriction is a column of its own and leaves the standing as it is."""
    after: dict[str, Any] = dict(standing or {})
    if choice.kind in ("agreement", "consent") and choice.state == "given":
        agreed = dict(after.get("agreed", {}))  # who consents in a version's words agrees to what they say (P2)
        agreed[choice.purpose] = max(choice.version, agreed.get(choice.purpose, 0))
        after["agreed"] = agreed
    if choice.kind == "agreement" and choice.state == "withdrawn":
        after["agreed"] = {p: version for p, version in after.get("agreed", {}).items() if p != choice.purpose}
    match choice.kind:
        case "consent":
            consents = dict(after.get("consents", {}))
            withdrawn = dict(after.get("withdrawn", {}))
            if choice.state == "given":
                consents[choice.purpose] = choice.version
                withdrawn.pop(choice.purpose, None)
            elif consents.pop(choice.purpose, None) is not None:
                withdrawn[choice.purpose] = choice.at
            after.update(consents=consents, withdrawn=withdrawn)
            terms = {purpose: term for purpose, term in after.pop("terms", {}).items() if purpose != choice.purpose}
            if choice.state == "given" and choice.term is not None:
                terms[choice.purpose] = choice.term
            if terms:
                after["terms"] = terms
            if doubts := [p for p in after.pop("doubt", ()) if p != choice.purpose]:
                after["doubt"] = doubts  # of a restore, for other purposes
        case "objection":
            objections = [p for p in after.get("objections", []) if p != choice.purpose]
            after["objections"] = [*objections, choice.purpose] if choice.state == "given" else objections
        case "agreement" | "restriction":
            pass
    return after


def live_consents(standing: Standing | None, now: Instant | None = None) -> frozenset[str]:
    """The purposes consented to; without those in doubt and, at `now`, those whose term is over."""
    known = standing or {}
    over = [
        purpose
        for purpose, term in known.get("terms", {}).items()
        if now is not None and ("used" in term or ("until" in term and term["until"] <= now))
    ]
    return frozenset(known.get("consents", ())).difference(known.get("doubt", ()), over)


def withdrawn_at(
    consents: Collection[str], withdrawn: Mapping[str, Instant], purposes: Iterable[str]
) -> Instant | None:
    """When the last consent to one of these purposes was taken back; None while one is live, or was never given.

    A record rests on the consents of its own service: who still reads the newsletter keeps no photo published (R2).
    """
    asked = tuple(purposes)
    if not withdrawn or any(purpose in consents for purpose in asked):
        return None
    return max((withdrawn[purpose] for purpose in asked if purpose in withdrawn), default=None)


def choice_anchors(policy: CompiledPolicy, service: str, standing: Standing | None) -> dict[str, Instant]:
    """The instants among a person's choices from which the records of a service of this policy are reckoned (R2)."""
    if not standing or not standing.get("withdrawn"):
        return {}
    ended = withdrawn_at(standing.get("consents", ()), standing["withdrawn"], policy.forms[service].offers)
    return {} if ended is None else {Anchor.CONSENT_WITHDRAWN.value: ended}
