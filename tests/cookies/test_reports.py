"""What nobody registered is found and told by name or host alone; and strangers who abuse the two doors (L7, T1)."""

import json
from typing import Any

import httpx
import pytest

from omonat.evidence.entry import Entry
from omonat.flows.cookies import CHOICES_A_MINUTE, MOST_SIGHTS, REPORTS_A_MINUTE
from tests.cookies.conftest import STRANGER, Town

SIGHTS = "select kind, name, times from site_sightings order by kind, name"
OURS = {"sec-fetch-site": "same-origin"}


async def told(town: Town) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in await town.rows(SIGHTS)]


async def test_L7_an_unregistered_cookie_is_reported_by_name_and_never_with_its_value(town: Town) -> None:
    async with town.visitor() as visitor:
        async with visitor.page.expect_response(lambda answer: answer.url.endswith("/site/report")):
            await visitor.go("/shop?with=rogue")
        sent = json.dumps(visitor.told)
    assert "secret" not in sent
    assert "48213" not in sent
    assert await told(town) == [
        ("cookie", "_visitor_*"), ("storage", "(unreadable)"), ("storage", "_seen"),
    ]  # fmt: skip
    waiting = await town.rows("select rule, person, missing from work_items where closed_at is null order by missing")
    assert waiting[0] == ("cookie", None, "cookie _visitor_*")
    entries = [e for e in await entries_of(town) if e.facts["kind"] == "cookie"]
    assert [(e.facts["name"], e.subjects) for e in entries] == [("_visitor_*", ())]
    assert "secret" not in str(await town.rows("select t::text from site_sightings t"))


async def entries_of(town: Town) -> list[Entry]:
    rows = await town.rows("select id, at, act, body from entries where act = 'cookie:site:unregistered' order by at")
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    body = row[3] if isinstance(row[3], dict) else json.loads(row[3])
    return Entry(row[0], row[1], row[2], body.get("facts", body), ())


async def test_T1_a_request_to_another_site_is_reported_and_a_foreign_tag_never_runs(town: Town) -> None:
    async with town.visitor() as visitor:
        async with visitor.page.expect_response(lambda answer: answer.url.endswith("/site/report")):
            await visitor.go("/shop?with=stranger")
        await visitor.press("Accept all")
        await visitor.page.wait_for_timeout(1500)
        assert not any(url.endswith("/x.js") for url in visitor.asked)  # allowed, yet from a host nobody registered
        assert "who=" not in json.dumps(visitor.told)
    assert await told(town) == [("request", STRANGER), ("tag", "tell-the-world")]


async def test_L7_a_registered_cookie_that_came_before_its_yes_is_removed_and_reported(town: Town) -> None:
    async with town.visitor() as visitor:
        async with visitor.page.expect_response(lambda answer: answer.url.endswith("/site/report")):
            await visitor.go("/shop?with=early")
        assert "speed" not in await visitor.cookies()
    assert await told(town) == [("early", "speed")]


async def test_L7_what_the_page_itself_needs_is_no_news(town: Town) -> None:
    async with town.visitor() as visitor:
        await visitor.go()
        await visitor.press("Accept all")
        await visitor.page.wait_for_timeout(1500)
        assert visitor.told == []


async def test_L7_somebody_sees_to_it_and_what_comes_back_is_told_again(town: Town) -> None:
    await town.house.cookies.report([("cookie", "_ga"), ("cookie", "_ga"), ("cookie", "speed")])
    await town.house.cookies.report([("cookie", "_ga")])
    (seen,) = await town.house.cookies.found()
    assert (seen.kind, seen.name, seen.times) == ("cookie", "_ga", 2)
    assert await town.house.cookies.settle("cookie", "_ga", by="staff:1")
    assert not await town.house.cookies.settle("cookie", "_ga", by="staff:1")
    assert await town.rows("select 1 from work_items where closed_at is null") == []
    assert await town.house.cookies.report([("cookie", "_ga")]) == 1


async def post(town: Town, place: str, body: Any, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=town.base) as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await client.post(place, content=content, headers={"content-type": "application/json", **headers})


REPORT = {"found": [{"kind": "cookie", "name": "_ga"}]}


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}],
)
async def test_L7_another_site_can_report_and_choose_nothing(town: Town, headers: dict[str, str]) -> None:
    register = (await town.house.cookies.register())[1].digest
    for place, body in (
        ("/site/report", REPORT),
        ("/site/cookie-choice", {"register": register, "allowed": [], "how": "none"}),
    ):
        answer = await post(town, place, body, **headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "form-not-ours"
    assert await told(town) == []
    assert await town.rows("select 1 from cookie_choices") == []


async def test_L7_a_form_of_another_site_cannot_pass_for_json(town: Town) -> None:
    answer = await post(town, "/site/report", REPORT, **OURS, **{"content-type": "text/plain"})
    assert answer.status_code == 415


BROKEN: list[Any] = [
    b"", b"\xff\xfe", b"[" * 3000, {}, {"found": []}, {"found": [{"kind": "cookie", "name": "_ga", "value": "secret"}]},
    {"found": [{"kind": "person", "name": "x"}]}, {"found": [{"kind": "cookie", "name": "x" * 300}]},
    {"found": [{"kind": "cookie", "name": "a"}] * 21}, {"found": [{"kind": "cookie", "name": None}]},
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_L7_a_report_of_another_shape_is_refused_and_not_repeated(town: Town, body: Any) -> None:
    answer = await post(town, "/site/report", body, **OURS)
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert await told(town) == []


async def test_L7_a_huge_report_is_not_even_read(town: Town) -> None:
    answer = await post(town, "/site/report", b"x" * 100_000, **OURS)
    assert answer.status_code == 413
    assert await told(town) == []


async def test_L7_names_with_markup_or_a_persons_number_are_not_kept(town: Town) -> None:
    names = ["<img src=x onerror=alert(1)>", "user_998901234567", "ключ", "a@b.example", "id-3f9a77bc01d2"]
    answer = await post(town, "/site/report", {"found": [{"kind": "cookie", "name": n} for n in names]}, **OURS)
    assert answer.status_code == 204
    assert await told(town) == [("cookie", "(unreadable)"), ("cookie", "id-*"), ("cookie", "user_*")]


async def test_L7_a_flood_is_stopped_and_the_list_does_not_grow_without_end(town: Town) -> None:
    for n in range(MOST_SIGHTS // 20 + 2):
        await town.house.cookies.report([("cookie", f"{chr(97 + n)}_{chr(97 + m)}") for m in range(20)])
    assert len(await told(town)) == MOST_SIGHTS
    for _ in range(3 * REPORTS_A_MINUTE):  # a minute may begin between two of them
        answer = await post(town, "/site/report", REPORT, **OURS)
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert CHOICES_A_MINUTE > REPORTS_A_MINUTE  # a flood of reports doesn't stop people from choosing
    register = (await town.house.cookies.register())[1].digest
    chosen = await post(town, "/site/cookie-choice", {"register": register, "allowed": [], "how": "none"}, **OURS)
    assert chosen.status_code == 204


async def test_L7_a_choice_about_another_register_is_not_counted(town: Town) -> None:
    answer = await post(town, "/site/cookie-choice", {"register": "0" * 12, "allowed": [], "how": "all"}, **OURS)
    assert (answer.status_code, answer.json()["code"]) == (409, "cookie-register-changed")
    assert await town.rows("select 1 from cookie_choices") == []


async def test_L7_the_site_says_that_it_honours_the_signal(town: Town) -> None:
    async with httpx.AsyncClient(base_url=town.base) as client:
        said = (await client.get("/.well-known/gpc.json")).json()
        script = await client.get("/site/consent.js")
        again = await client.get("/site/consent.js", headers={"if-none-match": script.headers["etag"]})
    assert said == {"gpc": True, "lastUpdate": "2026-10-31"}
    assert again.status_code == 304
    assert script.headers["cross-origin-resource-policy"] == "same-origin"
