"""Law packs that contradict each other wait for a person, once, with both rules, until they no longer do (P5)."""

import asyncio
from typing import Any

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import DAY
from omonat.cli.doubts import _looked_at
from omonat.evidence.entry import decode
from omonat.flows.asked import NewRequest
from omonat.flows.law_watch import LawWatch
from omonat.flows.publish_policy import Publication
from omonat.promises.requests.facts import Kind
from tests.flows.conftest import Clock, Shop, document, packs

TORN = ("within: P10D\n    days: calendar", "within: P8D\n    days: working")
LANGUAGE = ("  language: uz\n", "  language: ru\n")


def another(*changes: tuple[str, str]) -> str:
    text = packs()["uz"].replace("pack: uz", "pack: kz").replace("uz/", "kz/")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


async def in_force(shop: Shop, version: str, laws: str, **more: str) -> None:
    written = document(**{'version: "1"': f'version: "{version}"', "laws: [uz]": f"laws: [{laws}]"})
    await shop.house.publish(Publication(document=written, packs=packs() | more, author="staff:1", approver="staff:2"))


async def standing(shop: Shop) -> list[tuple[str, str]]:
    return [(one.kind, one.about) for one in await shop.house.doubts.shown_to("privacy-officer")]


async def rows(shop: Shop, sql: str) -> list[Any]:
    return list(await shop.house.grounds.database.pool.fetch(sql))


async def test_P5_a_contradiction_is_one_work_item_with_both_rules_until_it_is_over(shop: Shop, clock: Clock) -> None:
    watch = shop.house.law_watch
    await watch.look_after()
    assert await standing(shop) == []

    await in_force(shop, "2", "uz, kz", kz=another(TORN, LANGUAGE))
    await asyncio.gather(*(LawWatch(shop.house.grounds).look_after() for _ in range(4)))  # several workers at once
    for _ in range(3):
        clock.forward(DAY // 24)
        await watch.look_after()
    assert await standing(shop) == [("law-conflict", "advertising"), ("law-conflict", "deadline/answer-request")]
    assert not await shop.house.doubts.shown_to("courier")
    open_ones = await rows(
        shop, "select missing from work_items where closed_at is null and rule = 'doubt-law-conflict'"
    )
    assert len(open_ones) == 2
    begun = await rows(shop, "select body from entries where act = 'house:doubt:begun' order by at, txid")
    assert [decode(one["body"]).facts["rules"] for one in begun] == [
        {"uz": "uz", "kz": "ru"},
        {"uz": "P10D calendar", "kz": "P8D working"},
    ]
    _, conflicts = await _looked_at(shop.house)
    sides = conflicts["deadline/answer-request"].sides
    assert [(side.pack, bool(side.source)) for side in sides] == [("uz", True), ("kz", True)]

    await in_force(shop, "3", "uz, kz", kz=another())
    await watch.look_after()
    assert await standing(shop) == []
    assert len(await rows(shop, "select 1 from entries where act = 'house:doubt:ended'")) == 2


async def test_P5_what_a_contradiction_refused_is_no_work_any_more_once_it_is_over(shop: Shop) -> None:
    await in_force(shop, "2", "uz, kz", kz=another(TORN))
    credential = await shop.house.inner_credential("requests")
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await shop.house.ask(
                NewRequest(credential=credential, kind=Kind.COMPLAINT, text="Shikoyat", door="site", caller="")
            )
        assert refused.value.code == "request-deadline-unknown"
    waits = "select 1 from work_items where closed_at is null and rule = 'request'"
    assert len(await rows(shop, waits)) == 1
    await shop.house.law_watch.look_after()
    assert len(await rows(shop, waits)) == 1
    await in_force(shop, "3", "uz")
    await shop.house.law_watch.look_after()
    assert not await rows(shop, waits)


async def test_P5_a_year_without_its_days_off_is_said_before_it_begins(shop: Shop, clock: Clock) -> None:
    watch = shop.house.law_watch
    clock.forward(26 * DAY)  # 18 December 2026
    await watch.look_after()
    assert await standing(shop) == [("law-calendar", "uz/2027")]
    listed = packs()["uz"].replace(
        "  years:\n",
        "  years:\n    - {year: 2027, off: [2027-01-01], source: made up, mark: U, verified-by-counsel: false}\n",
        1,
    )
    await in_force(shop, "2", "uz", uz=listed)
    await watch.look_after()
    assert await standing(shop) == []
