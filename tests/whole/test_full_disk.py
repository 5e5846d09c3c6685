"""A full disk: ordinary business stops, what people ask for goes on, and it recovers by itself (S6, R3, C3; bar c6).

The disk is "full" for a service whose reserve is larger than what the disk has left: nothing is filled up for it.
"""

from tests.whole.lines import ORDER, Line, ordered
from tests.whole.serving import Installation, Service, until

MORE_THAN_THERE_IS = str(1_000_000)
"""Mebibytes."""


def waits_for_room(line: Line, of: Installation, case: str) -> None:
    """Neither a collection nor a use: nothing is taken in and nothing is given out."""
    body = {"service": "order", "items": ORDER, "version": "1", "case": "order:full-new", "accepted": True}
    taken = line.post("/v1/collect", body, of.credentials["site"])
    assert (taken.status, taken.code) == (503, "disk-full")
    used = line.use(of.credentials["site"], purpose="deliver-order", case=case)
    assert (used.status, used.code) == (503, "disk-full")
    assert "items" not in used.body


def test_S6_on_a_full_disk_people_still_withdraw_and_are_erased(installation: Installation) -> None:
    of = installation
    service = Service(of)
    try:
        service.wait_until_it_answers()
        line = Line(service)
        person = ordered(line, of, "order:full-1")
        given = {"person": person, "purpose": "marketing-sms", "state": "given"}
        assert line.post("/v1/consents", given, of.credentials["site"]).status == 201
        assert (of.home / "reserve").stat().st_blocks > 0
    finally:
        assert service.stop() == 0
    full = Service(of, RESERVE=MORE_THAN_THERE_IS)
    try:
        until(lambda: full.health() == "ok", 60, full.said)
        line = Line(full)
        waits_for_room(line, of, "order:full-1")
        withdrawn = line.post("/v1/consents", {**given, "state": "withdrawn"}, of.credentials["site"])
        assert withdrawn.status == 201, withdrawn.body
        erased = line.post("/v1/erasures", {"person": person}, of.credentials["officer"])
        assert erased.status in (201, 202), erased.body
        gone = f"/v1/erasures/{erased.body['id']}"
        credential = of.credentials["officer"]
        until(lambda: line.get(gone, credential).body["key-destroyed-at"], 30, full.said)
        assert (of.home / "reserve-given").stat().st_size == 0, "what was kept back was given back"
        assert "disk-full" in full.said()
    finally:
        assert full.stop() == 0


def test_S6_once_there_is_room_again_everything_goes_on_by_itself(installation: Installation) -> None:
    of = installation
    (of.home / "reserve-given").touch(0o600)  # as the full disk left it
    service = Service(of)
    try:
        service.wait_until_it_answers()
        line = Line(service)
        ordered(line, of, "order:room-1")
        assert line.use(of.credentials["site"], purpose="deliver-order", case="order:room-1").status == 200
        assert not (of.home / "reserve-given").exists()
    finally:
        assert service.stop() == 0
