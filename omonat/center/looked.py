"""Who looked: the evidence that concerns a person, told to that person (B3, S4). Never a name of staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from omonat.base.codes import sentence
from omonat.base.errors import BadInput
from omonat.base.ids import is_id
from omonat.base.instants import Instant
from omonat.center.door import LOOKED
from omonat.center.my_data import labels
from omonat.center.visit import Answer, Visit
from omonat.evidence.entry import Entry
from omonat.evidence.reader import START, Page
from omonat.pages import N_

_MOST = 25
_MINE: Final = frozenset({"access:person:viewed", "access:person:signed-in"})

_REASONS: Final[Mapping[str, str]] = {
    "no-open-case": N_("They had no open order or request of yours to work on."),
    "no-consent": N_("You have not agreed to this."),
    "objected": N_("You objected to this."),
    "person-restricted": N_("You restricted the use of your data."),
    "person-quarantined": N_("Your data is closed for everybody at the moment."),
    "role-ended": N_("They no longer have this job."),
    "training-lapsed": N_("They have not done their data protection training."),
    "over-cap": N_("They had looked at too much data within an hour or a day."),
    "item-not-needed": N_("This purpose does not need it."),
    "role-does-not-see": N_("Their job does not need it."),
    "item-verify-only": N_("Nobody can read this."),
    "not-told-yet": N_("This use is new, and you have not been told of it yet."),
    "recipient-not-told-yet": N_("Somebody new would have got it, and you have not been told of them yet."),
    "recipient-not-registered": N_("Our policy does not name whoever would have got it."),
    "no-relation": N_("You gave it for something else."),
    "no-longer-kept": N_("It is no longer kept."),
    "only-in-an-older-record": N_("It was not given with this order or request."),
    "key-gone": N_("It is no longer kept."),
    "not-held": N_("We do not have it."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Items that were not shown, and why."""

    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the timeline. `mark` is the shape's kind; `quiet` lines are the person's own; `times` ≥ 1."""

    at: Instant
    entry: str
    act: str
    mark: str
    what: str
    who: str = ""
    purpose: str = ""
    items: tuple[str, ...] = ()
    passed_on_to: str = ""
    withheld: tuple[Withheld, ...] = ()
    quiet: bool = False
    times: int = 1


async def show(visit: Visit) -> Answer:
    """One page of the timeline, newest first."""
    page = await visit.house.my_data.who_looked(visit.person, _cursor(visit.query.get("before", "")), _MOST)
    events = together([told(visit, entry) for entry in page.entries])
    first = "before" not in visit.query
    return visit.page(
        "looked.html", events=events, newer=None if first else LOOKED, older=_older(page), only_mine=_only_mine(page)
    )


def _only_mine(page: Page) -> bool:
    return all(entry.act in _MINE for entry in page.entries)


def _cursor(said: str) -> tuple[Instant, str]:
    """Where a page begins: the instant and the id of the line above it. Raises BadInput `evidence-not-found`."""
    if not said:
        return START
    at, _, entry = said.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= 17 and is_id("ev", entry)):
        raise BadInput("evidence-not-found")
    return Instant(int(at)), entry


def _older(page: Page) -> str | None:
    return f"{LOOKED}?before={page.next[0]}.{page.next[1]}" if page.next else None


def together(events: Sequence[Event]) -> list[Event]:
    """The person's own visits that follow each other become one line: they are not what one came to see."""
    found: list[Event] = []
    for event in events:
        if found and event.quiet and event.act in _MINE and found[-1].act == event.act:
            found[-1] = replace(found[-1], times=found[-1].times + 1)
        else:
            found.append(event)
    return found


def told(visit: Visit, entry: Entry) -> Event:
    """An entry in the words of the person it concerns."""
    teller = _TELLERS.get(entry.act)
    return (
        teller(visit, entry) if teller else _plain(visit, entry, N_("Something was done with your data"), mark="none")
    )


def who_of(visit: Visit, entry: Entry) -> str:
    """The role, and whether a person or a program acted; never a name."""
    role = entry.facts.get("role")
    if not isinstance(role, str):
        return visit.words("The company’s program") if "client" in entry.facts else ""
    label = visit.label("role", role)
    if "staff" in entry.facts:
        return visit.words("%(role)s (a member of staff)", role=label)
    return visit.words("%(role)s (a program)", role=label)


def _plain(visit: Visit, entry: Entry, what: str, *, mark: str, quiet: bool = False, **more: Any) -> Event:
    return Event(
        at=entry.at, entry=entry.id, act=entry.act, what=visit.words(what), mark=mark, quiet=quiet,
        **{"who": who_of(visit, entry), "purpose": _purpose(visit, entry), **more},
    )  # fmt: skip


def _purpose(visit: Visit, entry: Entry) -> str:
    purpose = entry.facts.get("purpose")
    return visit.label("purpose", purpose) if purpose else ""


def _items(visit: Visit, entry: Entry, name: str) -> tuple[str, ...]:
    return tuple(labels(visit, entry.facts.get(name, ())))


def _withheld(visit: Visit, entry: Entry) -> tuple[Withheld, ...]:
    return tuple(
        Withheld(items=tuple(labels(visit, items)), reason=_reason(visit, code, items))
        for code, items in entry.facts.get("withheld", {}).items()
        if code != "not-held"
    )


def _reason(visit: Visit, code: str, items: Sequence[str]) -> str:
    if code in _REASONS:
        return visit.words(_REASONS[code])
    return sentence(code, visit.language, {"item": ", ".join(labels(visit, items))})


def _used(visit: Visit, entry: Entry) -> Event:
    seen, held_back = _items(visit, entry, "allowed"), _withheld(visit, entry)
    outside = entry.facts.get("recipient", "")
    return _plain(
        visit, entry, N_("looked at your data"), mark="good", items=seen, withheld=held_back,
        passed_on_to=visit.label("recipient", outside) if outside else "",
    )  # fmt: skip


def _refused(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("asked for your data and was refused"), mark="bad", withheld=_withheld(visit, entry))


def _looked_up(visit: Visit, entry: Entry) -> Event:
    by = (visit.label("item", entry.facts["item"]),) if "item" in entry.facts else ()
    return _plain(visit, entry, N_("searched for you by"), mark="good", items=by)


def _collected(visit: Visit, entry: Entry) -> Event:
    service, given = visit.label("service", entry.facts.get("service", "")), _items(visit, entry, "items")
    return _plain(visit, entry, N_("You gave data"), mark="open", who="", purpose=service, items=given)


def _viewed(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You opened your data here"), mark="none", quiet=True, who="")


def _came_in(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You signed in here"), mark="none", quiet=True, who="")


def _copied(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You took a copy of your data"), mark="open", who="")


def _corrected(visit: Visit, entry: Entry) -> Event:
    if entry.facts.get("by") == "staff":
        return _plain(visit, entry, N_("corrected"), mark="good", items=_items(visit, entry, "items"))
    return _plain(visit, entry, N_("You corrected"), mark="good", who="", items=_items(visit, entry, "items"))


def _told_recipient(visit: Visit, entry: Entry) -> Event:
    return _plain(
        visit, entry, N_("Somebody outside was told that this was corrected"), mark="good", who="",
        items=_items(visit, entry, "items"), passed_on_to=visit.label("recipient", entry.facts.get("recipient", "")),
    )  # fmt: skip


def _confirmed_right(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You said that it is still right"), mark="good", who="",
                  items=_items(visit, entry, "items"))  # fmt: skip


def _confirmed(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You confirmed something here with a code"), mark="open", who="")


def _notified(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("asked for a message to be sent to you"), mark="open")


def _informed(visit: Visit, entry: Entry) -> Event:
    return _plain(visit, entry, N_("You were told of a version of the policy"), mark="open", who="")


def _worked(what: str) -> Any:
    def tell(visit: Visit, entry: Entry) -> Event:
        kind = visit.label("case", entry.facts.get("kind", ""))
        return _plain(visit, entry, what, mark="none", quiet=True, who=kind)

    return tell


def _handled(what: str) -> Any:
    def tell(visit: Visit, entry: Entry) -> Event:
        return _plain(visit, entry, what, mark="open")

    return tell


def _chose(what: str, mark: str) -> Any:
    def tell(visit: Visit, entry: Entry) -> Event:
        who = visit.words("your guardian, for you") if entry.facts.get("by") == "guardian" else ""
        return _plain(visit, entry, what, mark=mark, who=who)

    return tell


_TELLERS: Final[Mapping[str, Any]] = {
    "use:person:authorised": _used,
    "use:person:refused": _refused,
    "lookup:person:found": _looked_up,
    "collect:record:accepted": _collected,
    "access:person:viewed": _viewed,
    "access:person:signed-in": _came_in,
    "access:person:confirmed": _confirmed,
    "access:person:copied": _copied,
    "correction:item:made": _corrected,
    "correction:recipient:told": _told_recipient,
    "accuracy:person:reminded": _chose(N_("You were asked whether your data is still right"), "open"),
    "accuracy:item:confirmed": _confirmed_right,
    "accuracy:reminders:stopped": _chose(N_("You asked for no more reminders"), "open"),
    "accuracy:reminders:wanted": _chose(N_("You asked for reminders again"), "open"),
    "correction:channel:asked": _chose(N_("A code was sent to a new phone or e-mail of yours"), "open"),
    "message:person:asked": _notified,
    "notice:person:told": _informed,
    "notice:person:informed": _chose(N_("You were told of something that concerns our services"), "open"),
    "case:work:opened": _worked(N_("was opened")),
    "case:work:changed": _worked(N_("was given to a member of staff or changed")),
    "case:work:event": _worked(N_("moved on")),
    "case:work:closed": _worked(N_("was completed")),
    "request:person:received": _chose(N_("You sent a request or complaint"), "open"),
    "request:person:confirmed": _chose(N_("You confirmed your request with a code"), "open"),
    "request:person:reopened": _chose(N_("You had your request taken up again"), "open"),
    "request:person:claimed": _handled(N_("took your request to answer it")),
    "request:person:released": _handled(N_("gave your request back to colleagues")),
    "request:person:found": _handled(N_("noticed that something held about you may be wrong")),
    "request:person:proof-asked": _handled(N_("asked you to prove a new phone or e-mail")),
    "request:person:corrected": _handled(N_("corrected what your request was about")),
    "request:person:erased": _handled(N_("deleted what your request was about")),
    "request:person:answered": _handled(N_("answered your request")),
    "request:person:closed": _handled(N_("closed your request")),
    "case:work:linked": _worked(N_("had a link to what was recorded about it printed on a bill")),
    "access:case:viewed": _chose(
        N_("Somebody with the link from a bill saw what was recorded about a visit, without a value"), "open"
    ),
    "access:choice:receipt": _handled(N_("fetched the receipt of a choice of yours")),
    "choice:consent:given": _chose(N_("You agreed"), "good"),
    "choice:consent:withdrawn": _chose(N_("You refused"), "bad"),
    "choice:objection:given": _chose(N_("You objected"), "bad"),
    "choice:objection:withdrawn": _chose(N_("You took back your objection"), "open"),
    "choice:restriction:given": _chose(N_("You restricted the use of your data"), "bad"),
    "choice:restriction:withdrawn": _chose(N_("You lifted the restriction"), "good"),
    "access:guardian:copied": _chose(N_("Your guardian took a copy of your data"), "good"),
    "access:guardian:viewed": _chose(N_("Your guardian looked at your data"), "good"),
    "child:person:signalled": _chose(N_("Somebody said that you may be a child, and your data was closed"), "bad"),
    "child:person:cleared": _chose(N_("It was found that you are no child, and your data is open again"), "good"),
    "guardian:ask:written": _chose(N_("A parent of yours was written to"), "open"),
    "guardian:ask:answered": _chose(N_("Your parent agreed to the first message"), "open"),
    "guardian:ask:shown": _chose(N_("Your parent agreed and went to pay"), "open"),
    "guardian:ask:refused": _chose(N_("Your parent said no"), "bad"),
    "guardian:ask:stopped": _chose(N_("The message to your parent was called back"), "open"),
    "guardian:payment:refunded": _chose(N_("Your parent’s payment went back"), "bad"),
    "guardian:consent:given": _chose(N_("A parent’s consent was checked"), "good"),
    "guardian:consent:withdrawn": _chose(N_("The parent’s consent was taken back"), "bad"),
    "guardian:consent:overtaken": _chose(
        N_("Your parent’s consent does not cover whom data like yours goes to now, so it is closed"), "bad"
    ),
    "guardian:consent:ended": _chose(N_("You are old enough now: nobody decides for you any more"), "open"),
    "retention:records:removed": _chose(N_("What was no longer needed was deleted"), "open"),
    "erasure:record:hidden": _chose(N_("A record of yours was deleted, as far as no duty keeps it"), "open"),
    "erasure:items:hidden": _chose(N_("Some of your data was deleted, as far as no duty keeps it"), "open"),
    "erasure:record:planned": _chose(N_("It was looked up what a deletion would take and leave"), "open"),
    "erasure:items:planned": _chose(N_("It was looked up what a deletion would take and leave"), "open"),
    "erasure:person:planned": _chose(N_("It was looked up what a deletion would take and leave"), "open"),
    "hold:data:placed": _chose(N_("An authority ordered that some of your data must not be deleted for now"), "bad"),
}
