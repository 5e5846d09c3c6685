"""The notice's tables: what is asked, why, for how long, by whom, and who else receives it. All from the document."""

from collections.abc import Iterable

from omonat.policy.model import Item, Purpose, Recipient, Schedule, Service
from omonat.policy.prose_blocks import Cell, Group, Row, Table
from omonat.policy.prose_terms import cap, how_long, term, why
from omonat.policy.prose_voice import Voice
from omonat.policy.prose_words import (
    BASES,
    CAPTIONS,
    CLASSES,
    COLUMNS,
    PHRASES,
    SAFEGUARD_KINDS,
    capital,
    in_words,
    listed,
    lowered,
)
from omonat.policy.words import Basis, ItemClass, Scope


def _table(name: str, columns: Iterable[str], groups: Iterable[Group], voice: Voice) -> Table:
    return Table(name, voice(CAPTIONS[name]), tuple(voice(COLUMNS[c]) for c in columns), tuple(groups))


def _rows(rows: Iterable[Row]) -> list[Group]:
    return [Group(tuple(rows))]


def categories(voice: Voice) -> Table:
    """G1–G6 and payment data with every item, and what is special about each."""
    rows = []
    for category in voice.policy.categories.values():
        items = category.items.values()
        names = Cell(listed([voice(item.says) for item in items]))
        remarks = Cell("", tuple(remark for item in items for remark in _remarks(item, voice)))
        rows.append(Row(category.id, (Cell(voice(category.says)), names, remarks)))
    return _table("categories", ("category", "items", "remarks"), _rows(rows), voice)


def _remarks(item: Item, voice: Voice) -> list[str]:
    said = [voice(words) for words in (CLASSES[item.class_],) if words]
    if item.scope is Scope.PCI:
        said.append(voice(PHRASES["pci"]))
    label = voice(item.says)
    remarks = [f"{label}: {', '.join(said)}"] if said else []
    if item.because:
        remarks.append(f"{label}: {lowered(voice(item.because)).rstrip('.')}")
    return remarks


def services(voice: Voice) -> Table:
    """What each service asks for: required, optional, and the consents offered beside it."""
    rows = (_service(service, voice) for service in voice.policy.services.values())
    return _table("services", ("service", "required", "optional", "offers"), _rows(rows), voice)


def _service(service: Service, voice: Voice) -> Row:
    purposes = [voice.policy.purposes[name] for name in service.for_]
    needs = dict.fromkeys(item for p in purposes for item in p.needs)
    may_use = dict.fromkeys(i for p in purposes for i in p.may_use if i not in needs and _is_taken(voice.items[i]))
    consents = [p for p in purposes if p.basis is Basis.CONSENT] + [voice.policy.purposes[o] for o in service.offers]
    asked = listed(list(dict.fromkeys(voice(p.says) for p in consents)))
    return Row(service.id, (Cell(voice(service.says)), Cell(voice.list(needs)), Cell(voice.list(may_use)), Cell(asked)))


def _is_taken(item: Item) -> bool:
    return item.scope is not Scope.PCI


def purposes(voice: Voice) -> Table:
    """What · why · basis · how long · who, under the promise each purpose belongs to, in the order of the document."""
    grouped: dict[str, list[Purpose]] = {}
    for purpose in voice.policy.purposes.values():
        grouped.setdefault(purpose.group or purpose.promises[0], []).append(purpose)
    groups = [
        Group(tuple(_purpose(purpose, voice) for purpose in found), promise, voice(voice.policy.promises[promise].says))
        for promise, found in grouped.items()
    ]
    return _table("purposes", ("purpose", "basis", "items", "how-long", "who"), groups, voice)


def _purpose(purpose: Purpose, voice: Voice) -> Row:
    taken = [item for item in purpose.items if _is_taken(voice.items[item])]
    interest = (voice(purpose.interest),) if purpose.interest else ()
    roles = [voice(voice.policy.roles[role].says) for role in purpose.roles]
    outside = [voice(r.says) for r in voice.policy.recipients.values() if purpose.id in r.purposes]
    return Row(
        purpose.id,
        (
            Cell(voice(purpose.says), (voice(purpose.tells),)),
            Cell(voice(BASES[purpose.basis]), interest),
            Cell(voice.list(taken), _special(taken, voice)),
            Cell(capital("; ".join(how_long(purpose, voice)))),
            Cell(listed(roles), (listed(outside),) if outside else ()),
        ),
    )


def _special(items: Iterable[str], voice: Voice) -> tuple[str, ...]:
    found = [voice.items[item] for item in items]
    special = [item for item in found if item.class_ in {ItemClass.SPECIAL, ItemClass.BIOMETRIC}]
    return tuple(f"{voice(item.says)}: {voice(words)}" for item in special if (words := CLASSES[item.class_]))


def retention(voice: Voice) -> Table:
    """Every schedule: which items, how long, by which factor, and the end that holds in any case."""
    rows = (_schedule(schedule, voice) for schedule in voice.policy.retention.values())
    return _table("retention", ("items", "how-long", "at-most"), _rows(rows), voice)


def _schedule(schedule: Schedule, voice: Voice) -> Row:
    reasons: dict[str, list[str]] = {}
    for rule in schedule.rules:
        items = voice.list(rule.items) if rule.items else voice(PHRASES["all-data"])
        reasons.setdefault(f"{items}: {term(rule, voice)}", []).append(why(rule, voice))
    lines = tuple(f"{capital(kept)} ({', '.join(dict.fromkeys(factors))})" for kept, factors in reasons.items())
    return Row(schedule.id, (Cell(voice(schedule.says)), Cell("", lines), Cell(capital(cap(schedule.at_most, voice)))))


def recipients(voice: Voice) -> Table:
    """Who receives data, on which ground, which items and for what."""
    rows = (_recipient(recipient, voice) for recipient in voice.policy.recipients.values())
    return _table("recipients", ("recipient", "ground", "items", "purpose"), _rows(rows), voice)


def _recipient(recipient: Recipient, voice: Voice) -> Row:
    ground = voice.policy.disclosure[recipient.ground]
    nothing = "per-document" if recipient.purposes else "no-personal-data"
    cells = (
        voice(recipient.says),
        f"{recipient.ground} · {voice(ground.says)}",
        voice.list(recipient.items) or capital(voice(PHRASES[nothing])),
        listed([voice(voice.policy.purposes[name].says) for name in recipient.purposes]) or "—",
    )
    return Row(recipient.id, tuple(Cell(text) for text in cells))


def cookies(voice: Voice) -> Table:
    """The registered cookies; what is not on the list may not be set."""
    rows = []
    for cookie in voice.policy.cookies.values():
        lifetime = in_words(cookie.lifetime, voice.language) if cookie.lifetime else voice(PHRASES["session"])
        allowed = voice(PHRASES["necessary" if cookie.necessary else "with-consent"])
        purpose = voice(voice.policy.purposes[cookie.purpose].says)
        cells = (voice(cookie.says), f"{purpose} ({allowed})", capital(lifetime))
        rows.append(Row(cookie.id, tuple(Cell(text) for text in cells)))
    return _table("cookies", ("cookie", "purpose", "lifetime"), _rows(rows), voice)


def safeguards(voice: Voice) -> Table:
    """The register of safeguards, as far as people should know it."""
    rows = []
    for safeguard in voice.policy.safeguards:
        review = voice(PHRASES["every"]).format(span=in_words(safeguard.review, voice.language))
        cells = (voice(safeguard.says), voice(SAFEGUARD_KINDS[safeguard.kind]), capital(review))
        rows.append(Row(safeguard.id, tuple(Cell(text) for text in cells)))
    return _table("safeguards", ("safeguard", "kind", "review"), _rows(rows), voice)
