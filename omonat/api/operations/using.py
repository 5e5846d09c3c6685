"""Operations on personal data itself: in, out, found."""

from typing import Final

from omonat.api import data
from omonat.api.answers import (
    Collected,
    FoundPeople,
    Used,
    UsedMany,
)
from omonat.api.bodies import (
    CollectBody,
    LookupBody,
    UseBody,
    UsesBody,
)
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE, PERSON

USING: Final = (
    Operation(
        id="collect",
        method="POST",
        path="/v1/collect",
        summary="Take in personal data",
        tells="Takes in the items a service needs, no more (L3), under the version of the policy that was shown (C4). "
        "Without `person`, a new person is made; with a `case` that has one, the data is theirs. What a browser "
        "posted from the form as HTML goes into `posted`, as it is.",
        handle=data.collect,
        body=CollectBody,
        answer=Collected,
        status=201,
        codes=(
            "service-unknown",
            "item-unknown",
            "item-not-collected",
            "required-withheld",
            "item-waits-for-consent",
            "location-not-granted",
            "consent-not-offered",
            "version-unknown",
            "form-invalid",
            "form-expired",
            "form-and-version",
            "posted-and-given",
            "case-needed",
            "case-malformed",
            "no-open-case",
            "source-not-named",
            "person-unknown",
            "child",
            "card-scope",
            "value-malformed",
            "value-type",
            "role-ended",
            "time-malformed",
            "time-not-taken",
        ),
        keyed=True,
        localised=True,
        example=Example(
            body={
                "service": "order",
                "version": "1",
                "case": "order:41877",
                "items": {"contact.name": "Gulnora Karimova", "contact.mobile": "+998901234567"},
                "consents": {"marketing-email": False},
                "accepted": True,
            },
            answer={
                "person": PERSON,
                "record": "rec_c4t7x3b5m2wq6lka5z3hn7yvqi",
                "case": "order:41877",
                "version": "1",
                "evidence": EVIDENCE,
            },
        ),
    ),
    Operation(
        id="use",
        method="POST",
        path="/v1/use",
        summary="Use personal data for a purpose",
        tells="The one way data comes out. Each item asked for is in `items`, or in `withheld` with the reason. The "
        'answer is given once its evidence is durable. `{"uses": […]}` answers up to 256 uses in their order; each '
        "answer is a use's answer or its problem.",
        handle=data.use,
        body=UseBody | UsesBody,
        answer=Used | UsedMany,  # type: ignore[arg-type]
        codes=(
            "purpose-unknown",
            "item-unknown",
            "nobody-named",
            "role-may-not",
            "role-unclear",
            "staff-needed",
            "role-ended",
            "staff-unknown",
            "training-lapsed",
            "no-open-case",
            "location-not-granted",
            "person-unknown",
            "person-restricted",
            "person-quarantined",
            "no-consent",
            "objected",
            "over-cap",
        ),
        localised=True,
        example=Example(
            body={
                "purpose": "deliver-order",
                "case": "order:41877",
                "on-behalf-of": "staff:204",
                "items": ["contact.name", "financial.card-number"],
            },
            answer={
                "person": PERSON,
                "items": {"contact.name": "Gulnora Karimova"},
                "withheld": {
                    "financial.card-number": {
                        "code": "item-not-needed",
                        "promise": "L3",
                        "says": "Delivery does not need the card number.",
                    }
                },
                "records": ["rec_c4t7x3b5m2wq6lka5z3hn7yvqi"],
                "evidence": EVIDENCE,
            },
        ),
    ),
    Operation(
        id="look-up",
        method="POST",
        path="/v1/lookups",
        summary="Find a person by an exact value",
        tells="Only under a purpose that allows it, and counted (S4). It answers with ids, never with data. Several "
        "people behind one value are not named, unless exactly one has an open case.",
        handle=data.look_up,
        body=LookupBody,
        answer=FoundPeople,
        codes=(
            "purpose-unknown",
            "item-unknown",
            "lookup-not-possible",
            "lookup-not-allowed",
            "over-cap",
            "role-unclear",
            "staff-needed",
            "staff-unknown",
            "role-ended",
            "training-lapsed",
            "value-malformed",
        ),
        example=Example(
            body={"purpose": "handle-call", "item": "contact.mobile", "value": "+998901234567"},
            answer={"person": PERSON, "cases": ["order:41877"], "several": False, "evidence": EVIDENCE},
        ),
    ),
)
