"""How long, in words: retention rules and schedules as phrases (R1, R2).

A period that only a law pack knows is looked up there; without the pack the phrase says that the law sets it. What a
law itself says is not printed here: packs wait for counsel.
"""

from collections.abc import Mapping, Sequence

from omonat.policy.model import AtMost, Policy, Purpose, Rule, Schedule, Service
from omonat.policy.packs import lawful_period
from omonat.policy.prose_voice import Voice
from omonat.policy.prose_words import AFTER, FACTORS, PHRASES, UNTIL, in_words, listed, lowered
from omonat.policy.words import OF_A_CASE, Anchor, Basis, Factor

_FACTORS_OF: Mapping[Basis, Sequence[frozenset[Factor]]] = {
    Basis.CONTRACT: (frozenset({Factor.CONTRACT}),),
    Basis.CONSENT: (frozenset({Factor.CONSENT}), frozenset({Factor.CONTRACT})),
    Basis.LEGAL_OBLIGATION: (frozenset({Factor.OBLIGATION, Factor.NORM}), frozenset({Factor.CONTRACT})),
    Basis.LEGITIMATE_INTEREST: (
        frozenset({Factor.INTEREST}),
        frozenset({Factor.CONTRACT}),
        frozenset({Factor.DISPUTE, Factor.NORM}),
    ),
}
"""Which of R2's factors speak for a basis, the nearest first."""


def term(rule: Rule, voice: Voice) -> str:
    """One rule's period: “until completion”, “5 years from completion”."""
    if rule.keep_until is not None:
        return voice(UNTIL[rule.keep_until])
    assert rule.after is not None, "the reader refuses a rule without an anchor"
    span = rule.keep or lawful_period(voice.packs, rule.source or "")
    words = in_words(span, voice.language) if span else voice(PHRASES["by-law"])
    return _counted(words, rule.after, voice)


def cap(at_most: AtMost, voice: Voice) -> str:
    """The end nothing but a legal hold can move: “6 years from collection”."""
    return _counted(in_words(at_most.keep, voice.language), at_most.after, voice)


def _counted(span: str, anchor: Anchor, voice: Voice) -> str:
    after = voice(AFTER[anchor])
    return f"{after} {span}" if voice.language == "uz" else f"{span} {after}"


def why(rule: Rule, voice: Voice) -> str:
    """R2's factor that keeps the items of this rule."""
    return voice(FACTORS[rule.factor])


def how_long(purpose: Purpose, voice: Voice) -> tuple[str, ...]:
    """How long data is kept for this purpose, as phrases; never empty. What waits for a case names its kind."""
    found: dict[str, list[str]] = {}
    for service in _services(voice.policy, purpose):
        for rule_or_cap in _reasons(voice.policy.retention[service.keeps], purpose):
            phrase, of_a_case = _said(rule_or_cap, voice)
            cases = found.setdefault(phrase, [])
            if of_a_case and service.case:
                cases.append(voice(voice.policy.cases[service.case].says))
    if purpose.basis is Basis.CONSENT:
        found = {voice(UNTIL[Anchor.CONSENT_WITHDRAWN]): [], **found}
    phrases = (
        f"{lowered(listed(list(dict.fromkeys(cases))))}: {said}" if cases else said for said, cases in found.items()
    )
    return tuple(phrases) or (voice(PHRASES["with-others"]),)


def _services(policy: Policy, purpose: Purpose) -> Sequence[Service]:
    """The services that collect for the purpose, else those that offer it beside."""
    serving = [service for service in policy.services.values() if purpose.id in service.for_]
    return serving or [service for service in policy.services.values() if purpose.id in service.offers]


def _reasons(schedule: Schedule, purpose: Purpose) -> Sequence[Rule | AtMost]:
    """The rules that keep something of the purpose for the reason nearest to its basis; else the cap alone."""
    covering = [rule for rule in schedule.rules if any(rule.covers(item) for item in purpose.items)]
    for wanted in _FACTORS_OF[purpose.basis]:
        meant = [rule for rule in covering if rule.factor in wanted]
        if meant:
            return meant
    return (schedule.at_most,)


def _said(reason: Rule | AtMost, voice: Voice) -> tuple[str, bool]:
    """The phrase, and whether it counts from an event of a case."""
    if isinstance(reason, AtMost):
        return voice(PHRASES["at-most"]).format(span=cap(reason, voice)), reason.after in OF_A_CASE
    return term(reason, voice), (reason.keep_until or reason.after) in OF_A_CASE
