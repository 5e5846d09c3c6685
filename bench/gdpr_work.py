"""GDPRbench's records and operations: a model of what is true, from which every side's operations are drawn once.

After "Understanding and Benchmarking the Impact of GDPR on Database Systems" (VLDB 2020) and the workload files of its
repository: all metadata of a record are functions of its number, one user has ten records, all for one purpose. The
mixes of controller, customer and processor are those of the files, the regulator's that of the paper, which has no
file. What each operation means here, and why, is in docs/performance.md.
"""

import bisect
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

PURPOSES, CATEGORIES, VALUES, EACH = 25, 5, 10, 10
SOURCES = ("site", "app")
TERMS = tuple(30 * n for n in range(VALUES, 0, -1))
"""Days a purpose may keep records, longest first."""
OVERDUE = 1
"""Days by which the records that expire are overdue when they are planted."""
MIXES: Mapping[str, Mapping[str, int]] = {
    "controller": {"create": 25, "delete": 25, "set-purpose": 25, "set-user": 25},
    "customer": {
        "own-record": 20, "own-purpose": 10, "own-records": 10, "rewrite": 20, "object": 10, "consent": 10,
        "delete": 20,
    },
    "processor": {"use-record": 20, "use-purpose": 40, "use-user": 40},
    "regulator": {"metadata": 46, "log": 31, "verify-deletion": 23},
}  # fmt: skip
_SKEWED = "customer"
_THETA = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a record is, whoever keeps it: these are the fields that the sides are compared by.

    `term` is its time to live in days from collection; `objected` and `decided` are its user's answers: the objection
    to its purpose, the consent to decisions by machine.
    """

    key: str
    purpose: str
    term: int
    user: int
    objected: bool
    decided: bool
    roles: str
    recipient: str
    source: str
    category: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a purpose: days, who may see (one of ten roles), who receives it (one of ten)."""

    term: int
    roles: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, and what is true of it: `records` are those it concerns, as they are afterwards; `expected` what
    a read must bring, by key. `terms` are a purpose's new ones, `changed` which of them; `answer` is a user's;
    `length` how many entries of the log are read."""

    kind: str
    user: int = 0
    purpose: int = 0
    records: tuple[Record, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    terms: Terms | None = None
    changed: str = ""
    answer: bool = False
    length: int = 0


def key_of(number: int) -> str:
    """The key of a record: its case."""
    return f"order:k{number}"


def data_of(number: int, edition: int = 0) -> str:
    """A hundred characters, a function of number and edition."""
    return "".join(f"{n}a{number}b{edition}c" for n in range(30))[:100]


class World:
    """What is true. `records` are those that live, by number."""

    def __init__(self, records: int, seed: int = 17) -> None:
        if records % (PURPOSES * EACH):
            raise ValueError(f"so many records must be a multiple of {PURPOSES * EACH}")
        self.users = records // EACH
        self.terms = [
            Terms(term=TERMS[n % VALUES], roles=f"role-{n % VALUES}", recipient=f"recipient-{n % VALUES}")
            for n in range(PURPOSES)
        ]
        self.objected: set[int] = set()
        self.decided: set[int] = set()
        self.data = {number: data_of(number) for number in range(records)}
        self.deleted: list[str] = []
        self._next, self._editions, self._chance = records, itertools.count(1), random.Random(seed)
        self._zipf = list(itertools.accumulate(1 / rank**_THETA for rank in range(1, records + 1)))
        self._of_purpose: list[set[int]] = [set() for _ in range(PURPOSES)]
        self._of_user: list[set[int]] = [set() for _ in range(self.users)]
        for number in self.data:
            self._note(number)

    def record(self, number: int) -> Record:
        """A living record with all its fields as they are now."""
        user, purpose = number % self.users, number % PURPOSES
        terms = self.terms[purpose]
        return Record(
            key=key_of(number), purpose=f"study-{purpose}", term=terms.term, user=user,
            objected=user in self.objected, decided=user in self.decided, roles=terms.roles,
            recipient=terms.recipient, source=SOURCES[number % len(SOURCES)], category=category_of(purpose),
            data=self.data[number],
        )  # fmt: skip

    def state(self) -> dict[str, Record]:
        """Every living record by its key."""
        return {key_of(number): self.record(number) for number in self.data}

    def of_user(self, user: int) -> list[Record]:
        """A user's living records."""
        return [self.record(number) for number in sorted(self._of_user[user])]

    def planted(self, many: int) -> list[Record]:
        """Records that are overdue, for users who have others: to be swept, and never part of the state."""
        records = []
        while len(records) < many:
            number, self._next = self._next, self._next + 1
            if self._of_user[number % self.users]:
                self.data[number] = data_of(number)
                records.append(self.record(number))
                del self.data[number]
        return records

    def draw(self, mix: str, many: int) -> list[Operation]:
        """So many operations in the mix's proportions, in an order drawn by lot; the world is as after all of them."""
        kinds = [kind for kind, count in shares(MIXES[mix], many).items() for _ in range(count)]
        self._chance.shuffle(kinds)
        return [self._draw(kind, skewed=mix == _SKEWED) for kind in kinds]

    def _draw(self, kind: str, *, skewed: bool) -> Operation:
        number = self._some(skewed=skewed)
        user, purpose = number % self.users, number % PURPOSES
        match kind:
            case "create":
                return self._create()
            case "delete":
                return self._delete(number)
            case "rewrite":
                self.data[number] = data_of(number, next(self._editions))
                return self._on(kind, number)
            case "set-purpose":
                return self._set_purpose(purpose)
            case "set-user":
                return self._choose(self._chance.choice(("object", "consent")), number)
            case "object" | "consent":
                return self._choose(kind, number)
            case "log":
                return Operation(kind=kind, length=self._chance.randint(1, 1000))
            case "verify-deletion":
                key = self._chance.choice(self.deleted)
                gone = replace(self.record(number), key=key)
                return Operation(kind=kind, records=(gone,))
            case "own-record":
                return self._on(kind, number, [number])
            case "own-purpose" | "own-records" | "metadata":
                return self._on(kind, number, self._of_user[user])
            case "use-record":
                return self._on(kind, number, self._used([number]))
            case "use-purpose":
                concerned = sorted(self._of_purpose[purpose])
                return self._on(kind, number, self._used(concerned), concerned)
        concerned = sorted(self._of_user[user])
        return self._on("use-user", number, self._used(concerned), concerned)

    def _on(
        self, kind: str, number: int, expected: Sequence[int] | set[int] = (), concerned: Sequence[int] = ()
    ) -> Operation:
        return Operation(
            kind=kind, user=number % self.users, purpose=number % PURPOSES,
            records=tuple(self.record(n) for n in concerned or [number]),
            expected={key_of(n): self.data[n] for n in sorted(expected)},
        )  # fmt: skip

    def _used(self, numbers: Sequence[int]) -> list[int]:
        """Those of them whose users didn't object."""
        return [number for number in numbers if number % self.users not in self.objected]

    def _create(self) -> Operation:
        number, self._next = self._next, self._next + 1
        self.data[number] = data_of(number)
        self._note(number)
        return self._on("create", number)

    def _delete(self, number: int) -> Operation:
        gone = self._on("delete", number)
        del self.data[number]
        self._of_purpose[number % PURPOSES].discard(number)
        self._of_user[number % self.users].discard(number)
        self.deleted.append(key_of(number))
        return gone

    def _set_purpose(self, purpose: int) -> Operation:
        """A shorter term, another role or another recipient. A longer term would need everyone to be told first (P2):
        where the term can't become shorter, another recipient is set."""
        before = self.terms[purpose]
        changed = self._chance.choice(("term", "roles", "recipient"))
        shorter = [term for term in TERMS if term < before.term]
        if changed == "term" and shorter:
            after = replace(before, term=shorter[0])
        elif changed == "roles":
            after = replace(before, roles=_another("role", before.roles, self._chance))
        else:
            changed = "recipient"
            after = replace(before, recipient=_another("recipient", before.recipient, self._chance))
        self.terms[purpose] = after
        return Operation(kind="set-purpose", purpose=purpose, terms=after, changed=changed)

    def _choose(self, kind: str, number: int) -> Operation:
        """The user answers otherwise than before."""
        user, answers = number % self.users, self.objected if kind == "object" else self.decided
        answers.symmetric_difference_update({user})
        return Operation(kind=kind, user=user, purpose=number % PURPOSES, answer=user in answers)

    def _some(self, *, skewed: bool) -> int:
        """The number of a living record: evenly, or after Zipf with the ranks spread over all numbers."""
        while True:
            number = self._chance.randrange(self._next)
            if skewed:
                rank = bisect.bisect_left(self._zipf, self._chance.random() * self._zipf[-1])
                number = rank * 2_654_435_761 % len(self._zipf)
            if number in self.data:
                return number

    def _note(self, number: int) -> None:
        self._of_purpose[number % PURPOSES].add(number)
        self._of_user[number % self.users].add(number)


def category_of(purpose: int) -> str:
    """The category whose item a purpose needs."""
    return f"kind-{purpose % CATEGORIES}"


def shares(mix: Mapping[str, int], many: int) -> dict[str, int]:
    """So many operations dealt out by percentages, the largest remainders rounded up."""
    exact = {kind: percent * many / 100 for kind, percent in mix.items()}
    dealt = {kind: int(share) for kind, share in exact.items()}
    for kind in sorted(exact, key=lambda kind: dealt[kind] - exact[kind])[: many - sum(dealt.values())]:
        dealt[kind] += 1
    return dealt


def _another(name: str, than: str, chance: random.Random) -> str:
    return chance.choice([f"{name}-{n}" for n in range(VALUES) if f"{name}-{n}" != than])
