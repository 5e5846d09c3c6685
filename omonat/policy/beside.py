"""What stands beside a field: who sees the item for a purpose, and how long the service keeps it, in words (N1, S4)."""

from functools import lru_cache

from omonat.policy.compiled import CompiledPolicy
from omonat.policy.prose_terms import cap, term
from omonat.policy.prose_voice import voice_of
from omonat.policy.prose_words import PHRASES
from omonat.policy.words import Keep, Kind, RoleKind

_BANDS_END = (17, 24, 34, 44, 54, 64)


def seen_by(law: CompiledPolicy, purpose: str, item: str, language: str) -> list[str]:
    """The roles of people who see the item for the purpose; programs see nothing by themselves."""
    if law.item(item).keep is Keep.VERIFY_ONLY:
        return []
    for_what = law.purpose(purpose)
    people = (law.roles[role] for role in for_what.roles if law.roles[role].kind is not RoleKind.SYSTEM)
    return [role.says[language] for role in people if item in for_what.items_for(role.id)]


@lru_cache(512)
def kept(law: CompiledPolicy, service: str, item: str, language: str) -> tuple[str, ...]:
    """Every term that keeps the item in the service's records, then the end that no term passes."""
    voice = voice_of(law.policy, language, law.packs)
    schedule = law.policy.retention[law.service(service).keeps]
    terms = dict.fromkeys(term(rule, voice) for rule in schedule.rules if rule.covers(law.item(item).id))
    return (*terms, voice(PHRASES["at-most"]).format(span=cap(schedule.at_most, voice)))


def age_bands(law: CompiledPolicy) -> dict[str, str]:
    """What a neutral question of age offers: the first band ends where the higher of policy and law says (K1)."""
    youngest = law.child_under
    bands = {f"under-{youngest}": f"0–{youngest - 1}"}
    for oldest in _BANDS_END:
        if oldest >= youngest:
            bands[f"{youngest}-{oldest}"] = f"{youngest}–{oldest}"
            youngest = oldest + 1
    return bands | {f"{youngest}+": f"{youngest}+"}


def choices(law: CompiledPolicy, item: str, language: str) -> dict[str, str]:
    """What may be chosen for the item: the policy's own options, or the bands of an age; empty for anything else."""
    declared = law.item(item)
    if declared.choices:
        return {name: option.says[language] for name, option in declared.choices.items()}
    return age_bands(law) if declared.kind is Kind.AGE_BAND else {}
