"""A form of the site, made from what the API says of a service: its fields, why each is asked, what may be offered.

The site adds only what a policy can't know: which of the optional fields it wants here, in which order, and what a
field looks like on a page. A required field it has not heard of is shown all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omonat.pages import N_, Words
from omonat_client import Code, Field, OmonatProblem, Problem, ServiceForm

AGE: Final = "relationship.age-band"
CHILD: Final = "under-14"
"""Who answers this is told no before anything is sent: what isn't sent can't be kept (K1)."""
BANDS: Final = (CHILD, "14-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
_TYPES: Final = {
    "phone": "tel", "email": "email", "note": "textarea", "address": "textarea", "birth-date": "date", "date": "date",
    "age-band": "select", "money": "number", "integer": "number",
}  # fmt: skip
_FILLED: Final = {
    "contact.name": "name", "contact.mobile": "tel", "contact.email": "email", "contact.postal-address":
    "street-address", "relationship.birth-date": "bday",
}  # fmt: skip
_HINTS: Final = {
    "phone": N_("For example 90 123 45 67"),
    "address": N_("City, street, house, flat"),
    "email": N_("For example name@mail.example"),
}
_WRONG: Final = {
    "phone": N_("This does not look like a phone number. For example: 90 123 45 67"),
    "email": N_("This does not look like an e-mail address. For example: name@mail.example"),
    "person-name": N_("A name is written in letters, without digits"),
    "birth-date": N_("Please give a day of the calendar"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the site wants on a page: the optional items it asks, in this order, and the consents it offers."""

    service: str
    asks: Sequence[str]
    offers: Sequence[str] = ()
    supplies: frozenset[str] = frozenset()  # what the site knows itself: the order lines, the sum
    needs: frozenset[str] = frozenset()  # optional for the service, yet what this very page is for


ORDER = Wish(
    "order",
    ("contact.name", "contact.mobile", "contact.postal-address", "contact.landmark", "contact.email",
     "transaction.comment"),
    offers=("marketing-email", "marketing-sms"),
    supplies=frozenset({"transaction.order-lines", "transaction.amount"}),
)  # fmt: skip
SIGN_UP = Wish(
    "registration",
    ("contact.name", "contact.mobile", "relationship.age-band", "contact.email"),
    offers=("marketing-email",),
)
NEWSLETTER = Wish(
    "newsletter",
    ("contact.email", "contact.name"),
    offers=("marketing-email",),
    needs=frozenset({"contact.email"}),
)
ASK = Wish("information-request", ("transaction.inquiry", "contact.name", "contact.mobile", "contact.email"))


@dataclass(slots=True)
class Filled:
    """A form as somebody filled it in. `problem` is what the API said no to."""

    values: dict[str, str] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    problem: Problem | None = None

    def items(self) -> dict[str, Any]:
        """What was really given: an empty field is a field left out (L1)."""
        return {item: value.strip() for item, value in self.values.items() if value.strip()}


def asked(form: ServiceForm, wish: Wish) -> list[Field]:
    """The fields of the page, in its order; required ones the site has not heard of come last."""
    known = {each.item: each for each in form.fields}
    wanted = [known[item] for item in wish.asks if item in known]
    heard_of = {*wish.asks, *wish.supplies}
    return wanted + [each for each in form.fields if each.ask == "required" and each.item not in heard_of]


def read(posted: Mapping[str, str], fields: Sequence[Field], wish: Wish, *, known_person: bool) -> Filled:
    """What was posted, as far as the page asked for it; anything else is not even looked at.

    A tick is a yes. No tick is a no from somebody new; from a person known here it says nothing, because an order is
    no place to withdraw by overlooking a box.
    """
    values = {each.item: posted.get(each.item, "")[:5000] for each in fields}
    ticked = {purpose: posted.get(purpose) == "yes" for purpose in wish.offers}
    return Filled(values, {purpose: yes for purpose, yes in ticked.items() if yes or not known_person})


def check(filled: Filled, wish: Wish, words: Words) -> Filled:
    """What the page itself can't do without, marked as missing."""
    given = filled.items()
    for item in wish.needs - given.keys():
        filled.faults[item] = words("This is what the page is for: please fill it in")
    if filled.consents.get("marketing-email") and "contact.email" not in given:
        filled.faults["contact.email"] = words("The newsletter needs an address: give one, or take the tick away")
    return filled


def explain(filled: Filled, error: OmonatProblem, fields: Sequence[Field], words: Words) -> Filled:
    """Put the API's no beside the fields it is about: what is missing, what can't be read, what waits for a yes."""
    filled.problem = problem = error.problem
    given = filled.items()
    if problem.code == "required-withheld":
        for each in fields:
            if each.ask == "required" and each.item not in given:
                filled.faults[each.item] = words("This is needed for the service")
    elif problem.code == "item-waits-for-consent":
        waiting = next((each.consents for each in fields if each.item == problem.item), [])
        filled.faults.update({purpose: words("Without your yes here we may not write") for purpose in waiting[:1]})
        problem.detail = words("Without your consent we do not take this: nothing was kept")
        problem.next = words("Tick the box below if you agree. If not, simply leave the page.")
    elif problem.item in filled.values:
        kind = next(each.kind for each in fields if each.item == problem.item)
        malformed = problem.code.startswith("value-")
        filled.faults[problem.item] = words(_WRONG[kind]) if malformed and kind in _WRONG else problem.detail
        if malformed:
            filled.problem = None
    return filled


def turn_away_a_child(filled: Filled, codes: Sequence[Code]) -> Filled:
    """The refusal a child gets, in the API's own words."""
    child = next(code for code in codes if code.id == "child")
    filled.problem = Problem(
        code=child.id, status=child.status, detail=child.says, next=child.next, promise=child.promise, item=AGE
    )
    return filled


def summary(filled: Filled, fields: Sequence[Field]) -> list[tuple[str, str]]:
    """The faults for the top of the page, each with its field's name; a lone one stands in the refusal already."""
    labels = {each.item: each.label for each in fields}
    if filled.problem and len(filled.faults) < 2:
        return []
    return [(item, f"{labels[item]}: {text}" if item in labels else text) for item, text in filled.faults.items()]


def widgets(
    form: ServiceForm, fields: Sequence[Field], filled: Filled, wish: Wish, words: Words
) -> list[dict[str, Any]]:
    """The arguments of the kit's `field` for each field."""
    reasons = _reasons(form, fields, wish)
    return [
        {
            "name": each.item,
            "label": each.label,
            "type": "select" if each.choices else _TYPES.get(each.kind, "text"),
            "value": filled.values.get(each.item, ""),
            "required": each.ask == "required" or each.item in wish.needs,
            "hint": words(_HINTS[each.kind]) if each.kind in _HINTS else None,
            "error": filled.faults.get(each.item),
            "notice": reasons[each.item],
            "options": _options(each, words),
            "autocomplete": _FILLED.get(each.item),
            "inputmode": {"phone": "tel", "email": "email"}.get(each.kind),
        }
        for each in fields
    ]


def _reasons(form: ServiceForm, fields: Sequence[Field], wish: Wish) -> dict[str, str]:
    """Why each is asked: in the policy's own sentences, those of the service before those of what is offered here.

    A sentence stands on a page once; where a field has no other, its purposes are named.
    """
    elsewhere = {offer.purpose for offer in form.offers}
    own = {
        each.item: [why for why in each.why if why.purpose not in elsewhere]
        or [why for why in each.why if why.purpose in wish.offers]
        or each.why
        for each in fields
    }
    said: dict[str, str] = {}
    for each in sorted(fields, key=lambda each: (each.ask != "required", len(own[each.item]))):
        fresh = [why.tells for why in own[each.item] if why.tells not in said.values()]
        said[each.item] = fresh[0] if fresh else ", ".join(why.says for why in own[each.item])
    return said


def why(form: ServiceForm, item: str) -> str:
    """Why one item is asked, for a refusal."""
    return next((each.why[0].tells for each in form.fields if each.item == item and each.why), "")


def _options(each: Field, words: Words) -> list[tuple[str, str]]:
    choices = list(each.choices.items())
    if each.kind == "age-band" and not choices:
        choices = [(band, words("under 14") if band == CHILD else band.replace("-", "–")) for band in BANDS]
    return [("", words("Choose")), *choices] if choices else []
