"""Phrases that fill placeholders, in the reader's language: `expected="a string"` is said as matn, строка, a string.

Errors carry the English words, as a catalogue's key; whoever prints them asks here. What is in no catalogue (ids,
numbers, labels, file names) is said as it is.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def phrases() -> Mapping[str, Mapping[str, str]]:
    """Every phrase by its English words."""
    return tomllib.loads(files(__package__).joinpath("phrases.toml").read_text("utf-8"))


def said(words: str, language: str) -> str:
    """`words` in `language`: as one phrase, or as several between `; `, `/` and after a key's `: `."""
    known = phrases()
    if language == "en" or not words:
        return words
    if words in known:
        return known[words][language]
    for between in ("; ", "/"):
        if between in words and "://" not in words:
            return between.join(said(part, language) for part in words.split(between))
    key, colon, rest = words.partition(": ")
    return f"{key}{colon}{known[rest][language]}" if rest in known else words
