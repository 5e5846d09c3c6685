"""The Python client against a real web server: both kinds say and hear the same."""

import ast
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

import omonat_client
from omonat_client import AsyncClient, Client, NotAllowed, NotPossibleNow, Problem, Use, Used, WrongRequest
from tests.api.conftest import Door, Served, order_body


def test_the_client_stands_alone() -> None:
    for file in Path(omonat_client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "omonat"]


async def test_S4_an_order_from_taking_to_closing_in_plain_calls(door: Door, served: Served) -> None:
    case = f"order:{next(door.numbers)}"
    items = order_body(case)["items"]
    site = AsyncClient(served.url, door.credentials["site"])
    panel = AsyncClient(served.url, door.credentials["panel"])
    courier = AsyncClient(served.url, door.credentials["courier-app"], language="ru")
    async with site, panel, courier:
        form = await site.form("order")
        assert next(field.item for field in form.fields if field.ask == "required") == "contact.name"
        order = await site.collect("order", items, form=form.form, case=case, accepted=True)
        await panel.put_case(case, assigned=["204"])
        used = await courier.use(
            "deliver-order", case=case, on_behalf_of="204", items=["contact.name", "contact.email"]
        )
        assert (used.person, used.records) == (order.person, (order.record,))
        assert used.items == {"contact.name": "Dilnoza Karimova"}
        assert used.withheld["contact.email"].code == "item-not-needed"
        assert used.evidence.due.tzinfo is not None
        many = await courier.use_many(
            [Use(purpose="deliver-order", case=c, on_behalf_of="204") for c in (case, "order:nobodys")]
        )
        assert isinstance(many[0], Used)
        assert isinstance(many[1], Problem)
        assert many[1].code == "no-open-case"
        await panel.case_event(case, "last-complaint", at=datetime(2026, 12, 1, 3, tzinfo=UTC))
        await panel.close_case(case)
        with pytest.raises(NotAllowed) as refused:
            await courier.use("deliver-order", case=case, on_behalf_of="204")
    assert refused.value.code == "no-open-case"
    assert refused.value.problem.promise == "S4"


def _plainly(url: str, door: Door, case: str) -> str:
    with Client(url, door.credentials["site"], language="uz") as site:
        order = site.collect("order", order_body(case)["items"], version="1", case=case, key=f"key-{case}")
        again = site.collect("order", order_body(case)["items"], version="1", case=case, key=f"key-{case}")
        assert again == order
        site.consent(order.person, "marketing-email", "given", version="1")
        site.objection(order.person, "marketing-email")
        site.restriction(order.person, "given")
        site.restriction(order.person, "withdrawn")
        site.telling(order.person, "1", "email")
        site.agreement(order.person, "marketing-email", "1")
        found = site.look_up("take-order", "contact.mobile", "+998900000000")
        assert (found.person, found.several) == (None, False)
        with pytest.raises(WrongRequest) as wrong:
            site.collect("ordr", {}, version="1")
        assert (wrong.value.code, wrong.value.problem.nearest) == ("service-unknown", "order")
        assert site.health().status == "ok"
        assert site.policy().version == site.versions().versions[0].version == "1"
        assert any(code.id == "no-consent" for code in site.codes().codes)
        return order.person


async def test_the_sync_client_says_the_same_from_a_thread(door: Door, served: Served) -> None:
    person = await asyncio.to_thread(_plainly, served.url, door, f"order:{next(door.numbers)}")
    assert person.startswith("per_")


async def test_S4_staff_are_registered_by_the_officers_system(door: Door, served: Served) -> None:
    until = datetime(2027, 11, 30, tzinfo=UTC) + timedelta(hours=5)
    async with AsyncClient(served.url, door.credentials["officer"]) as officer:
        registered = await officer.put_staff("310", name="Sotuvchi", role="counter", trained_until=until)
        assert registered.staff.startswith("stf_")
        with pytest.raises(ValueError, match="zone"):
            await officer.put_staff("310", name="Sotuvchi", role="counter", trained_until=datetime(2027, 1, 1))  # noqa: DTZ001


async def test_a_refusal_is_not_tried_again_and_a_busy_server_is(served: Served) -> None:
    async with AsyncClient(served.url, "omk_nobody_nothing") as nobody:
        with pytest.raises(NotAllowed) as refused:
            await nobody.use("deliver-order", case="order:1")
    assert refused.value.code == "credential-refused"

    asked = []

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["idempotency-key"])
        if len(asked) < 3:
            return httpx.Response(503, json={"code": "database-busy", "status": 503})
        return httpx.Response(
            200, json={"evidence": {"id": "e", "leaf": "", "due": "2026-12-01T00:00:00Z", "receipt": ""}}
        )

    with Client("http://busy", "omk_a_b") as client:
        client._http = httpx.Client(transport=httpx.MockTransport(busy), base_url="http://busy")
        client.restriction("per_x")
        assert len(set(asked)) == 1
        assert len(asked) == 3
        client._http = httpx.Client(
            transport=httpx.MockTransport(lambda _: httpx.Response(502, text="<html>")), base_url="http://busy"
        )
        with pytest.raises(NotPossibleNow):
            client.restriction("per_x")
