"""Business clients at the Desk: the procedure by two, a client, whom to tell, what was told and confirmed (N1, S4)."""

from collections.abc import AsyncIterator

import pytest

from tests.desk.conftest import Desk, Worker
from tests.desk.test_in_chromium import looked_at
from tests.desk.test_stories import asked, cookie_of

SAYS = {
    "uz": ("Maʼlumotlaringiz haqida", "Nima olinishi siyosatda yozilgan."),
    "ru": ("О ваших данных", "Что собирается, сказано в политике."),
    "en": ("About your data", "What is taken stands in the policy."),
}
PUT, GIVE, CONTACT = "form:has(input[value=put]) .actions button", "form:has(input[value=give]) button", (
    "form:has(input[value=contact]) button"
)  # fmt: skip


async def written(worker: Worker, step: str, *, text: str = "") -> int:
    await worker.go("/desk/clients/procedure")
    page = worker.page
    await page.fill("#id", step)
    await page.fill("#part", "contract")
    await page.fill("#within", "3")
    await page.check("#by-letter")
    await page.check("#by-contract")
    for language, (title, said) in SAYS.items():
        await page.fill(f"#title-{language}", title)
        await page.fill(f"#text-{language}", text or said)
    return await worker.press(PUT)


async def approved(worker: Worker) -> int:
    await worker.go("/desk/clients/procedure")
    return await worker.press("form:has(input[value=approve]) button")


async def registered(worker: Worker, name: str = "“Samarqand Non” MChJ") -> str:
    await worker.go("/desk/clients")
    await worker.page.fill("#name", name)
    assert await worker.press("form[action='/desk/clients'] button") == 200
    return worker.path


async def named(desk: Desk, worker: Worker) -> int:
    desk.clock.forward(1_000_000)
    await worker.page.fill("#person", (await desk.order()).person)
    return await worker.press(CONTACT)


async def walk(desk: Desk, author: Worker, colleague: Worker) -> AsyncIterator[Worker]:
    """A procedure by two, a client that is told and confirms it; every state of the pages."""
    await author.go("/desk/clients")
    yield author
    assert await written(author, "At Contract") == 422
    assert await author.page.input_value("#text-ru") == SAYS["ru"][1], "what was typed stays"
    yield author
    assert await written(author, "at-contract", text="+998 90 123 45 67") == 422
    assert await written(author, "at-contract") == 200
    yield author
    assert await approved(author) == 403
    yield author
    assert await approved(colleague) == 200
    yield colleague
    assert await colleague.go("/desk/clients/procedure?step=at-contract") == 200
    assert await colleague.page.input_value("#within") == "3"
    assert await colleague.page.locator("input[value=remove]").count() == 0, "the only step stays"
    client = await registered(author)
    yield author
    assert await named(desk, author) == 200
    assert await author.page.locator("dt", has_text=SAYS[await spoken(author)][0]).count() == 1
    yield author
    await colleague.go("/desk/clients")
    yield colleague
    await author.go(client)
    assert await author.press(GIVE) == 200
    told = author.page.locator("dl.facts dt", has_text=SAYS[await spoken(author)][0])
    assert await told.count() == 1, "what was told is owed no more"
    yield author
    receipt = await author.page.locator("details p.digest").first.text_content()
    assert receipt
    assert receipt.startswith("omr1.")
    await author.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await author.press("form:has(input[value=acknowledge]) button") == 200
    yield author
    assert await author.press("form:has(input[value=end]) button") == 200
    yield author
    assert await written(author, "after-a-breach") == 200
    await author.go("/desk/clients/procedure?step=after-a-breach")
    yield author
    assert await author.press("form:has(input[value=remove]) button") == 200
    (newest, *_) = await desk.house.client_procedures.every()
    assert [step.id for step in newest.steps] == ["at-contract"]
    await author.go("/desk/clients")
    yield author


async def spoken(worker: Worker) -> str:
    return str(await worker.page.get_attribute("html", "lang"))


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_N1_a_client_is_told_by_the_procedure_in_three_languages_and_accessibly(
    desk: Desk, language: str
) -> None:
    await desk.checkpoint()
    seen = 0
    async with desk.worker("102", language=language) as author, desk.worker("103", language=language) as colleague:
        async for worker in walk(desk, author, colleague):
            await looked_at(worker.page, language)
            seen += 1
        for worker in (author, colleague):
            assert all(url.startswith(f"{desk.base}/") for url in worker.asked)
            assert [said for said in worker.said if "status of 4" not in said] == []
    assert seen == 13


async def test_N1_who_wrote_a_version_approves_it_neither_and_strange_forms_change_nothing(desk: Desk) -> None:
    async with desk.worker("102") as author, desk.worker("103") as colleague:
        await written(author, "at-contract")
        assert await approved(colleague) == 200
        client = await registered(author, "“Non” MChJ")
        csrf = await author.page.locator("input[name=csrf]").first.input_value()
        session = (await cookie_of(author))["__Host-desk"]
        for form, status in (
            ({"do": "contact", "person": "per_nobody", "part": "contract"}, 404),
            ({"do": "give", "step": "at-contract/letter", "at": "2026-11-20T09:00"}, 409),
            ({"do": "give", "step": "at-contract/letter", "at": "yesterday"}, 422),
            ({"do": "acknowledge", "notice": "ev_x", "at": "2026-11-20T09:00"}, 404),
            ({"do": "give-everything"}, 422),
        ):
            answer = await asked(desk, client, session, {**form, "csrf": csrf})
            assert answer.status_code == status, form
        unsigned = await asked(desk, client, session, {"do": "end"})
        assert unsigned.status_code == 403
        assert (await asked(desk, "/desk/clients/bcl_nothing", session)).status_code == 404
        found = await desk.house.business_clients.show(client.rpartition("/")[2])
        assert (found.contacts, found.given, found.ended_at) == ((), (), None)


async def test_N1_the_register_has_pages_and_what_is_owed_to_a_client_on_any_of_them_stands_first(desk: Desk) -> None:
    flow = desk.house.business_clients
    async with desk.worker("102", java_script_enabled=False) as author, desk.worker("103") as colleague:
        await written(author, "at-contract")
        assert await approved(colleague) == 200
        oldest = await registered(author, "“Birinchi” MChJ")
        assert await named(desk, author) == 200
        for number in range(120):
            desk.clock.forward(number % 2)  # of two registered at the same moment neither is lost between pages
            await flow.register(by="102", name=f"“Mijoz {number}” MChJ")
        every = [f"/desk/clients/{one.id}" for one in await flow.every()]
        assert await author.go("/desk/clients") == 200
        first = author.page.locator("main h2:has-text('Owed') + ol a").first
        assert await first.get_attribute("href") == oldest, "owed, though its line is two pages away"
        assert "Everybody was told" not in await author.text()
        await colleague.go("/desk/clients")
        await looked_at(colleague.page, "en")
        seen, pages = [], 0
        while True:
            lines = author.page.locator("main h2:text-is('Clients') + ol a")
            found = [str(await line.get_attribute("href")) for line in await lines.all()]
            assert 0 < len(found) <= 50
            seen, pages = seen + found, pages + 1
            older = author.page.locator("nav.pages a[rel=next]")
            if not await older.count():
                break
            async with author.page.expect_navigation():
                await older.click()
        assert seen == every
        assert pages == -(-len(every) // 50) > 2
        assert await author.page.locator("main h2:has-text('Owed')").count() == 0
        async with author.page.expect_navigation():
            await author.page.locator("nav.pages a[rel=prev]").click()
        assert author.path == "/desk/clients"
        for strange in ("x", "1.bcl_x", f"{'9' * 30}.{oldest.rpartition('/')[2]}", "-1.bcl_" + "a" * 26):
            assert await author.go(f"/desk/clients?before={strange}") == 404


async def test_S4_who_does_not_speak_for_the_company_sees_no_client(desk: Desk) -> None:
    async with desk.worker("102") as author:
        client = await registered(author, "“Non” MChJ")
    async with desk.worker("204") as courier:
        assert await courier.page.locator("a[href='/desk/clients']").count() == 0
        await courier.go("/desk/clients")
        assert "Not for your role" in await courier.text()
        for path in (client, "/desk/clients/procedure"):
            assert await courier.go(path) == 403
            assert "Non" not in await courier.text()
