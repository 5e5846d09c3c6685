"""Erasure through the door: for those who answer for it, once, and visible in its stages."""

from tests.api.conftest import Door, delivery


async def test_R3_the_officers_system_erases_and_sees_how_far_it_is(door: Door) -> None:
    order = await door.order()
    plan = await door.ask("/v1/erasures/plan", {"person": order["person"]}, by="officer")
    assert plan.json()["goes"] == {}
    assert {stay["waits-for"] for stay in plan.json()["stays"]} == {"case-closed"}
    case = order["case"]
    await door.ask(f"/v1/cases/{case}/close", {}, by="panel")
    body = {"person": order["person"]}
    done = await door.ask("/v1/erasures", body, by="officer", idempotency_key="erase-1")
    assert done.status_code == 201, done.text
    erasure = done.json()
    assert (erasure["stage"], erasure["key-copies"]) == ("swept", 1)
    assert {stay["reason"] for stay in erasure["stays"]} == {"dispute", "obligation"}
    again = await door.ask("/v1/erasures", body, by="officer", idempotency_key="erase-1")
    assert again.json() == erasure
    shown = await door.ask(f"/v1/erasures/{erasure['id']}", by="officer", method="GET")
    assert shown.json() == erasure
    unknown = await door.ask(f"/v1/erasures/ers_{'a' * 26}", by="officer", method="GET")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "erasure-unknown")


async def test_S4_a_curious_till_neither_erases_nor_plans_nor_looks(door: Door) -> None:
    order = await door.order()
    for path in ("/v1/erasures", "/v1/erasures/plan"):
        refused = await door.ask(path, {"person": order["person"]}, by="panel")
        assert (refused.status_code, refused.json()["code"]) == (403, "eraser-needed")
    refused = await door.ask(f"/v1/erasures/ers_{'a' * 26}", by="panel", method="GET")
    assert refused.json()["code"] == "eraser-needed"
    used = await door.ask("/v1/use", delivery(order["case"]), by="courier-app")
    assert used.json()["items"]


async def test_R3_nothing_of_somebody_else_goes_by_the_wrong_name(door: Door) -> None:
    one, other = await door.order(), await door.order()
    wrong = await door.ask("/v1/erasures", {"person": one["person"], "record": other["record"]}, by="officer")
    assert (wrong.status_code, wrong.json()["code"]) == (404, "record-unknown")
    nobody = await door.ask("/v1/erasures", {"person": f"per_{'a' * 26}"}, by="officer")
    assert nobody.json()["code"] == "person-unknown"
    item = await door.ask("/v1/erasures", {"person": one["person"], "items": ["contact.nam"]}, by="officer")
    assert (item.json()["code"], item.json()["nearest"]) == ("item-unknown", "contact.name")
