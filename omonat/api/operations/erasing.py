"""Deleting: erasures."""

from typing import Any, Final

from omonat.api import erasing
from omonat.api.answers import ErasureAcknowledged, ErasureAnswer, ErasurePlan
from omonat.api.bodies import AcknowledgementBody, ErasureBody
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE, PERSON

ERASURE: Final = "ers_m5q3z7k2b4yxn6ula2v5hw3tdi"
_ERRORS: Final = ("eraser-needed", "person-unknown", "record-unknown", "item-unknown")
_STAYS: Final[list[dict[str, Any]]] = [
    {
        "item": "transaction.amount",
        "service": "order",
        "reason": "obligation",
        "source": "uz/tax",
        "until": "2031-12-01T09:00:00.000000Z",
        "waits-for": "",
        "count": 3,
    }
]
_ANSWER: Final[dict[str, Any]] = {
    "id": ERASURE,
    "scope": "person",
    "cause": "asked",
    "stage": "swept",
    "person": PERSON,
    "record": None,
    "items": [],
    "hidden-at": "2026-12-01T09:00:00.000000Z",
    "key-destroyed-at": "2026-12-01T09:00:00.004000Z",
    "swept-at": "2026-12-01T09:00:00.011000Z",
    "final-at": None,
    "key-copies": 2,
    "lookup-epoch": 4,
    "stays": _STAYS,
    "entries": {"hidden": EVIDENCE["id"]},
}

ERASING: Final = (
    Operation(
        id="erasure-plan",
        method="POST",
        path="/v1/erasures/plan",
        summary="What an erasure would take and what it would leave",
        tells="Changes nothing and shows no value. For systems of those who answer for deletion (R2).",
        handle=erasing.plan,
        body=ErasureBody,
        answer=ErasurePlan,
        codes=_ERRORS,
        example=Example(
            body={"person": PERSON}, answer={"goes": {"contact.name": 3, "contact.mobile": 3}, "stays": _STAYS}
        ),
    ),
    Operation(
        id="erase",
        method="POST",
        path="/v1/erasures",
        summary="Erase a person, a record, or items",
        tells="Hidden at once for every reader; key-destroyed once this is answered, in the ordinary case; what was "
        "cut off goes on by itself. What a duty, an open case, a dispute or a hold needs stays, and is named with its "
        "reason and its end (R2, R3, K2, Q2). Asking again answers with the same erasure.",
        handle=erasing.erase,
        body=ErasureBody,
        answer=ErasureAnswer,
        status=201,
        codes=_ERRORS,
        keyed=True,
        example=Example(body={"person": PERSON}, answer=_ANSWER),
    ),
    Operation(
        id="erasure",
        method="GET",
        path="/v1/erasures/{erasure}",
        summary="How far an erasure is",
        tells="Each stage with its time: hidden, key-destroyed, swept, final.",
        handle=erasing.show,
        answer=ErasureAnswer,
        codes=("eraser-needed", "erasure-unknown"),
        example=Example(answer=_ANSWER, path={"erasure": ERASURE}),
    ),
    Operation(
        id="erasure-certificate",
        method="GET",
        path="/v1/erasures/{erasure}/certificate",
        summary="The certificate of an erasure",
        tells="Stages with their evidence, what stays and why, which systems confirmed, inclusion proofs and the "
        "checkpoint, in the form of docs/erasure-certificate.schema.json. Nothing is said before it is true (R3).",
        handle=erasing.certificate,
        answer=dict,
        codes=("eraser-needed", "erasure-unknown", "evidence-log-unwritable"),
        example=Example(path={"erasure": ERASURE}),
    ),
    Operation(
        id="acknowledge-erasure",
        method="POST",
        path="/v1/erasures/{erasure}/acknowledgements",
        summary="A system has erased its copy",
        tells="Said by the system itself: its credential has the name the policy gives it; or, for a system served by "
        "hand, by a privacy officer's (R3).",
        handle=erasing.acknowledge,
        body=AcknowledgementBody,
        answer=ErasureAcknowledged,
        codes=("acknowledger-wrong", "erasure-unknown"),
        example=Example(body={"system": "till"}, answer={"entry": EVIDENCE["id"]}, path={"erasure": ERASURE}),
    ),
)
