"""Using data through the door: the design's own example, and its sentences in three languages."""

from tests.api.conftest import Door, delivery


async def test_S4_the_courier_gets_name_and_address_and_is_told_why_not_the_card(door: Door) -> None:
    order = await door.order()
    wanted = ("contact.name", "contact.postal-address", "financial.card-number")
    answer = await door.ask("/v1/use", delivery(order["case"], *wanted), by="courier-app")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["person"] == order["person"]
    assert set(told["items"]) == {"contact.name", "contact.postal-address"}
    assert told["items"]["contact.name"] == "Dilnoza Karimova"
    reason = told["withheld"]["financial.card-number"]
    assert (reason["code"], reason["promise"]) == ("item-not-needed", "L3")
    assert told["records"] == [order["record"]]
    assert set(told["evidence"]) == {"id", "leaf", "due", "receipt"}
