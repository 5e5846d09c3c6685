"""The receipt of one consent: a page to read and print, and the same as JSON-LD with its proof (C1, C2)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from omonat.center.choices import DOORS
from omonat.center.visit import Answer, Visit
from omonat.evidence.reader import Signed
from omonat.pages import N_
from omonat.pages.formats import day_and_clock
from omonat.policy.durations import parse_duration
from omonat.policy.packs import Pack
from omonat.policy.prose_words import in_words
from omonat.promises.choice.receipt import Consented, Field, as_json_ld, law_form

_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "given": ("good", N_("You agreed")),
    "withdrawn": ("bad", N_("You took back your consent")),
    "refused": ("bad", N_("You refused")),
    "left": ("none", N_("You were asked and did not agree")),
}
_FIELDS: Final[Mapping[str, str]] = {
    "operator-name": N_("Who processes the data"),
    "operator-tax-id": N_("Tax number (STIR)"),
    "subject-name": N_("Whose data it is"),
    "purposes": N_("Purposes"),
    "items": N_("Which data"),
    "duration": N_("How long the consent lasts"),
    "transfer-to-third-parties": N_("Permission to hand it to third parties"),
    "cross-border-transfer": N_("Permission to send it abroad"),
    "public-dissemination": N_("Permission to publish it"),
}
_WHY_NOT: Final[Mapping[str, str]] = {
    "not-held": N_("We do not hold your name."),
    "not-shown": N_("Not shown here."),
    "unknown": N_("The policy does not say."),
}


async def show(visit: Visit) -> Answer:
    """The receipt to read."""
    consented = await visit.house.consent_receipts(visit.person, visit.request.path_params["choice"])
    mark, said = _SAID[consented.event]
    return visit.page(
        "consent_receipt.html",
        receipt=consented,
        mark=mark,
        said=visit.words(said),
        where=visit.words(DOORS[consented.door]) if consented.door in DOORS else "",
        purpose=consented.wanted.says[visit.language],
        forms=[
            (pack, [(visit.words(_FIELDS.get(f.id, f.id)), _answer(visit, consented, f)) for f in fields])
            for pack, fields in _forms(visit, consented)
        ],
        kept=[
            (consented.policy.services[id].says[visit.language], in_words(parse_duration(term), visit.language))
            for id, term in consented.kept
        ],
        recipients=[r.says[visit.language] for r in consented.recipients],
        shown=_signed(visit, consented),
    )


async def download(visit: Visit) -> Answer:
    """The receipt for a program. It is whole without its proof too, and says so, for the seconds before that stands."""
    consented = await visit.house.consent_receipts(visit.person, visit.request.path_params["choice"])
    told = msgspec.json.format(msgspec.json.encode(as_json_ld(consented, visit.language)), indent=1) + b"\n"
    return visit.file(told, f"consent-{consented.choice}.jsonld", "application/ld+json")


def _forms(visit: Visit, consented: Consented) -> list[tuple[Pack, list[Field]]]:
    packs = [pack for pack in consented.policy.packs if pack.consent_form is not None]
    return [(pack, list(law_form(consented, pack, visit.language))) for pack in packs]


def _answer(visit: Visit, consented: Consented, field: Field) -> str:
    words = visit.words
    if isinstance(field.answer, bool):
        return words("No. You were not asked for it, so it is not given.")
    if not field.answer:
        return words(_WHY_NOT.get(field.why_not, _WHY_NOT["unknown"]))
    if field.id == "duration":
        return _lasts(visit, consented)
    return field.answer if isinstance(field.answer, str) else "; ".join(field.answer)


def _lasts(visit: Visit, consented: Consented) -> str:
    term = consented.term or {}
    if "until" in term:
        return visit.words("until %(when)s", when=day_and_clock(visit.words, term["until"], visit.policy.zone))
    if "case" in term:
        return visit.words("while order %(order)s is open", order=str(term["case"]).partition(":")[2])
    return visit.words("until you take it back")


def _signed(visit: Visit, consented: Consented) -> Signed | None:
    return visit.signed() if consented.proof is not None else None
