"""A site or an app records a grant of location over HTTP, once per key, and learns what it may not (L5)."""

from uuid import uuid4

from omonat.base.instants import HOUR, Instant, to_rfc3339
from tests.api.conftest import Door, order_body

GUIDE = "guide-courier"


async def test_L5_a_grant_said_twice_under_one_key_is_one_choice(door: Door) -> None:
    order = await door.order()
    until = to_rfc3339(Instant(door.house.grounds.clock() + HOUR))
    body = {"person": order["person"], "purpose": GUIDE, "state": "given"}
    body |= {"term": {"kind": "until", "until": until, "precision": "district"}}
    key = str(uuid4())
    first = await door.ask("/v1/consents", body, idempotency_key=key)
    again = await door.ask("/v1/consents", body, idempotency_key=key)
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert again.json() == first.json()
    choices = [c for c in await door.house.my_data.choices(order["person"]) if c.purpose == GUIDE]
    assert len(choices) == 1
    assert (await door.house.my_data.standing(order["person"])).terms[GUIDE].precision == "district"


async def test_L5_a_place_without_a_grant_is_refused_by_name_and_never_repeated(door: Door) -> None:
    order = await door.order()
    body = order_body(order["case"])
    body["service"] = "delivery"
    kept = ("contact.name", "contact.mobile", "contact.postal-address")
    body["items"] = {k: v for k, v in body["items"].items() if k in kept}
    body["items"]["relationship.location"] = {"lat": "41.311081", "lon": "69.240562"}
    answer = await door.ask("/v1/collect", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["promise"]) == (403, "location-not-granted", "L5")
    assert "41.3" not in answer.text


async def test_L5_a_term_that_says_no_end_is_refused(door: Door) -> None:
    order = await door.order()
    for term, code in (
        ({"kind": "once"}, "term-unclear"),
        ({"kind": "until", "until": "2020-01-01T00:00:00Z"}, "term-over"),
        ({"kind": "until", "until": "tomorrow"}, "time-malformed"),
    ):
        body = {"person": order["person"], "purpose": GUIDE, "state": "given", "term": term}
        answer = await door.ask("/v1/consents", body)
        assert answer.json()["code"] == code
    for purpose, state in (("marketing-email", "given"), (GUIDE, "withdrawn")):
        body = {"person": order["person"], "purpose": purpose, "state": state, "term": {"kind": "permanent"}}
        assert (await door.ask("/v1/consents", body)).json()["code"] == "term-not-asked"
