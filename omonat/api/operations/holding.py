"""Legal holds."""

from typing import Any, Final

from omonat.api import holding
from omonat.api.answers import HoldAnswer, HoldList
from omonat.api.bodies import HoldBody, OfficerBody, ReviewBody
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE, PERSON

HOLD: Final = "hld_k2b4yxn6ula2v5hw3tdim5q3zm"
_ERRORS: Final = ("holder-needed", "staff-unknown", "training-lapsed")
_ENDS: Final = (*_ERRORS, "hold-unknown", "hold-over", "hold-same-person")
_PATH: Final = {"hold": HOLD}
_ANSWER: Final[dict[str, Any]] = {
    "id": HOLD,
    "scope": "person",
    "target": PERSON,
    "items": ["transaction"],
    "authority": "Toshkent shahar sudi, 12-345/2026",
    "may-tell": True,
    "review-at": "2027-03-01T00:00:00.000000Z",
    "placed-at": "2026-12-01T09:00:00.000000Z",
    "placed-by": "psn_d5u7y3c5n2xr6mla5z3hn7yvqi",
    "approved-at": None,
    "approved-by": None,
    "ending-by": None,
    "released-at": None,
    "released-by": None,
    "entries": {"placed": EVIDENCE["id"]},
}

HOLDING: Final = (
    Operation(
        id="place-hold",
        method="POST",
        path="/v1/holds",
        summary="Place a legal hold",
        tells="From now on nothing it covers is destroyed, and nobody uses it either once it is due. It stands for "
        "three days; a second privacy officer approves it, or it lapses (R2).",
        handle=holding.place,
        body=HoldBody,
        answer=HoldAnswer,
        status=201,
        codes=(*_ERRORS, "held-unknown", "hold-incomplete", "item-unknown", "time-malformed"),
        keyed=True,
        example=Example(
            body={
                "scope": "person",
                "target": PERSON,
                "items": ["transaction"],
                "authority": "Toshkent shahar sudi, 12-345/2026",
                "review-at": "2027-03-01T05:00:00+05:00",
                "may-tell": True,
                "on-behalf-of": "901",
            },
            answer=_ANSWER,
        ),
    ),
    Operation(
        id="holds",
        method="GET",
        path="/v1/holds",
        summary="Every hold that stands",
        tells="The one to be reviewed first first.",
        handle=holding.standing,
        answer=HoldList,
        codes=("holder-needed",),
        example=Example(answer={"holds": [_ANSWER]}),
    ),
    Operation(
        id="hold",
        method="GET",
        path="/v1/holds/{hold}",
        summary="One hold",
        tells="With the evidence of its steps.",
        handle=holding.show,
        answer=HoldAnswer,
        codes=("holder-needed", "hold-unknown"),
        example=Example(answer=_ANSWER, path=_PATH),
    ),
    Operation(
        id="approve-hold",
        method="POST",
        path="/v1/holds/{hold}/approve",
        summary="Approve a hold, or its end",
        tells="By another privacy officer than who asked.",
        handle=holding.approve,
        body=OfficerBody,
        answer=HoldAnswer,
        codes=_ENDS,
        example=Example(body={"on-behalf-of": "902"}, answer=_ANSWER, path=_PATH),
    ),
    Operation(
        id="end-hold",
        method="POST",
        path="/v1/holds/{hold}/end",
        summary="Ask for the end of a hold",
        tells="It ends when another privacy officer approves; what became due meanwhile goes then.",
        handle=holding.end,
        body=OfficerBody,
        answer=HoldAnswer,
        codes=_ENDS,
        example=Example(body={"on-behalf-of": "901"}, answer=_ANSWER, path=_PATH),
    ),
    Operation(
        id="review-hold",
        method="POST",
        path="/v1/holds/{hold}/review",
        summary="A hold was looked at and stands",
        tells="Until a later review; an overdue one is a work item.",
        handle=holding.review,
        body=ReviewBody,
        answer=HoldAnswer,
        codes=(*_ENDS, "hold-incomplete", "time-malformed"),
        example=Example(
            body={"on-behalf-of": "901", "review-at": "2027-06-01T05:00:00+05:00"}, answer=_ANSWER, path=_PATH
        ),
    ),
)
