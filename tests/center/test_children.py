"""A guardian's pages over a child's data, and what strangers see there (K3)."""

from datetime import date
from pathlib import Path

import pytest

from omonat.base.errors import Refused
from omonat.base.instants import SECOND
from omonat.flows.children import Agreement
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at, unfolded
from tests.erasure.stories import closed, hired


async def family(center: Center, *, over: bool = True) -> tuple[str, str, str]:
    """A parent with their phone, and a child whose form was checked; `over`: what the child ordered is done."""
    parent, phone = await center.customer()
    child, _ = await center.customer()
    if over:
        await closed(center.shop, child)
    by = await hired(center.shop, "911", "privacy-officer")
    await center.house.children.signal(child.person, "parent", by="test")
    center.clock.forward(SECOND)
    agreement = Agreement(
        person=child.person, method="signed-form", reference="7", guardian=phone, born=date(2016, 3, 1)
    )
    await center.house.children.agree(agreement, by=by)
    center.clock.forward(SECOND)
    return parent.person, phone, child.person


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K3_a_parent_without_a_child_here_reads_how_to_begin(center: Center, language: str) -> None:
    parent, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, parent.person)
        await reader.go("/me/children")
        await looked_at(reader.page, language)
        async with reader.page.expect_navigation() as led:
            await reader.page.locator("main a[href='/complain?kind=question']").click()
        assert (await led.value).status == 200
        assert await reader.page.locator("select[name=kind]").input_value() == "question"


async def status(reader: Reader, path: str) -> int:
    return await reader.go(path)


async def test_K3_a_guardian_sees_limits_and_takes_the_consent_back_without_script(center: Center) -> None:
    parent, phone, child = await family(center)
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, parent)
        await reader.press("My children")
        listed = await reader.text()
        assert "Dilnoza" not in listed
        await reader.go(f"/me/children/{child}")
        assert "Dilnoza" not in await reader.text(), "covered until asked for"
        await reader.press("Show everything")
        assert "Dilnoza Karimova" in await reader.text()
        assert await reader.page.get_by_role("button", name="Show everything").count() == 0
        center.clock.forward(SECOND)
        await reader.go(f"/me/children/{child}")
        async with reader.page.expect_navigation():
            await reader.page.locator("form:has(input[value=restriction]) button").click()
        assert "Restricted" in await reader.text()
        center.clock.forward(SECOND)
        async with reader.page.expect_navigation():
            await reader.page.locator("form:has(input[value=withdraw]) button").click()
        assert "Tick the box first" in await reader.text(), "nothing is taken back by a slip"
        await reader.page.check("#sure")
        async with reader.page.expect_navigation():
            await reader.page.locator("form:has(input[value=withdraw]) button").click()
        assert "You took the consent back" in await reader.text()
        assert await reader.page.locator("main a[href='/complain?kind=question']").count() == 0
        assert await status(reader, f"/me/children/{child}") == 404
    with pytest.raises(Refused) as told:
        await center.house.guardians.data(parent, child)
    assert told.value.code == "not-the-guardian"


async def test_K3_no_address_of_a_child_answers_anybody_else(center: Center) -> None:
    _, _, child = await family(center)
    stranger, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, stranger.person)
        assert "My children" not in await reader.page.inner_text("body")
        for whom in (child, stranger.person, "per_" + "a" * 26, "x"):
            for path in (
                "",
                "/copy",
                "/delete",
                "/delete/code",
                f"/correct?item=contact.name&record=rec_{'a' * 26}",
                f"/delete?record=rec_{'a' * 26}",
            ):
                assert await status(reader, f"/me/children/{whom}{path}") == 404, path
        await reader.go("/me")
        token = await reader.page.get_attribute("form input[name=csrf]", "value")
        for path, form in (
            ("", {"reveal": "all"}),
            ("", {"do": "choose", "kind": "restriction", "state": "given"}),
            ("", {"do": "withdraw", "sure": "yes"}),
            ("/copy", {"form": "json"}),
            ("/correct", {"record": f"rec_{'a' * 26}", "item": "contact.name", "value": "X"}),
            ("/delete", {"channel": "contact.mobile"}),
            ("/delete/code", {"ticket": "x", "code": "000000"}),
        ):
            answer = await reader.page.context.request.post(
                f"{center.base}/me/children/{child}{path}",
                form={"csrf": token or "", **form},
                headers={"origin": center.base},
            )
            assert answer.status == 404, (path, form)
            assert "Dilnoza" not in await answer.text()
    async with center.reader() as nobody:
        await nobody.go(f"/me/children/{child}")
        assert nobody.path == "/me"


async def test_K3_a_guardian_deletes_with_a_plan_and_a_code_and_stays_signed_in(center: Center) -> None:
    parent, phone, child = await family(center)
    async with center.reader() as reader:
        await center.sign_in(reader, phone, parent)
        await reader.go(f"/me/children/{child}/delete")
        assert "Nothing is deleted yet" in await reader.text()
        center.clock.forward(SECOND)
        await reader.press("Send me a code")
        code = await center.code(parent, "confirm-code")
        await reader.page.fill("#code", "000000" if code != "000000" else "111111")
        await reader.press("Delete it")
        assert await reader.page.locator("#code-error").count() == 1
        await reader.go("/me/delete/code")
        assert reader.path == "/me/delete", "a code for the child deletes nothing of the guardian's"
        await reader.go(f"/me/children/{child}/delete/code")
        await reader.page.fill("#code", code)
        await reader.press("Delete it")
        assert reader.path.startswith("/me/receipt/")
        await reader.go("/me/data")
        assert "My data" in await reader.text()
        assert await status(reader, f"/me/children/{child}") == 404
    gone = await center.house.grounds.database.pool.fetchval("select erased_at from persons where id = $1", child)
    assert gone is not None


async def test_K3_a_guardian_puts_right_and_takes_away_but_not_what_the_child_signs_in_with(center: Center) -> None:
    parent, phone, child = await family(center, over=False)
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, parent)
        await reader.go(f"/me/children/{child}")
        places = await reader.page.locator(".deeds a[href*='/correct?']").evaluate_all("all => all.map(a => a.href)")
        assert any("item=contact.name" in each for each in places)
        assert not any("contact.mobile" in each or "birth" in each for each in places)
        place = next(each for each in places if "item=contact.name" in each)
        await reader.page.goto(place)
        center.clock.forward(SECOND)
        await reader.page.fill("#value", "Dilnoza Aliyeva")
        await reader.press("Correct it")
        await reader.press("Show everything")
        assert "Dilnoza Aliyeva" in await reader.text()
        other = place.replace("contact.name", "contact.mobile")
        answer = await reader.page.goto(other)
        assert answer is not None
        assert answer.status == 409
        await reader.go(f"/me/children/{child}/copy")
        await reader.page.check("input[value=json]")
        async with reader.page.expect_download() as saved:
            await reader.page.locator("main form button").last.click()
        text = Path(await (await saved.value).path()).read_text("utf-8")
        assert "Dilnoza Aliyeva" in text
        assert f'"person": "{child}"' in text
    acts = await center.house.grounds.database.pool.fetch("select act from entries")
    assert {row["act"] for row in acts} >= {"access:guardian:copied", "correction:item:made"}


async def test_K3_L5_a_guardian_allows_the_childs_location_for_a_time_and_exactness(center: Center) -> None:
    parent, phone, child = await family(center)
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, parent)
        place, offers = f"/me/children/{child}", "article#guide-courier"
        await reader.go(place)
        assert await reader.page.locator(offers).count() == 1
        assert await reader.page.locator(f"{offers} button[value=given]").count() == 0, "never for always by one press"
        assert "while your account" not in await reader.text(), "the account is the child's"
        await reader.page.select_option(f"{offers} select[name=precision]", "district")
        center.clock.forward(SECOND)
        async with reader.page.expect_navigation():
            await reader.page.click(f"{offers} button[value=hour]")
        assert "Agreed" in await reader.page.inner_text(offers)
        assert "to about 1 kilometre" in await reader.page.inner_text(f"{offers} .state >> nth=1")
        term = (await center.house.guardians.standing(parent, child)).terms["guide-courier"]
        assert (term.kind, term.precision) == ("until", "district")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_K3_the_pages_speak_the_language_and_are_accessible(center: Center, language: str) -> None:
    parent, phone, child = await family(center, over=False)
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, parent)
        for path in ("/me", "/me/children", f"/me/children/{child}", f"/me/children/{child}/delete"):
            assert await status(reader, path) == 200
            await unfolded(reader.page)
            await looked_at(reader.page, language)
        center.clock.forward(SECOND)
        async with reader.page.expect_navigation():
            await reader.page.locator("main form[action$='/delete'] button").click()
        await looked_at(reader.page, language)
        assert await status(reader, f"/me/children/{child}/copy") == 200
        await looked_at(reader.page, language)
        await status(reader, f"/me/children/{child}")
        await reader.page.locator(".deeds a[href*='/correct?']").first.click()
        await looked_at(reader.page, language)
        await reader.go("/me/children/per_x")
        await looked_at(reader.page, language)
