"""A person deletes what is held about them by themselves, and what strangers try with an open browser (R3, S6)."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from omonat.base.errors import Refused
from omonat.base.instants import DAY, MINUTE, SECOND
from omonat.flows.collect import CollectAnswer, CollectRequest
from omonat.flows.erase_mine import Wanted
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at, unfolded
from tests.erasure.stories import closed
from tests.erasure.test_certificate import SCHEMA
from tests.erasure.test_holds import officers, placed


async def asked(center: Center, reader: Reader, query: str = "") -> None:
    """Open the plan and have the code sent."""
    center.clock.forward(SECOND)
    await reader.go(f"/me/delete{query}")
    async with reader.page.expect_navigation():
        await reader.page.locator("main form[action='/me/delete'] button").click()


async def confirmed(center: Center, reader: Reader, person: str, code: str | None = None) -> None:
    await reader.page.fill("#code", code or await center.code(person, "confirm-code"))
    async with reader.page.expect_navigation():
        await reader.page.locator("main form[action='/me/delete/code'] button").click()


async def gone(center: Center, person: str) -> bool:
    return bool(
        await center.house.grounds.database.pool.fetchval(
            "select erased_at is not null from persons where id = $1", person
        )
    )


async def test_R3_a_person_deletes_everything_and_keeps_the_receipt(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/data")
        await reader.press("Delete all my data")
        plan = await reader.text()
        assert "Nothing is deleted yet" in plan
        assert "name" in plan.lower()
        assert "the order or request is still open" in plan or "do what you ordered" in plan
        await closed(center.shop, order)
        await asked(center, reader)
        assert reader.path == "/me/delete/code"
        assert not await gone(center, order.person)
        await confirmed(center, reader, order.person)
        assert reader.path.startswith("/me/receipt/")
        said = await reader.text()
        assert "What can go is deleted" in await reader.page.inner_text("h1")
        assert "Keys destroyed" in said
        for private in ("Dilnoza", "Karimova", "Chilonzor", phone[4:], order.person):
            assert private not in await reader.page.content()
        assert "Amount" in said  # the tax duty keeps it, and says so
        address = reader.path.partition("?")[0]
        cookies = {cookie["name"] for cookie in await reader.page.context.cookies()}
        assert "__Host-me" not in cookies
        assert "__Host-me-act" not in cookies
        await reader.go("/me/data")
        assert await reader.page.locator("#who").count() == 1
    assert await gone(center, order.person)
    await center.checkpoint()
    async with center.reader() as anybody:  # whoever has the address
        await anybody.go(address)
        answer = await anybody.page.context.request.get(f"{center.base}{address}/certificate.json")
        told = json.loads(await answer.text())
        Draft202012Validator(SCHEMA).validate(told)
        assert told["person"] == order.person
        assert told["stages"][1]["at"] is not None
        paper = await anybody.page.context.request.get(f"{center.base}{address}/certificate.pdf")
        assert (await paper.body()).startswith(b"%PDF-")
        for wrong in (address[:-1] + ("A" if address[-1] != "A" else "B"), "/me/receipt/x", "/me/receipt/" + "ʻ" * 43):
            assert await anybody.go(wrong) == 404
        center.clock.forward(46 * DAY)
        assert await anybody.go(address) == 404


async def test_R3_an_open_browser_alone_deletes_nobody(center: Center) -> None:
    order, phone = await center.customer()
    other, other_phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        signed_in_with = await center.code(order.person)
        await asked(center, reader)
        for wrong in ("000000", signed_in_with):
            await confirmed(center, reader, order.person, wrong)
            assert await reader.page.locator("#code-error").is_visible()
        for _ in range(4):
            await confirmed(center, reader, order.person, "000000")
        await confirmed(center, reader, order.person)  # the right one, too late
        assert await reader.page.locator("#code-error").is_visible()
        await asked(center, reader)
        center.clock.forward(11 * MINUTE)
        await confirmed(center, reader, order.person)  # expired
        assert reader.path == "/me/delete"
    async with center.reader() as thief:  # somebody else's code
        await center.sign_in(thief, other_phone, other.person)
        await asked(center, thief)
        await confirmed(center, thief, order.person)
        assert await thief.page.locator("#code-error").is_visible()
    assert not await gone(center, order.person)
    assert not await gone(center, other.person)


async def subscribed(center: Center) -> tuple[CollectAnswer, CollectAnswer, str]:
    """Somebody who ordered, and gets the newsletter at an e-mail they gave for it."""
    order, phone = await center.customer()
    request = CollectRequest(
        credential=center.shop.credentials["site"],
        service="newsletter",
        items={"contact.email": f"d{phone[4:]}@example.com"},
        version="1",
        consents={"marketing-email": True},
        person=order.person,
    )
    return order, await center.house.collect(request), phone


async def test_R3_one_item_goes_and_the_rest_stays_and_the_session_goes_on(center: Center) -> None:
    order, _, phone = await subscribed(center)
    async with center.reader("uz", java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/data")
        link = reader.page.locator("[id='contact.email'] > .deeds a[href^='/me/delete']").first
        query = (await link.get_attribute("href") or "").removeprefix("/me/delete")
        await asked(center, reader, query)
        await confirmed(center, reader, order.person)
        assert reader.path.startswith("/me/receipt/")
        await reader.go("/me/data")
        assert await reader.page.locator("[id='contact.email']").count() == 0
        assert await reader.page.locator("[id='contact.name']").count() == 1
        await reader.go(f"/me/delete?record={order.record}&item=contact.name")
        assert await reader.page.locator("form[action='/me/delete']").count() == 0  # an open order needs it
    assert not await gone(center, order.person)


async def test_R3_a_code_for_one_thing_deletes_nothing_else(center: Center) -> None:
    """Two tabs: the code asked for in the second is typed into the first."""
    order, letters, phone = await subscribed(center)
    part = f"?record={letters.record}&item=contact.email"
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await asked(center, reader, part)
        second = await reader.page.context.new_page()
        tab = Reader(second, center.base)
        await asked(center, tab)
        await confirmed(center, reader, order.person)  # the older tab, whose ticket isn't the browser's any more
        assert reader.path == "/me/delete"
        assert not await gone(center, order.person)
        sent = await center.code(order.person, "confirm-code")
        await asked(center, tab, part)
        await confirmed(center, tab, order.person, sent)  # the code for everything
        assert await second.locator("#code-error").is_visible()
    assert not await gone(center, order.person)


async def test_R3_pressing_twice_leads_to_one_receipt(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await asked(center, reader)
        ticket, csrf = [
            await reader.page.locator(f"form[action='/me/delete/code'] input[name={name}]").get_attribute("value")
            for name in ("ticket", "csrf")
        ]
        code = await center.code(order.person, "confirm-code")
        form: Any = {"ticket": ticket, "csrf": csrf, "code": code}
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in await reader.page.context.cookies())
        send = reader.page.context.request.post
        ends = []
        for _ in range(2):
            answer = await send(
                f"{center.base}/me/delete/code", form=form, max_redirects=0, headers={"cookie": cookies}
            )
            ends.append(answer.headers["location"])
        assert ends[0] == ends[1]
        assert ends[0].startswith("/me/receipt/")
    pool = center.house.grounds.database.pool
    assert await pool.fetchval("select count(*) from erasures where person = $1", order.person) == 1


async def test_S6_forms_of_others_and_of_nobody_delete_nothing(center: Center) -> None:
    order, phone = await center.customer()
    other, _ = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for foreign in (f"?record={other.record}", f"?record={other.record}&item=contact.name"):
            assert await reader.go(f"/me/delete{foreign}") == 404
        assert await reader.go("/me/delete?record=rec_x") == 422
        assert await reader.go("/me/delete?item=contact.shoe-size") in (404, 422)
        await reader.go("/me/delete")
        csrf = await reader.page.locator("form[action='/me/delete'] input[name=csrf]").get_attribute("value")
        post = reader.page.context.request.post
        at = f"{center.base}/me/delete"
        for form, status in (
            ({"channel": "contact.mobile"}, 403),
            ({"channel": "contact.mobile", "csrf": "x"}, 403),
            ({"channel": "contact.name", "csrf": csrf or ""}, 422),
            ({"channel": "contact.mobile", "csrf": csrf or "", "record": other.record}, 303),
        ):
            answer = await post(at, form=form, max_redirects=0)
            assert answer.status == status, form
        foreign_site = {"sec-fetch-site": "cross-site"}
        assert (await post(at, form={"csrf": csrf or ""}, headers=foreign_site)).status == 403
        await reader.go("/me/delete/code")  # a code was sent for somebody else's record: it opens nothing
        await confirmed(center, reader, order.person)
        assert "no such record" in await reader.text()
    pool = center.house.grounds.database.pool
    assert await pool.fetchval("select count(*) from records where id = $1", other.record) == 1


async def test_R2_a_hold_that_may_not_be_told_is_a_duty_without_a_date(center: Center) -> None:
    order, phone = await center.customer()
    await closed(center.shop, order)
    await officers(center.shop)
    await placed(center.shop, "person", order.person, may_tell=False)
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/delete")
        for page in ("plan", "receipt"):
            said = (await reader.page.content()).lower()
            assert "hold" not in said.replace("household", ""), page
            assert "authority ordered" not in said
            assert "because a law asks for it" in said
            if page == "plan":
                await asked(center, reader)
                await confirmed(center, reader, order.person)
        assert reader.path.startswith("/me/receipt/")
    assert await gone(center, order.person)


async def test_K2_a_child_in_quarantine_has_no_open_page(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await asked(center, reader)
        code = await center.code(order.person, "confirm-code")
        await center.house.grounds.database.pool.execute(
            "update persons set quarantined_at = $2 where id = $1", order.person, center.clock.now
        )
        await confirmed(center, reader, order.person, code)
        assert reader.path in ("/me?to=delete", "/me/delete")
        assert await reader.page.locator("#who").count() == 1
    assert not await gone(center, order.person)
    with pytest.raises(Refused):
        await center.house.erase_mine.ask(order.person, Wanted(), "contact.mobile", language="uz")


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_deleting_is_readable_for_everybody(center: Center, language: str) -> None:
    order, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/delete")
        await unfolded(reader.page)
        await looked_at(reader.page, language)
        await asked(center, reader)
        await looked_at(reader.page, language)
        await confirmed(center, reader, order.person, "000000")
        await looked_at(reader.page, language)
        await confirmed(center, reader, order.person)
        assert reader.path.startswith("/me/receipt/")
        await looked_at(reader.page, language)
        assert [url for url in reader.asked if not url.startswith(f"{center.base}/")] == []
