"""A service's form as a piece of HTML for any site: the fields its declaration needs, each with the notice beside it.

It works without script, carries no inline script or style, and is put into the page by the site's own server, which
sends what was posted on to `collect` (L1-L3, N1, C1, C4, K1). What no person types, such as order lines or a picture's
reference, is no field: the site supplies it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from omonat.api.form_widgets import WIDGETS, Widget, answers_of
from omonat.base.errors import BadInput
from omonat.base.instants import Instant
from omonat.pages import Door, Words
from omonat.policy import beside
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Basis
from omonat.policy.prose_words import BASES
from omonat.policy.words import Kind

FORMS: Final = Door("api", Path(__file__).parent)
CONSENT: Final = "consent:"
"""What the name of a consent's box begins with; no item has a colon in its name."""
_AGES: Final = (Kind.AGE_BAND, Kind.BIRTH_DATE)
_SECRET: Final = (Kind.PASSWORD, Kind.SECURITY_ANSWER)
_STALE: Final = ("form-expired", "form-invalid", "version-unknown")

Posted = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a site wants of a form: some of the optional items and consents (None: all), with or without `<form>`."""

    items: tuple[str, ...] | None = None
    offers: tuple[str, ...] | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A form that comes back: what somebody had typed, and why it wasn't taken, as `collect` said it."""

    posted: Posted = field(default_factory=dict)
    code: str = ""
    item: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One field as the template draws it."""

    name: str
    id: str
    label: str
    hint: str
    widget: Widget
    required: bool
    notice: str
    options: Mapping[str, str]
    given: Sequence[str]
    waits: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """One consent: never ticked for anybody unless they ticked it before."""

    name: str
    id: str
    label: str
    tells: str
    ticked: bool
    error: str = ""


def fragment(
    law: CompiledPolicy, service: str, language: str, *, token: str, now: Instant, wanted: Wanted, back: Returned
) -> str:
    """The form as HTML. `token` says which version was shown.

    Raises BadInput: service-unknown, item-unknown, item-not-collected, item-not-typed, consent-not-offered.
    """
    drawing = _Drawing(law, service, language, wanted, back)
    boxes, fields = drawing.boxes(), drawing.fields()
    drawn: list[_Asked | _Box] = [*fields, *boxes]
    return FORMS.render(
        "service_form.html",
        language=language,
        now=now,
        service=service,
        label=law.label("service", service, language),
        version=law.version,
        token=token,
        whole=wanted.whole,
        own=[each for each in fields if not each.waits],
        waiting=[each for each in fields if each.waits],
        boxes=boxes,
        offered=" ".join(drawing.offers),
        problem="" if any(each.error for each in drawn) else drawing.problem(),
        faults=[(each.id, each.label, each.error) for each in drawn if each.error],
    )


class _Drawing:
    """What is drawn of one form, in one language."""

    def __init__(self, law: CompiledPolicy, service: str, language: str, wanted: Wanted, back: Returned) -> None:
        self._law, self._service, self._language = law, service, language
        self._form = law.form(service)
        self.words: Words = FORMS.words(language)
        self._back = back
        self._posted: Posted = {} if back.code == "child" else back.posted  # nothing of a child's is said again
        self.offers = self._offers(wanted)
        self._items = self._wanted(wanted)

    def fields(self) -> list[_Asked]:
        """The fields; a question of age stands first, so that nobody types more than they may."""
        items = sorted(self._items, key=lambda item: self._law.item(item).kind not in _AGES)
        return [self._field(item) for item in items]

    def boxes(self) -> list[_Box]:
        """The consents, one box each."""
        return [self._box(purpose) for purpose in self.offers]

    def problem(self) -> str:
        """A refusal that belongs to no single field: it stands above the form."""
        if self._back.code in _STALE:
            return self.words("The form was open for too long. Please look at it again and send it.")
        return self._back.says

    def _offers(self, wanted: Wanted) -> tuple[str, ...]:
        if wanted.offers is None:
            return self._form.offers
        for purpose in wanted.offers:
            self._law.purpose(purpose)
            if purpose not in self._form.offers:
                raise BadInput("consent-not-offered", service=self._service, purpose=purpose)
        return wanted.offers

    def _wanted(self, wanted: Wanted) -> list[str]:
        form, typed = self._form, [item for item in self._form.items if self._law.items[item].kind in WIDGETS]
        if wanted.items is None:
            return [item for item in typed if self._is_own(item) or self._consents(item)]
        for item in wanted.items:
            self._law.item(item)
            if item not in form.items:
                raise BadInput("item-not-collected", service=self._service, item=item)
            if item not in typed:
                raise BadInput("item-not-typed", item=item)
        required = [item for item in form.required if item in typed and item not in wanted.items]
        return [*dict.fromkeys(wanted.items), *required]

    def _is_own(self, item: str) -> bool:
        return item in self._form.required or item in self._form.optional

    def _consents(self, item: str) -> list[str]:
        """The consents on this form that the item waits for."""
        return [purpose for purpose in self._form.offered.get(item, ()) if purpose in self.offers]

    def _field(self, item: str) -> _Asked:
        declared, language = self._law.item(item), self._language
        options = answers_of(declared.kind, self.words) or beside.choices(self._law, item, language)
        widget = WIDGETS[declared.kind].with_answers(options)
        given = () if declared.kind in _SECRET else said(self._posted, item)
        return _Asked(
            name=item,
            id=f"omonat-{self._service}-{item}",
            label=declared.says[language],
            hint=self.words(widget.hint) if widget.hint else "",
            widget=widget,
            required=item in self._form.required,
            notice=self._notice(item),
            options=options,
            given=given,
            waits=not self._is_own(item),
            error=self._error(item, given),
        )

    def _error(self, item: str, given: Sequence[str]) -> str:
        back = self._back
        empty = not any(text.strip() for text in given)
        if back.code == "required-withheld" and empty and (item in self._form.required or item == back.item):
            return self.words("This is needed for the service")
        if item != back.item or back.code in ("required-withheld", "item-waits-for-consent", "child"):
            return ""
        wrong = WIDGETS[self._law.item(item).kind].wrong
        return self.words(wrong) if wrong and back.code.startswith("value-") else back.says

    def _box(self, purpose: str) -> _Box:
        declared, name = self._law.purposes[purpose], f"{CONSENT}{purpose}"
        waiting = self._back.item if self._back.code == "item-waits-for-consent" else ""
        error = ""
        if waiting in self._law.items and purpose in self._consents(waiting)[:1]:
            label = self._law.label("item", waiting, self._language)
            error = self.words("Tick this if you agree, or leave this field empty: %(item)s", item=label)
        return _Box(
            name=name,
            id=f"omonat-{self._service}-{purpose}",
            label=declared.says[self._language],
            tells=declared.tells[self._language],
            ticked="yes" in said(self._posted, name),
            error=error,
        )

    def _notice(self, item: str) -> str:
        """What for and on which basis, who sees it, until when: all of it the policy's (N1)."""
        words, asking = self.words, self._law.needed_by(self._service, item)
        own = [each for each in asking if not self._by_consent(each)]
        wished = [each for each in asking if self._by_consent(each) and each in self.offers]
        parts = []
        if own:
            people = self._people(own, item)
            parts.append(f"{', '.join(map(self._purpose, own))}.")
            parts.append(words("Who sees it: %(roles)s.", roles=people) if people else words("No employee sees it."))
        if wished:
            about = {"purposes": ", ".join(map(self._says, wished)), "roles": self._people(wished, item) or "–"}
            parts.append(words("Only with your consent: %(purposes)s (who sees it: %(roles)s).", **about))
        terms = "; ".join(beside.kept(self._law, self._service, item, self._language))
        return " ".join([*parts, words("Kept: %(terms)s.", terms=terms)])

    def _by_consent(self, purpose: str) -> bool:
        return self._law.purposes[purpose].basis is Basis.CONSENT

    def _says(self, purpose: str) -> str:
        return self._law.purposes[purpose].says[self._language]

    def _purpose(self, purpose: str) -> str:
        basis = BASES[self._law.purposes[purpose].basis][self._language]
        return f"{self._says(purpose)} ({basis[0].lower()}{basis[1:]})"

    def _people(self, purposes: Sequence[str], item: str) -> str:
        seen = (role for each in purposes for role in beside.seen_by(self._law, each, item, self._language))
        return ", ".join(dict.fromkeys(seen))


def said(posted: Posted, name: str) -> tuple[str, ...]:
    """What was posted under a name, which a browser may send once or several times."""
    value = posted.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)
