"""A till asks for the link and the QR of a bill; nobody else gets one, and no copy of it stays (A3, S4)."""

import re
from xml.etree import ElementTree

import pytest

from omonat.base.instants import DAY, to_rfc3339
from tests.api.conftest import Door


async def test_A3_a_till_gets_the_link_and_its_qr_and_no_copy_stays(door: Door) -> None:
    order = await door.order()
    path = f"/v1/cases/{order['case']}/visit-link"
    answer = await door.ask(path, by="panel", idempotency_key="bill-1")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    found = re.fullmatch(r"http://localhost:8600/me/visit/([A-Za-z0-9_-]{64,200})", told["address"])
    assert found
    assert told["until"] == to_rfc3339(door.clock.now + 30 * DAY)
    drawn = ElementTree.fromstring(told["qr"])
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert drawn.attrib["width"] == drawn.attrib["height"]
    assert drawn.attrib["width"].endswith("mm")
    assert {node.tag.partition("}")[2] for node in drawn.iter()} == {"svg", "g", "path"}
    assert "href" not in told["qr"]
    assert "style" not in told["qr"]
    assert await door.house.visit_links.look(found[1]) is not None
    pool = door.house.grounds.database.pool
    for (table,) in await pool.fetch("select tablename from pg_tables where schemaname = current_schema()"):
        kept = await pool.fetchval(f'select count(*) from "{table}" t where t::text like $1', f"%{found[1]}%")
        assert kept == 0, table
    assert found[1] not in door.logged.getvalue()
    again = await door.ask(path, by="panel", idempotency_key="bill-1")
    assert again.json()["address"] != told["address"], "a key would mean a kept copy"


@pytest.mark.parametrize(
    ("case", "by", "status", "code"),
    [
        ("order:nobody-1", "panel", 404, "visit-unknown"),
        ("call:77", "site", 403, "source-not-named"),
        ("order", "panel", 404, "route-unknown"),
    ],
)
async def test_S4_no_link_for_an_unknown_visit_or_a_system_that_keeps_no_such_cases(
    door: Door, case: str, by: str, status: int, code: str
) -> None:
    answer = await door.ask(f"/v1/cases/{case}/visit-link", by=by)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_S4_a_stranger_gets_none_and_a_body_that_says_something_is_refused(door: Door) -> None:
    order = await door.order()
    path = f"/v1/cases/{order['case']}/visit-link"
    stranger = await door.http.request("POST", path, headers={"authorization": "Bearer omk_nobody"})
    assert stranger.status_code == 401
    answer = await door.ask(path, {"days": 900}, by="panel")
    assert answer.status_code in {400, 422}
    assert (await door.ask(path, {}, by="panel")).status_code == 201
