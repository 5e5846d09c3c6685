"""Forms sealed at desks without a network."""

from typing import Final

from omonat.api import offline
from omonat.api.answers import DeviceAnswer, FormsTaken, SealedCollected, SealingKeyAnswer
from omonat.api.bodies import DeviceBody
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE, PERSON
from omonat.flows.sealed_forms import Batch, SealedForm

_DEVICE: Final = "omk_m5q3z7k2b4yxn6ula2v5hw3tdi"
_FORM: Final = "sfm_k2b4yxn6ula2v5hw3tdim5q3zm"
_SEALED: Final = {
    "id": _FORM,
    "key": 1,
    "service": "order",
    "form": "omf1.b3JkZXIKMQoxNzk2MDk3NjAwMDAwMDAw.9Yx…",
    "made-at": "2026-12-01T09:00:00.000Z",
    "sealed": "N7sK…",
    "signature": "t0Rk…",
}

OFFLINE: Final = (
    Operation(
        id="sealing-key",
        method="GET",
        path="/v1/offline/key",
        summary="The public key that forms are sealed to",
        tells="Whoever has it can seal a form; only the vault opens it (S1). `docs/formats.md` says how, with test "
        "vectors. The evidence entry names the key, so it can be checked against the log.",
        handle=offline.sealing_key,
        answer=SealingKeyAnswer,
        open=True,
        example=Example(
            answer={
                "installation": "ins_m5q3z7k2b4yxn6ula2v5hw3tdi",
                "key": 1,
                "public": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
                "fingerprint": "1f0e 7a44 02c1 9b5d",
                "since": "2026-12-01T09:00:00.000000Z",
                "evidence": EVIDENCE["id"],
                "days": 7,
            }
        ),
    ),
    Operation(
        id="set-up-device",
        method="PUT",
        path="/v1/offline/device",
        summary="Set a device up",
        tells="The device makes a key pair, and says the public half once, with its own credential; after that it "
        "needs the credential no more and should not keep it. One device for each credential (S1, S4).",
        handle=offline.set_up,
        body=DeviceBody,
        answer=DeviceAnswer,
        codes=("device-set-up", "device-key-malformed", "source-without-forms"),
        example=Example(
            body={"key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
            answer={"device": _DEVICE, "source": "call-centre", "services": ["registration", "order"]},
        ),
    ),
    Operation(
        id="hand-in-forms",
        method="POST",
        path="/v1/offline/batches",
        summary="Hand in sealed forms",
        tells="Each is taken in exactly once, however often and by whatever way it comes, as of when it was filled in, "
        "with every refusal of `collect`. No credential: each form is signed by its device (S1).",
        handle=offline.hand_in,
        body=Batch,
        answer=FormsTaken,
        codes=(
            "device-unknown", "form-signature-wrong", "form-id-reused", "form-taken", "sealed-form-changed",
            "sealed-form-malformed", "sealing-key-over", "form-of-the-future", "form-too-old", "form-invalid",
            "form-expired", "database-unavailable", "disk-full", "evidence-unavailable",
        ),
        open=True,
        localised=True,
        example=Example(
            body={
                "format": "omonat-sealed-forms/1",
                "device": _DEVICE,
                "forms": [_SEALED],
            },
            answer={
                "forms": [
                    {
                        "id": _FORM, "state": "taken", "evidence": EVIDENCE["id"], "code": "", "says": "", "next": "",
                    }
                ]
            },
        ),
    ),
    Operation(
        id="pass-form-on",
        method="POST",
        path="/v1/sealed-forms",
        summary="Pass on a form that a visitor's browser sealed",
        tells="As it came from the page: your server carries it and can't read it (S1). Taken in once; saying it again "
        "answers the same. Refused like any collection.",
        handle=offline.pass_on,
        body=SealedForm,
        answer=SealedCollected,
        status=201,
        codes=(
            "form-id-reused", "form-taken", "sealed-form-changed", "sealed-form-malformed", "sealing-key-over",
            "form-of-the-future", "form-too-old", "form-invalid", "form-expired", "service-unknown", "item-unknown",
            "item-not-collected", "required-withheld", "item-waits-for-consent", "consent-not-offered", "case-needed",
            "no-open-case", "source-not-named", "child", "value-malformed",
        ),
        localised=True,
        example=Example(
            body={name: value for name, value in _SEALED.items() if name != "signature"},
            answer={
                "state": "taken", "person": PERSON, "record": "rec_b3l6k2w7p5yq4nqz2t6xh3vdoe", "case": "order:41877",
                "evidence": EVIDENCE["id"],
            },
        ),
    ),
)  # fmt: skip
