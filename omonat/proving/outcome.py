"""What a probe says, and how one is declared."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from omonat.proving.scene import Scene


class Kept(Struct, frozen=True):
    """It did what it promises. `seen` holds names and codes of the policy, `evidence` ids of entries."""

    seen: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Broken(Struct, frozen=True):
    """It did something else; `seen` says what, in names and codes."""

    seen: tuple[str, ...]
    evidence: tuple[str, ...] = ()


class CannotTell(Struct, frozen=True):
    """It couldn't be tried. `why` is a reason of `words.toml` or a code of `omonat.base.codes`."""

    why: str
    seen: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


Outcome = Kept | Broken | CannotTell


class UntoldError(Exception):
    """Raised inside a probe that can't go on: its outcome is `CannotTell`."""

    def __init__(self, why: str, *seen: str) -> None:
        super().__init__(why)
        self.why = why
        self.seen = seen


@dataclass(frozen=True, slots=True)
class Probe:
    """One live test: the promises it tries, what it does in one sentence of each language, and the doing."""

    name: str
    promises: tuple[str, ...]
    does: Mapping[str, str]
    run: Callable[["Scene"], Awaitable[Outcome]]


Does = Callable[["Scene"], Awaitable[Outcome]]


def probe(*promises: str, uz: str, ru: str, en: str) -> Callable[[Does], Probe]:
    """Declare a probe; the function's name is its name."""

    def declared(run: Does) -> Probe:
        return Probe(getattr(run, "__name__", ""), promises, {"uz": uz, "ru": ru, "en": en}, run)

    return declared


class Findings:
    """Collects what a probe sees while it goes on: one wrong thing is enough."""

    def __init__(self) -> None:
        self._right: list[str] = []
        self._wrong: list[str] = []
        self._evidence: list[str] = []

    def note(self, right: bool, seen: str, *evidence: str) -> None:
        """What was seen, whether it is right, and the entries that say so."""
        (self._right if right else self._wrong).append(seen)
        self._evidence += [entry for entry in evidence if entry]

    def outcome(self) -> Outcome:
        """Broken with all that was wrong, else kept. Nothing seen is nothing told."""
        evidence = tuple(dict.fromkeys(self._evidence))
        if self._wrong:
            return Broken(tuple(self._wrong), evidence)
        return Kept(tuple(self._right), evidence) if self._right else CannotTell("nothing-to-try", (), evidence)


_GRAVEST: Final = (Broken, CannotTell, Kept)


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """What several probes of one promise say together: Broken > CannotTell > Kept, all they saw kept."""
    found = list(outcomes)
    kind = next(k for k in _GRAVEST if any(isinstance(one, k) for one in found))
    same = [one for one in found if isinstance(one, kind)]
    seen = tuple(line for one in same for line in one.seen)
    evidence = tuple(dict.fromkeys(entry for one in found for entry in one.evidence))
    if kind is Broken:
        return Broken(seen, evidence)
    if kind is CannotTell:
        return CannotTell(next(one.why for one in same if isinstance(one, CannotTell)), seen, evidence)
    return Kept(seen, evidence)
