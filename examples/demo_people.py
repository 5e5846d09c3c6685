"""Fills the demo with made-up people, as an ordinary client of the API: each source system with its own credential.

Nothing is done twice. What is done stands in a journal, line by line; each request carries a key made from the person
and the step, so that a step cut off between the answer and its line is answered, not repeated, when it is said again.
(The API remembers keys for a day.)
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from examples.demo_home import SetUp
from examples.histories import Step
from examples.population import MadeUp
from omonat.base.instants import DAY, Instant, to_datetime
from omonat_client import AsyncClient, NotAllowed, OmonatProblem, requests

AT_ONCE = 48
_RECENT = 2 * DAY
_ORDERS = 2
_VISITS_KEPT = 80 * DAY
_SYSTEMS = ("site", "app", "server", "call-centre", "privacy-officer")
_CENTER = {"privacy-center": "privacy-officer"}
"""Where a source's client has another name than the source."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the journal: so many steps of this person are done, and the company knows them under this id."""

    number: int
    done: int
    person: str = ""


class Journal:
    """What is done, for good. A line that was cut off by a kill is passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state: dict[int, Line] = {}
        for raw in path.read_bytes().splitlines() if path.exists() else ():
            try:
                line = msgspec.json.decode(raw, type=Line)
            except msgspec.DecodeError:
                continue
            self.state[line.number] = line

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._file, b"\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.fsync(self._file)
        os.close(self._file)

    def of(self, number: int) -> Line:
        """How far a person has got."""
        return self.state.get(number, Line(number, 0))

    def note(self, line: Line) -> None:
        """A step is done."""
        self.state[line.number] = line
        os.write(self._file, msgspec.json.encode(line) + b"\n")


class Filling:
    """Fills people in. `refused` counts what the API said no to, by code: it should stay empty."""

    def __init__(self, base: str, made: SetUp, journal: Journal) -> None:
        self._base = base
        self._made = made
        self._journal = journal
        self._clients: Mapping[str, AsyncClient] = {}
        self.refused: Counter[str] = Counter()

    async def fill(self, people: Iterable[MadeUp], tell: Callable[[int], None] = lambda _: None) -> None:
        """All steps of these people that are not done yet; `tell` hears of each person."""
        waiting = iter(people)
        async with AsyncExitStack() as stack:
            self._clients = {
                name: await stack.enter_async_context(AsyncClient(self._base, self._made.clients[name], timeout=30))
                for name in _SYSTEMS
            }
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work(waiting, tell))

    async def _work(self, waiting: Iterable[MadeUp], tell: Callable[[int], None]) -> None:
        for person in waiting:
            line = self._journal.of(person.number)
            steps = worth_telling(person.steps, Instant(self._made.began))
            for number, step in enumerate(steps[line.done :], line.done):
                line = Line(person.number, number + 1, await self._take(step, number, line.person) or line.person)
                self._journal.note(line)
            tell(person.number)

    async def _take(self, step: Step, number: int, person: str) -> str | None:
        client = self._clients[_CENTER.get(step.source, step.source)]
        try:
            return await self._say(client, step, f"demo-{step.person}-{number}", person or None)
        except OmonatProblem as problem:
            if step.action == "close" and isinstance(problem, NotAllowed) and problem.code == "no-open-case":
                return None  # it was closed before the journal heard of it
            if problem.problem.status >= 500:
                raise  # the house itself is broken: a demo that hides that would lie
            self.refused[problem.code] += 1
            return None

    async def _say(self, client: AsyncClient, step: Step, key: str, person: str | None) -> str | None:
        match step.action:
            case "collect":
                found = await client.collect(
                    **_words(step.body),
                    version=self._made.version,
                    person=person,
                    case=step.case,
                    collected_at=to_datetime(step.at),
                    key=key,
                )
                return found.person
            case "assign" if step.case:
                await client.put_case(step.case, assigned=step.body["assigned"])
            case "close" if step.case:  # closing twice is told apart by its answer: it needs no key
                await client.send(replace(requests.close_case(step.case, at=to_datetime(step.at)), keyed=False))
            case "withdraw" if person:
                await client.consent(person, step.body["purpose"], "withdrawn")
        return None


def _words(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("service", "items", "consents", "language", "accepted")}


def worth_telling(steps: Sequence[Step], began: Instant) -> list[Step]:
    """The steps the demo repeats.

    Collecting opens a case by itself, and who delivered it long ago matters no more. Of older orders the latest two are
    enough, and visits that are due by now would only be taken in to be gone.
    """
    orders = [step.case for step in steps if step.action == "put-case" and step.service == "order"]
    told = set(orders[-_ORDERS:])
    return [
        step
        for step in steps
        if step.action != "put-case"
        and (step.case not in orders or step.case in told or step.at > began - _RECENT)
        and (step.action != "assign" or step.at > began - _RECENT)
        and (step.service != "site-visit" or step.at > began - _VISITS_KEPT)
    ]


def open_cases(person: MadeUp) -> list[str]:
    """This person's cases that nobody has closed yet, the latest first."""
    closed = {step.case for step in person.steps if step.action == "close"}
    opened = (step.case for step in reversed(person.steps) if step.action == "put-case")
    return [case for case in opened if case is not None and case not in closed]
