"""Complaints and requests that a system takes in for somebody: A2, Q2."""

from typing import Any

import httpx

from tests.api.conftest import Door

ASKED = {"kind": "complaint", "text": "Kuryer meni ish vaqtidan tashqari bezovta qildi.", "contact": "90 111 22 33"}


async def test_A2_a_system_takes_in_a_complaint_and_the_same_key_makes_one(door: Door) -> None:
    first = await door.ask("/v1/requests", ASKED, idempotency_key="a-complaint")
    assert first.status_code == 201
    assert set(first.json()) == {"number", "due", "waits-for-proof", "evidence"}  # no code: that is for the person
    again = await door.ask("/v1/requests", ASKED, idempotency_key="a-complaint")
    assert (again.status_code, again.json()) == (201, first.json())
    other = await door.ask("/v1/requests", {**ASKED, "text": "Boshqa gap."}, idempotency_key="a-complaint")
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_Q2_what_a_system_says_for_a_stranger_waits_and_for_a_known_person_does_not(door: Door) -> None:
    order = await door.order()
    waits = await door.ask("/v1/requests", {**ASKED, "kind": "deletion"})
    known = {"kind": "deletion", "text": "Oʻchiring.", "person": order["person"]}
    at_once = await door.ask("/v1/requests", known)
    assert (waits.json()["waits-for-proof"], at_once.json()["waits-for-proof"]) == (True, False)


async def test_A2_what_is_not_taken_in_is_said_and_not_repeated(door: Door) -> None:
    async def refused(body: dict[str, Any], **more: Any) -> tuple[int, str]:
        answer: httpx.Response = await door.ask("/v1/requests", body, **more)
        assert str(body.get("text")) not in answer.text
        return answer.status_code, answer.json()["code"]

    nobody = {"kind": "complaint", "text": "Hech kimga javob berib boʻlmaydi."}
    assert await refused(nobody) == (422, "request-contact-needed")
    assert await refused({**ASKED, "text": "8600 4954 7331 6478"}) == (422, "value-card-number")
    assert await refused({**ASKED, "person": "per_unknown"}) == (404, "person-unknown")
    assert await refused(ASKED, by="courier-app") == (403, "source-not-named")
