"""A system fetches the receipts of the consents it acts on; another system doesn't (C1, C2, S4)."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from omonat.base.instants import SECOND, Instant
from tests.api.conftest import Door, order_body

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "consent-receipt.schema.json").read_text("utf-8"))
EMAIL = "marketing-email"


async def test_C1_a_system_that_acts_for_a_purpose_gets_its_receipts_without_a_name(door: Door) -> None:
    items = {**order_body("")["items"], "contact.email": "dilnoza@example.uz"}
    order = await door.order(items=items, consents={EMAIL: True})
    person = order["person"]
    door.clock.now = Instant(door.clock.now + SECOND)
    body = {"person": person, "purpose": EMAIL, "state": "withdrawn"}
    assert (await door.ask("/v1/consents", body)).status_code == 201
    path = f"/v1/persons/{person}/consents/{EMAIL}/receipts"
    door.clock.now = Instant(door.clock.now + SECOND)
    answer = await door.ask(path, method="GET", by="campaigns")
    assert answer.status_code == 200, answer.text
    withdrawn, given = answer.json()["receipts"]
    for told, state in ((withdrawn, "dpv:ConsentWithdrawn"), (given, "dpv:ConsentGiven")):
        Draft202012Validator(SCHEMA).validate(told)
        assert told["dpv:hasRecordOfActivity"]["dpv:hasConsentStatus"][0]["@type"][0] == state
    assert "Dilnoza" not in answer.text
    (form,) = given["omonat:law"]
    name = next(one for one in form["fields"] if one["field"] == "subject-name")
    assert (name["answer"], name["why-not"]) == (None, "not-shown")
    looked = (await door.house.my_data.who_looked(person)).entries
    assert looked[0].act == "access:choice:receipt"
    assert looked[0].facts["purpose"] == EMAIL


async def test_S4_a_system_that_does_not_act_for_the_purpose_gets_none(door: Door) -> None:
    order = await door.order(consents={EMAIL: False})
    path = f"/v1/persons/{order['person']}/consents/{EMAIL}/receipts"
    refused = await door.ask(path, method="GET", by="courier-app")
    assert (refused.status_code, refused.json()["code"]) == (403, "receipt-not-yours")
    for unknown in (f"/v1/persons/per_{'a' * 26}/consents/{EMAIL}/receipts", path.replace(EMAIL, "marketing-sms")):
        answer = await door.ask(unknown, method="GET", by="campaigns")
        assert (answer.status_code, answer.json()["code"]) == (404, "choice-not-found")
    wrong = await door.ask(path.replace(EMAIL, "marketing-emial"), method="GET", by="campaigns")
    assert wrong.json()["code"] == "purpose-unknown"
