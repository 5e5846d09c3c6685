"""Operations on the sealed house."""

from typing import Final

from omonat.api import unsealing
from omonat.api.answers import Unsealing
from omonat.api.bodies import UnsealBody
from omonat.api.call import Example, Operation

_ANSWER: Final = {"sealed": True, "threshold": 3, "given": 1, "needed": 2, "passphrase": False}

UNSEALING: Final = (
    Operation(
        id="unsealing",
        method="GET",
        path="/v1/unseal",
        summary="How far unsealing has come",
        tells="Answers before the keys are open.",
        handle=unsealing.status,
        answer=Unsealing,
        codes=("keeper-away",),
        open=True,
        secret=True,
        example=Example(answer=_ANSWER),
    ),
    Operation(
        id="unseal",
        method="POST",
        path="/v1/unseal",
        summary="Hand over one share of the root key, or its passphrase",
        tells="The share itself is the proof of who gives it. Taken on this machine or over TLS only; after ten "
        "refusals in a row the next try has to wait. The house opens within seconds of the last share needed.",
        handle=unsealing.unseal,
        body=UnsealBody,
        answer=Unsealing,
        codes=(
            *("unseal-open-line", "unseal-wait", "passphrase-wrong", "keeper-away", "keys-missing", "keys-changed"),
            *("share-malformed", "share-foreign", "share-repeated", "share-old", "share-false", "shares-wrong"),
        ),
        open=True,
        secret=True,
        example=Example(body={"share": "omonat1…"}, answer=_ANSWER),
    ),
)
