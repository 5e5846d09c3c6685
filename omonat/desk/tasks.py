"""Tasks at the Desk: what is left to a privacy officer's hand, and the word that it is done (A1, Q1, R2, R3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import BadInput, OmonatError, Refused
from omonat.base.instants import Instant
from omonat.base.verdict import Allow
from omonat.desk.door import TASKS
from omonat.desk.visit import Answer, Visit
from omonat.flows.tasks import BY_HAND, Task, may_see

_DIGITS: Final = 16
_NAMED: Final = {
    "correction": "item",
    "due": "item",
    "integrity": "category",
    "erase-by-hand": "system",
    "tell-by-hand": "recipient",
}
"""What the name in a task is a name of: an item may be called as a system is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One task in the reader's language. `word` is on the button that ends it; empty where an act elsewhere does.
    `copies` are cases with what of them is to be seen to, `stays` what isn't, and until when."""

    task: Task
    says: str
    next: str
    word: str
    copies: tuple[tuple[str, str], ...]
    items: str
    stays: tuple[tuple[str, Instant | None], ...]


async def every(visit: Visit) -> Answer:
    """What waits."""
    return await _page(visit)


async def act(visit: Visit) -> Answer:
    """One is done, as far as the reader was shown."""
    kind, about, seen = (visit.form.get(name, "") for name in ("kind", "about", "seen"))
    if not (seen.isascii() and seen.isdecimal() and len(seen) <= _DIGITS):
        raise BadInput("form-unclear")
    try:
        await visit.house.tasks.done(kind, about, by=visit.member.ref, seen=Instant(int(seen)))
    except (BadInput, Refused) as error:
        return await _page(visit, error=error)
    return visit.go(TASKS)


async def _page(visit: Visit, *, error: OmonatError | None = None) -> Answer:
    status = registry()[error.code].status if error else 200
    if not isinstance(may_see(visit.member.role), Allow):
        return visit.page("tasks.html", may=False, status=status)
    waiting = await visit.house.tasks.waiting()
    return visit.page(
        "tasks.html",
        may=True,
        status=status,
        lines=[_line(visit, task) for task in waiting.tasks],
        more=waiting.more,
        here=TASKS,
        error=error.code if error else "",
        about=visit.named(error.about) if error else {},
        promise=registry()[error.code].promise if error else "",
    )


def _line(visit: Visit, task: Task) -> Line:
    named = _named(visit, task)
    word = ""
    if task.ends_here:
        word = visit.words("It is done there") if task.kind in BY_HAND else visit.words("I have looked")
    return Line(
        task=task, says=sentence(task.code, visit.language, named), next=advice(task.code, visit.language, named),
        word=word, copies=tuple((copy.case, _items(visit, copy.items)) for copy in task.copies),
        items=_items(visit, task.items), stays=tuple((visit.label("item", item), until) for item, until in task.stays),
    )  # fmt: skip


def _items(visit: Visit, items: Iterable[str]) -> str:
    return ", ".join(visit.label("item", item) for item in items)


def _named(visit: Visit, task: Task) -> Mapping[str, str]:
    """What it is about, with the names the policy has for it in the reader's language."""
    what, _, more = task.named["what"].partition(" ")
    label = visit.label(_NAMED[task.kind], what) if task.kind in _NAMED else what
    return {**task.named, "what": f"{label} {more}".strip()}
