"""Idempotency keys: a write said twice is done once, whoever says it, and only digests of key and request are kept."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx

from omonat.api.door import Api
from omonat.api.ports import Ports
from omonat.base.instants import DAY, HOUR, SECOND, Instant
from omonat.flows.choose import Choose
from omonat.flows.staff import Registration
from tests.api.conftest import Door, everything_written, order_body


async def test_the_same_key_and_body_get_the_same_answer_and_one_record(door: Door) -> None:
    body, key = order_body(f"order:{next(door.numbers)}"), str(uuid4())
    first = await door.ask("/v1/collect", body, idempotency_key=key)
    again = await door.ask("/v1/collect", body, idempotency_key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = await door.ask("/v1/collect", body, idempotency_key=str(uuid4()))
    assert other.json()["record"] != first.json()["record"]
    changed = body | {"accepted": False}
    reused = await door.ask("/v1/collect", changed, idempotency_key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "key-reused")
    assert key not in await everything_written(door.house.grounds.database)


async def test_two_racing_under_one_key_make_one_record(door: Door) -> None:
    body, key = order_body(f"order:{next(door.numbers)}"), str(uuid4())
    racing = [door.ask("/v1/collect", body, idempotency_key=key) for _ in range(8)]
    answers = await asyncio.gather(*racing)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["record"] for answer in answers}) == 1
    async with door.house.grounds.database.connection() as connection:
        count = await connection.fetchval("select count(*) from records where case_id = $1", body["case"])
    assert count == 1


async def test_S2_an_answer_kept_for_a_repeated_request_is_sealed_and_said_again_as_it_was(door: Door) -> None:
    officer = Registration(
        ref="903", name="Xodim", role="privacy-officer", trained_until=Instant(door.clock.now + 365 * DAY)
    )
    await door.house.staff.put(officer, by="test")
    words = "Yunusobod tumanlararo sudi, 1-4417/2026"
    order = {"scope": "person", "target": (await door.order())["person"], "authority": words, "may-tell": False}
    order |= {"review-at": "2027-03-01T05:00:00+05:00", "on-behalf-of": "903"}
    first = await door.ask("/v1/holds", order, by="officer", idempotency_key="held-once")
    again = await door.ask("/v1/holds", order, by="officer", idempotency_key="held-once")
    assert (first.status_code, first.json()["authority"]) == (201, words), first.text
    assert again.text == first.text
    kept = await everything_written(door.house.grounds.database)
    assert first.json()["id"] in kept  # the search sees what is written
    assert words not in kept


async def test_S2_a_kept_answer_that_was_moved_to_another_key_tells_nobody_anything(door: Door) -> None:
    order, keys = await door.order(), [str(uuid4()), str(uuid4())]
    consent = {"person": order["person"], "purpose": "marketing-email", "state": "given"}
    for key in keys:
        door.clock.now = Instant(door.clock.now + SECOND)
        assert (await door.ask("/v1/consents", consent, idempotency_key=key)).status_code == 201
    await door.house.grounds.database.pool.execute(
        "update idempotency set sealed = (select sealed from idempotency order by at desc offset 1 limit 1)"
        " where at = (select max(at) from idempotency)"
    )
    moved = await door.ask("/v1/consents", consent, idempotency_key=keys[1])
    assert (moved.status_code, moved.json()["code"]) == (500, "sealed-value-changed")


async def test_another_system_may_use_the_same_key(door: Door) -> None:
    key = str(uuid4())
    mine = await door.ask("/v1/collect", order_body(f"order:{next(door.numbers)}"), idempotency_key=key)
    yours = await door.ask("/v1/collect", order_body(f"order:{next(door.numbers)}"), by="panel", idempotency_key=key)
    assert (mine.status_code, yours.status_code) == (201, 201)
    assert mine.json()["record"] != yours.json()["record"]


async def test_other_writes_keep_their_key_too(door: Door) -> None:
    order, key = await door.order(), str(uuid4())
    consent = {"person": order["person"], "purpose": "marketing-email", "state": "given"}
    racing = [door.ask("/v1/consents", consent, idempotency_key=key) for _ in range(4)]
    answers = await asyncio.gather(*racing)
    done = [answer for answer in answers if answer.status_code == 201]
    assert all(answer.json()["code"] == "key-busy" for answer in answers if answer.status_code != 201)
    again = await door.ask("/v1/consents", consent, idempotency_key=key)
    assert done
    assert {again.text} == {answer.text for answer in done}
    reused = await door.ask("/v1/consents", consent | {"state": "withdrawn"}, idempotency_key=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "key-reused")
    async with door.house.grounds.database.connection() as connection:
        count = await connection.fetchval("select count(*) from choices where person = $1", order["person"])
    assert count == 1 + 1  # the acceptance that came with the order, and this consent


async def test_a_failed_write_leaves_its_key_free(door: Door) -> None:
    key = str(uuid4())
    unknown = {"person": "per_unknown", "purpose": "marketing-email", "state": "given"}
    assert (await door.ask("/v1/consents", unknown, idempotency_key=key)).status_code == 404
    order = await door.order()
    known = unknown | {"person": order["person"]}
    assert (await door.ask("/v1/consents", known, idempotency_key=key)).status_code == 201


async def test_C1_a_consent_whose_answer_was_lost_is_not_given_again_after_it_was_taken_back(door: Door) -> None:
    order, key = await door.order(), "consent-answer-lost"
    asked = {"person": order["person"], "purpose": "marketing-email", "state": "given"}

    class Dying(Choose):
        async def __call__(self, *given: Any, **more: Any) -> Any:
            await super().__call__(*given, **more)
            raise RuntimeError("the process ends here")

    api = Api(replace(Ports.of(door.house), choose=Dying(door.house.grounds)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://localhost") as http:
        lost = await http.post("/v1/consents", json=asked, headers=door.bearer() | {"idempotency-key": key})
    assert lost.status_code == 500
    withdrawn = await door.ask("/v1/consents", asked | {"state": "withdrawn"})
    assert withdrawn.status_code == 201
    door.clock.now = Instant(door.clock.now + HOUR)
    again = await door.ask("/v1/consents", asked, idempotency_key=key)
    assert again.status_code == 201
    asked_for = {"purpose": "marketing-email", "on-behalf-of": "501"}
    used = await door.ask("/v1/use", {**asked_for, "person": order["person"]}, by="campaigns")
    assert (used.status_code, used.json()["code"]) == (403, "no-consent")


async def test_who_takes_so_long_that_another_began_changes_nothing(door: Door) -> None:
    order, key = await door.order(), "taken-over"
    asked = {"person": order["person"], "purpose": "marketing-sms", "state": "given"}

    class Slow(Choose):
        async def __call__(self, *given: Any, **more: Any) -> Any:
            door.clock.now = Instant(door.clock.now + HOUR)
            assert (await door.ask("/v1/consents", asked, idempotency_key=key)).status_code == 201
            return await super().__call__(*given, **more)

    api = Api(replace(Ports.of(door.house), choose=Slow(door.house.grounds)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://localhost") as http:
        slow = await http.post("/v1/consents", json=asked, headers=door.bearer() | {"idempotency-key": key})
    assert (slow.status_code, slow.json()["code"]) == (503, "key-busy")
    given = "select count(*) from choices where person = $1 and kind = 'consent'"
    assert await door.house.grounds.database.pool.fetchval(given, order["person"]) == 1


async def test_U3_a_message_whose_answer_was_lost_is_not_sent_twice(door: Door) -> None:
    order, key = await door.order(), "message-answer-lost"
    body = {
        "person": order["person"], "template": "order-confirmation", "purpose": "order-messages", "channel": "sms",
        "case": order["case"], "params": {"order": "1", "delivery": 1, "total": 1},
    }  # fmt: skip
    assert (await door.ask("/v1/messages", body, idempotency_key=key)).status_code == 202
    pool = door.house.grounds.database.pool
    await pool.execute(  # the worker died between its work and keeping the answer
        "update idempotency set answer = '{\"pending\": true}', at = $1 where at = (select max(at) from idempotency)"
        " and answer ? 'evidence'",
        door.clock.now - 3600 * 1_000_000,
    )
    assert (await door.ask("/v1/messages", body, idempotency_key=key)).status_code == 202
    sent = await pool.fetchval("select count(*) from outbox where person = $1", order["person"])
    assert sent == 1
