"""Notices to many."""

from typing import Any, Final

from omonat.api import telling_many
from omonat.api.call import Example, Operation
from omonat.api.operations.announcing import SPEAKERS, WORDS
from omonat.api.operations.examples import EVIDENCE
from omonat.api.speaking import ServiceNoticeAnswer, ServiceNoticeBody, ServiceNoticeList, SpeakerBody

_SAYS: Final = {
    "uz": {
        "title": "Toʻlovlarda nosozlik boʻldi",
        "text": "1-dekabr kuni toʻlovlar ikki marta yechildi. Ortiqchasi qaytarildi.",
    },
    "ru": {"title": "Сбой при оплате", "text": "1 декабря оплата списывалась дважды. Лишнее возвращено."},
    "en": {
        "title": "Payments failed",
        "text": "On 1 December payments were taken twice. What was too much was returned.",
    },
}
_ID: Final = "rnd_k2b4yxn6ula2v5hw3tdim5q3zm"
_PATH: Final = {"notice": _ID}
_WRITTEN: Final[dict[str, Any]] = {
    "id": _ID,
    "kind": "system-error",
    "audience": "service",
    "service": "order",
    "said": _SAYS,
    "written-by": "psn_d5u7y3c5n2xr6mla5z3hn7yvqi",
    "written-at": "2026-12-01T09:00:00.000000Z",
    "approved-by": None,
    "approved-at": None,
    "searched-at": None,
    "counts": [],
    "entries": {"written": EVIDENCE["id"]},
}
_UNDER_WAY: Final[dict[str, Any]] = {
    **_WRITTEN,
    "approved-by": "psn_a5u7y3c5n2xr6mla5z3hn7yvqi",
    "approved-at": "2026-12-01T09:05:00.000000Z",
    "searched-at": "2026-12-01T09:05:20.000000Z",
    "counts": [
        {"channel": "center", "state": "waiting", "many": 12},
        {"channel": "sms", "state": "queued", "many": 4030},
    ],
    "entries": {"written": EVIDENCE["id"], "approved": EVIDENCE["id"]},
}

TELLING_MANY: Final = (
    Operation(
        id="write-service-notice",
        method="POST",
        path="/v1/service-notices",
        summary="Write a notice to many",
        tells="Of an error, a breach or a change, in three languages, naming nobody. No advertising: the second person "
        "states that by approving it, and nobody is told before (N2).",
        handle=telling_many.write,
        body=ServiceNoticeBody,
        answer=ServiceNoticeAnswer,
        status=201,
        codes=(*SPEAKERS, *WORDS, "service-unknown", "audience-unclear", "people-unknown"),
        keyed=True,
        example=Example(
            body={
                "kind": "system-error",
                "says": _SAYS,
                "audience": "service",
                "service": "order",
                "on-behalf-of": "901",
            },
            answer=_WRITTEN,
        ),
    ),
    Operation(
        id="service-notices",
        method="GET",
        path="/v1/service-notices",
        summary="Every notice to many",
        tells="Also what waits for approval, newest first, with how many people each has reached.",
        handle=telling_many.every,
        answer=ServiceNoticeList,
        codes=("speaker-needed",),
        example=Example(answer={"notices": [_UNDER_WAY]}),
    ),
    Operation(
        id="service-notice",
        method="GET",
        path="/v1/service-notices/{notice}",
        summary="One notice to many",
        tells="And how far it is.",
        handle=telling_many.show,
        answer=ServiceNoticeAnswer,
        codes=("speaker-needed", "service-notice-unknown"),
        example=Example(answer=_UNDER_WAY, path=_PATH),
    ),
    Operation(
        id="approve-service-notice",
        method="POST",
        path="/v1/service-notices/{notice}/approve",
        summary="Approve a notice to many",
        tells="By another than who wrote it, of the role that owns the promise. People are told from now on.",
        handle=telling_many.approve,
        body=SpeakerBody,
        answer=ServiceNoticeAnswer,
        codes=(*SPEAKERS, "speaker-is-writer", "service-notice-unknown"),
        example=Example(body={"on-behalf-of": "902"}, answer=_UNDER_WAY, path=_PATH),
    ),
)
