"""The page behind the QR of a bill, in a real browser: everybody can read it, and it says nothing of anybody (A3)."""

import re
from typing import Any

import pytest

from omonat.base.instants import DAY, HOUR, SECOND
from omonat.flows.choose import Choosing
from omonat.flows.collect import CollectAnswer
from omonat.flows.erase import ErasureRequest
from omonat.flows.visit_links import LOOKED
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at, unfolded

MOST = 100_000  # bytes on the way, with everything the page brings


async def bill(center: Center, order: CollectAnswer) -> str:
    """The path of the address on the bill."""
    made = await center.house.visit_links.make(center.shop.credentials["panel"], order.case or "")
    return made.address.removeprefix("http://localhost:8600")


async def guest(center: Center) -> tuple[CollectAnswer, str, str]:
    """Somebody who ordered and was brought it: the order, their phone, and the path on the bill."""
    order, phone = await center.customer()
    await center.assign(order.case, "204")
    path = await bill(center, order)
    center.clock.forward(SECOND)
    await center.deliver(order.case, "204", "contact.name", "contact.landmark", "financial.card-number")
    center.clock.forward(SECOND)
    return order, phone, path


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_the_page_and_the_calm_one_speak_the_language_and_are_accessible(
    center: Center, language: str
) -> None:
    _, _, path = await guest(center)
    async with center.reader(language) as reader:
        assert await reader.go(path) == 200
        await unfolded(reader.page)
        await looked_at(reader.page, language)
        assert await reader.go(path[:-2]) == 404
        await looked_at(reader.page, language)
        await reader.go(path)
        async with reader.page.expect_navigation():
            await reader.page.locator("main a[href*='kind=deletion']").click()
        await looked_at(reader.page, language)
        assert [url for url in reader.asked if not url.startswith(f"{center.base}/")] == []
        assert [line for line in reader.said if "Failed to load resource" not in line] == []


async def test_A3_it_says_what_was_recorded_why_until_when_who_looked_and_where_it_may_go(center: Center) -> None:
    order, _, path = await guest(center)
    async with center.reader() as reader:
        await reader.go(path)
        await unfolded(reader.page)
        said = await reader.text()
        number = (order.case or "").partition(":")[2]
        for words in (f"Order {number}", "Mobile phone", "Name", "Landmark", "Delivery of the order", "Contract"):
            assert words in said, words
        assert "in 6 years" in said
        assert "Courier (a member of staff) looked at data of this visit" in said
        assert "This link was opened 1 time." in said
        assert "SMS" in said


async def test_D2_no_value_whole_or_in_part_and_nothing_that_keeps_or_hands_on_the_address(center: Center) -> None:
    order, phone, path = await guest(center)
    async with center.reader() as reader:
        answer = await reader.page.goto(center.base + path)
        assert answer is not None
        headers = await answer.all_headers()
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert "set-cookie" not in headers
        for page in (path, f"/complain?kind=deletion&visit={path.rpartition('/')[2]}"):
            answer = await reader.page.goto(center.base + page)
            assert answer is not None
            assert (await answer.all_headers())["cache-control"] == "no-store"
            content, seen = (await reader.page.content()).replace(" ", ""), await reader.page.inner_text("body")
            hidden = ("Dilnoza", "Karimova", "D···", "Chilonzor", "Toshkent", "Makro", "9000000", "Osh", "90000")
            for value in (*hidden, phone, order.person):
                assert value not in content, value
            assert phone[-4:] not in re.findall(r"\d+", seen), "nor the end of the number, as a mask would show it"


async def test_A3_it_is_light_and_needs_no_script_and_nobody_signed_in(center: Center) -> None:
    _, _, path = await guest(center)
    async with center.reader("uz", java_script_enabled=False) as reader:
        heavy: list[int] = []

        async def weigh(request: Any) -> None:
            sizes = await request.sizes()
            heavy.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

        reader.page.on("requestfinished", weigh)
        assert await reader.go(path) == 200
        await reader.page.wait_for_load_state("networkidle")
        await reader.page.locator("details > summary").first.click()
        assert await reader.page.locator("details[open]").count() == 1
        assert heavy
        assert sum(heavy) <= MOST
        assert await reader.page.locator("main form").count() == 0, "nothing can be changed from the bill"
        assert await reader.page.context.cookies() == []


async def test_A2_the_bill_leads_on_to_a_complaint_that_names_the_visit(center: Center) -> None:
    order, phone, path = await guest(center)
    async with center.reader() as reader:
        await reader.go(path)
        await reader.press("Complain")
        number = (order.case or "").partition(":")[2]
        assert await reader.page.input_value("textarea") == f"This is about: Order {number}.\n"
        assert phone not in await reader.page.content()
        await reader.go(f"/complain?kind=deletion&visit={path.rpartition('/')[2][:-2]}")
        assert await reader.page.input_value("textarea") == ""


@pytest.mark.parametrize("ending", ["over", "erased", "restricted", "child", "made-up"])
async def test_C2_a_link_that_shows_nothing_always_reads_the_same(center: Center, ending: str) -> None:
    order, _, path = await guest(center)
    person = order.person
    async with center.reader() as reader:
        assert await reader.go(path) == 200
        if ending == "over":
            center.clock.forward(30 * DAY)
        elif ending == "erased":
            await center.house.erase(ErasureRequest(person=person))
        elif ending == "restricted":
            await center.house.choose(Choosing(person=person, kind="restriction", state="given"))
        elif ending == "child":
            await center.house.children.signal(person, "parent", by="test")
        assert await reader.go(path if ending != "made-up" else path[:-1]) == 404
        text = await reader.text()
        assert "There is nothing to see here" in await reader.page.inner_text("h1")
        await reader.go("/me/visit/" + "A" * 120)
        assert await reader.text() == text


async def test_S6_too_many_looks_say_so_and_leave_nothing(center: Center) -> None:
    order, _, path = await guest(center)
    async with center.reader() as reader:
        for _ in range(60):
            assert (await reader.page.request.get(center.base + path)).status == 200
        assert await reader.go(path) == 429
        assert "too often" in await reader.text()
        looks = await center.house.my_data.everybody_who_looked(order.person)
        assert sum(entry.act == LOOKED for entry in looks) == 60
        center.clock.forward(HOUR)
        assert await reader.go(path) == 200


async def test_B3_the_person_sees_that_a_bill_was_printed_and_that_somebody_looked(center: Center) -> None:
    order, phone, path = await guest(center)
    async with center.reader() as guest_reader:
        await guest_reader.go(path)
    async with center.reader() as reader:
        await signed_in(center, reader, phone, order.person)
        await reader.go("/me/who-looked")
        said = await reader.text()
        assert "Somebody with the link from a bill saw what was recorded about a visit, without a value" in said
        assert "had a link to what was recorded about it printed on a bill" in said


async def signed_in(center: Center, reader: Reader, phone: str, person: str) -> None:
    center.clock.forward(SECOND)
    await center.sign_in(reader, phone, person)
