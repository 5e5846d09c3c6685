"""Take away: one file with everything, to read, to print, or for a program; locked on wish (A3, S2)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import SECOND
from omonat.center.choices import past
from omonat.center.door import COPY
from omonat.center.looked import told
from omonat.center.my_data import Holding, groups
from omonat.center.visit import Answer, Visit
from omonat.flows.locking import Lock, locked
from omonat.flows.take_away import Copy, Form, next_copy_at
from omonat.pages.certificate import paper
from omonat.pages.formats import day, day_and_clock

_FORMS: Final[Mapping[str, tuple[Form, str]]] = {
    "pdf": ("pdf", "application/pdf"),
    "html": ("html", "text/html; charset=utf-8"),
    "json": ("json", "application/json"),
}
_LONGEST: Final = 1000


Take = Callable[[Form, Lock], Awaitable[Copy]]


async def show(visit: Visit) -> Answer:
    """How the copy shall look."""
    return page(visit, COPY)


async def make(visit: Visit) -> Answer:
    """The file itself. Nothing of it is kept."""

    async def take(form: Form, lock: Lock) -> Copy:
        return await visit.house.take_away(visit.person, form=form, lock=lock)

    return await made_by(visit, COPY, take)


async def made_by(visit: Visit, here: str, take: Take) -> Answer:
    """The file that `take` gives, for the form at `here`."""
    form, kind = _FORMS.get(visit.form.get("form", ""), (None, ""))
    if form is None:
        raise BadInput("form-unclear")
    lock = Lock(
        password=visit.form.get("password", "")[:_LONGEST], recipient=visit.form.get("recipient", "").strip()[:_LONGEST]
    )
    try:
        copy = await take(form, lock)
    except BadInput as error:
        return page(visit, here, error=error.code, chosen=form)
    except Refused as refusal:
        if refusal.code != "too-many-copies":
            raise
        return _later(visit, here, refusal.code, form)
    made = await locked(await content(visit, copy, form), lock)
    if lock.used:
        return visit.file(made, f"my-data.{form}.age", "application/octet-stream")
    return visit.file(made, f"my-data.{form}", kind)


def page(visit: Visit, here: str, *, error: str = "", chosen: str = "pdf") -> Answer:
    """The form at this address, of a person's own copy or of a child's."""
    status = 422 if error else 200
    return visit.page("copy.html", status=status, here=here, mine=here == COPY, error=error, chosen=chosen)


def _later(visit: Visit, here: str, code: str, form: Form) -> Answer:
    """Too many copies: when the next one can be taken, for people and for programs."""
    again = next_copy_at(visit.now)
    when = day_and_clock(visit.words, again, visit.policy.zone)
    answer = visit.page("copy.html", status=429, here=here, mine=here == COPY, error=code, chosen=form, again=when)
    answer.headers["retry-after"] = str((again - visit.now + SECOND - 1) // SECOND)
    return answer


async def content(visit: Visit, copy: Copy, form: Form) -> bytes:
    """The copy in one of its forms."""
    if form == "json":
        data = visit.house.take_away.as_data(copy, visit.language)
        return msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n"
    printed = _printed(visit, copy)
    if form == "html":
        return visit.door.render("copy_file.html", language=visit.language, now=visit.now, told=printed).encode()
    return await asyncio.to_thread(paper, "copy.typ", printed, copy.at)


def _printed(visit: Visit, copy: Copy) -> dict[str, Any]:
    """The copy in the reader's words: the page and the paper say the same."""
    words, zone = visit.words, copy.mine.policy.zone
    shown = groups(visit, copy.mine, frozenset({"all"}))
    return {
        "language": visit.language,
        "controller": copy.mine.policy.policy.controller.name,
        "title": words("Copy of my data"),
        "about": words("Everything held on %(when)s", when=day_and_clock(words, copy.at, zone)),
        "foot": f"{copy.mine.person} · {copy.mine.receipt.id}",
        "groups": [
            {
                "title": group.label,
                "things": [
                    {"name": line.label, "lines": list(_lines(visit, held)), "facts": _facts(visit, held)}
                    for line in group.lines
                    for held in line.holdings
                ],
            }
            for group in shown
        ],
        "nothing": words("We hold nothing about you"),
        "choices": {
            "title": words("What you chose"),
            "none": words("You have not chosen anything yet."),
            "rows": [
                [day_and_clock(words, one.at, zone), " ".join((f"{one.said}.", one.purpose, one.where)).strip()]
                for one in (past(visit, copy.choices, place) for place in range(len(copy.choices)))
            ],
        },
        "looked": {
            "title": words("Who looked"),
            "none": words("Nobody has looked yet."),
            "rows": [_event(visit, copy, number) for number in range(len(copy.looked))],
        },
    }


def _lines(visit: Visit, held: Holding) -> tuple[str, ...]:
    if held.mask is None:
        return (visit.words("Nobody can read this, not even us. It is only checked when you sign in."),)
    return held.lines


def _facts(visit: Visit, held: Holding) -> list[list[str]]:
    words, zone = visit.words, visit.policy.zone
    until = words("No rule keeps this any more") if held.due is None else day(words, held.due, zone)
    term = words("At the very latest") if held.meanwhile else words("Kept until")
    uses = [f"{why.label} ({why.basis})" for why in held.why]
    rows = [
        [words("For"), "; ".join(uses) or words("No purpose uses it now.")],
        [term, f"{until}. {held.reason}" + (f" ({held.law})" if held.law else "")],
        [words("Where from"), f"{held.came_from} · {held.service}, {day(words, held.collected_at, zone)}"],
    ]
    if held.waiting:
        rows.insert(1, [words("Only if you agree"), "; ".join(held.waiting)])
    if held.case:
        rows.append([words("Belongs to"), held.case])
    return rows


def _event(visit: Visit, copy: Copy, number: int) -> list[str]:
    event = told(visit, copy.looked[number])
    said = " ".join(part for part in (event.who, event.what) if part)
    details = [part for part in (event.purpose, ", ".join(event.items)) if part]
    hidden = visit.words("Not shown")
    kept_back = [f"{hidden}: {', '.join(one.items)}" for one in event.withheld]
    when = day_and_clock(visit.words, event.at, copy.mine.policy.zone)
    return [when, ". ".join([said, *details, *kept_back])]
