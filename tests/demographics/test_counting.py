"""Answers are counted without whoever gave them: no time, no order, no combination, no small number (L4)."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import random
from datetime import date

import httpx
import pytest
from litestar import Litestar

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, MINUTE
from omonat.flows.clients import parse_credential
from omonat.flows.demographics import A_MINUTE, BATCH, Demographics
from omonat.policy.lint import lint
from omonat.policy.packs import read_pack
from omonat.policy.reader import read_policy
from omonat.site import visitor_routes
from tests.flows.conftest import Shop, clock, document, house, packs, settings, shop  # noqa: F401 - fixtures

AGE, GENDER, INCOME = "relationship.age-band", "relationship.gender", "relationship.household-income"


async def rows(shop: Shop) -> list[tuple[date, str, str, int]]:
    found = await shop.house.grounds.database.pool.fetch("select * from demographics order by 1, 2, 3")
    return [tuple(row) for row in found]  # type: ignore[misc]


async def answered(shop: Shop, times: int, **answers: str) -> None:
    named = {"age": AGE, "gender": GENDER, "income": INCOME}
    for number in range(times):
        if number % A_MINUTE == A_MINUTE - 1:
            shop.clock.forward(MINUTE)
        await shop.house.demographics.count({named[name]: answer for name, answer in answers.items()})
    shop.clock.forward(MINUTE)


async def test_L4_nothing_is_written_before_a_batch_is_full_and_then_in_one_order(shop: Shop) -> None:
    answers = ["female", "male"] * (BATCH // 2)
    random.shuffle(answers)
    for answer in answers[:-1]:
        await shop.house.demographics.count({GENDER: answer, AGE: "25-34"})
        assert await rows(shop) == []
    await shop.house.demographics.count({GENDER: answers[-1], AGE: "25-34"})
    monday = (await rows(shop))[0][0]
    half = BATCH // 2
    assert await rows(shop) == [
        (monday, AGE, "25-34", BATCH), (monday, GENDER, "female", half), (monday, GENDER, "male", half),
    ]  # fmt: skip
    assert monday.weekday() == 0, "no finer time than the week"
    pool = shop.house.grounds.database.pool
    written = await pool.fetch("select distinct xmin::text from demographics")
    assert len(written) == 1, "one transaction for all: whose answer came when can't be told from the rows"
    columns = await pool.fetch(
        "select attname from pg_attribute where attrelid = 'demographics'::regclass and attnum > 0"
    )
    assert {row["attname"] for row in columns} == {"week", "question", "answer", "times"}
    (entry,) = await pool.fetch(
        "select body from (select convert_from(body, 'UTF8') as body from entries) e where body like '%phics:batch%'"
    )
    for content in ("female", AGE, "25-34", monday.isoformat()):
        assert content not in entry["body"]
    assert f'"answered":{BATCH}' in entry["body"]


async def test_L4_only_bands_that_were_asked_are_counted_and_a_child_is_no_band(shop: Shop) -> None:
    _, asked = await shop.house.demographics.asked()
    assert set(asked) == {AGE, GENDER, INCOME}
    assert not any(band.startswith("under") for band in asked[AGE])
    for wrong in (
        {"online.ip-address": "192.0.2.7"},
        {"relationship.political-views": "liberal"},
        {AGE: "37"},
        {AGE: ""},
    ):
        for _ in range(BATCH):
            await shop.house.demographics.count(wrong)
    await shop.house.demographics.write()
    assert await rows(shop) == []


async def test_L4_a_report_shows_whole_periods_above_the_threshold_to_those_who_may_see_it(shop: Shop) -> None:
    await answered(shop, 14, gender="female")
    await answered(shop, 12, gender="male", income="middle")
    await answered(shop, 3, age="65+")
    await shop.house.demographics.write()
    with pytest.raises(BadInput) as early:
        await shop.house.demographics.report(periods_ago=0)
    assert early.value.code == "demographics-not-over"
    shop.clock.forward(35 * DAY)
    reports = {report.question: report for report in await shop.house.demographics.report()}
    assert {c.answer: c.times for c in reports[GENDER].cells} == {"female": 14, "male": 12}
    assert reports[GENDER].total == 26
    for hidden in (AGE, INCOME):
        assert reports[hidden].total is None
        assert {cell.times for cell in reports[hidden].cells} == {None}
    quality = await shop.house.clients.issue(name="quality-desk", source="site", roles=["quality"])
    assert len(await shop.house.demographics.report_for(parse_credential(quality))) == 3
    other = await shop.house.clients.issue(name="other", source="site", roles=["marketing"])
    with pytest.raises(Refused) as refused:
        await shop.house.demographics.report_for(parse_credential(other))
    assert refused.value.code == "statistics-not-yours"


async def test_L4_what_fills_too_late_is_forgotten_for_a_second_report_would_differ_by_it(shop: Shop) -> None:
    """Twenty are written, one waits until its weeks were seen: the difference of two reports would be that one."""
    await answered(shop, BATCH, gender="female")
    await answered(shop, BATCH, gender="male")
    await answered(shop, 1, gender="male")
    shop.clock.forward(35 * DAY)
    first = await shop.house.demographics.report()
    assert [report.total for report in first if report.question == GENDER] == [2 * BATCH]
    await answered(shop, 1, gender="female")  # fills what waits since a month: the week is long over
    assert await shop.house.demographics.report() == first
    now = [row for row in await rows(shop) if row[3] == 1]
    assert [row[1:3] for row in now] == [(GENDER, "female")], "today's answer is counted in its own week"
    entries = await shop.house.grounds.database.pool.fetchval(
        "select count(*) from entries where act = 'demographics:batch:counted'"
    )
    assert entries == 3


async def test_L4_too_many_at_once_are_not_counted_and_nobody_s_address_is_needed_for_it(shop: Shop) -> None:
    flow = Demographics(shop.house.grounds)
    for _ in range(A_MINUTE):
        await flow.count({GENDER: "male"})
    with pytest.raises(Refused) as refused:
        await flow.count({GENDER: "male"})
    assert refused.value.code == "demographics-too-often"
    shop.clock.forward(MINUTE)
    await flow.count({GENDER: "male"})
    rates = await shop.house.grounds.database.pool.fetchval("select count(*) from rates")
    assert rates == 0, "no trace of when somebody answered"


async def test_L4_the_page_sets_no_cookie_and_takes_answers_of_its_own_form_alone(shop: Shop) -> None:
    app = Litestar(visitor_routes(lambda: shop.house), openapi_config=None, logging_config=None)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8600") as http:
        for language, word in (("uz", "ayol"), ("ru", "женщина"), ("en", "woman")):
            page = await http.get(f"/page/about-visitors?lang={language}")
            assert word in page.text
            assert "political" not in page.text.split("<form")[1].split("</form>")[0]
        own = {"origin": "http://localhost:8600", "sec-fetch-site": "same-origin"}
        path = "/page/about-visitors?lang=en"
        sent = await http.post(path, data={GENDER: "female", AGE: ""}, headers=own)
        assert sent.status_code == 200
        assert "Thank you" in sent.text
        assert "set-cookie" not in {**page.headers, **sent.headers}
        foreign = await http.post(
            "/page/about-visitors", data={GENDER: "female"}, headers={"sec-fetch-site": "cross-site"}
        )
        assert foreign.status_code == 403
    await shop.house.demographics.write()
    assert [row[1:] for row in await rows(shop)] == [(GENDER, "female", 1)]


@pytest.mark.parametrize("item", ["online.ip-address", "relationship.political-views", "relationship.birth-date"])
def test_L4_a_policy_that_counts_what_is_not_anonymous_is_told_why(item: str) -> None:
    text = document()
    changed = text.replace("relationship.household-income]\n  threshold: 10", f"{item}]\n  threshold: 10")
    assert changed != text
    law = [read_pack(pack) for pack in packs().values()]
    found = [f for f in lint(read_policy(changed), law).findings if f.rule.id == "counted-not-anonymous"]
    assert [item in f.explains("en") for f in found] == [True]
    assert not [f for f in lint(read_policy(text), law).findings if f.rule.id == "counted-not-anonymous"]
