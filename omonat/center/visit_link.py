"""What was recorded about this visit, for whoever holds the bill: no account, no value, nothing to change (A3, C2, B3).

The reader is not proved to be the person. The page names what is kept, why and until when, and leads on to where one
proves it; what can't be shown reads alike, whatever the reason.
"""

from dataclasses import dataclass

from omonat.base.instants import MINUTE, Instant
from omonat.center.looked import who_of
from omonat.center.my_data import BECAUSE, IF_ANYTHING, IF_NOW, WHILE, WHILE_ANYTHING, labels, law_named
from omonat.center.visit import Answer, Visit
from omonat.evidence.entry import Entry
from omonat.flows.visit_kept import Kept, Term, may_be_named
from omonat.flows.visit_links import VisitSeen
from omonat.pages import N_
from omonat.policy.model import Recipient
from omonat.policy.prose_words import BASES
from omonat.policy.words import Basis

_WHAT = {
    "use:person:authorised": ("good", N_("looked at data of this visit")),
    "use:person:refused": ("bad", N_("asked for data of this visit and was refused")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Items that go together, in words. They may have been given; which of them were is sealed."""

    items: tuple[str, ...]
    meanwhile: str
    due: Instant
    if_now: str
    ends: Instant | None
    at_once: bool
    reason: str
    law: str


async def show(visit: Visit) -> Answer:
    """The page of the link, or the calm one for every link that shows nothing."""
    client, token = visit.request.client, visit.request.path_params["token"][:400]
    seen = await visit.house.visit_links.look(token, caller=client.host if client else "")
    if seen is None:
        return visit.page("visit_over.html", status=404)
    return visit.page(
        "visit.html",
        seen=seen,
        token=token,
        case=case_named(visit, seen.case),
        groups=[_group(visit, seen, kept) for kept in seen.kept],
        looks=[_look(visit, seen, entry) for entry in seen.looks],
        recipients=[
            (
                recipient.says[visit.language],
                _labels(visit, seen, recipient, agreed=False),
                _labels(visit, seen, recipient, agreed=True),
            )
            for recipient in seen.recipients
        ],
    )


def case_named(visit: Visit, case: str) -> str:
    """A case as people call it: its kind in the policy's word, and its number."""
    kind, _, number = case.partition(":")
    return f"{visit.label('case', kind)} {number}"


def _look(visit: Visit, seen: VisitSeen, entry: Entry) -> dict[str, object]:
    """One use in this visit: who, for what, and which data left, by its name."""
    mark, what = _WHAT[entry.act]
    left = [item for item in entry.facts.get("allowed", ()) if may_be_named(seen.policy, item)]
    return {
        "at": entry.at,
        "mark": mark,
        "what": visit.words(what),
        "who": who_of(visit, entry),
        "purpose": visit.label("purpose", entry.facts["purpose"]),
        "items": labels(visit, left),
    }


def _labels(visit: Visit, seen: VisitSeen, recipient: Recipient, *, agreed: bool) -> list[str]:
    """What a recipient may get data of this visit for: by itself, or only where the person agreed to it."""
    law, kept = seen.policy, {purpose for each in seen.kept for purpose in each.purposes}
    return [
        law.label("purpose", purpose, visit.language)
        for purpose in recipient.purposes
        if purpose in kept and (law.purposes[purpose].basis is Basis.CONSENT) is agreed
    ]


def _group(visit: Visit, seen: VisitSeen, kept: Kept) -> dict[str, object]:
    law, language = seen.policy, visit.language
    known = [law.purposes[purpose] for purpose in kept.purposes]
    return {
        "label": law.label("category", kept.category, language),
        "service": law.label("service", kept.service, language),
        "came_from": law.label("source", kept.came_from, language),
        "version": kept.version,
        "collected_at": kept.collected_at,
        "why": [
            (p.says[language], p.tells[language], BASES[p.basis][language])
            for p in known
            if p.basis is not Basis.CONSENT
        ],
        "asked": [p.says[language] for p in known if p.basis is Basis.CONSENT],
        "items": [law.label("item", item, language) for term in kept.terms for item in term.items],
        "lines": [_line(visit, seen, term) for term in kept.terms],
    }


def _line(visit: Visit, seen: VisitSeen, term: Term) -> Line:
    words = visit.words
    return Line(
        items=tuple(seen.policy.label("item", item, visit.language) for item in term.items),
        meanwhile=words(WHILE.get(term.waits_for, WHILE_ANYTHING)) if term.waits_for else "",
        due=term.due,
        if_now=words(IF_NOW.get(term.waits_for, IF_ANYTHING)),
        ends=term.ends,
        at_once=term.ends is not None and term.ends - visit.now < MINUTE,
        reason=words(BECAUSE[term.factor]) if term.factor in BECAUSE else words("Nothing is kept longer than this."),
        law=law_named(visit, seen.policy, term.source),
    )
