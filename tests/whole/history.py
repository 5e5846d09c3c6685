"""What the clients saw, kept outside the service, and what must be true if nothing acknowledged was lost.

An operation is an interval: it takes effect at one moment between `asked` and `told`, if at all. What was cut off is
`unknown`: it may have taken effect until its round was over, or never. The judgements below hold for every order in
which the operations can have taken effect; what they refuse, no order explains.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["ok", "refused", "unknown"]


@dataclass(slots=True)
class Operation:
    """One thing one client asked for. Times are of one monotonic clock, in seconds."""

    act: Literal["collect", "give", "withdraw", "close", "use-order", "use-marketing"]
    about: str
    """The case it concerns, or the person."""
    asked: float
    told: float = float("inf")
    outcome: Outcome = "unknown"
    code: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def before(self, other: "Operation") -> bool:
        """Whether it was certainly over when the other began."""
        return self.told <= other.asked

    def may_be_seen_by(self, other: "Operation") -> bool:
        """Whether its effect may have been there when the other one looked."""
        return self.outcome != "refused" and self.asked <= other.told


@dataclass
class History:
    """All operations of all clients, in the order in which they were asked."""

    operations: list[Operation] = field(default_factory=list)

    def end_round(self, now: float) -> None:
        """Nothing is under way any more: what is still unknown has happened by now, or never will."""
        for operation in self.operations:
            operation.told = min(operation.told, now)

    def of(self, *acts: str, about: str | None = None) -> Iterator[Operation]:
        """Those of these acts, about one case or person unless all are meant."""
        return (o for o in self.operations if o.act in acts and (about is None or o.about == about))

    def acknowledged(self, *acts: str) -> list[Operation]:
        """Those that were answered with yes."""
        return [o for o in self.operations if o.outcome == "ok" and (not acts or o.act in acts)]

    def unknown(self, *acts: str) -> list[Operation]:
        """Those that were cut off."""
        return [o for o in self.operations if o.outcome == "unknown" and o.act in acts]

    def violations(self) -> list[str]:
        """Every answer that no order of the operations explains; names no value."""
        choices, closings = self._by_subject("give", "withdraw"), self._by_subject("close")
        found: list[str] = []
        for use in self.of("use-marketing"):
            found += _marketing(use, choices.get(use.about, []))
        collected = {o.about: o for o in self.of("collect")}
        for use in self.of("use-order"):
            found += _order(use, collected[use.about], closings.get(use.about, []))
        return found

    def _by_subject(self, *acts: str) -> dict[str, list[Operation]]:
        subjects: dict[str, list[Operation]] = {}
        for operation in self.of(*acts):
            subjects.setdefault(operation.about, []).append(operation)
        return subjects


def _marketing(use: Operation, choices: list[Operation]) -> Iterator[str]:
    """C1, C2: allowed only under a consent that may have been live, refused only where none need have been."""
    if use.outcome == "unknown":
        return
    wanted, against = ("give", "withdraw") if use.outcome == "ok" else ("withdraw", "give")
    undone = [o for o in choices if o.act == against and o.outcome == "ok" and o.before(use)]
    possible = [o for o in choices if o.act == wanted and o.may_be_seen_by(use)]
    explained = any(not any(cause.before(later) for later in undone) for cause in possible)
    explained |= use.outcome == "refused" and not undone  # nobody starts with a consent
    if not explained:
        yield f"a use of {use.about} was {use.outcome} ({use.code}) against every order of its choices"
    if use.outcome == "refused" and use.code != "no-consent":
        yield f"a use of {use.about} was refused as {use.code}"


def _order(use: Operation, collect: Operation, closings: list[Operation]) -> Iterator[str]:
    """S4, P4: what was collected comes back equal while the case is open, and nothing does once it is closed."""
    if use.outcome == "ok":
        if any(closing.outcome == "ok" and closing.before(use) for closing in closings):
            yield f"{use.about} was used after it was closed"
        expected = {item: collect.sent[item] for item in use.answer["items"] if item in collect.sent}
        if use.answer["items"] != expected or len(expected) < 3:
            yield f"{use.about} was read back different"
    if use.outcome == "refused":
        if use.code != "no-open-case":
            yield f"{use.about} was refused as {use.code}"
        elif not any(closing.may_be_seen_by(use) for closing in closings):
            yield f"{use.about} is closed or gone, and nobody closed it"
