"""What was recorded about this visit, for whoever holds the bill: no account, no value, nothing to change (A3, C2, B3).

The reader is not proved to be the person. The page says what kind of data is kept, why and until when, and leads on to
where one proves it; what can't be shown reads alike, whatever the reason.
"""

from dataclasses import dataclass

from omonat.base.instants import MINUTE, Instant
from omonat.center.looked import who_of
from omonat.center.my_data import BECAUSE, IF_ANYTHING, IF_NOW, WHILE, WHILE_ANYTHING, law_named
from omonat.center.visit import Answer, Visit
from omonat.flows.visit_links import Kept, Term, VisitSeen
from omonat.pages import N_
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
    client, token = visit.request.client, visit.request.path_params["token"]
    seen = await visit.house.visit_links.look(token, caller=client.host if client else "")
    if seen is None:
        return visit.page("visit_over.html", status=404)
    law = seen.policy
    return visit.page(
        "visit.html",
        seen=seen,
        token=token,
        case=case_named(visit, seen.case),
        groups=[_group(visit, seen, kept) for kept in seen.kept],
        looks=[
            (entry.at, *_said(visit, entry.act), who_of(visit, entry), law.label("purpose", purpose, visit.language))
            for entry in seen.looks
            if (purpose := entry.facts.get("purpose"))
        ],
        recipients=[
            (
                recipient.says[visit.language],
                [law.label("purpose", p, visit.language) for p in recipient.purposes if p in _purposes(seen)],
            )
            for recipient in seen.recipients
        ],
    )


def case_named(visit: Visit, case: str) -> str:
    """A case as people call it: its kind in the policy's word, and its number."""
    kind, _, number = case.partition(":")
    return f"{visit.label('case', kind)} {number}"


def _said(visit: Visit, act: str) -> tuple[str, str]:
    mark, what = _WHAT[act]
    return mark, visit.words(what)


def _purposes(seen: VisitSeen) -> frozenset[str]:
    return frozenset(purpose for kept in seen.kept for purpose in kept.purposes)


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
