"""The registry of codes: every refusal and error has one, stable for ever, with its words in three languages.

Each `*.toml` beside this file belongs to one slice of the house. A table is a code:

    [item-not-needed]
    status = 403                # HTTP
    exit = 5                    # command line; see EXITS
    promise = "L3"              # the promise it keeps, or "" for a technical error
    says = {en = "…", ru = "…", uz = "…"}    # what happened; placeholders in braces, filled with policy labels
    next = {en = "…", ru = "…", uz = "…"}    # what one can do
    otherwise = {…}                          # optional: the same where there is no {nearest}
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from string import Formatter

from omonat.base.phrases import said

LANGUAGES = ("uz", "ru", "en")

EXITS = {
    0: "done",
    1: "failed, or a promise is broken",
    2: "the command was used wrongly",
    3: "cannot tell: a fact is missing",
    4: "the policy document is invalid",
    5: "refused by the policy",
    6: "not found",
    7: "unavailable: the outside world failed, try again",
    8: "unsafe: refused to start",
    9: "what was checked doesn't hold: a policy with open findings, a backup not brought back as promised",
    10: "`policy compare`: the versions differ, and nobody has to be told",
    11: "`policy compare`: people have to be told",
    12: "`policy compare`: people have to be told and to agree",
    21: "a share of the root key is mistyped",
    22: "a share of another installation",
    23: "a share given twice",
    24: "a share of an older set",
    25: "a share that was made or changed by somebody",
    26: "too few shares",
    27: "shares that rebuild another key",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One registered code."""

    id: str
    status: int
    exit: int
    promise: str
    says: Mapping[str, str]
    next: Mapping[str, str]
    otherwise: Mapping[str, str] = field(default_factory=dict)
    """Instead of `next` where no valid name is near."""


class _Lenient(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@cache
def registry() -> Mapping[str, Code]:
    """All codes by id, sorted. Raises ValueError when one is defined twice or lacks a language."""
    found: dict[str, Code] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for name, table in tomllib.loads(file.read_text("utf-8")).items():
            if name in found:
                raise ValueError(f"code `{name}` is defined twice")
            code = Code(id=name, **table)
            for words in (code.says, code.next, code.otherwise or code.next):
                if set(words) != set(LANGUAGES):
                    raise ValueError(f"code `{name}` needs its words in {', '.join(LANGUAGES)}")
            if code.exit not in EXITS:
                raise ValueError(f"code `{name}` has an exit code nobody documented")
            found[name] = code
    return dict(sorted(found.items()))


def sentence(code: str, language: str, about: Mapping[str, str]) -> str:
    """What happened, for a person; a placeholder nobody filled stays visible in braces."""
    known = registry().get(code)
    return _filled(known.says, language, about) if known else code


def advice(code: str, language: str, about: Mapping[str, str]) -> str:
    """What one can do now, for a person; empty for a code nobody registered."""
    known = registry().get(code)
    if known is None:
        return ""
    return _filled(known.next if about.get("nearest") or not known.otherwise else known.otherwise, language, about)


def _filled(words: Mapping[str, str], language: str, about: Mapping[str, str]) -> str:
    spoken = _Lenient({name: said(value, language) for name, value in about.items()})
    return Formatter().vformat(words[language], (), spoken)
