"""Campaigns at the Desk: one plans, another reads and approves, either stops; numbers and never names (U5, C3, S4)."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from omonat.flows.collect import CollectRequest
from tests.desk.conftest import Desk, Worker
from tests.desk.test_in_chromium import looked_at
from tests.desk.test_stories import asked, cookie_of

EMAIL = "gulnora{}@mail.example"
_numbers = count()


async def reader(desk: Desk) -> str:
    """Somebody who said yes to the newsletter."""
    email = EMAIL.format(next(_numbers))
    items = {"contact.email": email, "contact.name": "Gulnora Yoʻldosheva"}
    site = desk.shop.credentials["site"]
    await desk.house.collect(
        CollectRequest(
            credential=site, service="newsletter", items=items, version="1", consents={"marketing-email": True},
            accepted=True,
        )
    )  # fmt: skip
    return email


async def planned(worker: Worker, name: str, *, text: str = "Navroʻz kuni sumalak tekin.", ru: str = "Сумаляк.") -> int:
    await worker.go("/desk/campaigns")
    page = worker.page
    await page.fill("#name", name)
    await page.select_option("#purpose", "marketing-email/email")
    await page.fill("#subject", "Navroʻz")
    await page.fill("#text", text)
    await page.fill("#ru", ru)
    return await worker.press("form[action='/desk/campaigns'] button")


async def test_U5_one_plans_another_reads_and_approves_and_it_is_stopped(desk: Desk) -> None:
    email = await reader(desk)
    async with desk.worker("501") as author, desk.worker("502") as colleague:
        assert await planned(author, "navroz") == 200
        assert author.path == "/desk/campaigns/navroz"
        said = await author.text()
        assert "May be written to" in said
        assert "You can’t approve your own" in said
        assert email not in said
        assert await author.page.locator("input[name=do]").evaluate_all("all => all.map(e => e.value)") == ["stop"]
        await colleague.go("/desk/campaigns/navroz")
        assert "Navroʻz kuni sumalak tekin." in await colleague.text()
        assert await colleague.press("form:has(input[value=approve]) button") == 200
        await author.page.reload()
        assert await author.press("form:has(input[value=start]) button") == 200
        while await desk.house.campaign_letters.round():
            pass
        await colleague.page.reload()
        assert "Waiting" in await colleague.text()
        assert await colleague.press("form:has(input[value=stop]) button") == 200
        assert "Stopped" in await colleague.text()


async def test_U5_the_author_approves_nothing_even_with_a_form_of_their_own_making(desk: Desk) -> None:
    async with desk.worker("501") as author:
        await planned(author, "my-own")
        csrf = await author.page.locator("form[action='/desk/campaigns/my-own'] input[name=csrf]").first.input_value()
        session = (await cookie_of(author))["__Host-desk"]
        own = await asked(
            desk, "/desk/campaigns/my-own", session, {"do": "approve", "csrf": csrf}, accept_language="en"
        )
        assert (own.status_code, "can’t approve it" in own.text) == (403, True)
        early = await asked(desk, "/desk/campaigns/my-own", session, {"do": "start", "csrf": csrf})
        assert early.status_code == 409
        strange = await asked(desk, "/desk/campaigns/my-own", session, {"do": "send-to-everybody", "csrf": csrf})
        assert strange.status_code == 422
        unsigned = await asked(desk, "/desk/campaigns/my-own", session, {"do": "stop"})
        assert unsigned.status_code == 403
        assert (await desk.house.campaigns.show("my-own")).state == "planned"


async def test_U5_what_is_wrong_with_a_text_stands_beside_it_and_what_was_typed_stays(desk: Desk) -> None:
    async with desk.worker("501") as author:
        assert await planned(author, "too-long", text="Sumalak.", ru="Сумаляк бесплатно для всех") == 422
        assert await author.page.locator("#ru-error").count() == 1
        assert await author.page.input_value("#text") == "Sumalak."
        assert await planned(author, "Not A Name") == 422
        assert await author.page.locator("#name-error").count() == 1


async def test_S4_who_has_nothing_to_do_with_campaigns_sees_none(desk: Desk) -> None:
    async with desk.worker("501") as author:
        await planned(author, "others")
    async with desk.worker("204") as courier:
        assert await courier.page.locator("a[href='/desk/campaigns']").count() == 0
        await courier.go("/desk/campaigns")
        assert "Not for your role" in await courier.text()
        assert await courier.go("/desk/campaigns/others") == 403
        assert "sumalak" not in await courier.text()
        assert await courier.go("/desk/campaigns/nobodys") == 404


async def of_two_marketers(desk: Desk, author: Worker, colleague: Worker, name: str) -> AsyncIterator[Worker]:
    """Every state of the pages."""
    await author.go("/desk/campaigns")
    yield author
    await planned(author, name, ru="Слишком длинный перевод на русский язык")
    yield author
    await planned(author, name)
    yield author
    await colleague.go(f"/desk/campaigns/{name}")
    yield colleague
    for act, worker in (("approve", colleague), ("start", author)):
        await worker.go(f"/desk/campaigns/{name}")
        await worker.press(f"form:has(input[value={act}]) button")
        yield worker
    while await desk.house.campaign_letters.round():
        pass
    await colleague.go(f"/desk/campaigns/{name}")
    await colleague.press("form:has(input[value=stop]) button")
    while await desk.house.campaign_letters.round():
        pass
    await colleague.page.reload()
    yield colleague
    await colleague.go("/desk/campaigns")
    yield colleague


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_N1_the_pages_of_campaigns_speak_the_language_and_are_accessible(desk: Desk, language: str) -> None:
    await reader(desk)
    await desk.checkpoint()
    seen = 0
    async with desk.worker("501", language=language) as author, desk.worker("502", language=language) as colleague:
        async for worker in of_two_marketers(desk, author, colleague, f"walk-{language}"):
            await looked_at(worker.page, language)
            seen += 1
        for worker in (author, colleague):
            assert all(url.startswith(f"{desk.base}/") for url in worker.asked)
            assert [said for said in worker.said if "status of 4" not in said] == []
    assert seen == 8
