"""Receipts of consents."""

from typing import Final

from omonat.api import receipts
from omonat.api.answers import ConsentReceiptList
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import PERSON

RECEIPTS: Final = (
    Operation(
        id="consent-receipts",
        method="GET",
        path="/v1/persons/{person}/consents/{purpose}/receipts",
        summary="The receipts of what somebody said about a purpose",
        tells="Every consent given, refused and taken back, newest first, at most twenty: ISO/IEC TS 27560 in JSON-LD, "
        "in the form of docs/consent-receipt.schema.json, each with the inclusion proof of its entry. Without the "
        "person’s name: values leave through `use` alone. For systems whose role acts for the purpose (C1, C2).",
        handle=receipts.consents,
        answer=ConsentReceiptList,
        codes=("receipt-not-yours", "choice-not-found", "purpose-unknown", "evidence-log-unwritable"),
        localised=True,
        example=Example(path={"person": PERSON, "purpose": "marketing-email"}),
    ),
)
