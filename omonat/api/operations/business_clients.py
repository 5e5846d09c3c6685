"""Business clients, and the procedure by which they are told."""

from typing import Any, Final

from omonat.api import business_clients
from omonat.api.call import Example, Operation
from omonat.api.client_bodies import (
    ClientAnswer,
    ClientBody,
    ClientList,
    ClientRegistered,
    ConfirmationBody,
    ContactBody,
    GivenBody,
    GivenList,
    ProcedureAnswer,
    ProcedureBody,
    ProcedureList,
)
from omonat.api.operations.announcing import SPEAKERS, WORDS
from omonat.api.operations.examples import EVIDENCE, PERSON
from omonat.api.speaking import Recorded, SpeakerBody

_SAYS: Final = {
    "uz": {"title": "Maʼlumotlaringiz haqida", "text": "Qaysi maʼlumotlar nima uchun olinishi siyosatda yozilgan."},
    "ru": {"title": "О ваших данных", "text": "Какие данные и зачем собираются, сказано в политике."},
    "en": {"title": "About your data", "text": "Which data is taken, and what for, stands in the policy."},
}
_STEP: Final[dict[str, Any]] = {
    "id": "new-version",
    "occasion": "policy-version",
    "part": "privacy",
    "within-days": 10,
    "channels": ["email", "letter"],
    "says": _SAYS,
}
_WRITTEN: Final[dict[str, Any]] = {
    "version": 2,
    "steps": [_STEP],
    "written-by": "psn_d5u7y3c5n2xr6mla5z3hn7yvqi",
    "written-at": "2026-12-01T09:00:00.000000Z",
    "approved-by": None,
    "approved-at": None,
    "entries": {"written": EVIDENCE["id"]},
}
_IN_FORCE: Final[dict[str, Any]] = {
    **_WRITTEN,
    "approved-by": "psn_a5u7y3c5n2xr6mla5z3hn7yvqi",
    "approved-at": "2026-12-01T09:05:00.000000Z",
    "entries": {"written": EVIDENCE["id"], "approved": EVIDENCE["id"]},
}
_ID: Final = "bcl_k2b4yxn6ula2v5hw3tdim5q3zm"
_PATH: Final = {"client": _ID}
_GIVEN: Final[dict[str, Any]] = {
    "person": PERSON,
    "procedure": 2,
    "step": "new-version",
    "version": 3,
    "channel": "email",
    "at": "2026-12-02T09:00:00.000000Z",
    "evidence": EVIDENCE["id"],
    "receipt": EVIDENCE["receipt"],
    "acknowledged-at": None,
    "acknowledgement": None,
}
_CLIENT: Final[dict[str, Any]] = {
    "id": _ID,
    "name": "“Samarqand Non” MChJ",
    "trader": None,
    "registered-at": "2026-12-01T10:00:00.000000Z",
    "ended-at": None,
    "contacts": [{"person": PERSON, "part": "privacy", "since": "2026-12-01T10:05:00.000000Z"}],
    "given": [_GIVEN],
    "owed": [{"person": PERSON, "step": "new-version", "about": "4", "due": "2027-01-10T09:00:00.000000Z"}],
    "entries": {"registered": EVIDENCE["id"]},
}
_RECORDED: Final = {"evidence": EVIDENCE["id"]}
_CHANGES: Final = (*SPEAKERS, "client-unknown")

BUSINESS_CLIENTS: Final = (
    Operation(
        id="write-client-procedure",
        method="POST",
        path="/v1/client-procedures",
        summary="Write a version of the procedure",
        tells="On which occasion whom at a business client to tell what, in three languages. The one before holds "
        "until a second person approved it (N1).",
        handle=business_clients.write_procedure,
        body=ProcedureBody,
        answer=ProcedureAnswer,
        status=201,
        codes=(*SPEAKERS, *WORDS, "procedure-malformed"),
        keyed=True,
        example=Example(body={"steps": [_STEP], "on-behalf-of": "901"}, answer=_WRITTEN),
    ),
    Operation(
        id="client-procedures",
        method="GET",
        path="/v1/client-procedures",
        summary="Every version of the procedure",
        tells="Newest first. In force is the newest that was approved.",
        handle=business_clients.procedures,
        answer=ProcedureList,
        codes=("speaker-needed",),
        example=Example(answer={"procedures": [_IN_FORCE]}),
    ),
    Operation(
        id="approve-client-procedure",
        method="POST",
        path="/v1/client-procedures/{version}/approve",
        summary="Approve a version of the procedure",
        tells="By another than who wrote it, of the role that owns the promise. It is in force at once.",
        handle=business_clients.approve_procedure,
        body=SpeakerBody,
        answer=ProcedureAnswer,
        codes=(*SPEAKERS, "speaker-is-writer", "procedure-unknown"),
        example=Example(body={"on-behalf-of": "902"}, answer=_IN_FORCE, path={"version": "2"}),
    ),
    Operation(
        id="register-business-client",
        method="POST",
        path="/v1/business-clients",
        summary="Register a business client",
        tells="A company by its name; a sole trader is a person, whose data came in by collect.",
        handle=business_clients.register,
        body=ClientBody,
        answer=ClientRegistered,
        status=201,
        codes=(*SPEAKERS, "client-unclear", "words-personal", "person-unknown"),
        keyed=True,
        example=Example(body={"name": _CLIENT["name"], "on-behalf-of": "901"}, answer={"id": _ID}),
    ),
    Operation(
        id="business-clients",
        method="GET",
        path="/v1/business-clients",
        summary="Every business client",
        tells="The newest first: whom to tell there, what they were told, what is owed to them.",
        handle=business_clients.every,
        answer=ClientList,
        codes=("speaker-needed",),
        example=Example(answer={"clients": [_CLIENT]}),
    ),
    Operation(
        id="business-client",
        method="GET",
        path="/v1/business-clients/{client}",
        summary="One business client",
        tells="Each notice it was given with its receipt, and what is owed to it, the most urgent first.",
        handle=business_clients.show,
        answer=ClientAnswer,
        codes=("speaker-needed", "client-unknown"),
        example=Example(answer=_CLIENT, path=_PATH),
    ),
    Operation(
        id="name-client-contact",
        method="POST",
        path="/v1/business-clients/{client}/contacts",
        summary="Name whom to tell at a client",
        tells="A person whose data came in by collect, for one part of the procedure; or, with `ends`, not any more.",
        handle=business_clients.contact,
        body=ContactBody,
        answer=Recorded,
        status=201,
        codes=(*_CHANGES, "procedure-unknown", "part-unknown", "person-unknown"),
        keyed=True,
        example=Example(
            body={"person": PERSON, "part": "privacy", "on-behalf-of": "901"}, answer=_RECORDED, path=_PATH
        ),
    ),
    Operation(
        id="give-client-notice",
        method="POST",
        path="/v1/business-clients/{client}/notices",
        summary="Record that a client was told",
        tells="To every contact of the step's part, by one of its channels. Each gets a receipt to be handed to them.",
        handle=business_clients.give,
        body=GivenBody,
        answer=GivenList,
        status=201,
        codes=(*_CHANGES, "procedure-unknown", "step-unknown", "client-notice-unclear", "contact-missing",
               "time-malformed"),
        keyed=True,
        example=Example(
            body={"step": "new-version", "channel": "email", "at": "2026-12-02T14:00:00+05:00", "on-behalf-of": "901"},
            answer={"given": [_GIVEN]},
            path=_PATH,
        ),
    ),
    Operation(
        id="acknowledge-client-notice",
        method="POST",
        path="/v1/business-clients/{client}/acknowledgements",
        summary="Record that a notice was confirmed",
        tells="A contact said that it reached them. The notice is named by its entry; saying it again changes nothing.",
        handle=business_clients.acknowledge,
        body=ConfirmationBody,
        answer=Recorded,
        status=201,
        codes=(*_CHANGES, "client-notice-unknown", "acknowledgement-unclear", "time-malformed"),
        keyed=True,
        example=Example(
            body={"notice": EVIDENCE["id"], "at": "2026-12-03T14:00:00+05:00", "on-behalf-of": "901"},
            answer=_RECORDED,
            path=_PATH,
        ),
    ),
    Operation(
        id="end-business-client",
        method="POST",
        path="/v1/business-clients/{client}/end",
        summary="End a business client",
        tells="It is one no more, and is owed nothing.",
        handle=business_clients.end,
        body=SpeakerBody,
        answer=Recorded,
        codes=_CHANGES,
        keyed=True,
        example=Example(body={"on-behalf-of": "901"}, answer=_RECORDED, path=_PATH),
    ),
)  # fmt: skip
