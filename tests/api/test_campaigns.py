"""Campaigns over HTTP: planned once per key, agreed to by a second person, counted and never named (U5, C3, N2)."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from omonat.base.instants import DAY, Instant
from omonat.flows.staff import Registration
from tests.api.conftest import Door

READERS = ("gulnora@mail.example", "sardor@mail.example", "dilnoza@mail.example")
BODY: dict[str, Any] = {
    "purpose": "marketing-email",
    "channel": "email",
    "subject": "Navroʻz sumalagi",
    "text": "Navroʻz kuni sumalak tekin.",
    "translations": {"ru": "Сумаляк бесплатно."},
    "on-behalf-of": "501",
}


async def asked(door: Door, act: str, name: str, staff: str = "501", by: str = "campaigns") -> httpx.Response:
    return await door.ask(f"/v1/campaigns/{name}/{act}", {"on-behalf-of": staff}, by=by)


async def planned(door: Door, called: str, *, key: str = "", **changed: Any) -> httpx.Response:
    named = {"idempotency_key": key} if key else {}
    return await door.ask("/v1/campaigns", {**BODY, "name": called, **changed}, by="campaigns", **named)


async def colleagues(door: Door) -> None:
    trained = Instant(door.clock.now + 365 * DAY)
    for ref, role in (("502", "marketing"), ("901", "privacy-officer")):
        await door.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="test")


async def subscribed(door: Door, email: str) -> str:
    body = {
        "service": "newsletter",
        "version": "1",
        "items": {"contact.email": email, "contact.name": "Gulnora Yoʻldosheva"},
        "consents": {"marketing-email": True},
        "accepted": True,
    }
    answer = await door.ask("/v1/collect", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["person"])


async def test_U5_a_campaign_is_planned_agreed_to_and_run_and_the_answers_name_nobody(door: Door) -> None:
    await colleagues(door)
    people = [await subscribed(door, email) for email in READERS]
    first = await planned(door, "navroz")
    assert (first.status_code, first.json()["state"], first.json()["letters"]) == (201, "planned", {}), first.text
    assert first.json()["counted"]["permitted"] == len(READERS)
    alone = await asked(door, "start", "navroz")
    assert (alone.status_code, alone.json()["code"]) == (409, "campaign-not-approved")
    own = await asked(door, "approve", "navroz")
    assert (own.status_code, own.json()["code"]) == (403, "campaign-same-person")
    agreed = await asked(door, "approve", "navroz", "502")
    assert (agreed.status_code, agreed.json()["state"], agreed.json()["text"]) == (200, "approved", BODY["text"])
    started = await asked(door, "start", "navroz")
    while await door.house.campaign_letters.round():
        pass
    shown = await asked(door, "status", "navroz", "502")
    assert (shown.json()["state"], shown.json()["letters"]) == ("running", {"waiting": len(READERS)})
    stopped = await asked(door, "stop", "navroz", "502")
    again = await asked(door, "start", "navroz")
    assert (stopped.json()["state"], again.json()["code"]) == ("stopped", "campaign-over")
    said = "".join(answer.text for answer in (first, agreed, started, shown, stopped))
    for value in (*READERS, *people, "Gulnora"):
        assert value not in said
        assert value not in door.logged.getvalue()


async def test_U5_a_repeated_request_plans_one_campaign_and_another_one_under_its_key_is_refused(door: Door) -> None:
    key = str(uuid4())
    first, again = await planned(door, "once", key=key), await planned(door, "once", key=key)
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    other = await planned(door, "other", key=key)
    assert other.status_code in (409, 422), other.text
    unkeyed = await planned(door, "once")
    assert (unkeyed.status_code, unkeyed.json()["code"]) == (409, "campaign-exists")
    assert (await asked(door, "status", "other")).json()["code"] == "campaign-unknown"


@pytest.mark.parametrize(
    ("act", "staff", "by", "code"),
    [
        ("start", "501", "site", "role-unclear"),  # a system that acts for nobody in marketing
        ("stop", "501", "panel", "role-unclear"),
        ("approve", "901", "campaigns", "role-unclear"),  # another role than the system acts for
        ("status", "204", "panel", "role-may-not"),
        ("stop", "204", "courier-app", "role-may-not"),
        ("approve", "nobody", "campaigns", "staff-unknown"),
    ],
)
async def test_S4_who_has_nothing_to_do_with_it_neither_sees_nor_moves_it(
    door: Door, act: str, staff: str, by: str, code: str
) -> None:
    await colleagues(door)
    name = f"{act}-{staff}-{by}"
    assert (await planned(door, name)).status_code == 201
    refused = await asked(door, act, name, staff, by)
    assert (refused.status_code, refused.json()["code"]) in ((403, code), (422, code)), refused.text
    assert "counted" not in refused.text
    assert (await asked(door, "status", name)).json()["state"] == "planned"


async def test_S4_a_stranger_is_told_nothing_and_whom_a_campaign_is_for_cannot_be_said(door: Door) -> None:
    await colleagues(door)
    person = await subscribed(door, "malika@mail.example")
    assert (await planned(door, "quiet")).status_code == 201
    for act in ("approve", "start", "stop", "status"):
        path = f"/v1/campaigns/quiet/{act}"
        stranger = await door.http.post(path, json={"on-behalf-of": "501"})
        assert (stranger.status_code, "counted" in stranger.text) == (401, False)
        unknown = await asked(door, act, "nobodys")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "campaign-unknown")
    for extra in ({"people": [person]}, {"person": person}, {"to": "malika@mail.example"}):
        refused = await planned(door, "aimed", **extra)
        assert refused.status_code in (400, 422), refused.text
        assert "malika" not in refused.text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"purpose": "order-messages"}, "role-may-not"),
        ({"purpose": "marketing-sms"}, "message-channel-undeclared"),
        ({"subject": ""}, "campaign-texts-wrong"),
        ({"translations": {"ru": "Это слишком длинный перевод"}}, "campaign-texts-wrong"),
        ({"name": "../navroz"}, "campaign-name-wrong"),
        ({"name": "-navroz"}, "campaign-name-wrong"),
        ({"text": "Salom\u202e"}, "campaign-texts-wrong"),
    ],
)
async def test_N2_what_may_not_be_said_to_many_is_refused_by_its_code(
    door: Door, changed: dict[str, Any], code: str
) -> None:
    refused = await planned(door, "wrong", **changed)
    assert refused.json()["code"] == code, refused.text
    assert (await asked(door, "status", "wrong")).json()["code"] == "campaign-unknown"
