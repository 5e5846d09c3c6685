"""The words themselves: every language really there, with its own letters, and no placeholder nobody fills."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from string import Formatter
from typing import Any

from omonat.base.codes import LANGUAGES
from omonat.policy.lint.registry import Found, rule
from omonat.policy.model import Policy, Words
from omonat.policy.packs import Pack

Packs = Sequence[Pack]
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")
_WRONG_UZBEK = re.compile(r"[OoGg]['’‘`´]|(?<=[a-z])['‘`´](?=[a-z])")
_SENTENCE = 20  # shorter labels may be the same in every language: SMS, IP, Payme


def words_of(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Words]]:
    """Every text of a structure with its path in the document."""
    if isinstance(value, Words):
        yield path, value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from words_of(member, (*path, str(name).rpartition(".")[2]))
    elif isinstance(value, tuple):
        for number, member in enumerate(value):
            yield from words_of(member, (*path, str(number)))
    elif is_dataclass(value):
        structure: Any = type(value)
        for name, word in _named_in_documents(structure):
            yield from words_of(getattr(value, name), (*path, word))


@cache
def _named_in_documents(structure: Any) -> tuple[tuple[str, str], ...]:
    """Its fields, each with its name in the document."""
    return tuple((each.name, each.name.rstrip("_").replace("_", "-")) for each in fields(structure))


@rule("words-untranslated")
def _untranslated(policy: Policy, _: Packs) -> Iterator[Found]:
    for path, words in words_of(policy):
        long = len(words.en) >= _SENTENCE
        wrong = {
            "uz": bool(_CYRILLIC.search(words.uz)) or (long and words.uz == words.en),
            "ru": long and not _CYRILLIC.search(words.ru),
            "en": bool(_CYRILLIC.search(words.en)),
        }
        for language in (name for name, is_wrong in wrong.items() if is_wrong):
            yield Found((*path, language), (), (), {"path": ".".join(path), "language": language})


@rule("uzbek-letters")
def _letters(policy: Policy, _: Packs) -> Iterator[Found]:
    for path, words in words_of(policy):
        if _WRONG_UZBEK.search(words.uz):
            yield Found((*path, "uz"), (), (), {"path": ".".join(path)})


@rule("placeholder-unfilled")
def _placeholders(policy: Policy, _: Packs) -> Iterator[Found]:
    for path, words in words_of(policy):
        wanted = {"item"} if path[0] == "purposes" and path[-1] == "refuses" else set()
        for language in LANGUAGES:
            named = _named(words[language])
            if named != wanted:
                facts = {"path": ".".join(path), "named": _list(named), "wanted": _list(wanted)}
                yield Found((*path, language), (), (), facts)


def _named(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return {"?"}


def _list(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "–"
