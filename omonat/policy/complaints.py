"""Complaints: what is wrong with a document, where exactly, and what to write instead.

All of them are collected before anybody is told, in the order of the text. They show what the document says: a policy
holds no personal data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong. `about` fills the sentences of `code`; `nearest` is the valid name meant, or empty."""

    file: str
    place: Place
    code: str
    about: dict[str, str]

    @property
    def nearest(self) -> str:
        """The valid name that looks most like what was written; empty when none does."""
        return self.about.get("nearest", "")

    def says(self, language: str = "en") -> str:
        """What is wrong."""
        return sentence(self.code, language, self.about)

    def fix(self, language: str = "en") -> str:
        """What to do."""
        return advice("policy-nearest" if self.nearest else self.code, language, self.about)

    def line(self, language: str = "en") -> str:
        """`file:line:column: what. fix`, as editors and compilers like it."""
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.says(language)} {self.fix(language)}"


@dataclass(slots=True)
class Complaints:
    """A growing list about one file."""

    file: str
    found: list[Complaint] = field(default_factory=list)

    def add(self, place: Place, code: str, **about: str) -> None:
        """Note one; `about` holds names from the document."""
        self.found.append(Complaint(self.file, place, code, about))

    def __bool__(self) -> bool:
        return bool(self.found)

    def __iter__(self) -> Iterator[Complaint]:
        return iter(sorted(self.found, key=lambda c: c.place))


class InvalidPolicy(BadInput):
    """The document breaks the format; `complaints` says all that is wrong, in the order of the text."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        first = complaints[0]
        super().__init__("policy-invalid", file=first.file, count=str(len(complaints)), first=first.line())
        self.complaints = tuple(complaints)


def nearest(word: str, names: Sequence[str]) -> str:
    """The name most like `word`, or empty. Looks at the last part of dotted names too."""
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    tails = {name.rpartition(".")[2]: name for name in reversed(names)}
    close = get_close_matches(word.rpartition(".")[2], list(tails), n=1, cutoff=0.75)
    return tails[close[0]] if close else ""
