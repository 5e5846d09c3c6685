"""Announcements."""

from typing import Any, Final

from omonat.api import announcing
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE
from omonat.api.speaking import AnnouncementAnswer, AnnouncementBody, AnnouncementList, MediaBody, Recorded, SpeakerBody

SPEAKERS: Final = ("speaker-needed", "staff-unknown", "role-ended", "training-lapsed")
WORDS: Final = ("words-language-missing", "words-language-unknown", "words-misshapen", "words-personal")
SAYS: Final = {
    "uz": {"title": "Chilonzor filiali yopiladi", "text": "1-yanvardan Chilonzor filiali ishlamaydi."},
    "ru": {"title": "Филиал на Чиланзаре закрывается", "text": "С 1 января филиал на Чиланзаре не работает."},
    "en": {"title": "The Chilonzor branch closes", "text": "The Chilonzor branch is closed from 1 January."},
}
_ID: Final = "ann_k2b4yxn6ula2v5hw3tdim5q3zm"
_PATH: Final = {"announcement": _ID}
_PSEUDONYM: Final = "psn_d5u7y3c5n2xr6mla5z3hn7yvqi"
_DRAFT: Final[dict[str, Any]] = {
    "id": _ID,
    "said": None,
    "draft": SAYS,
    "drafted-by": _PSEUDONYM,
    "published-at": None,
    "updated-at": None,
    "approved-by": None,
    "media": [],
    "entries": {"drafted": EVIDENCE["id"]},
}
_PUBLIC: Final[dict[str, Any]] = {
    **_DRAFT,
    "said": SAYS,
    "draft": None,
    "drafted-by": None,
    "published-at": "2026-12-01T09:00:00.000000Z",
    "updated-at": "2026-12-01T09:00:00.000000Z",
    "approved-by": "psn_a5u7y3c5n2xr6mla5z3hn7yvqi",
    "media": [{"medium": "Gazeta.uz", "on": "2026-12-01", "reference": "https://www.gazeta.uz/uz/2026/12/01/"}],
    "entries": {"drafted": EVIDENCE["id"], "published": EVIDENCE["id"]},
}

ANNOUNCING: Final = (
    Operation(
        id="write-announcement",
        method="POST",
        path="/v1/announcements",
        summary="Write an announcement",
        tells="In three languages, naming nobody. A second person approves it before anybody reads it (N3).",
        handle=announcing.write,
        body=AnnouncementBody,
        answer=AnnouncementAnswer,
        status=201,
        codes=(*SPEAKERS, *WORDS),
        keyed=True,
        example=Example(body={"says": SAYS, "on-behalf-of": "901"}, answer=_DRAFT),
    ),
    Operation(
        id="announcements",
        method="GET",
        path="/v1/announcements",
        summary="Every announcement",
        tells="Also what waits for approval, newest first. What is public stands at /page/announcements for everybody.",
        handle=announcing.every,
        answer=AnnouncementList,
        codes=("speaker-needed",),
        example=Example(answer={"announcements": [_PUBLIC]}),
    ),
    Operation(
        id="announcement",
        method="GET",
        path="/v1/announcements/{announcement}",
        summary="One announcement",
        tells="What people read, and what waits.",
        handle=announcing.show,
        answer=AnnouncementAnswer,
        codes=("speaker-needed", "announcement-unknown"),
        example=Example(answer=_PUBLIC, path=_PATH),
    ),
    Operation(
        id="correct-announcement",
        method="POST",
        path="/v1/announcements/{announcement}/words",
        summary="Correct an announcement",
        tells="People go on reading the old words until a second person approved the new ones.",
        handle=announcing.correct,
        body=AnnouncementBody,
        answer=AnnouncementAnswer,
        codes=(*SPEAKERS, *WORDS, "announcement-unknown"),
        keyed=True,
        example=Example(body={"says": SAYS, "on-behalf-of": "901"}, answer=_DRAFT, path=_PATH),
    ),
    Operation(
        id="approve-announcement",
        method="POST",
        path="/v1/announcements/{announcement}/approve",
        summary="Approve an announcement",
        tells="By another than who wrote it, of the role that owns the promise. It is public at once.",
        handle=announcing.approve,
        body=SpeakerBody,
        answer=AnnouncementAnswer,
        codes=(*SPEAKERS, "speaker-is-writer", "announcement-unknown"),
        example=Example(body={"on-behalf-of": "902"}, answer=_PUBLIC, path=_PATH),
    ),
    Operation(
        id="record-publication",
        method="POST",
        path="/v1/announcements/{announcement}/media",
        summary="Record that it stood in public media",
        tells="Of an announcement, or of a version of the policy, which is called version-2. The page shows it.",
        handle=announcing.in_media,
        body=MediaBody,
        answer=Recorded,
        status=201,
        codes=(*SPEAKERS, "announcement-unknown", "media-incomplete", "words-personal"),
        keyed=True,
        example=Example(
            body={
                "medium": "Gazeta.uz",
                "on": "2026-12-01",
                "reference": "https://www.gazeta.uz/uz/2026/12/01/",
                "on-behalf-of": "901",
            },
            answer={"evidence": EVIDENCE["id"]},
            path=_PATH,
        ),
    ),
)
