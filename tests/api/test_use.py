"""Using data through the door: the design's own example, and its sentences in three languages."""

from tests.api.conftest import Door, delivery, order_body


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


async def test_A3_reasons_speak_the_callers_language(door: Door) -> None:
    order = await door.order()
    asked = delivery(order["case"], "contact.name", "financial.card-token", "contact.email")
    policy = await door.house.grounds.law.current()
    for language in ("uz", "ru", "en"):
        by_header = await door.ask("/v1/use", asked, by="courier-app", accept_language=f"{language}-UZ,en;q=0.3")
        by_address = await door.ask(f"/v1/use?lang={language}", asked, by="courier-app", accept_language="en")
        assert by_header.json()["withheld"] == by_address.json()["withheld"]
        says = by_header.json()["withheld"]["financial.card-token"]["says"]
        label = policy.label("item", "financial.card-token", language)
        assert says == policy.purposes["deliver-order"].refuses[language].replace("{item}", label)
        assert label in says


async def test_S4_a_purpose_of_another_role_is_refused_in_the_words_of_the_policy(door: Door) -> None:
    order = await door.order()
    body = {"purpose": "marketing-email", "person": order["person"], "on-behalf-of": "501"}
    refused = await door.ask("/v1/use", body, by="campaigns", accept_language="ru")
    assert (refused.status_code, refused.json()["code"]) == (403, "no-consent")
    policy = await door.house.grounds.law.current()
    assert policy.label("purpose", "marketing-email", "ru") in refused.json()["detail"]


async def test_many_uses_are_answered_in_their_order_each_for_itself(door: Door) -> None:
    orders = [await door.order() for _ in range(3)]
    uses = [delivery(order["case"], "contact.name") for order in orders]
    uses.insert(1, delivery("order:nobodys", "contact.name"))
    uses.insert(2, delivery(orders[0]["case"], "contact.nmae"))
    answer = await door.ask("/v1/use", {"uses": uses}, by="courier-app")
    assert answer.status_code == 200
    first, foreign, unknown, second, third = answer.json()["answers"]
    assert [first["person"], second["person"], third["person"]] == [order["person"] for order in orders]
    assert (foreign["code"], foreign["status"]) == ("no-open-case", 403)
    assert (unknown["code"], unknown["nearest"]) == ("item-unknown", "contact.name")
    too_many = await door.ask("/v1/use", {"uses": uses * 60}, by="courier-app")
    assert (too_many.status_code, too_many.json()["at"]) == (422, "$.uses")
    none = await door.ask("/v1/use", {"uses": []}, by="courier-app")
    assert none.status_code == 422


async def test_C1_consent_opens_and_withdrawal_closes_with_the_next_request(door: Door) -> None:
    order = await door.order()
    use = {
        "purpose": "marketing-email", "person": order["person"], "on-behalf-of": "501", "items": ["contact.name"],
    }  # fmt: skip
    choice = {"person": order["person"], "purpose": "marketing-email"}
    assert (await door.ask("/v1/use", use, by="campaigns")).json()["code"] == "no-consent"
    assert (await door.ask("/v1/consents", choice | {"state": "given"})).status_code == 201
    opened = await door.ask("/v1/use", use, by="campaigns")
    assert opened.status_code == 200, opened.text
    assert (await door.ask("/v1/consents", choice | {"state": "withdrawn"})).status_code == 201
    assert (await door.ask("/v1/use", use, by="campaigns")).json()["code"] == "no-consent"


async def test_C2_a_restriction_stops_every_use_until_it_is_lifted(door: Door) -> None:
    order = await door.order()
    use = delivery(order["case"], "contact.name")
    assert (await door.ask("/v1/restrictions", {"person": order["person"]})).status_code == 201
    assert (await door.ask("/v1/use", use, by="courier-app")).json()["code"] == "person-restricted"
    lifted = {"person": order["person"], "state": "withdrawn"}
    assert (await door.ask("/v1/restrictions", lifted)).status_code == 201
    assert (await door.ask("/v1/use", use, by="courier-app")).status_code == 200


async def test_S4_a_role_that_ended_is_refused_with_the_next_request(door: Door) -> None:
    order = await door.order()
    use = delivery(order["case"], "contact.name")
    staff = {"name": "Kuryer", "role": "courier", "trained-until": "2027-11-30T00:00:00+05:00"}
    ended = staff | {"role-until": "2026-11-30T00:00:00+05:00"}
    by_site = await door.ask("/v1/staff/204", ended, method="PUT")
    assert (by_site.status_code, by_site.json()["code"]) == (403, "registrar-needed")
    assert (await door.ask("/v1/staff/204", ended, by="officer", method="PUT")).status_code == 200
    assert (await door.ask("/v1/use", use, by="courier-app")).json()["code"] == "role-ended"
    assert (await door.ask("/v1/staff/204", staff, by="officer", method="PUT")).status_code == 200
    assert (await door.ask("/v1/use", use, by="courier-app")).status_code == 200


async def test_S4_a_look_up_answers_with_an_id_and_only_where_the_purpose_allows_it(door: Door) -> None:
    case = f"order:{next(door.numbers)}"
    body = order_body(case, **{"contact.mobile": "+998935550101"})
    order = (await door.ask("/v1/collect", body)).json()
    look = {"purpose": "take-order", "item": "contact.mobile", "value": "+998 93 555-01-01"}
    found = await door.ask("/v1/lookups", look)
    assert found.status_code == 200, found.text
    assert (found.json()["person"], found.json()["cases"]) == (order["person"], [case])
    refused = await door.ask("/v1/lookups", look | {"purpose": "deliver-order"})
    assert refused.status_code == 403
    assert "555" not in refused.text.replace(refused.json()["instance"], "")
    nobody = await door.ask("/v1/lookups", look | {"value": "+998935550199"})
    assert (nobody.json()["person"], nobody.json()["several"]) == (None, False)
