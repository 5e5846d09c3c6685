"""Structures every part of the document uses: words in three languages, labelled things."""
# ruff: noqa: RUF009 - `key` and `own_id` make dataclass fields

from dataclasses import dataclass

from omonat.base.codes import LANGUAGES
from omonat.policy.shapes import Many, Ref, Struct, Text, key, own_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same words in every language; a missing language is refused by the reader."""

    uz: str = key(Text())
    ru: str = key(Text())
    en: str = key(Text())

    def __getitem__(self, language: str) -> str:
        """The words in `language`. Raises KeyError for a language nobody speaks here."""
        if language not in LANGUAGES:
            raise KeyError(language)
        text: str = getattr(self, language)
        return text


WORDS = Struct(Words)
ITEMS = Many(Ref("items"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A thing with a label and perhaps a sentence: a chapter, a kind of case, a source."""

    id: str = own_id()
    says: Words = key(WORDS)
    tells: Words | None = key(WORDS, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer of an item of kind `choice`."""

    id: str = own_id()
    says: Words = key(WORDS)
