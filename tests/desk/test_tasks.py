"""What is left to a privacy officer's hand, as they find it at the Desk (A1, R3, S4)."""

from omonat.base.instants import DAY
from omonat.flows.erase import ErasureRequest
from omonat.flows.work import open_work_item
from tests.desk.conftest import Desk
from tests.desk.test_stories import asked, cookie_of

PAGE = "/desk/tasks"


async def test_R3_an_officer_sees_what_to_erase_elsewhere_and_says_that_it_is_done(desk: Desk) -> None:
    order = await desk.order("204")
    erasure = await desk.house.erase(ErasureRequest(person=order.person))
    async with desk.worker("102", width=390) as officer:
        await officer.press(f"a[href='{PAGE}']")
        card = officer.page.locator(f"section:has(input[value='camera-recorder {erasure.id}'])")
        told = await card.inner_text()
        assert order.case is not None
        assert order.case in told
        assert erasure.id in told
        desk.clock.forward(DAY)
        await desk.sign_in(officer, "102")
        await officer.go(PAGE)
        assert await officer.press(f"section:has(input[value='camera-recorder {erasure.id}']) button") == 200
        assert await card.count() == 0
    told_by = {notice.system: notice.entry for notice in await desk.house.systems.of(erasure.id)}
    assert told_by["camera-recorder"] is not None


async def test_A1_what_could_not_be_decided_waits_until_somebody_has_looked(desk: Desk) -> None:
    order = await desk.order("204")
    await open_work_item(
        desk.house.grounds.database, rule="due", person=order.person, missing="contact.mobile", now=desk.clock.now
    )
    async with desk.worker("102") as officer:
        await officer.go(PAGE)
        card = officer.page.locator("section:has(input[value='contact.mobile'])")
        assert order.person in await card.inner_text(), "an id, no value"
        assert await officer.press("section:has(input[value='contact.mobile']) button") == 200
        assert await card.count() == 0
        assert "+998" not in await officer.text()


async def test_S6_what_is_not_as_it_was_sealed_is_named_in_the_words_of_the_policy(desk: Desk) -> None:
    order = await desk.order("204")
    await open_work_item(
        desk.house.grounds.database, rule="integrity", person=order.person, missing="contact", now=desk.clock.now
    )
    async with desk.worker("102") as officer:
        for language, said in (("uz", "Aloqa maʼlumotlari"), ("ru", "Контактные данные"), ("en", "Contact details")):
            await officer.go(f"{PAGE}?lang={language}")
            assert said in await officer.page.inner_text("section:has(input[value='contact']) h3")


async def test_S4_nobody_else_sees_a_task_or_ends_one(desk: Desk) -> None:
    order = await desk.order("204")
    erasure = await desk.house.erase(ErasureRequest(person=order.person))
    async with desk.worker("204") as courier, desk.worker("102") as officer:
        assert await courier.page.locator(f"a[href='{PAGE}']").count() == 0
        await courier.go(PAGE)
        told = await courier.text()
        assert "Not for your role" in told
        assert erasure.id not in told
        await officer.go(PAGE)
        csrf = await courier.page.locator("input[name=csrf]").first.input_value()
        session = (await cookie_of(courier))["__Host-desk"]
        form = {"kind": "erase-by-hand", "about": f"camera-recorder {erasure.id}", "csrf": csrf}
        for seen, status in (("9" * 16, 403), ("x", 422), ("", 422)):
            assert (await asked(desk, PAGE, session, {**form, "seen": seen})).status_code == status
        await officer.page.evaluate("document.querySelector('input[name=kind]').value = 'hold-approval'")
        assert await officer.press("section form button") == 409
        assert "A word doesn’t end this task" in await officer.text()
    assert any(erasure.id in task.about for task in (await desk.house.tasks.waiting()).tasks)
