"""What people come for, and what strangers try: each story with people and phone numbers of its own."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from omonat import center as door
from omonat.base.errors import Refused
from omonat.base.instants import DAY, HOUR, SECOND
from omonat.flows.collect import CollectRequest
from omonat.flows.publish_policy import Publication
from omonat.flows.use import UseAnswer, UseRequest
from omonat.house import open_house
from tests.center.conftest import Center, Reader, settings_in
from tests.flows.conftest import Clock, packs, without_newsletter


async def marketing(center: Center, person: str, purpose: str = "marketing-email") -> UseAnswer:
    credential = center.shop.credentials["campaigns"]
    return await center.house.use(UseRequest(credential=credential, purpose=purpose, person=person, on_behalf_of="501"))


async def choose(reader: Reader, purpose: str, state: str) -> None:
    await reader.go("/me/choices")
    await reader.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    async with reader.page.expect_navigation():
        await reader.page.locator(f"[id='{purpose}'] button[value={state}]").click()


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
        contract = ("the courier sees your name", "Contract", "Site · Order with delivery")
        for words in (*contract, "while this is open: Order", "At the very latest"):
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


async def test_G3_a_password_is_shown_as_what_nobody_can_read(center: Center) -> None:
    phone = center.phone()
    items = {
        "contact.name": "Botir Yusupov",
        "contact.mobile": phone,
        "relationship.age-band": "25-34",
        "transaction.password": "toʻrtta oddiy soʻz kifoya",
    }
    joined = await center.house.collect(
        CollectRequest(
            credential=center.shop.credentials["site"], service="registration", items=items, version="1", consents={}
        )
    )
    async with center.reader() as reader:
        await center.sign_in(reader, phone, joined.person)
        await reader.go("/me/data")
        await reader.press("Show everything")
        held = reader.page.locator("[id='transaction.password']")
        assert "Nobody can read this, not even us" in await held.inner_text()
        assert await held.locator("button").count() == 0
        assert "kifoya" not in await reader.page.content()
        assert "25–34" in await reader.text()
        again = reader.page.get_by_role("button", name="Show everything")
        assert await again.count() == 0, "what nobody can read isn't waited for"
        await reader.press("Cover everything")
        assert await again.count() == 1


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


async def test_C2_what_was_asked_comes_first_and_an_empty_box_is_no_refusal(center: Center) -> None:
    """An order asks for three consents; the rest lies folded. Only who pressed “Refuse” reads that they refused."""
    order, phone = await center.customer(consents={"marketing-email": False})
    async with center.reader(width=320) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        shown = await reader.page.locator(".option-row:visible").evaluate_all("rows => rows.map(row => row.id)")
        assert sorted(shown) == ["guide-courier", "marketing-email", "marketing-sms"]
        newsletter = reader.page.locator("[id='marketing-email'] .state")
        assert "You did not agree" in await newsletter.inner_text()
        assert "No answer yet" in await reader.page.locator("[id='marketing-sms'] .state").inner_text()
        assert await reader.page.locator(".badge.bad").count() == 0
        assert "You refused" not in await reader.page.content()
        assert "You did not agree: Newsletter by e-mail" in await reader.text()
        center.clock.forward(SECOND)
        await choose(reader, "marketing-email", "withdrawn")
        assert "You refused" in await newsletter.inner_text()
        center.clock.forward(SECOND)
        await choose(reader, "survey", "given")
        assert await reader.page.locator("#survey:visible").count() == 1, "once chosen about, it is among the first"


async def test_C2_every_purpose_that_waits_for_consent_can_be_chosen(center: Center) -> None:
    order, phone = await center.customer()
    policy = await center.house.grounds.law.current()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        await reader.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for purpose in policy.policy.consent_needed:
            yes = reader.page.locator(f"[id='{purpose}'] .pair button:not([value=withdrawn])")
            assert await yes.count() == (3 if purpose == "guide-courier" else 1), purpose  # for an hour, a day, always
            assert await reader.page.locator(f"[id='{purpose}'] .pair button[value=withdrawn]").count() == 1, purpose
            assert policy.purposes[purpose].tells["en"] in await reader.text()


async def test_C2_an_objection_is_one_press_and_so_is_taking_it_back(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for state, objections in (("given", {"improve-services"}), ("withdrawn", set())):
            await reader.go("/me/choices")
            await reader.page.locator("[aria-labelledby=interests] summary").click()
            async with reader.page.expect_navigation():
                await reader.page.locator(f"#improve-services button[value={state}]").click()
            assert (await center.house.my_data.standing(order.person)).objections == objections
        assert "You took back your objection: Improving the services" in await reader.text()


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
        code = UseRequest(
            credential=await house.inner_credential("outbox"), purpose="account-codes", person=order.person
        )
        assert (await house.use(code)).items["contact.mobile"] == phone
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


async def test_S6_what_nobody_can_type_is_no_fault_of_ours(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        assert (await reader.page.request.get(f"{center.base}/me/proof/%00")).status == 404
        await reader.go("/me/choices")
        token = await reader.page.locator("main input[name=csrf]").first.get_attribute("value") or ""
        sent = {"csrf": token, "kind": "consent", "state": "given", "purpose": "survey\0"}
        assert (await reader.page.request.post(f"{center.base}/me/choices", form=sent)).status == 422
        assert (await reader.page.request.post(f"{center.base}/me", form={"csrf": token, "who": "\0"})).status == 422


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


async def test_R3_what_is_due_is_gone_from_the_page_and_an_old_number_needs_a_second_proof(center: Center) -> None:
    order, phone = await center.customer()
    center.clock.forward(7 * 366 * DAY)
    async with center.reader() as reader:
        await center.ask_code(reader, phone)
        await center.enter(reader, await center.code(order.person))
        assert reader.path == "/me/order"
        await center.prove(reader, f"№ {(order.case or '').removeprefix('order:')}")
        await reader.go("/me/data")
        assert "We hold nothing about you" in await reader.text()
        assert await reader.page.locator("button[name=reveal]").count() == 0


async def test_A3_what_no_rule_keeps_any_more_is_said_so_in_three_languages(center: Center) -> None:
    reading = CollectRequest(
        credential=center.shop.credentials["site"],
        service="newsletter",
        items={"contact.email": "nodira@mail.example"},
        version="1",
        consents={"marketing-email": True},
    )
    person = (await center.house.collect(reading)).person
    await center.house.publish(
        Publication(document=without_newsletter(), packs=packs(), author="staff:1", approver="staff:2")
    )
    said = {
        "en": "No rule keeps this any more",
        "ru": "Больше ни одно правило это не хранит",
        "uz": "Buni endi hech bir qoida saqlamaydi",
    }
    async with center.reader() as reader:
        await center.sign_in(reader, "nodira@mail.example", person)
        for language, words in said.items():
            await reader.go(f"/me/data?lang={language}")
            held = reader.page.locator("[id='contact.email']")
            assert words in await held.inner_text()
            assert "newsletter" not in await held.inner_html(), "the name of the service, not its id"


async def test_P1_without_a_policy_the_door_says_so_calmly(dsn: str, tmp_path: Path) -> None:
    async with open_house(settings_in(tmp_path, dsn), clock=Clock()) as house:
        app = Litestar(list(door.handlers(lambda: house)), openapi_config=None, logging_config=None)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.get("/me", headers={"accept-language": "ru"})
    assert answer.status_code == 503
    assert "Политика" in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_L5_somebody_allows_their_location_for_an_hour_and_ends_it_with_one_press(center: Center) -> None:
    """The grant stands with its end, ends by itself, and is ended as easily as given (L6, C2)."""
    order, phone = await center.customer()
    async with center.reader("en") as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        guide = reader.page.locator("#guide-courier")
        await reader.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        await guide.locator("select").select_option("district")
        async with reader.page.expect_navigation():
            await guide.get_by_role("button", name="Agree for an hour").click()
        said = await guide.inner_text()
        assert "You agreed" in said
        assert "to about 1 kilometre" in said
        assert "until" in said
        standing = await center.house.my_data.standing(order.person)
        assert standing.terms["guide-courier"].precision == "district"
        center.clock.forward(SECOND)
        async with reader.page.expect_navigation():
            await guide.get_by_role("button", name="End it now").click()
        assert "You refused" in await guide.inner_text()
        assert not (await center.house.my_data.standing(order.person)).terms
        center.clock.forward(SECOND)
        async with reader.page.expect_navigation():
            await guide.get_by_role("button", name="Agree for always").click()
        assert "always" in await guide.inner_text()
        async with reader.page.expect_navigation():
            await guide.get_by_role("button", name="Agree for an hour").click()
    center.clock.forward(HOUR)
    async with center.reader("en") as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/choices")
        assert "Your permission has ended" in await reader.page.locator("#guide-courier").inner_text()
