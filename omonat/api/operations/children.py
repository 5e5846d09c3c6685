"""Children."""

from typing import Any, Final

from omonat.api import children
from omonat.api.answers import ChildAnswer, PaymentAnswer
from omonat.api.bodies import ChildSignalBody, GuardianConsentBody, PaymentReportBody
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE, PERSON

_CLOSED: Final[dict[str, Any]] = {
    "person": PERSON,
    "closed-at": "2026-12-01T09:00:00.000000Z",
    "until": "2026-12-04T09:00:00.000000Z",
    "evidence": EVIDENCE["id"],
}

CHILDREN: Final = (
    Operation(
        id="signal-child",
        method="POST",
        path="/v1/children/signals",
        summary="Say that a person may be a child",
        tells="From now on nobody uses their data, for any purpose. It is erased by `until`, unless a parent's consent "
        "is verified before (K2). The signal need not be certain.",
        handle=children.signal,
        body=ChildSignalBody,
        answer=ChildAnswer,
        status=201,
        codes=("person-unknown", "signal-unknown"),
        keyed=True,
        example=Example(body={"person": PERSON, "signal": "staff"}, answer=_CLOSED),
    ),
    Operation(
        id="guardian-consent",
        method="POST",
        path="/v1/children/consents",
        summary="A parent's verified consent, given or taken back",
        tells="Verified by a privacy officer, by one of the methods the law's packs list, with where its proof lies. "
        "Given, the data is open again; taken back, it is closed at once and erased by `until` (K2, K3).",
        handle=children.consent,
        body=GuardianConsentBody,
        answer=ChildAnswer,
        status=201,
        codes=(
            "person-unknown", "not-quarantined", "no-parental-consent", "consent-method-refused",
            "consent-method-unknown", "reference-incomplete", "child-officer-needed", "staff-unknown",
            "training-lapsed", "birth-date-needed", "child-of-age", "guardian-unknown", "guardian-several",
            "guardian-already-agreed",
        ),
        keyed=True,
        example=Example(
            body={
                "person": PERSON, "state": "given", "method": "signed-form", "reference": "2026-114",
                "on-behalf-of": "901",
            },
            answer=_CLOSED | {"closed-at": None, "until": None},
        ),
    ),
    Operation(
        id="report-payment",
        method="POST",
        path="/v1/children/payments",
        summary="The payment provider reports a parent's payment",
        tells="For the provider of the setting `parent-payments` alone: no credential, but a Standard Webhook signed "
        "with its Ed25519 key. A payment counts once, and only with the question, amount and notice that the parent "
        "was shown; one that goes back closes the child's data again (K2). What is refused changes nothing: give the "
        "money back. Nothing of a card belongs here.",
        handle=children.payment,
        body=PaymentReportBody,
        answer=PaymentAnswer,
        codes=(
            "payments-not-set-up", "payment-unsigned", "payment-unexpected", "payment-differs", "payment-counted",
            "payment-refunded", "not-quarantined", "parent-already-agreed", "consent-method-refused",
            "consent-method-unknown", "consent-period-unknown", "child-of-age", "value-card-number",
            "case-malformed", "no-policy", "policy-changing", "database-unavailable", "database-busy",
            "database-full", "evidence-unavailable",
        ),
        open=True,
        signed=True,
        example=Example(
            body={
                "event": "payment.paid", "payment": "pay_7hQ2mXk4", "order": "pas_" + "a" * 26, "amount": 100_000,
                "currency": "UZS", "notice": "0" * 64,
            },
            answer={"payment": "pay_7hQ2mXk4", "counts": True},
        ),
    ),
)  # fmt: skip
