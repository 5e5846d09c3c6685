"""The model: what the ten clients were told, and which of it no order of events explains (I1–I9).

The history is kept outside the service. An operation takes effect at one moment between `asked` and `told`, if at all;
one that was cut off is `unknown` and may have taken effect until `told` is set, or never. Everything a client can see
is a register (a consent, a restriction, a role, a case, a person being held) that is written and read:

    a value read is explained by a write of it that may have happened by then, and that was not certainly
    overwritten before the read began; or by the first value, if nothing was certainly written before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.faults.outside import Letter

Outcome = Literal["ok", "refused", "unknown"]
Register = tuple[str, str]
"""What it is (`consent:marketing-email`, `case`, `role` …) and of whom."""

FIRST: Mapping[str, str] = {
    "consent": "withdrawn",
    "restriction": "lifted",
    "role": "held",
    "case": "open",
    "held": "yes",
}
"""The value of a register nobody has written yet, by the first part of its name."""
READS: Mapping[str, str] = {
    "no-consent": "withdrawn",
    "person-restricted": "restricted",
    "role-ended": "ended",
    "no-open-case": "closed",
    "no-person": "no",
    "person-unknown": "no",
}
"""What a refusal says about a register."""
SILENT = frozenset({"over-cap", "too-many-codes", "key-busy"})
"""Refusals that say nothing about any register."""


@dataclass(slots=True)
class Operation:
    """One thing one client asked for. Times are of one monotonic clock, in seconds.

    A write has `value`, the state it wants; a read has none. `register` is None for what is only acknowledged.
    """

    act: str
    register: Register | None
    asked: float
    value: str = ""
    told: float = float("inf")
    outcome: Outcome = "unknown"
    code: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    about: str = ""
    """The case or address it created."""

    def before(self, other: "Operation") -> bool:
        """Whether it was certainly over when the other began."""
        return self.told <= other.asked

    def may_be_seen_by(self, other: "Operation") -> bool:
        """Whether its effect may have been there when the other one looked."""
        return self.outcome != "refused" and self.asked <= other.told

    @property
    def seen(self) -> str | None:
        """The value a finished read saw; None when it says nothing."""
        if self.value or self.register is None or self.outcome == "unknown" or self.code in SILENT:
            return None
        if self.outcome == "ok":
            return _opposite(self.register[0])
        if self.code == "person-unknown" and self.register[0].startswith("consent:"):
            return "withdrawn"  # of whom nothing is held any more, no consent stands; an unsubscribed reader ends so
        return READS.get(self.code, f"refused: {self.code}")


def _opposite(register: str) -> str:
    kind = register.partition(":")[0]
    return {"consent": "given"}.get(kind, FIRST[kind])


@dataclass
class History:
    """All operations of all clients, in the order in which they were asked."""

    operations: list[Operation] = field(default_factory=list)
    _judged: int = 0

    def ask(self, operation: Operation) -> Operation:
        """Note that something is asked."""
        self.operations.append(operation)
        return operation

    def end_round(self, now: float) -> None:
        """Nothing is under way any more: what is still unknown has happened by now, or never will."""
        for operation in self.operations:
            operation.told = min(operation.told, now)

    def acknowledged(self, *acts: str) -> list[Operation]:
        """Those answered with yes, of these acts unless all are meant."""
        return [o for o in self.operations if o.outcome == "ok" and (not acts or o.act in acts)]

    def writes(self) -> dict[Register, list[Operation]]:
        """All writes by register."""
        found: dict[Register, list[Operation]] = defaultdict(list)
        for operation in self.operations:
            if operation.value and operation.register is not None:
                found[operation.register].append(operation)
        return found

    def violations(self, letters: Sequence[Letter], people: Mapping[str, str]) -> list[str]:
        """Every answer and letter that no order of the operations explains; names no value.

        `people` are those of the newsletter, by the address they gave.
        """
        writes = self.writes()
        found = [said for o in self.operations[self._judged :] for said in _unexplained(o, writes)]
        found += _letters(letters, people, writes)
        # a read still under way may be judged wrongly later: begin again at the first unfinished one
        open_ones = [n for n, o in enumerate(self.operations) if o.outcome == "unknown" and o.told == float("inf")]
        self._judged = open_ones[0] if open_ones else len(self.operations)
        return found


def explained(value: str, at: Operation, writes: Iterable[Operation], first: str) -> bool:
    """Whether a register may have held `value` at some moment of the operation `at`."""
    against = [w for w in writes if w.value != value and w.outcome == "ok" and w.before(at)]
    possible = [w for w in writes if w.value == value and w.may_be_seen_by(at)]
    if any(not any(w.before(later) for later in against) for w in possible):
        return True
    return value == first and not against


def _unexplained(read: Operation, writes: Mapping[Register, Sequence[Operation]]) -> Iterator[str]:
    """C1, C2, S4, I1, I5: a read against its register; and what is read back is what was sent (I6)."""
    if read.register is None or (seen := read.seen) is None:
        return
    kind = read.register[0].partition(":")[0]
    if not explained(seen, read, writes.get(read.register, ()), FIRST[kind]):
        yield f"{read.act} saw {read.register[0]} {seen} ({read.code}) against every order of its changes"
    if read.outcome == "ok" and read.sent:
        items = read.answer["items"]
        wrong = [item for item in items if item in read.sent and items[item] != read.sent[item]]
        if wrong or not items:
            yield f"{read.act} was read back different: {', '.join(sorted(wrong)) or 'nothing'}"


def _letters(
    letters: Sequence[Letter], people: Mapping[str, str], writes: Mapping[Register, Sequence[Operation]]
) -> Iterator[str]:
    """I2, I9: no letter that began after a withdrawal was acknowledged, and each letter once."""
    for letter in letters:
        person = people.get(letter.to)
        if person is None:
            continue
        began = Operation("letter", ("consent:marketing-email", person), letter.began, told=letter.began, outcome="ok")
        if not explained("given", began, writes.get(("consent:marketing-email", person), ()), "withdrawn"):
            yield "a letter of the newsletter began after its withdrawal was acknowledged"
    twice = [n for n in Counter((letter.to, letter.id) for letter in letters if letter.to in people).values() if n > 1]
    if twice:
        yield f"{len(twice)} letters of the newsletter were sent more than once"


def choices_agree(history: History, rows: Iterable[Mapping[str, Any]], before: set[str]) -> tuple[list[str], set[str]]:
    """I7: the table of choices only grows, and holds every acknowledged choice and none nobody asked for.

    Gives the violations and the ids now there.
    """
    rows = list(rows)
    ids = {row["id"] for row in rows}
    found = [f"{len(before - ids)} choices are gone"] if before - ids else []
    there = Counter((f"{row['kind']}:{row['purpose']}", row["person"], row["state"]) for row in rows)
    sure: Counter[tuple[str, str, str]] = Counter()
    perhaps: Counter[tuple[str, str, str]] = Counter()
    for register, writes in history.writes().items():
        if register[0].startswith("consent:"):
            for write in writes:
                # a link pressed twice writes once
                acknowledged = write.outcome == "ok" and write.act != "unsubscribe"
                (sure if acknowledged else perhaps)[*register, write.value] += write.outcome != "refused"
    for of, count in there.items():
        if of[0].startswith("consent:") and count > sure[of] + perhaps[of]:
            found.append(
                f"{count} choices {of[0]} {of[2]} where {sure[of]} were acknowledged and {perhaps[of]} cut off"
            )
    found += [f"of {n} choices {of[0]} {of[2]}, {there[of]} are there" for of, n in sure.items() if there[of] < n]
    return found, ids
