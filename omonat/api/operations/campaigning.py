"""Campaigns."""

from typing import Any, Final

from omonat.api import campaigning
from omonat.api.answers import CampaignAnswer
from omonat.api.bodies import CampaignBody, MarketerBody
from omonat.api.call import Example, Operation
from omonat.api.operations.examples import EVIDENCE

_WHO: Final = ("staff-unknown", "role-unclear", "role-may-not", "role-ended", "training-lapsed")
_PATH: Final = {"campaign": "navroz-2027"}
_FOR: Final = {"on-behalf-of": "501"}
_TEXTS: Final[dict[str, Any]] = {
    "subject": "Navroʻz sumalagi",
    "text": "Navroʻz kuni sumalak tekin. Keling, dasturxon yozamiz.",
    "translations": {"ru": "Сумаляк на Навруз бесплатно."},
}
_ANSWER: Final[dict[str, Any]] = {
    "name": "navroz-2027",
    "purpose": "marketing-email",
    "channel": "email",
    **_TEXTS,
    "state": "planned",
    "all-written": False,
    "counted": {"consent-withdrawn": 12, "no-consent": 640, "permitted": 1890},
    "letters": {},
    "planned-at": "2026-12-01T09:00:00.000000Z",
    "approved-at": None,
    "started-at": None,
    "ended-at": None,
    "evidence": EVIDENCE["id"],
}
_APPROVED: Final = {**_ANSWER, "state": "approved", "approved-at": "2026-12-01T09:04:00.000000Z"}
_RUNNING: Final = {**_APPROVED, "state": "running", "started-at": "2026-12-01T09:05:00.000000Z"}
_STOPPED: Final = {
    **_RUNNING,
    "state": "stopped",
    "all-written": True,
    "letters": {"refused:campaign-stopped": 1290, "sent": 600},
    "ended-at": "2026-12-01T09:15:00.000000Z",
}

CAMPAIGNING: Final = (
    Operation(
        id="plan-campaign",
        method="POST",
        path="/v1/campaigns",
        summary="Plan a campaign",
        tells="For a purpose of marketing or of inviting to surveys, never for a list of people: everybody is weighed, "
        "and the answer counts them by reason and names nobody. Nothing leaves before a second person approved it "
        "and it was started (U5, U8).",
        handle=campaigning.plan,
        body=CampaignBody,
        answer=CampaignAnswer,
        status=201,
        codes=(
            *_WHO,
            "purpose-unknown",
            "campaign-purpose-wrong",
            "message-channel-undeclared",
            "advertising-language",
            "campaign-exists",
            "campaign-name-wrong",
            "campaign-texts-wrong",
        ),
        keyed=True,
        example=Example(
            body={
                "name": "navroz-2027",
                "purpose": "marketing-email",
                "channel": "email",
                **_TEXTS,
                **_FOR,
            },
            answer=_ANSWER,
        ),
    ),
    Operation(
        id="approve-campaign",
        method="POST",
        path="/v1/campaigns/{campaign}/approve",
        summary="Approve a campaign",
        tells="By somebody else than its author: of the purpose’s roles, or answering for a promise it keeps. Approved "
        "already, it stays so.",
        handle=campaigning.approve,
        body=MarketerBody,
        answer=CampaignAnswer,
        codes=(*_WHO, "campaign-unknown", "campaign-same-person", "campaign-over"),
        example=Example(body={"on-behalf-of": "502"}, answer=_APPROVED, path=_PATH),
    ),
    Operation(
        id="start-campaign",
        method="POST",
        path="/v1/campaigns/{campaign}/start",
        summary="Start a campaign",
        tells="Its letters are written for everybody who said yes and may be written to then. Each is asked about once "
        "more as it leaves. Started already, it stays so.",
        handle=campaigning.start,
        body=MarketerBody,
        answer=CampaignAnswer,
        codes=(
            *_WHO,
            "campaign-unknown",
            "campaign-not-approved",
            "campaign-over",
            "campaign-purpose-wrong",
            "campaign-texts-wrong",
            "message-channel-undeclared",
            "advertising-language",
        ),
        example=Example(body=dict(_FOR), answer=_RUNNING, path=_PATH),
    ),
    Operation(
        id="stop-campaign",
        method="POST",
        path="/v1/campaigns/{campaign}/stop",
        summary="Stop a campaign",
        tells="Answered once no letter of it can leave any more; what hasn't left is taken back (C3).",
        handle=campaigning.stop,
        body=MarketerBody,
        answer=CampaignAnswer,
        codes=(*_WHO, "campaign-unknown"),
        example=Example(body=dict(_FOR), answer=_STOPPED, path=_PATH),
    ),
    Operation(
        id="campaign-status",
        method="POST",
        path="/v1/campaigns/{campaign}/status",
        summary="How far a campaign is",
        tells="Letters by how they stand and why, as counts.",
        handle=campaigning.look,
        body=MarketerBody,
        answer=CampaignAnswer,
        codes=(*_WHO, "campaign-unknown"),
        example=Example(body=dict(_FOR), answer=_RUNNING, path=_PATH),
    ),
)
