"""Signing in: the same for everybody until the code is right, and never into somebody else's history (S6)."""

import pytest

from omonat.base.instants import MINUTE, SECOND
from tests.center.conftest import Center
from tests.center.test_in_chromium import looked_at


async def test_S6_a_stranger_sees_what_a_customer_sees(center: Center) -> None:
    known, unknown = "+998901230077", "+998931230077"
    await center.customer(known)
    pages = []
    for phone in (known, unknown):
        async with center.reader() as reader:
            await center.ask_code(reader, phone)
            asked = await reader.page.inner_html("main")
            await center.enter(reader, "123456")
            pages.append((reader.path, asked, await reader.page.inner_html("main")))
    assert pages[0] == pages[1]
    assert "30077" not in pages[0][1]


@pytest.mark.parametrize("typed", ["", "xyz", "12", "a@", "9" * 300])
async def test_S6_what_is_no_address_is_said_beside_the_field(center: Center, typed: str) -> None:
    async with center.reader() as reader:
        await center.ask_code(reader, typed)
        assert await reader.page.locator("#who-error").is_visible()
        assert reader.path == "/me"


async def test_S6_five_wrong_codes_close_the_code_and_a_new_one_opens(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.ask_code(reader, phone)
        right = await center.code(order.person)
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        for _ in range(5):
            await center.enter(reader, wrong)
            assert await reader.page.locator("#code-error").is_visible()
        await center.enter(reader, right)
        assert await reader.page.locator("#code-error").is_visible()
        center.clock.forward(SECOND)
        await reader.press("Send a new code")
        assert "We have sent a new code" in await reader.text()
        await center.enter(reader, await center.code(order.person))
        assert reader.path == "/me"


async def test_S6_a_used_code_opens_nothing(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader, center.reader() as thief:
        await center.ask_code(reader, phone)
        code = await center.code(order.person)
        step = [c for c in await reader.page.context.cookies() if c["name"] == "__Host-me-step"]
        await center.enter(reader, code)
        await thief.page.context.add_cookies(step)  # type: ignore[arg-type]
        await thief.go("/me/code")
        await center.enter(thief, code)
        assert await thief.page.locator("#code-error").is_visible()


async def test_S6_too_many_codes_are_refused_with_a_way_out(center: Center) -> None:
    async with center.reader() as reader:
        phone = center.phone()
        for _ in range(5):
            await center.ask_code(reader, phone)
            assert reader.path == "/me/code"
        await center.ask_code(reader, phone)
        assert "Try again in an hour" in await reader.text()


async def test_S6_two_people_on_one_phone_need_a_second_proof(center: Center) -> None:
    phone = center.phone()
    mother, _ = await center.customer(phone, items={"contact.name": "Nargiza Aliyeva"})
    await center.customer(phone, items={"contact.name": "Olim Aliyev"})
    async with center.reader() as reader:
        await center.ask_code(reader, phone)
        await center.enter(reader, await center.code())
        assert reader.path == "/me/order"
        assert (await reader.page.goto(f"{center.base}/me/data")) is not None
        assert await reader.page.locator("#who").count() == 1
        await reader.go("/me/order")
        await center.prove(reader, "99999999")
        assert await reader.page.locator("#order-error").is_visible()
        await center.prove(reader, (mother.case or "").removeprefix("order:"))
        assert reader.path == "/me"
        assert "N··· A···" in await reader.text()
        await reader.go("/me/data")
        await reader.press("Show everything")
        assert "Nargiza Aliyeva" in await reader.text()
        assert "Olim" not in await reader.page.content()


async def test_S6_five_wrong_order_numbers_begin_anew(center: Center) -> None:
    phone = center.phone()
    await center.customer(phone)
    await center.customer(phone)
    async with center.reader() as reader:
        await center.ask_code(reader, phone)
        await center.enter(reader, await center.code())
        for _ in range(6):
            await center.prove(reader, "1")
        assert await reader.page.locator("#who").count() == 1
        assert "begin again" in await reader.text()


async def test_S6_a_session_ends_idle_or_by_hand_or_with_the_person(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        center.clock.forward(29 * MINUTE)
        await reader.go("/me/data")
        assert reader.path == "/me/data"
        center.clock.forward(31 * MINUTE)
        await reader.go("/me/data")
        assert await reader.page.locator("#who").count() == 1
        await center.sign_in(reader, phone, order.person)
        token = next(c for c in await reader.page.context.cookies() if c["name"] == "__Host-me")
        await reader.page.locator("form[action='/me/sign-out'] button").click()
        await reader.page.context.add_cookies([token])  # type: ignore[list-item]
        await reader.go("/me/data")
        assert await reader.page.locator("#who").count() == 1
        await center.sign_in(reader, phone, order.person)
        await center.house.grounds.database.pool.execute(
            "update persons set erased_at = $2 where id = $1", order.person, center.clock.now
        )
        await reader.go("/me/who-looked")
        assert await reader.page.locator("#who").count() == 1
        assert "__Host-me" not in {c["name"] for c in await reader.page.context.cookies()}


async def test_A3_who_must_sign_in_first_comes_to_the_page_they_asked_for(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await reader.page.goto(f"{center.base}/me/delete")
        assert reader.page.url.endswith("/me?to=delete")
        await looked_at(reader.page, "en")
        center.clock.forward(SECOND)
        await reader.page.fill("#who", phone)
        await reader.press("Send me a code")
        await center.enter(reader, await center.code(order.person))
        assert reader.path == "/me/delete"


@pytest.mark.parametrize("to", ["//elsewhere.example", "sign-out", "../desk", "proof/ev_x", ""])
async def test_S6_nobody_is_led_elsewhere_after_the_code(center: Center, to: str) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await reader.page.goto(f"{center.base}/me?to={to}")
        assert await reader.page.locator("input[name='to']").count() == 0
        center.clock.forward(SECOND)
        await reader.page.fill("#who", phone)
        await reader.press("Send me a code")
        await center.enter(reader, await center.code(order.person))
        assert reader.path == "/me"
