"""What a lint rule is, and the one table of them."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from omonat.base.codes import LANGUAGES
from omonat.policy.complaints import Place
from omonat.policy.model import Answer, Policy
from omonat.policy.packs import Pack


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule holds: `path` locates it, `about` names what it speaks of, `facts` fill the sentences."""

    path: tuple[str, ...]
    promises: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


Find = Callable[[Policy, Sequence[Pack]], Iterator[Found]]
Settled = Callable[[Policy, Sequence[Pack]], bool | None]


@dataclass(frozen=True, slots=True)
class LintRule:
    """A rule: how it finds, its words, and how tables show that it is settled (None: they can't)."""

    id: str
    find: Find
    explains: Mapping[str, str]
    proposes: Mapping[str, str]
    settled: Settled


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, where, and how the document answers it (None: not at all)."""

    rule: LintRule
    found: Found
    file: str
    place: Place
    answer: Answer | None

    def explains(self, language: str = "en") -> str:
        """What contradicts what."""
        return self.rule.explains[language].format_map(_Facts(self.found))

    def proposes(self, language: str = "en") -> str:
        """The change that would end it."""
        return self.rule.proposes[language].format_map(_Facts(self.found))

    def entry(self) -> str:
        """The entry of `contradictions` that would answer it, but for the reason."""
        promises = f"promises: [{', '.join(self.found.promises)}], " if self.found.promises else ""
        about = f"about: [{', '.join(self.found.about)}], " if self.found.about else ""
        return f"- {{finding: {self.rule.id}, {promises}{about}status: accepted, because: {{uz: …, ru: …, en: …}}}}"


class _Facts(dict[str, str]):
    def __init__(self, found: Found) -> None:
        listed = {"promises": ", ".join(found.promises), "about": ", ".join(found.about)}
        super().__init__({**listed, **found.facts})


RULES: dict[str, LintRule] = {}


def rule(id: str, settled: Settled = lambda _, __: None) -> Callable[[Find], Find]:
    """Register a rule under `id`; its words stand in `rules.toml`, in every language."""
    words = _words()[id]
    for part in ("explains", "proposes"):
        if set(words[part]) != set(LANGUAGES):
            raise ValueError(f"the rule `{id}` needs its words in {', '.join(LANGUAGES)}")

    def register(find: Find) -> Find:
        if id in RULES:
            raise ValueError(f"two rules are called `{id}`")
        RULES[id] = LintRule(id, find, words["explains"], words["proposes"], settled)
        return find

    return register


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((files(__package__) / "rules.toml").read_text("utf-8"))


def claiming(policy: Policy, claim: str) -> tuple[str, ...]:
    """The promises whose words make a claim."""
    return tuple(p.id for p in policy.promises.values() if getattr(p.claims, claim))


def at_claim(promise: str, claim: str) -> tuple[str, ...]:
    """Where a claim stands."""
    return ("promises", promise, "claims", claim.replace("_", "-"))
