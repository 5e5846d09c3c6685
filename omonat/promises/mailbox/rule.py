"""What a letter asks for, by plain rules of words (C3, L6, A2). Pure; the words are data: `words.toml`.

1. Looked at are the subject and the first lines of what the sender wrote themselves; not what they quoted, and not the
   subject of an answer, which is somebody else's.
2. Every wish that is found counts: who leaves and wants their data deleted wants both. Ending a permission is no change
   of it, and leaving a list deletes nothing.
3. Nothing found: nobody guesses; the flow makes a case of it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from omonat.promises.mailbox.facts import Letter, Wish

_FIRST_LINES: Final = 12
_FIRST_LETTERS: Final = 1_000
_BETWEEN: Final = 3
_WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_APOSTROPHES: Final = dict.fromkeys(map(ord, "'`´’‘ʻʼ"))
_ANSWER: Final = re.compile(r"\s*(re|fwd?|aw|ответ|пересл|javob)\s*(\[\d+\])?\s*:", re.IGNORECASE)
_OF_UZBEK: Final = frozenset("ўқғҳ")
_ENGLISH: Final = frozenset({"the", "my", "you", "your", "please", "i", "me", "is", "are", "and", "hello", "what"})


@dataclass(frozen=True, slots=True)
class _Wanted:
    wish: Wish
    language: str
    alone: tuple[str, ...]
    phrases: tuple[tuple[re.Pattern[str], ...], ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    negations: frozenset[str]
    wanted: tuple[_Wanted, ...]


def wishes_in(letter: Letter) -> frozenset[Wish]:
    """Everything the letter asks for; empty where it can't be told."""
    found = {one.wish for one in _found(letter)}
    if letter.to_leave:
        found.add(Wish.LEAVE)
    if Wish.END_LOCATION in found:
        found.discard(Wish.CHANGE_LOCATION)
    return frozenset(found)


def language_of(letter: Letter) -> str:
    """The language to answer in: that of the words that were understood, else by how it is written."""
    found = _found(letter)
    if found:
        languages = [one.language for one in found]
        return max(dict.fromkeys(languages), key=languages.count)
    said = f"{letter.subject} {letter.text[:_FIRST_LETTERS]}".casefold()
    if any("Ѐ" <= character <= "ӿ" for character in said):
        return "uz" if _OF_UZBEK & set(said) else "ru"
    return "en" if len(_ENGLISH & set(_words(said))) >= 2 else "uz"


def _found(letter: Letter) -> list[_Wanted]:
    rules, parts = _rules(), _looked_at(letter)
    return [one for one in rules.wanted if any(_asks(part, one, rules.negations) for part in parts)]


def _looked_at(letter: Letter) -> list[list[str]]:
    """The words of each line that counts; sentences may run over lines, so the first ones stand together as well."""
    lines = [line for line in letter.text[:_FIRST_LETTERS].splitlines() if line.strip()][:_FIRST_LINES]
    own = [] if _ANSWER.match(letter.subject) else [letter.subject]
    return [words for text in (*own, *lines[:1], " ".join(lines)) if (words := _words(text))]


def _asks(words: Sequence[str], wanted: _Wanted, negations: frozenset[str]) -> bool:
    if " ".join(words) in wanted.alone:
        return True
    return any(
        _goes_on(words, at, phrase)
        for phrase in wanted.phrases
        for at in range(len(words))
        if phrase[0].fullmatch(words[at]) and not negations & {*words[max(0, at - 2) : at]}
    )


def _goes_on(words: Sequence[str], at: int, phrase: Sequence[re.Pattern[str]]) -> bool:
    """Whether the phrase that begins with the word at `at` is said to its end."""
    if len(phrase) == 1:
        return True
    following = range(at + 1, min(at + 2 + _BETWEEN, len(words)))
    return any(phrase[1].fullmatch(words[place]) and _goes_on(words, place, phrase[1:]) for place in following)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).casefold().replace("ё", "е")
    return _WORD.findall(plain)


@cache
def _rules() -> _Rules:
    table = tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
    return _Rules(
        negations=frozenset(table["negations"]),
        wanted=tuple(
            _Wanted(wish, language, tuple(map(_flat, said.get("alone", ()))), tuple(map(_phrase, said["phrases"])))
            for wish in Wish
            for language, said in table[wish.value].items()
        ),
    )


def _flat(text: str) -> str:
    return " ".join(_words(text))


def _phrase(text: str) -> tuple[re.Pattern[str], ...]:
    """`a|b* c`: two words, the first one of two."""
    return tuple(_one_of(part.split("|")) for part in text.split())


def _one_of(choices: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(_plain(each)).replace(r"\*", r"[\w-]*") for each in choices))


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).translate(_APOSTROPHES).casefold().replace("ё", "е")
