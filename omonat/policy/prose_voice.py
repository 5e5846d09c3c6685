"""A policy about to be read aloud in one language: the document, its items looked up once, and the packs beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from omonat.policy.model import Item, Policy, Words
from omonat.policy.packs import Pack
from omonat.policy.prose_words import listed


@dataclass(frozen=True, slots=True)
class Voice:
    """`voice(words)` says them in the language; `voice.list(ids)` names items in a row."""

    policy: Policy
    language: str
    packs: Sequence[Pack]
    items: Mapping[str, Item]

    def __call__(self, words: Words) -> str:
        return words[self.language]

    def list(self, items: Iterable[str]) -> str:
        """The labels of items, as one phrase; empty for none."""
        return listed([self.items[item].says[self.language] for item in items])


def voice_of(policy: Policy, language: str, packs: Sequence[Pack]) -> Voice:
    """The voice of `policy` in `language`."""
    return Voice(policy, language, packs, policy.items)
