"""What changed, in the Privacy Center: seeing it tells, saying yes opens the new use, accepting is neither (P2, P4)."""

from typing import Any

import pytest

from omonat.base.instants import DAY, SECOND, Instant
from omonat.flows.clients import parse_credential
from omonat.flows.publish_policy import Publication
from omonat.flows.staff import Registration
from omonat.flows.use import UseRequest
from tests.center.conftest import Center
from tests.center.test_in_chromium import looked_at
from tests.flows.conftest import packs
from tests.notice.conftest import second_version


async def changed(center: Center) -> None:
    """The second version is in force; once for the module."""
    if len(await center.house.grounds.law.known()) > 1:
        return
    await center.house.publish(
        Publication(document=second_version(), packs=packs(), author="staff:1", approver="staff:2")
    )
    credential = await center.house.clients.issue(name="quality", source="counter", roles=["quality"])
    center.shop.credentials["quality"] = parse_credential(credential)
    trained = Instant(center.clock.now + 300 * DAY)
    await center.house.staff.put(
        Registration(ref="601", name="Xodim 601", role="quality", trained_until=trained), by="t"
    )


async def improving(center: Center, person: str) -> str:
    """What the quality controller gets to know of the landmark."""
    center.clock.forward(SECOND)
    asked = UseRequest(credential=center.shop.credentials["quality"], purpose="improve-services", person=person,
                       on_behalf_of="601", items=("contact.landmark",))  # fmt: skip
    answer = await center.house.use(asked)
    return "given" if answer.items else answer.withheld["contact.landmark"].code


async def row(center: Center, statement: str, person: str) -> Any:
    async with center.house.grounds.database.connection() as connection:
        return await connection.fetchval(statement, person)


async def test_P2_who_sees_it_in_the_privacy_center_has_been_told_and_is_asked(center: Center) -> None:
    order, phone = await center.customer()
    await changed(center)
    assert await improving(center, order.person) == "not-told-yet"
    async with center.reader("en") as reader:
        await center.sign_in(reader, phone, order.person)
        assert "The policy reaches further into the data you gave." in await reader.text()
        assert await row(center, "select told from persons where id = $1", order.person) == 1, "not by a mere hint"
        await reader.go("/me/notices")
        said = await reader.text()
        assert "More data is used: Improving the services" in said
        assert "here, in the Privacy Center" in said
        assert await row(center, "select told from persons where id = $1", order.person) == 2
        assert await row(center, "select channel from tellings where person = $1", order.person) == "center"
        assert await improving(center, order.person) == "not-told-yet", "told is not agreed"

        await reader.press("Agree")
        assert "Your choice is saved" in await reader.text()
        assert await improving(center, order.person) == "given"
        await reader.press("Take back the agreement")
        assert await improving(center, order.person) == "not-told-yet"
        await reader.go("/me")
        assert "reaches further" not in await reader.text()
        await reader.go("/me/notices")
        assert await row(center, "select count(*) from tellings where person = $1", order.person) == 1


async def test_P4_a_version_is_accepted_outside_forms_and_nothing_else_follows_from_it(center: Center) -> None:
    order, phone = await center.customer()
    await changed(center)
    async with center.reader("en") as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/notices")
        await reader.press("Accept version 2")
        assert "It is noted that you accepted this version." in await reader.text()
        await reader.go("/me/data")
        async with reader.page.expect_navigation():
            await reader.page.locator("nav.doors a[href='/me/notices']").click()
        assert reader.path == "/me/notices"
        for language, said in (("en", "Version 2 is accepted"), ("ru", "Принята редакция 2")):
            await reader.go(f"/me/notices?lang={language}")
            assert said in await reader.text()
        await reader.go("/me/notices?lang=en")
        assert "Accept version 2" not in await reader.text()
    accepted = (
        "select (version, door, state)::text from choices where person = $1 and kind = 'acceptance' and version = 2"
    )
    assert await row(center, accepted, order.person) == "(2,me,given)"
    assert await row(center, "select standing::text from persons where id = $1", order.person) is None
    assert await improving(center, order.person) == "not-told-yet", "accepted is not agreed"
    who = (await center.house.my_data.who_looked(order.person)).entries
    assert "notice:person:accepted" in {entry.act for entry in who}


async def test_P4_a_version_nobody_published_cannot_be_accepted(center: Center) -> None:
    order, phone = await center.customer()
    await changed(center)
    async with center.reader("en") as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/notices")
        await reader.page.evaluate("document.querySelectorAll('input[name=version]').forEach(i => i.value = '99')")
        await reader.press("Accept version 2")
        assert reader.path.startswith("/me/notices")
    assert await row(center, "select max(version) from choices where person = $1", order.person) == 1


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_the_page_of_notices_speaks_the_language_and_is_accessible(center: Center, language: str) -> None:
    order, phone = await center.customer()
    await changed(center)
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        await looked_at(reader.page, language)
        await reader.go("/me/notices")
        await looked_at(reader.page, language)
        assert [url for url in reader.asked if not url.startswith(f"{center.base}/")] == []


async def test_P2_the_page_works_without_script(center: Center) -> None:
    order, phone = await center.customer()
    await changed(center)
    async with center.reader("en", java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/notices")
        await reader.press("Agree")
    assert await improving(center, order.person) == "given"
