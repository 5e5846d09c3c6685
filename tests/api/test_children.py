"""A child's data over HTTP: closed at a word, opened by a verified parent, each once per key (K2)."""

from uuid import uuid4

from omonat.base.instants import DAY, SECOND, Instant
from omonat.flows.staff import Registration
from tests.api.conftest import Door, order_body


async def test_K2_a_signal_closes_and_a_parents_verified_consent_opens_until_it_is_taken_back(door: Door) -> None:
    trained = Instant(door.clock.now + 365 * DAY)
    officer = Registration(ref="901", name="Xodim", role="privacy-officer", trained_until=trained)
    await door.house.staff.put(officer, by="test")
    order = await door.order()
    person = order["person"]
    key = str(uuid4())
    said = {"person": person, "signal": "parent"}
    first = await door.ask("/v1/children/signals", said, idempotency_key=key)
    again = await door.ask("/v1/children/signals", said, idempotency_key=key)
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    assert first.json()["closed-at"] < first.json()["until"]
    used = await door.ask("/v1/use", {"purpose": "order-messages", "case": order["case"]})
    assert (used.status_code, used.json()["code"]) == (403, "person-quarantined")

    given = {"person": person, "state": "given", "method": "signed-form", "reference": "7", "on-behalf-of": "901"}
    stranger = await door.ask("/v1/children/consents", given, by="panel")
    assert (stranger.status_code, stranger.json()["code"]) == (403, "child-officer-needed")
    other = await door.ask("/v1/children/consents", given | {"method": "telegram"}, by="officer")
    assert (other.status_code, other.json()["code"]) == (422, "consent-method-refused")
    door.clock.now = Instant(door.clock.now + SECOND)
    opened = await door.ask("/v1/children/consents", given, by="officer")
    assert (opened.status_code, opened.json()["closed-at"], opened.json()["until"]) == (201, None, None), opened.text
    door.clock.now = Instant(door.clock.now + SECOND)
    await door.order(items=order_body("", **{"contact.mobile": "+998901112233"})["items"])
    async with door.house.grounds.database.connection() as connection:
        await connection.execute("update persons set quarantined_at = $2 where id = $1", person, door.clock.now)
    guardian = {"guardian": "+998901112233", "born": "2016-03-01"}
    named = await door.ask("/v1/children/consents", given | guardian, by="officer")
    assert (named.status_code, named.json()["code"]) == (409, "guardian-already-agreed"), named.text
    back = {"person": person, "state": "withdrawn", "on-behalf-of": "901"}
    closed = await door.ask("/v1/children/consents", back, by="officer")
    assert closed.json()["closed-at"] is not None
    twice = await door.ask("/v1/children/consents", back, by="officer")
    assert (twice.status_code, twice.json()["code"]) == (409, "no-parental-consent")


async def test_K2_who_nobody_knows_and_what_is_no_signal_is_refused(door: Door) -> None:
    unknown = await door.ask("/v1/children/signals", {"person": "per_" + "a" * 26, "signal": "staff"})
    assert unknown.json()["code"] == "person-unknown"
    person = (await door.order())["person"]
    wrong = await door.ask("/v1/children/signals", {"person": person, "signal": "rumour"})
    assert wrong.status_code == 422
