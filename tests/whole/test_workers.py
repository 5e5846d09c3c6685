"""Two workers, one law: what is done through one of them binds the other from its next request on (bar e3).

A worker keeps no permission: what it decides by is read with the data. So there is no moment of grace to test for,
only the next request.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from omonat.database.home import address
from omonat.flows.publish_policy import Publication
from omonat.house import House, open_house, system_clock
from tests.whole.conftest import POLICIES, settings_of
from tests.whole.lines import ORDER, Line, ordered
from tests.whole.serving import Installation, Service


@pytest_asyncio.fixture(loop_scope="session")
async def operator(running: Service) -> AsyncIterator[House]:
    """A third process on the same database, as the operator's command line is."""
    of = running.of
    async with open_house(settings_of(of.home, of.root_key, address(of.home).dsn()), clock=system_clock) as house:
        yield house


def consent(line: Line, of: Installation, person: str, state: str) -> None:
    body = {"person": person, "purpose": "marketing-sms", "state": state}
    done = line.post("/v1/consents", body, of.credentials["site"])
    assert done.status == 201, done.body


def test_C2_a_withdrawal_told_to_one_worker_is_obeyed_by_the_other_at_once(
    running: Service, lines: tuple[Line, Line]
) -> None:
    of, (here, there) = running.of, lines
    assert here.worker != there.worker
    person = ordered(here, of, "order:both-1")
    for _ in range(20):
        consent(here, of, person, "given")
        assert there.use(of.credentials["site"], purpose="marketing-sms", person=person).status == 200
        consent(here, of, person, "withdrawn")
        refused = there.use(of.credentials["site"], purpose="marketing-sms", person=person)
        assert (refused.status, refused.code) == (403, "no-consent")
        here, there = there, here


def test_S4_a_case_closed_at_one_worker_is_closed_at_the_other(running: Service, lines: tuple[Line, Line]) -> None:
    of, (here, there) = running.of, lines
    for number in range(5):
        case = f"order:both-closed-{number}"
        ordered(here, of, case)
        assert there.use(of.credentials["site"], purpose="deliver-order", case=case).status == 200
        assert here.post(f"/v1/cases/{case}/close", {}, of.credentials["site"]).status in (200, 201)
        assert there.use(of.credentials["site"], purpose="deliver-order", case=case).code == "no-open-case"
        here, there = there, here


def test_S4_a_role_ended_at_one_worker_opens_nothing_at_the_other(running: Service, lines: tuple[Line, Line]) -> None:
    of, (here, there) = running.of, lines
    ordered(here, of, "order:both-courier")
    assert here.put("/v1/cases/order:both-courier", {"assigned": ["204"]}, of.credentials["panel"]).status == 200
    delivery = {"purpose": "deliver-order", "case": "order:both-courier", "on-behalf-of": "204"}
    for line in lines:
        assert line.use(of.credentials["panel"], **delivery).status == 200
    now = datetime.now(UTC)
    ended = {"name": "Xodim 204", "role": "courier", "trained-until": (now + timedelta(days=300)).isoformat()}
    ended["role-until"] = (now - timedelta(seconds=1)).isoformat()
    done = here.put("/v1/staff/204", ended, of.credentials["officer"])
    assert done.status == 200, done.body
    for line in (there, here):
        refused = line.use(of.credentials["panel"], **delivery)
        assert (refused.status, refused.code) == (403, "role-ended")


async def test_S4_an_ended_credential_is_refused_by_both(
    running: Service, lines: tuple[Line, Line], operator: House
) -> None:
    secret = await operator.clients.issue(name="short-lived", source="site", roles=["system"])
    for number, line in enumerate(lines):
        ordered(line, running.of, f"order:short-{number}")
        assert line.use(secret, purpose="deliver-order", case=f"order:short-{number}").status == 200
    assert await operator.clients.end(name="short-lived")
    for number, line in enumerate(lines):
        refused = line.use(secret, purpose="deliver-order", case=f"order:short-{number}")
        assert refused.status in (401, 403), refused.body
        assert refused.code in ("credential-refused", "role-ended")
        assert line.get("/v1/policy").status == 200  # the worker is well, and refuses


async def test_P1_whatever_a_worker_is_asked_first_after_a_publication_it_knows_the_newest_version(
    running: Service, lines: tuple[Line, Line], operator: House
) -> None:
    of, (here, there) = running.of, lines
    person = ordered(here, of, "order:versions")
    assert [line.get("/v1/policy").body["version"] for line in lines] == ["1", "1"]
    await published(operator, "2")
    assert here.get("/v1/services/order/form").body["version"] == "2"
    body: dict[str, Any] = {"person": person, "purpose": "marketing-sms", "state": "given", "version": "2"}
    done = there.post("/v1/consents", body, of.credentials["site"])
    assert done.status == 201, done.body
    await published(operator, "3")
    body = {"service": "order", "items": ORDER, "version": "3", "case": "order:under-3", "accepted": True}
    done = here.post("/v1/collect", body, of.credentials["site"])
    assert (done.status, done.body.get("version")) == (201, "3"), done.body
    assert there.get("/v1/policy").body["version"] == "3"


async def published(operator: House, version: str) -> None:
    document = (POLICIES / "beshqozon.yaml").read_text("utf-8").replace('version: "1"', f'version: "{version}"', 1)
    packs = {"uz": (POLICIES / "packs" / "uz.yaml").read_text("utf-8")}
    await operator.publish(Publication(document=document, packs=packs, author="staff:1", approver="staff:2"))
