"""What a browser posted from a form, read as `collect` takes it (L1, C1, C4).

Names with a dot are items, `consent:…` are boxes, `omonat-…` is what the form itself carries; anything else is the
site's own and not even looked at. A box that was offered and stayed empty is a no from somebody new; of a person the
site knows it says nothing, because an order is no place to withdraw by overlooking a box.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from omonat.api import form_widgets
from omonat.api.service_forms import CONSENT, Posted, said
from omonat.base.codes import LANGUAGES
from omonat.base.errors import BadInput
from omonat.policy.compiled import CompiledPolicy

_CARRIED: Final = "omonat-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A posted form. `accepts` is the version whose acceptance stood beside the button; `token` proves it was shown."""

    items: Mapping[str, Any]
    consents: Mapping[str, bool]
    token: str
    accepts: str
    language: str


def read(law: CompiledPolicy, service: str, posted: Posted, *, known_person: bool) -> Form:
    """The form. Raises BadInput: service-unknown, item-unknown, value-type, value-malformed; never with a value."""
    law.form(service)
    items = {}
    for name in posted:
        if "." in name and not name.startswith((CONSENT, _CARRIED)):
            value = form_widgets.read(law.item(name).kind, name, said(posted, name))
            if value is not None:
                items[name] = value
    return Form(
        items=items,
        consents=_consents(law, service, posted, known_person=known_person),
        token=_carried(posted, "form"),
        accepts=_carried(posted, "version"),
        language=language if (language := _carried(posted, "language")) in LANGUAGES else "",
    )


def _consents(law: CompiledPolicy, service: str, posted: Posted, *, known_person: bool) -> dict[str, bool]:
    ticked = {name.removeprefix(CONSENT) for name in posted if name.startswith(CONSENT) and "yes" in said(posted, name)}
    found = dict.fromkeys(sorted(ticked), True)
    if not known_person:
        offered = set(_carried(posted, "offers").split())
        found |= {purpose: False for purpose in law.form(service).offers if purpose in offered - ticked}
    return found


def _carried(posted: Posted, name: str) -> str:
    found: Sequence[str] = said(posted, _CARRIED + name)
    if len(found) > 1:
        raise BadInput("form-invalid")
    return found[0] if found else ""
