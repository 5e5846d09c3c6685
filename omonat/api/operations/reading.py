"""What anyone may read."""

from typing import Final

from omonat.api import notices
from omonat.api.answers import (
    CheckpointAnswer,
    Codes,
    Health,
    PolicyDocument,
    ProofAnswer,
    ServiceForm,
    Versions,
)
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE

READING: Final = (
    Operation(
        id="policy",
        method="GET",
        path="/v1/policy",
        summary="The policy in force, as data",
        tells="Its `digest` is the one that evidence entries name (P1).",
        handle=notices.policy,
        answer=PolicyDocument,
        codes=("no-policy",),
        open=True,
    ),
    Operation(
        id="versions",
        method="GET",
        path="/v1/policy/versions",
        summary="All published versions, newest first",
        tells="",
        handle=notices.versions,
        answer=Versions,
        codes=("no-policy",),
        open=True,
    ),
    Operation(
        id="form",
        method="GET",
        path="/v1/services/{service}/form",
        summary="What to ask for a service, and what to say beside it",
        tells="Fields with labels and the sentences that say why each is asked (L2, N1), the consents to offer, and a "
        "signed token that tells `collect` which version was shown (C4).",
        handle=notices.form,
        answer=ServiceForm,
        codes=("service-unknown", "no-policy"),
        open=True,
        localised=True,
        example=Example(path={"service": "order"}),
    ),
    Operation(
        id="checkpoint",
        method="GET",
        path="/v1/evidence/checkpoint",
        summary="The newest signed checkpoint of the evidence log",
        tells="A C2SP signed note.",
        handle=notices.checkpoint,
        answer=CheckpointAnswer,
        codes=("evidence-proof-pending", "evidence-log-unwritable"),
        open=True,
    ),
    Operation(
        id="proof",
        method="GET",
        path="/v1/evidence/{id}",
        summary="The proof of one evidence entry",
        tells="A C2SP tlog-proof, ready within seconds of the act; it can be checked without this server.",
        handle=notices.proof,
        answer=ProofAnswer,
        codes=("evidence-not-found", "evidence-proof-pending", "evidence-log-unwritable"),
        open=True,
        example=Example(path={"id": str(EVIDENCE["id"])}),
    ),
    Operation(
        id="health",
        method="GET",
        path="/v1/health",
        summary="Whether data can be taken and given",
        tells="`sealed` until the keys are open.",
        handle=notices.health,
        answer=Health,
        open=True,
        example=Example(answer={"status": "ok", "sealed": False, "policy": "1"}),
    ),
    Operation(
        id="codes",
        method="GET",
        path="/v1/codes",
        summary="Every code this program answers, with its words",
        tells="Codes are stable for ever.",
        handle=notices.codes,
        answer=Codes,
        open=True,
        localised=True,
    ),
)
