"""The company speaks through the door: announcements and notices to many, written by one and approved by another."""

from omonat.base.instants import DAY, Instant
from omonat.flows.staff import Registration
from tests.api.conftest import Door

SAYS = {
    "uz": {"title": "Toʻlovlarda nosozlik", "text": "Toʻlovlar ikki marta yechildi."},
    "ru": {"title": "Сбой при оплате", "text": "Оплата списывалась дважды."},
    "en": {"title": "Payments failed", "text": "Payments were taken twice."},
}


async def speakers(door: Door) -> None:
    trained = Instant(door.clock.now + 365 * DAY)
    for ref, role in (("w", "privacy-officer"), ("o", "management")):
        await door.house.staff.put(Registration(ref=ref, name="Xodim", role=role, trained_until=trained), by="test")


async def test_N3_an_announcement_is_written_once_under_a_key_approved_corrected_and_stood_in_the_media(
    door: Door,
) -> None:
    await speakers(door)
    body = {"says": SAYS, "on-behalf-of": "w"}
    refused = await door.ask("/v1/announcements", body, by="panel")
    assert (refused.status_code, refused.json()["code"]) == (403, "speaker-needed")
    missing = {"says": {each: SAYS[each] for each in ("uz", "en")}, "on-behalf-of": "w"}
    refused = await door.ask("/v1/announcements", missing, by="officer")
    assert (refused.status_code, refused.json()["code"]) == (422, "words-language-missing")
    key = {"idempotency_key": "announce-once"}
    drafted = await door.ask("/v1/announcements", body, by="officer", **key)
    assert drafted.status_code == 201, drafted.text
    again = await door.ask("/v1/announcements", body, by="officer", **key)
    assert again.json() == drafted.json()
    name = drafted.json()["id"]
    alone = await door.ask(f"/v1/announcements/{name}/approve", {"on-behalf-of": "w"}, by="officer")
    assert (alone.status_code, alone.json()["code"]) == (403, "speaker-needed")
    public = await door.ask(f"/v1/announcements/{name}/approve", {"on-behalf-of": "o"}, by="officer")
    assert public.json()["said"] == SAYS
    better = {**SAYS, "en": {"title": "Payments failed twice", "text": "All of it was returned."}}
    waits = await door.ask(
        f"/v1/announcements/{name}/words", {"says": better, "on-behalf-of": "w"}, by="officer"
    )  # fmt: skip
    assert (waits.json()["said"], waits.json()["draft"]) == (SAYS, better)
    media = {"medium": "Gazeta.uz", "on": "2026-12-01", "reference": "№ 1", "on-behalf-of": "w"}
    recorded = await door.ask(f"/v1/announcements/{name}/media", media, by="officer")
    assert recorded.status_code == 201, recorded.text
    late = await door.ask(f"/v1/announcements/{name}/media", {**media, "on": "2026-13-01"}, by="officer")
    assert late.json()["code"] == "media-incomplete"
    shown = await door.ask(f"/v1/announcements/{name}", by="officer", method="GET")
    assert shown.json()["media"] == [{"medium": "Gazeta.uz", "on": "2026-12-01", "reference": "№ 1"}]
    listed = await door.ask("/v1/announcements", by="officer", method="GET")
    assert [one["id"] for one in listed.json()["announcements"]] == [name]
    nothing = await door.ask("/v1/announcements/ann_aaaaaaaaaaaaaaaaaaaaaaaaaa", by="officer", method="GET")
    assert nothing.status_code == 404


async def test_N2_a_notice_to_many_is_written_approved_and_followed(door: Door) -> None:
    await speakers(door)
    await door.order()
    body = {"kind": "system-error", "says": SAYS, "audience": "service", "service": "order", "on-behalf-of": "w"}
    refused = await door.ask("/v1/service-notices", body, by="campaigns")
    assert (refused.status_code, refused.json()["code"]) == (403, "speaker-needed")
    for wrong in ({"service": None}, {"audience": "everybody"}):
        unclear = await door.ask("/v1/service-notices", {**body, **wrong}, by="officer")
        assert (unclear.status_code, unclear.json()["code"]) == (422, "audience-unclear")
    written = await door.ask("/v1/service-notices", body, by="officer")
    assert written.status_code == 201, written.text
    name = written.json()["id"]
    approved = await door.ask(f"/v1/service-notices/{name}/approve", {"on-behalf-of": "o"}, by="officer")
    assert approved.json()["approved-by"] not in (None, approved.json()["written-by"])
    while (await door.house.tell_many.step()).more:
        pass
    shown = (await door.ask(f"/v1/service-notices/{name}", by="officer", method="GET")).json()
    assert shown["searched-at"]
    assert sum(count["many"] for count in shown["counts"]) >= 1
    listed = await door.ask("/v1/service-notices", by="officer", method="GET")
    assert name in [one["id"] for one in listed.json()["notices"]]
    nothing = await door.ask("/v1/service-notices/rnd_aaaaaaaaaaaaaaaaaaaaaaaaaa", by="officer", method="GET")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "service-notice-unknown")
