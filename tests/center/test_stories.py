"""What people come for, and what strangers try: each story with people and phone numbers of its own."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from omonat import center as door
from omonat.base.errors import Refused
from omonat.base.instants import MINUTE, SECOND
from omonat.flows.outgoing import Outgoing
from omonat.flows.send import Allowed
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import open_house
from tests.center.conftest import Center, Reader, settings_in
from tests.flows.conftest import Clock


async def marketing(center: Center, person: str, purpose: str = "marketing-email") -> UseAnswer:
    credential = center.shop.credentials["campaigns"]
    return await center.house.use(UseRequest(credential=credential, purpose=purpose, person=person))


async def choose(reader: Reader, purpose: str, state: str) -> None:
    await reader.go("/me/choices")
    async with reader.page.expect_navigation():
        await reader.page.locator(f"[id='{purpose}'] button[value={state}]").click()


# Signing in -------------------------------------------------------------------------------------------------


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
        newest = await center.house.grounds.database.pool.fetchval(
            "select person from outbox where template = 'sign-in-code' order by created_at desc, id desc limit 1"
        )
        await center.enter(reader, await center.code(newest))
        assert reader.path == "/me/order"
        assert (await reader.page.goto(f"{center.base}/me/data")) is not None
        assert await reader.page.locator("#who").count() == 1
        await reader.go("/me/order")
        await prove(reader, "99999999")
        assert await reader.page.locator("#order-error").is_visible()
        await prove(reader, (mother.case or "").removeprefix("order:"))
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
        newest = await center.house.grounds.database.pool.fetchval(
            "select person from outbox where template = 'sign-in-code' order by created_at desc, id desc limit 1"
        )
        await center.enter(reader, await center.code(newest))
        for _ in range(6):
            await prove(reader, "1")
        assert await reader.page.locator("#who").count() == 1
        assert "begin again" in await reader.text()


async def prove(reader: Reader, number: str) -> None:
    await reader.page.fill("#order", number)
    async with reader.page.expect_navigation():
        await reader.page.locator("form[action='/me/order'] button").click()


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


# My data and who looked -------------------------------------------------------------------------------------


async def test_R1_values_are_covered_until_asked_for_and_say_why_and_until_when(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for path in ("/me", "/me/data", "/me/data?reveal=all&shown=contact.name"):
            await reader.go(path)
            assert "Dilnoza" not in await reader.page.content()
            assert phone[4:] not in (await reader.page.content()).replace(" ", "")
        held = reader.page.locator("[id='contact.postal-address']")
        assert "Delivery of the order" in await held.inner_text()
        assert "in 6 years" in await held.inner_text()
        said = await held.inner_html()
        for words in ("the courier sees your name", "Contract", "Site · Order with delivery", "an earlier date is set"):
            assert words in said
        async with reader.page.expect_navigation():
            await held.locator(".masked button").click()
        assert "Chilonzor" in await reader.text()
        assert "Dilnoza" not in await reader.page.content()
        assert "Chilonzor" not in reader.page.url
        async with reader.page.expect_navigation():
            await reader.page.locator("[id='contact.name'] .masked button").click()
        assert "Chilonzor" in await reader.text()
        assert "Dilnoza Karimova" in await reader.text()


async def test_B3_the_person_sees_who_looked_and_who_was_refused_but_no_name(center: Center) -> None:
    order, phone = await center.customer()
    await center.assign(order.case, "204")
    await center.deliver(order.case, "204", "contact.name")
    with pytest.raises(Refused):
        await center.deliver(order.case, "205")
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/who-looked")
        text = await reader.text()
        assert "Courier (a member of staff) looked at your data" in text
        assert "asked for your data and was refused" in text
        assert "They had no open order or request of yours" in text
        assert "Xodim" not in text
        assert "204" not in text.replace(order.case or "", "")


async def test_B3_a_long_history_is_read_page_by_page(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for _ in range(4):
            await choose(reader, "survey", "given")
            await choose(reader, "survey", "withdrawn")
        await center.assign(order.case, "204")
        for _ in range(20):
            await center.deliver(order.case, "204", "contact.name")
        await reader.go("/me/who-looked")
        first = await reader.page.locator(".to-proof").count()
        await reader.press("Older")
        rest = await reader.page.locator(".to-proof").count()
        assert first + rest == 4 * 2 + 20 + 1
        assert (await reader.go("/me/who-looked?before=1.ev_no")) == 404


# Choices ----------------------------------------------------------------------------------------------------


async def test_C1_C2_a_consent_given_here_opens_the_use_and_withdrawn_closes_it_at_once(center: Center) -> None:
    order, phone = await center.customer()
    with pytest.raises(Refused) as before:
        await marketing(center, order.person)
    assert before.value.code == "no-consent"
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await choose(reader, "marketing-email", "given")
        assert reader.path == "/me/choices?saved=1#marketing-email"
        assert (await marketing(center, order.person)).items["contact.name"] == "Dilnoza Karimova"
        await choose(reader, "marketing-email", "withdrawn")
        with pytest.raises(Refused) as after:
            await marketing(center, order.person)
        assert after.value.code == "no-consent"
        assert "You refused: Newsletter by e-mail" in await reader.text()
        sizes = await reader.page.locator("#marketing-email .pair button").evaluate_all(
            "all => all.map(b => [b.offsetWidth, b.offsetHeight, b.className])"
        )
        assert sizes[0] == sizes[1]


async def test_C2_every_purpose_that_waits_for_consent_can_be_chosen(center: Center) -> None:
    order, phone = await center.customer()
    policy = await center.house.grounds.law.current()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        for purpose in policy.policy.consent_needed:
            assert await reader.page.locator(f"[id='{purpose}'] .pair button").count() == 2, purpose
            assert policy.purposes[purpose].tells["en"] in await reader.text()


async def test_C2_a_restriction_closes_every_use_but_not_the_way_back(center: Center) -> None:
    order, phone = await center.customer()
    await center.assign(order.case, "204")
    house = center.house
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        await reader.press("Restrict the use of my data")
        with pytest.raises(Refused) as refusal:
            await center.deliver(order.case)
        assert refusal.value.code == "person-restricted"
        await reader.go("/me")
        assert "You restricted the use of your data" in await reader.text()
        outgoing = Outgoing(house.use, house.grounds.law, lambda: house.inner_credential("outbox"))
        opened = await outgoing.open_channel(
            person=order.person, purpose="account-codes", channel_item="contact.mobile", with_name=False, case=None
        )
        assert isinstance(opened, Allowed)
        await reader.go("/me/choices")
        await reader.press("Lift the restriction")
        assert (await center.deliver(order.case)).items


# What strangers try -----------------------------------------------------------------------------------------


async def test_S6_a_forged_form_changes_nothing(center: Center) -> None:
    order, phone = await center.customer()
    other, other_phone = await center.customer()
    async with center.reader() as reader, center.reader() as stranger:
        await center.sign_in(reader, phone, order.person)
        await center.sign_in(stranger, other_phone, other.person)
        await stranger.go("/me/choices")
        foreign = await stranger.page.locator("main input[name=csrf]").first.get_attribute("value")
        for token in ("", "x", foreign):
            sent = {"csrf": token, "kind": "consent", "purpose": "marketing-email", "state": "given"}
            answer = await reader.page.request.post(f"{center.base}/me/choices", form=sent)  # type: ignore[arg-type]
            assert answer.status == 403
        for path in ("/me", "/me/code"):
            elsewhere = {"sec-fetch-site": "cross-site"}
            answer = await reader.page.request.post(f"{center.base}{path}", form={"who": phone}, headers=elsewhere)
            assert answer.status == 403
        with pytest.raises(Refused):
            await marketing(center, order.person)


async def test_S6_a_form_this_page_never_sends_is_bad_input(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        token = await reader.page.locator("main input[name=csrf]").first.get_attribute("value") or ""
        for wrong in (
            {"kind": "acceptance", "state": "given"},
            {"kind": "consent", "state": "perhaps", "purpose": "survey"},
            {"kind": "consent", "state": "given", "purpose": "surveyy"},
            {"kind": "consent", "state": "given", "purpose": "survey", "version": "9999"},
            {"kind": "consent", "state": "given", "purpose": "tax-reporting"},
        ):
            answer = await reader.page.request.post(f"{center.base}/me/choices", form={"csrf": token, **wrong})
            assert 400 <= answer.status < 500
        huge = await reader.page.request.post(f"{center.base}/me/choices", form={"csrf": token, "x": "y" * 100_000})
        assert huge.status in (413, 422)
        assert len(await center.house.my_data.choices(order.person)) == 1


async def test_C2_reading_changes_nothing(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for path in (
            "/me/sign-out",
            "/me/choices?kind=consent&purpose=marketing-email&state=given",
            "/me/choices?kind=restriction&state=given",
            "/me/code/again",
        ):
            await reader.go(path)
        await reader.go("/me/data")
        assert reader.path == "/me/data"
        assert [c.kind for c in await center.house.my_data.choices(order.person)] == ["acceptance"]
        assert (await center.house.my_data.standing(order.person)).restricted_at is None


async def test_B3_a_proof_is_checked_without_us_and_somebody_elses_is_not_found(center: Center, tmp_path: Path) -> None:
    order, phone = await center.customer()
    other, _ = await center.customer()
    foreign = (await center.house.my_data.who_looked(other.person)).entries[0].id
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        mine = (await center.house.my_data.who_looked(order.person)).entries[-1].id
        assert await reader.go(f"/me/proof/{mine}") == 200
        assert await reader.page.locator(".proved").count() == 0
        assert (await reader.page.request.get(f"{center.base}/me/proof/{mine}/file")).status == 409
        await center.checkpoint()
        await reader.go(f"/me/proof/{mine}")
        assert await reader.page.locator(".proved .girih").count() == 1
        for path, name in (
            (f"proof/{mine}/file", "proof.tlog-proof"),
            ("checkpoint/keys", "keys.txt"),
            ("checkpoint/verifier", "verifier.py"),
        ):
            answer = await reader.page.request.get(f"{center.base}/me/{path}")
            (tmp_path / name).write_bytes(await answer.body())
        command = [sys.executable, "-I", "verifier.py", "proof.tlog-proof", "--keys", "keys.txt"]
        checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: ASYNC221
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert order.person not in (tmp_path / "proof.tlog-proof").read_text()
        for entry in (foreign, "ev_aaaaaaaaaaaaaaaaaaaaaaaaaa", "nonsense"):
            assert await reader.go(f"/me/proof/{entry}") == 404
            assert (await reader.page.request.get(f"{center.base}/me/proof/{entry}/file")).status == 404
        await reader.go("/me")
        assert "Verified by checkpoint" in await reader.page.inner_text("footer")


async def test_P1_without_a_policy_the_door_says_so_calmly(dsn: str, tmp_path: Path) -> None:
    async with open_house(settings_in(tmp_path, dsn), clock=Clock()) as house:
        app = Litestar(list(door.handlers(lambda: house)), openapi_config=None)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/me", headers={"accept-language": "ru"})
    assert answer.status_code == 503
    assert "Политика" in answer.text
    assert answer.headers["cache-control"] == "no-store"
