"""The policy in words: the full notice in one language, made from the document alone (P3, A3).

Page and practice cannot drift apart, because both are read from the same tables: a purpose nobody declared is in no
notice, and a purpose in force cannot be left out of it. Pure: no clock, no markup, no interface catalogue.
"""

from collections.abc import Callable, Mapping, Sequence

from omonat.policy import prose_tables as tables
from omonat.policy.built import BUILT, PART, state_of
from omonat.policy.model import Policy, Promise
from omonat.policy.packs import Pack
from omonat.policy.prose_blocks import Block, Chapter, Clause, How, Notice, Table
from omonat.policy.prose_rights import contact, rights
from omonat.policy.prose_voice import Voice, voice_of
from omonat.policy.prose_words import BY_PEOPLE, IN_PART, KEEPINGS, TITLE
from omonat.policy.words import Keeping

__all__ = ["Notice", "notice"]

_TABLES: Mapping[str, Sequence[Callable[[Voice], Table]]] = {
    "collection": (tables.services, tables.cookies),
    "categories": (tables.categories,),
    "use": (tables.purposes,),
    "retention": (tables.retention,),
    "disclosure": (tables.recipients,),
    "security": (tables.safeguards,),
}
"""Which chapters carry a table, by section id; where a document has no such section, the table closes the notice."""


def notice(policy: Policy, language: str, packs: Sequence[Pack] = ()) -> Notice:
    """The whole notice in `language`. `packs` fill in periods the document leaves to the law. Raises KeyError for a
    language nobody speaks."""
    voice = voice_of(policy, language, packs)
    chapters = [_chapter(voice, section) for section in policy.sections]
    homeless = [make for name, makes in _TABLES.items() if name not in policy.sections for make in makes]
    last = contact(policy, language)
    if homeless:
        more: list[Block] = [made for make in homeless if (made := make(voice)).rows]
        last = Chapter(last.id, last.title, (*more, *last.blocks))
    return Notice(
        language=language,
        policy=policy.policy,
        version=policy.version,
        effective=policy.effective,
        controller=policy.controller.name,
        title=TITLE[language],
        summary=tuple(sentence[language] for sentence in policy.summary),
        chapters=(*chapters, rights(policy, language), last),
    )


def _chapter(voice: Voice, section: str) -> Chapter:
    clauses = [_clause(promise, voice) for promise in voice.policy.promises.values() if promise.section == section]
    made = [table for make in _TABLES.get(section, ()) if (table := make(voice)).rows]
    return Chapter(section, voice(voice.policy.sections[section].says), (*clauses, *made))


def _clause(promise: Promise, voice: Voice) -> Clause:
    answers = [answer for answer in voice.policy.contradictions if promise.id in answer.promises[:1]]
    how = How(
        keeping=_keeping(promise, voice),
        owner=voice(voice.policy.roles[promise.owner].says),
        rules=_rules(promise.id, voice),
        remarks=tuple(voice(answer.because) for answer in answers),
    )
    return Clause(promise.id, voice(promise.says), voice(promise.tells), how)


def _keeping(promise: Promise, voice: Voice) -> tuple[str, ...]:
    """What the company declares, no further than this program does it today (A1)."""
    state = state_of(promise.id)
    if state == BUILT:
        return tuple(voice(KEEPINGS[keeping]) for keeping in promise.keeping)
    attested = [KEEPINGS[keeping] for keeping in promise.keeping if keeping is Keeping.ATTESTED]
    by_program = [IN_PART if state == PART else BY_PEOPLE] if len(attested) < len(promise.keeping) else []
    return tuple(voice(words) for words in (*by_program, *attested))


def _rules(promise: str, voice: Voice) -> tuple[str, ...]:
    """The labels of everything in the document that keeps this promise."""
    policy = voice.policy
    found = [purpose.says for purpose in policy.purposes.values() if promise in purpose.promises]
    found += [safeguard.says for safeguard in policy.safeguards if safeguard.promise == promise]
    if promise in policy.disclosure:
        found.append(policy.disclosure[promise].tells)
    return tuple(voice(words) for words in found)
