"""What a field looks like for each kind a person can type, and how what a browser posts is read back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from omonat.base.errors import BadInput
from omonat.pages import N_, Words
from omonat.policy.words import Kind

_WHOLE: Final = re.compile(r"-?[0-9]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """One field. `type` as in HTML, or `textarea`, `select`, `ticks`; `read` as the sealing script reads it."""

    type: str = "text"
    inputmode: str = ""
    autocomplete: str = "off"
    most: int = 0
    hint: str = ""
    wrong: str = ""
    read: str = ""

    def with_answers(self, options: Mapping[str, str]) -> Self:
        """The same, offering answers where there are some."""
        if not options or self.type in ("select", "ticks"):
            return self
        return replace(self, type="select", most=0)


WIDGETS: Final[Mapping[Kind, Widget]] = {
    Kind.PERSON_NAME: Widget(
        autocomplete="name", most=200, wrong=N_("A name is written in letters, without digits")
    ),
    Kind.USERNAME: Widget(autocomplete="username", most=40),
    Kind.EMAIL: Widget(
        type="email", inputmode="email", autocomplete="email", most=254,
        hint=N_("For example name@mail.example"),
        wrong=N_("This does not look like an e-mail address. For example: name@mail.example"),
    ),
    Kind.PHONE: Widget(
        type="tel", inputmode="tel", autocomplete="tel", most=40, hint=N_("For example 90 123 45 67"),
        wrong=N_("This does not look like a phone number. For example: 90 123 45 67"),
    ),
    Kind.ADDRESS: Widget(
        type="textarea", autocomplete="street-address", most=1_000, hint=N_("City, street, house, flat")
    ),
    Kind.TEXT: Widget(most=1_000),
    Kind.NOTE: Widget(type="textarea", most=10_000),
    Kind.DATE: Widget(type="date", wrong=N_("Please give a day of the calendar")),
    Kind.BIRTH_DATE: Widget(type="date", autocomplete="bday", wrong=N_("Please give a day of the calendar")),
    Kind.AGE_BAND: Widget(type="select"),
    Kind.GENDER: Widget(type="select", autocomplete="sex"),
    Kind.MARITAL_STATUS: Widget(type="select"),
    Kind.CHOICE: Widget(type="select"),
    Kind.INTERESTS: Widget(type="ticks"),
    Kind.BOOLEAN: Widget(type="select", read="boolean"),
    Kind.INTEGER: Widget(
        inputmode="numeric", most=16, read="number", wrong=N_("Please give a whole number, in digits")
    ),
    Kind.URL: Widget(type="url", inputmode="url", autocomplete="url", most=1_000),
    Kind.TAX_NUMBER: Widget(inputmode="numeric", most=20),
    Kind.PINFL: Widget(inputmode="numeric", most=14),
    Kind.PASSWORD: Widget(type="password", autocomplete="new-password", most=256),
    Kind.SECURITY_ANSWER: Widget(most=200),
}  # fmt: skip
"""Every kind a person types; of any other the site supplies the value, and no form asks for it."""

_GENDERS: Final = {
    "female": N_("Female"), "male": N_("Male"), "other": N_("Other"), "undisclosed": N_("I would rather not say"),
}  # fmt: skip
_MARITAL: Final = {
    "single": N_("Single"), "married": N_("Married"), "divorced": N_("Divorced"), "widowed": N_("Widowed"),
    "undisclosed": N_("I would rather not say"),
}  # fmt: skip
_BOOLEAN: Final = {"yes": N_("Yes"), "no": N_("No")}
_ANSWERS: Final = {Kind.GENDER: _GENDERS, Kind.MARITAL_STATUS: _MARITAL, Kind.BOOLEAN: _BOOLEAN}


def answers_of(kind: Kind, words: Words) -> Mapping[str, str]:
    """The answers a kind has by itself; those of the policy's own choices are the policy's."""
    return {name: words(said) for name, said in _ANSWERS.get(kind, {}).items()}


def read(kind: Kind, item: str, given: Sequence[str]) -> Any:
    """What a browser posted, as `collect` takes it; None for a field left empty. Raises BadInput, without a value."""
    filled = [text for text in given if text.strip()]
    if not filled:
        return None
    if kind is Kind.INTERESTS:
        return filled
    if len(filled) > 1:
        raise BadInput("value-type", item=item, kind=kind.value, expected="one value")
    (text,) = filled
    if kind is Kind.PASSWORD:
        return text
    text = text.strip().replace("\r\n", "\n")
    if kind is Kind.INTEGER:
        if _WHOLE.fullmatch(text) is None:
            raise BadInput("value-malformed", item=item, kind=kind.value, expected="a whole number")
        return int(text)
    if kind is Kind.BOOLEAN:
        return {"yes": True, "no": False}.get(text, text)
    return text
