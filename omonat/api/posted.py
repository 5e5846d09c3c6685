"""What a browser posted from a form, read as `collect` takes it (L1, C1, C4).

Names with a dot are items, `consent:…` are boxes, `omonat-…` is what the form itself carries; anything else is the
site's own and not even looked at. A box that was offered and stayed empty is handed on as just that: what it says is
decided where it is known whose form it is.
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
    """A posted form. `accepts` is the version whose acceptance stood beside the button; `token` proves it was shown.
    `left_empty` are the purposes whose box was offered and not ticked."""

    items: Mapping[str, Any]
    consents: Mapping[str, bool]
    left_empty: Sequence[str]
    token: str
    accepts: str
    language: str


def read(law: CompiledPolicy, service: str, posted: Posted) -> Form:
    """The form. Raises BadInput: service-unknown, item-unknown, value-type, value-malformed; never with a value."""
    offers, items = law.form(service).offers, {}
    for name in posted:
        if "." in name and not name.startswith((CONSENT, _CARRIED)):
            value = form_widgets.read(law.item(name).kind, name, said(posted, name))
            if value is not None:
                items[name] = value
    ticked = {name.removeprefix(CONSENT) for name in posted if name.startswith(CONSENT) and "yes" in said(posted, name)}
    unticked = set(_carried(posted, "offers").split()) - ticked
    return Form(
        items=items,
        consents=dict.fromkeys(sorted(ticked), True),
        left_empty=[purpose for purpose in offers if purpose in unticked],
        token=_carried(posted, "form"),
        accepts=_carried(posted, "version"),
        language=language if (language := _carried(posted, "language")) in LANGUAGES else "",
    )


def _carried(posted: Posted, name: str) -> str:
    found: Sequence[str] = said(posted, _CARRIED + name)
    if len(found) > 1:
        raise BadInput("form-invalid")
    return found[0] if found else ""
