"""A consent receipt: ISO/IEC TS 27560:2023 in terms of the Data Privacy Vocabulary, and the law's form (C1, C2, P5).

Pure. What a receipt says of the choice itself stands in the evidence entry and is proved: `omonat:proof` names it, and
the verifier compares it. The rest is what the policy said then: whoever has the file of that version can look.
A consent form the law asks for is data of its pack; what was never asked is answered `false`, not left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from omonat.base.ids import number_of
from omonat.base.instants import Instant, to_rfc3339
from omonat.policy.compiled import CompiledPolicy
from omonat.policy.dpv import PREFIXES, country_term, item_terms, purpose_term
from omonat.policy.model import Purpose
from omonat.policy.model_duties import Recipient
from omonat.policy.packs import Pack

FORMAT: Final = "omonat/consent-receipt/1"
_OWN: Final = "urn:omonat:terms:"
_LINKS: Final = ("hasLegalBasis", "hasJurisdiction", "hasLocation", "hasContact", "isExercisedAt", "isIndicatedBy")
CONTEXT: Final[Mapping[str, Any]] = {
    "@version": 1.1,
    **PREFIXES,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "omonat": _OWN,
    **{f"dpv:{name}": {"@type": "@id"} for name in _LINKS},
    "dct:conformsTo": {"@type": "@id"},
    **{name: {"@type": "xsd:dateTime"} for name in ("dct:created", "dct:date", "dpv:isIndicatedAtTime")},
    "omonat:law": {"@id": f"{_OWN}law", "@type": "@json"},
    "omonat:proof": {"@id": f"{_OWN}proof", "@type": "@json"},
}
"""The whole context stands in the file: whoever reads it asks nobody."""

Event = Literal["given", "withdrawn", "refused", "left"]
_STATES: Final[Mapping[Event, str]] = {
    "given": "dpv:ConsentGiven",
    "withdrawn": "dpv:ConsentWithdrawn",
    "refused": "dpv:ConsentRefused",
    "left": "dpv:ConsentRequestDeferred",
}
_NEVER_ASKED: Final = frozenset({"transfer-to-third-parties", "cross-border-transfer", "public-dissemination"})
"""Permissions the law's form wants as questions of their own. No form here asks them, so nobody has given them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """What a receipt is made of. `policy` is the version whose words were shown, `term` the end of a dated consent.

    `name` is the person's name as held now, where whoever reads the receipt may see it; `name_held` says whether there
    is one at all. `proof` is the evidence, None for the seconds before it stands.
    """

    choice: str
    person: str
    purpose: str
    event: Event
    at: Instant
    door: str
    policy: CompiledPolicy
    site: str
    made: Instant
    entry: str
    term: Mapping[str, Any] | None = None
    name: str | None = None
    name_held: bool = False
    proof: Mapping[str, Any] | None = None

    @property
    def wanted(self) -> Purpose:
        """The purpose as that version words it."""
        return self.policy.purposes[self.purpose]

    @property
    def identifier(self) -> str:
        """The record's id as ISO wants it, the same each time it is asked for: a UUID of the choice's random bits."""
        return str(UUID(int=number_of(self.choice), version=4))

    @property
    def recipients(self) -> Sequence[Recipient]:
        """Whoever outside receives data for this purpose."""
        return [r for r in self.policy.policy.recipients.values() if self.purpose in r.purposes]

    @property
    def kept(self) -> Sequence[tuple[str, str]]:
        """The services that keep data for this purpose, each with the end that nothing but a hold moves."""
        document = self.policy.policy
        asked = [s for s in self.policy.services.values() if self.purpose in (*s.for_, *s.offers)]
        return [(s.id, str(document.retention[s.keeps].at_most.keep)) for s in asked if s.keeps in document.retention]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a law's consent form. `answer` None: it can't be answered, `unknown` or `not-shown` says why."""

    id: str
    answer: str | bool | tuple[str, ...] | None
    why_not: str = ""


def law_form(consented: Consented, pack: Pack, language: str) -> Sequence[Field]:
    """The mandatory content of a law's consent form, in the pack's order."""
    return [] if pack.consent_form is None else [_field(consented, id, language) for id in pack.consent_form.fields]


def _field(consented: Consented, id: str, language: str) -> Field:
    controller, wanted = consented.policy.policy.controller, consented.wanted
    if id in _NEVER_ASKED:
        return Field(id=id, answer=False)
    if id == "subject-name":
        why = "" if consented.name else "not-shown" if consented.name_held else "not-held"
        return Field(id=id, answer=consented.name, why_not=why)
    answers: Mapping[str, str | tuple[str, ...] | None] = {
        "operator-name": controller.name,
        "operator-tax-id": controller.tax_id,
        "purposes": (f"{wanted.says[language]}. {wanted.tells[language]}",),
        "items": tuple(consented.policy.items[item].says[language] for item in wanted.items),
        "duration": _duration(consented),
    }
    answer = answers.get(id)
    return Field(id=id, answer=answer, why_not="" if answer else "unknown")


def _duration(consented: Consented) -> str:
    term = consented.term or {}
    if "until" in term:
        return to_rfc3339(term["until"])
    return "case" if "case" in term else "until-withdrawn"


def as_json_ld(consented: Consented, language: str) -> dict[str, Any]:
    """The receipt as JSON-LD: docs/consent-receipt.schema.json."""
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:omonat:receipt:{consented.choice}",
        "@type": "dpv:ConsentReceipt",
        "omonat:format": FORMAT,
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt-record",
        "dpv:hasIdentifier": consented.identifier,
        "dct:created": to_rfc3339(consented.made),
        "dct:language": language,
        "dpv:hasRecordOfActivity": _record(consented, language),
        "omonat:law": [_law(consented, pack, language) for pack in consented.policy.packs if pack.consent_form],
        "omonat:proof": consented.proof,
    }


def _record(consented: Consented, language: str) -> dict[str, Any]:
    policy = consented.policy
    address = f"{consented.site}/page/privacy-policy/v/{policy.version}"
    return {
        "@id": f"urn:uuid:{consented.identifier}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dct:identifier": consented.identifier,
        "dpv:hasDataSubject": {"@id": f"urn:omonat:person:{consented.person}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": _controller(consented, language),
        "dpv:hasJurisdiction": [country_term(law) for law in policy.policy.controller.laws],
        "dpv:hasProcess": [_process(consented, language)],
        "dpv:hasNotice": {
            "@id": address,
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": policy.version,
            "dct:identifier": policy.digest,
            "dct:language": language,
            "dct:date": to_rfc3339(policy.policy.effective),
        },
        "dpv:hasConsentControl": [
            {
                "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
                "dpv:isExercisedAt": f"{consented.site}/me/choices#{consented.purpose}",
            },
            {"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": f"mailto:{policy.policy.controller.mailbox}"},
        ],
        "dpv:hasConsentStatus": [_status(consented)],
    }


def _controller(consented: Consented, language: str) -> dict[str, Any]:
    controller = consented.policy.policy.controller
    told: dict[str, Any] = {
        "@id": f"{consented.site}/",
        "@type": ["dpv:DataController"],
        "dpv:hasName": controller.name,
        "dpv:hasContact": f"mailto:{controller.mailbox}",
        "dpv:hasAddress": controller.address[language] if controller.address else country_term(controller.country),
    }
    if controller.phone:
        told["dpv:hasContact"] = [told["dpv:hasContact"], f"tel:{controller.phone}"]
    return told | ({"dct:identifier": controller.tax_id} if controller.tax_id else {})


def _process(consented: Consented, language: str) -> dict[str, Any]:
    wanted, policy = consented.wanted, consented.policy
    places = dict.fromkeys([policy.policy.controller.country, *(r.country for r in consented.recipients)])
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@id": f"urn:omonat:purpose:{wanted.id}",
            "@type": [purpose_term(wanted)],
            "dct:identifier": wanted.id,
            "dct:title": wanted.says[language],
            "dct:description": wanted.tells[language],
        },
        "dpv:hasLegalBasis": "dpv:ExplicitlyExpressedConsent",
        "dpv:hasService": [policy.services[id].says[language] for id, _ in consented.kept],
        "dpv:hasPersonalData": [
            {
                "@type": list(item_terms(policy.items[item])),
                "dct:identifier": item,
                "dct:title": policy.items[item].says[language],
                "dpv:isOptional": item in wanted.may_use,
            }
            for item in wanted.items
        ],
        "dpv:hasRecipient": [
            {"@type": "dpv:Recipient", "dpv:hasName": r.says[language], "dpv:hasLocation": country_term(r.country)}
            for r in consented.recipients
        ],
        "dpv:hasStorageCondition": [
            *({"@type": "dpv:StorageLocation", "dpv:hasLocation": country_term(place)} for place in places),
            *({"@type": "dpv:StorageDuration", "dpv:hasDuration": term} for _, term in consented.kept),
        ],
    }


def _status(consented: Consented) -> dict[str, Any]:
    given = consented.event == "given"
    told: dict[str, Any] = {
        "@type": [_STATES[consented.event], *(["dpv:ExplicitlyExpressedConsent"] if given else [])],
        "dpv:isIndicatedBy": f"urn:omonat:person:{consented.person}",
        "dpv:isIndicatedAtTime": to_rfc3339(consented.at),
        "dpv:hasIndicationMethod": consented.door,
    }
    return told | ({"dpv:hasDuration": _duration(consented)} if given else {})


def _law(consented: Consented, pack: Pack, language: str) -> dict[str, Any]:
    form = pack.consent_form
    assert form is not None
    return {
        "law": pack.pack,
        "title": pack.says[language],
        "source": form.source,
        "mark": form.mark.value,
        "verified-by-counsel": form.verified_by_counsel,
        "fields": [
            {"field": one.id, "answer": one.answer, **({"why-not": one.why_not} if one.why_not else {})}
            for one in law_form(consented, pack, language)
        ],
    }
