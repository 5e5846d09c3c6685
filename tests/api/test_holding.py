"""Holds through the door: only for privacy officers, and two of them."""

from omonat.base.instants import DAY, Instant
from omonat.flows.staff import Registration
from tests.api.conftest import Door


async def test_R2_two_officers_hold_and_let_go(door: Door) -> None:
    trained = Instant(door.clock.now + 365 * DAY)
    for ref in ("901", "902"):
        await door.house.staff.put(
            Registration(ref=ref, name="Xodim", role="privacy-officer", trained_until=trained), by="test"
        )
    order = await door.order()
    body = {
        "scope": "case", "target": order["case"], "items": ["transaction"], "authority": "IIB, 7/2026",
        "review-at": "2027-03-01T05:00:00+05:00", "may-tell": False, "on-behalf-of": "901",
    }  # fmt: skip
    refused = await door.ask("/v1/holds", body, by="panel")
    assert (refused.status_code, refused.json()["code"]) == (403, "holder-needed")
    placed = await door.ask("/v1/holds", body, by="officer")
    assert placed.status_code == 201, placed.text
    hold = placed.json()["id"]
    alone = await door.ask(f"/v1/holds/{hold}/approve", {"on-behalf-of": "901"}, by="officer")
    assert (alone.status_code, alone.json()["code"]) == (403, "hold-same-person")
    approved = await door.ask(f"/v1/holds/{hold}/approve", {"on-behalf-of": "902"}, by="officer")
    assert approved.json()["approved-by"] not in (None, approved.json()["placed-by"])
    later = {"on-behalf-of": "902", "review-at": "2027-06-01T05:00:00+05:00"}
    assert (await door.ask(f"/v1/holds/{hold}/review", later, by="officer")).json()["review-at"].startswith("2027-06")
    listed = await door.ask("/v1/holds", by="officer", method="GET")
    assert [one["id"] for one in listed.json()["holds"]] == [hold]
    await door.ask(f"/v1/holds/{hold}/end", {"on-behalf-of": "902"}, by="officer")
    await door.ask(f"/v1/holds/{hold}/approve", {"on-behalf-of": "901"}, by="officer")
    shown = await door.ask(f"/v1/holds/{hold}", by="officer", method="GET")
    assert shown.json()["released-at"]
    over = await door.ask(f"/v1/holds/{hold}/end", {"on-behalf-of": "902"}, by="officer")
    assert (over.status_code, over.json()["code"]) == (409, "hold-over")
