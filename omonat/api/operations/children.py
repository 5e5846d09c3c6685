"""Children."""

from typing import Any, Final

from omonat.api import children
from omonat.api.answers import ChildAnswer
from omonat.api.bodies import ChildSignalBody, GuardianConsentBody
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
            "training-lapsed",
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
)  # fmt: skip
