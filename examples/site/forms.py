"""A form of the site, made from what the API says of a service: its fields, why each is asked, what may be offered.

The site adds only what a policy can't know: which of the optional fields it wants here, in which order, and what a
field looks like on a page. A required field it has not heard of is shown all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from omonat.pages import N_, Words
from omonat_client import Code, Field, OmonatProblem, Problem, ServiceForm, Why

AGE: Final = "relationship.age-band"
CHILD: Final = "under-"
"""Who answers with such a band is told no before anything is sent: what isn't sent can't be kept (K1)."""
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

_MISSPELT: Final = ("value-malformed", "value-out-of-range")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the site wants on a page: the optional items it asks, in this order, and the consents it offers."""

    service: str
    asks: Sequence[str]
    offers: Sequence[str] = ()
    supplies: frozenset[str] = frozenset()  # what the site knows itself: the order lines, the sum
    needs: frozenset[str] = frozenset()  # optional for the service, yet what this very page is for
    one_of: tuple[str, ...] = ()  # optional each, yet the page can't do what it says without any


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
ASK = Wish(
    "information-request",
    ("transaction.inquiry", "contact.name", "contact.mobile", "contact.email"),
    one_of=("contact.mobile", "contact.email"),
)


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
    values = {each.item: posted.get(each.item, "") for each in fields}
    ticked = {purpose: posted.get(purpose) == "yes" for purpose in wish.offers}
    return Filled(values, {purpose: yes for purpose, yes in ticked.items() if yes or not known_person})


def check(filled: Filled, fields: Sequence[Field], wish: Wish, words: Words) -> Filled:
    """What the page itself can't do without, marked as missing, and with it all else that is."""
    given = filled.items()
    for item in wish.needs - given.keys():
        filled.faults[item] = words("This is what the page is for: please fill it in")
    if wish.one_of and not given.keys() & set(wish.one_of):
        filled.faults[wish.one_of[0]] = words("We need a phone number or an e-mail address to answer")
    if filled.consents.get("marketing-email") and "contact.email" not in given:
        filled.faults["contact.email"] = words("The newsletter needs an address: give one, or take the tick away")
    if filled.faults:
        for each in missing_of(filled, fields):
            filled.faults.setdefault(each.item, words("This is needed for the service"))
    return filled


def missing_of(filled: Filled, fields: Sequence[Field]) -> list[Field]:
    """The required fields of the page that stayed empty."""
    given = filled.items()
    return [each for each in fields if each.ask == "required" and each.item not in given]


def explain(filled: Filled, error: OmonatProblem, fields: Sequence[Field], words: Words) -> Filled:
    """Put the API's no beside the fields it is about: what is missing, what can't be read, what waits for a yes."""
    filled.problem = problem = error.problem
    if problem.code == "required-withheld":
        missing = missing_of(filled, fields)
        filled.faults.update({each.item: words("This is needed for the service") for each in missing})
        if len(missing) > 1:
            problem.detail = words("Without these the service cannot be given: %(items)s", items=_row(missing))
    elif problem.code == "item-waits-for-consent":
        waiting = next((each.consents for each in fields if each.item == problem.item), [])
        filled.faults.update({purpose: words("Without your yes here we may not write") for purpose in waiting[:1]})
        problem.detail = words("Without your consent we do not take this: nothing was kept")
        problem.next = words("Tick the box below if you agree. If not, simply leave the page.")
    elif problem.item in filled.values:
        kind = next(each.kind for each in fields if each.item == problem.item)
        malformed = problem.code.startswith("value-")
        misspelt = problem.code in _MISSPELT and kind in _WRONG
        filled.faults[problem.item] = words(_WRONG[kind]) if misspelt else problem.detail
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
    return [
        {
            "name": each.item,
            "label": each.label,
            "type": "select" if each.choices else _TYPES.get(each.kind, "text"),
            "value": filled.values.get(each.item, ""),
            "word": words("one of the two") if each.item in wish.one_of else None,
            "required": each.ask == "required" or each.item in wish.needs,
            "hint": _hint(each, wish, words),
            "error": filled.faults.get(each.item),
            "notice": notice(each, form, wish, words),
            "options": _options(each, words),
            "autocomplete": _FILLED.get(each.item),
            "inputmode": {"phone": "tel", "email": "email"}.get(each.kind),
        }
        for each in fields
    ]


def notice(each: Field, form: ServiceForm, wish: Wish, words: Words) -> str:
    """What stands beside a field, all of it the policy's: what for, who sees it, how long (N1)."""
    waiting = {offer.purpose for offer in form.offers}
    asking = asking_here(each, form, wish)
    own, wished = ([why for why in asking if (why.purpose in waiting) is waits] for waits in (False, True))
    parts = []
    if own:
        people = _people(own)
        seen = words("Who sees it: %(roles)s.", roles=people) if people else words("No employee sees it.")
        parts = [f"{_purposes(own)}.", seen]
    if wished:
        about = {"purposes": _purposes(wished), "roles": _people(wished) or "–"}
        parts.append(words("Only with your consent: %(purposes)s (who sees it: %(roles)s).", **about))
    return " ".join([*parts, words("Kept: %(terms)s.", terms="; ".join(each.kept))])


def _purposes(asking: Sequence[Why]) -> str:
    return ", ".join(why.says for why in asking)


def _people(asking: Sequence[Why]) -> str:
    return ", ".join(dict.fromkeys(role for why in asking for role in why.seen_by))


def asking_here(each: Field, form: ServiceForm, wish: Wish) -> list[Why]:
    """The purposes this page asks the item for: the service's own, and the consents the page itself offers."""
    elsewhere = {offer.purpose for offer in form.offers} - set(wish.offers)
    return [why for why in each.why if why.purpose not in elsewhere]


def who_sees(form: ServiceForm, wish: Wish) -> list[tuple[str, str, bool]]:
    """Who sees which fields of the page, as the policy declares it; the last says whether only after a yes."""
    waiting = {offer.purpose for offer in form.offers}
    seen: dict[tuple[str, bool], dict[str, None]] = {}
    for each in form.fields:
        if each.item in {*wish.asks, *wish.supplies} or each.ask == "required":
            for why in asking_here(each, form, wish):
                for role in why.seen_by:
                    seen.setdefault((role, why.purpose in waiting), {})[each.label] = None
    always = {role: items for (role, waits), items in seen.items() if not waits}
    rows = [(role, ", ".join(items), False) for role, items in always.items()]
    for (role, waits), items in seen.items():
        more = [item for item in items if item not in always.get(role, {})]
        rows += [(role, ", ".join(more), True)] if waits and more else []
    return rows


def is_a_childs(filled: Filled) -> bool:
    """Whether the answer is the band below the age at which data may be taken."""
    return filled.values.get(AGE, "").startswith(CHILD)


def why(form: ServiceForm, item: str) -> str:
    """Why one item is asked, for a refusal."""
    return next((each.why[0].tells for each in form.fields if each.item == item and each.why), "")


def _hint(each: Field, wish: Wish, words: Words) -> str | None:
    hint = words(_HINTS[each.kind]) if each.kind in _HINTS else None
    if each.item not in wish.one_of:
        return hint
    return " ".join(filter(None, [words("We answer here: a phone number or an e-mail address is enough."), hint]))


def _row(fields: Sequence[Field]) -> str:
    return ", ".join(each.label for each in fields)


def _options(each: Field, words: Words) -> list[tuple[str, str]]:
    return [("", words("Choose")), *each.choices.items()] if each.choices else []
