"""The offline desk: the page that seals forms without a network, and the worker that keeps it at hand (S1, L2, N1).

The page is the same for everybody and shows nothing of anybody: forms made from what the services declare, with the
policy's own words beside each field, the key to seal to, and for each form the token of what was shown. Its script
seals; nothing that is typed is ever sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final

import msgspec
from litestar.response import Response

from omonat.desk.door import DESK, OFFLINE
from omonat.desk.visit import Answer, Visit
from omonat.flows import forms
from omonat.pages.files import assets
from omonat.pages.http import security_headers
from omonat.pages.render import KIT_STATIC
from omonat.pages.sheets import NUMBERED, sheet_words
from omonat.pages.words import LANGUAGES
from omonat.policy import beside
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.model import Item
from omonat.policy.prose_words import BASES
from omonat.policy.words import Keep, Kind
from omonat.vault.encoding import text_of

_FIELDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.PERSON_NAME: ("text", ""),
    Kind.USERNAME: ("text", ""),
    Kind.PHONE: ("tel", ""),
    Kind.EMAIL: ("email", ""),
    Kind.ADDRESS: ("textarea", ""),
    Kind.TEXT: ("text", ""),
    Kind.NOTE: ("textarea", ""),
    Kind.IDENTIFIER: ("text", ""),
    Kind.TAX_NUMBER: ("text", ""),
    Kind.PINFL: ("text", ""),
    Kind.DATE: ("date", ""),
    Kind.BIRTH_DATE: ("date", ""),
    Kind.AGE_BAND: ("select", ""),
    Kind.CHOICE: ("select", ""),
    Kind.BOOLEAN: ("select", "boolean"),
    Kind.INTEGER: ("number", "number"),
    Kind.MONEY: ("number", "money"),
    Kind.INTERESTS: ("textarea", "list"),
    Kind.ORDER_LINES: ("textarea", "order-lines"),
}
"""What can be asked by hand, and how what was typed is read. All else comes from machines or needs another place: a
password, a card, a position, a recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One field: what it is, what stands beside it, and the consents it waits for."""

    item: str
    label: str
    kind: str
    type: str
    read: str
    required: bool
    why: str
    promise: str
    after: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A row of the notice: why an item is asked, on what basis, who sees it, how long it is kept."""

    label: str
    purposes: str
    bases: str
    seen_by: str
    kept: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceForm:
    """One service as the page asks for it."""

    service: str
    label: str
    case: str | None
    fields: tuple[Asked, ...]
    offers: tuple[tuple[str, str, str], ...]
    notice: tuple[Noticed, ...]


async def show(visit: Visit) -> Answer:
    """The page. It knows nobody, also where somebody is signed in: a copy of it stays on the device."""
    visit.staff = None
    key, vault = await visit.house.sealing_keys.current(), visit.house.grounds.vault
    found = forms_of(visit.policy, visit.language)
    tokens = {
        each.service: forms.issue(vault, service=each.service, version=visit.policy.version, now=visit.now)
        for each in found
    }
    return visit.page(
        "offline.html",
        forms=found,
        tokens=tokens,
        key=key,
        public=text_of(key.public),
        installation=vault.installation,
        days=visit.house.settings.offline_days,
        version=visit.policy.version,
        sheet=sheet_words(visit.words) | {"number": visit.words(NUMBERED, number="{number}", of="{of}")},
    )


async def worker(visit: Visit) -> Answer:
    """The worker, with the names of the files it keeps."""
    kit, own = assets(*KIT_STATIC), assets(*DESK.static)
    files = [asset.address for name, asset in kit.items() if name != "reveal.js" and not name.endswith(".txt")]
    files += [own[name].address for name in ("desk.css", "qrcode.js", "paper.js", "offline.js")]
    source = (DESK.folder / "static" / "offline-worker.js").read_text("utf-8")
    name = sha256("\n".join([*files, source]).encode()).hexdigest()[:12]
    given = {
        "NAME": f"omonat-offline-{name}",
        "FILES": files,
        "PAGES": [OFFLINE, *(f"{OFFLINE}?lang={language}" for language in LANGUAGES)],
    }
    head = "".join(f"const {each} = {msgspec.json.encode(value).decode()};\n" for each, value in given.items())
    headers = security_headers(personal=True, https=visit.https) | {"service-worker-allowed": OFFLINE}
    return Response((head + source).encode(), media_type="text/javascript", headers=headers)


@cache
def forms_of(law: CompiledPolicy, language: str) -> tuple[ServiceForm, ...]:
    """Every service of this version all of whose required items can be asked by hand, in the policy's order."""
    return tuple(
        _form(law, service, language)
        for service, form in law.forms.items()
        if all(_by_hand(law.items[item]) for item in form.required)
        and any(_by_hand(law.items[item]) for item in form.items)
    )


def _by_hand(item: Item) -> bool:
    return (
        item.kind in _FIELDS
        and item.keep is not Keep.VERIFY_ONLY
        and not (item.kind is Kind.INTERESTS and item.choices)
    )


def _form(law: CompiledPolicy, service: str, language: str) -> ServiceForm:
    form = law.forms[service]
    items = [item for item in form.items if _by_hand(law.items[item])]
    asked = [purpose for purpose in form.offers if all(item in items for item in form.needs_of.get(purpose, ()))]
    return ServiceForm(
        service=service,
        label=law.label("service", service, language),
        case=form.case,
        fields=tuple(_field(law, service, item, language) for item in items),
        offers=tuple((p, law.purposes[p].says[language], law.purposes[p].tells[language]) for p in asked),
        notice=tuple(_notice(law, service, item, language) for item in items),
    )


def _field(law: CompiledPolicy, service: str, item: str, language: str) -> Asked:
    form, declared = law.forms[service], law.items[item]
    kind, read = _FIELDS[declared.kind]
    own = item in form.required or item in form.optional
    purpose = law.purposes[law.needed_by(service, item)[0]]
    return Asked(
        item=item,
        label=declared.says[language],
        kind=declared.kind.value,
        type=kind,
        read=read,
        required=item in form.required,
        why=purpose.tells[language],
        promise=purpose.promises[0] if purpose.promises else "",
        after="" if own else " ".join(form.offered[item]),
        options=tuple(beside.choices(law, item, language).items()),
    )


def _notice(law: CompiledPolicy, service: str, item: str, language: str) -> Noticed:
    purposes = law.needed_by(service, item)
    bases = dict.fromkeys(BASES[law.purposes[purpose].basis][language] for purpose in purposes)
    seen_by = dict.fromkeys(role for purpose in purposes for role in beside.seen_by(law, purpose, item, language))
    return Noticed(
        label=law.items[item].says[language],
        purposes=", ".join(law.purposes[purpose].says[language] for purpose in purposes),
        bases=", ".join(bases),
        seen_by=", ".join(seen_by) or "–",
        kept="; ".join(beside.kept(law, service, item, language)),
    )
