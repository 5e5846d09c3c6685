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


STEP = {
    "id": "at-contract",
    "occasion": "engaged",
    "part": "contract",
    "within-days": 3,
    "channels": ["contract", "letter"],
    "says": SAYS,
}


async def test_N1_a_client_is_told_by_the_procedure_with_a_receipt_and_confirms_it(door: Door) -> None:
    await speakers(door)
    trained = Instant(door.clock.now + 365 * DAY)
    await door.house.staff.put(
        Registration(ref="w2", name="Xodim", role="privacy-officer", trained_until=trained), by="test"
    )
    body = {"steps": [STEP], "on-behalf-of": "w"}
    refused = await door.ask("/v1/client-procedures", body, by="panel")
    assert (refused.status_code, refused.json()["code"]) == (403, "speaker-needed")
    personal = {**SAYS, "en": {"title": "Call", "text": "Call +998 90 123 45 67."}}
    refused = await door.ask(
        "/v1/client-procedures", {"steps": [{**STEP, "says": personal}], "on-behalf-of": "w"}, by="officer"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "words-personal")
    written = await door.ask("/v1/client-procedures", body, by="officer", idempotency_key="procedure-once")
    again = await door.ask("/v1/client-procedures", body, by="officer", idempotency_key="procedure-once")
    assert (written.status_code, again.json()) == (201, written.json())
    version = written.json()["version"]
    alone = await door.ask(f"/v1/client-procedures/{version}/approve", {"on-behalf-of": "w"}, by="officer")
    assert (alone.status_code, alone.json()["code"]) == (403, "speaker-is-writer")
    approved = await door.ask(f"/v1/client-procedures/{version}/approve", {"on-behalf-of": "w2"}, by="officer")
    assert approved.json()["approved-by"]
    listed = await door.ask("/v1/client-procedures", by="officer", method="GET")
    assert listed.json()["procedures"] == [approved.json()]

    company = {"name": "“Samarqand Non” MChJ", "on-behalf-of": "w"}
    made = await door.ask("/v1/business-clients", company, by="officer", idempotency_key="client-once")
    again = await door.ask("/v1/business-clients", company, by="officer", idempotency_key="client-once")
    assert (made.status_code, again.json()) == (201, made.json())
    client = f"/v1/business-clients/{made.json()['id']}"
    person = (await door.order())["person"]
    named = {"person": person, "part": "contract", "on-behalf-of": "w"}
    assert (await door.ask(f"{client}/contacts", {**named, "part": "boss"}, by="officer")).status_code == 422
    assert (await door.ask(f"{client}/contacts", named, by="officer")).status_code == 201
    (owed,) = (await door.ask(client, by="officer", method="GET")).json()["owed"]
    assert (owed["person"], owed["step"]) == (person, "at-contract")
    assert await waiting(door) == [(person, f"{made.json()['id']} at-contract {made.json()['id']}")]

    at = "2026-12-01T09:00:00+05:00"
    telling = {"step": "at-contract", "channel": "contract", "at": at, "on-behalf-of": "w"}
    for wrong, code in (({"at": "yesterday"}, "time-malformed"), ({"channel": "sms"}, "client-notice-unclear")):
        unclear = await door.ask(f"{client}/notices", {**telling, **wrong}, by="officer")
        assert (unclear.status_code, unclear.json()["code"]) == (422, code)
    told = await door.ask(f"{client}/notices", telling, by="officer", idempotency_key="told-once")
    again = await door.ask(f"{client}/notices", telling, by="officer", idempotency_key="told-once")
    assert (told.status_code, again.json()) == (201, told.json())
    assert await waiting(door) == []
    (given,) = told.json()["given"]
    confirmed = {"notice": given["evidence"], "at": at, "on-behalf-of": "w"}
    early = await door.ask(f"{client}/acknowledgements", {**confirmed, "at": "2026-11-30T09:00:00Z"}, by="officer")
    assert (early.status_code, early.json()["code"]) == (422, "acknowledgement-unclear")
    nothing = await door.ask(f"{client}/acknowledgements", {**confirmed, "notice": f"ev_{'a' * 26}"}, by="officer")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "client-notice-unknown")
    first = await door.ask(f"{client}/acknowledgements", confirmed, by="officer")
    second = await door.ask(f"{client}/acknowledgements", confirmed, by="officer")
    assert (first.status_code, second.json()) == (201, first.json())
    shown = (await door.ask(client, by="officer", method="GET")).json()
    assert shown["owed"] == []
    assert shown["given"] == [
        {**given, "acknowledged-at": "2026-12-01T04:00:00.000000Z", "acknowledgement": first.json()["evidence"]}
    ]
    assert (await door.ask(f"{client}/end", {"on-behalf-of": "w"}, by="officer")).status_code == 200
    ended = await door.ask(f"{client}/notices", telling, by="officer")
    assert (ended.status_code, ended.json()["code"]) == (404, "client-unknown")
    (one,) = (await door.ask("/v1/business-clients", by="officer", method="GET")).json()["clients"]
    assert one["ended-at"]


async def waiting(door: Door) -> list[tuple[str, str]]:
    """The work of telling clients that waits for a person."""
    async with door.house.grounds.database.connection() as connection:
        rows = await connection.fetch(
            "select person, missing from work_items where rule = 'client-notice' and closed_at is null"
        )
    return [tuple(row) for row in rows]
