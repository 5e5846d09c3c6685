"""What staff come for, and what the curious try: each story with orders and phone numbers of its own."""

import io
import logging

import httpx
import pytest

from omonat.base.instants import MINUTE, SECOND, Instant
from omonat.flows.use import UseRequest
from tests.desk.conftest import PASSWORD, Desk, Worker

NAME = "Dilnoza Karimova"
STREET = "Chilonzor"


async def asked(
    desk: Desk, path: str, session: str, form: dict[str, str] | None = None, **headers: str
) -> httpx.Response:
    """What a client that is no browser gets with somebody's session."""
    async with httpx.AsyncClient(base_url=desk.base, headers={"cookie": f"__Host-desk={session}"}) as client:
        if form is None:
            return await client.get(path)
        return await client.post(
            path, data=form, headers={name.replace("_", "-"): is_ for name, is_ in headers.items()}
        )


async def cookie_of(worker: Worker) -> dict[str, str]:
    return {each["name"]: each["value"] for each in await worker.page.context.cookies()}


# Who may work ------------------------------------------------------------------------------------------------


async def test_S4_every_failed_sign_in_reads_alike_and_five_close_it_for_a_quarter(desk: Desk) -> None:
    async with desk.worker() as worker:
        pages = []
        for ref, password, code in (
            ("999", PASSWORD, "123456"),
            ("207", "something else entirely", desk.code("207")),
            *[("207", PASSWORD, "000000")] * 4,
            ("207", PASSWORD, desk.code("207")),
        ):
            assert await desk.sign_in(worker, ref, password=password, code=code) == 401
            pages.append(await worker.page.inner_html("main"))
        assert set(pages) == {pages[0]}
        desk.clock.forward(16 * MINUTE)
        await desk.sign_in(worker, "207")
        assert worker.path == "/desk"


async def test_S4_a_code_works_once(desk: Desk) -> None:
    code = desk.code("206")
    async with desk.worker() as worker, desk.worker() as over_the_shoulder:
        assert await desk.sign_in(worker, "206", code=code) == 200
        assert await desk.sign_in(over_the_shoulder, "206", code=code) == 401


@pytest.mark.parametrize("ended", ["role_until", "trained_until"])
async def test_B2_S4_when_role_or_training_ends_the_next_request_is_signed_out(desk: Desk, ended: str) -> None:
    order = await desk.order("206")
    async with desk.worker("206") as worker:
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        await desk.put_staff("206", **{ended: Instant(desk.clock.now - SECOND)})
        await worker.reveal("contact.mobile")
        assert worker.path == "/desk"
        assert await worker.page.locator("#login").is_visible()
        assert "__Host-desk" not in await cookie_of(worker)
        await desk.sign_in(worker, "206")
        said = "role of this employee" if ended == "role_until" else "training has lapsed"
        assert said in await worker.text()
        await desk.put_staff("206")
        await desk.sign_in(worker, "206")
        assert worker.path == "/desk"


async def test_S4_half_an_hour_without_a_touch_ends_the_session(desk: Desk) -> None:
    async with desk.worker("204") as worker:
        desk.clock.forward(31 * MINUTE)
        await worker.go("/desk/find")
        assert worker.path == "/desk"
        assert await worker.page.locator("#login").is_visible()


async def test_S4_sign_out_ends_the_session_for_its_cookie_too(desk: Desk) -> None:
    async with desk.worker("204") as worker:
        kept = await cookie_of(worker)
        await worker.press("form[action='/desk/sign-out'] button")
        answer = await asked(desk, "/desk/find", kept["__Host-desk"])
        assert answer.status_code == 303


# Which cases -------------------------------------------------------------------------------------------------


async def test_S4_a_courier_sees_assigned_cases_and_a_guess_reads_like_one_that_never_was(desk: Desk) -> None:
    mine, theirs = await desk.order("204"), await desk.order("205")
    async with desk.worker("204") as worker, desk.worker("205") as other:
        hrefs = await worker.page.locator(".queue a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert f"/desk/case/{mine.case}" in hrefs
        assert f"/desk/case/{theirs.case}" not in hrefs
        assert await other.go(f"/desk/case/{mine.case}") == 403
        guessed = await other.page.inner_html("main")
        for never in ("order:404404", "order", "../../etc", "order:%3Cb%3E", f"order:{'9' * 200}"):
            assert await other.go(f"/desk/case/{never}") in (403, 404)
            if never == "order:404404":
                assert await other.page.inner_html("main") == guessed
        assert await worker.page.locator("form[action='/desk/open']").count() == 0


async def test_S4_the_counter_opens_any_open_order_by_its_number_and_no_closed_one(desk: Desk) -> None:
    order = await desk.order()
    number = (order.case or "").partition(":")[2]
    async with desk.worker("301") as worker:
        for typed, path in ((f" №{number} ", f"/desk/case/{order.case}"), ("404404", "/desk/open")):
            await worker.go("/desk")
            await worker.page.fill("#number", typed)
            await worker.press("form[action='/desk/open'] button")
            assert worker.path == path
        assert await worker.page.locator("#number-error").is_visible()


async def test_S4_marketing_has_no_cases_and_the_page_says_why(desk: Desk) -> None:
    order = await desk.order()
    async with desk.worker("501") as worker:
        assert "The policy gives this role no case" in await worker.text()
        assert await worker.page.locator(".queue a").count() == 0
        assert await worker.go(f"/desk/case/{order.case}") == 403
        await worker.go("/desk/find")
        assert "no purpose that needs to find people" in await worker.text()


# One value under one purpose ---------------------------------------------------------------------------------


async def test_S4_nothing_is_on_the_page_before_it_is_asked_for_and_then_only_that(
    desk: Desk, caplog: pytest.LogCaptureFixture, logged: io.StringIO
) -> None:
    caplog.set_level(logging.DEBUG)
    phone = desk.phone()
    order = await desk.order("204", mobile=phone)
    tail = f"{phone[-4:-2]} {phone[-2:]}"
    async with desk.worker("204") as worker:
        await worker.go(f"/desk/case/{order.case}")
        assert "No purpose chosen" in await worker.page.inner_text(".band")
        for query in ("?purpose=deliver-order", "?purpose=deliver-order&item=contact.mobile&item=all"):
            await worker.go(f"/desk/case/{order.case}{query}")
            assert "Delivery of the order" in await worker.page.inner_text(".band")
            source = await worker.source()
            assert not any(value in source for value in (phone, tail, NAME, "Dilnoza", STREET, "Makro"))
        await worker.reveal("contact.mobile")
        source = await worker.source()
        assert tail in source
        assert not any(value in source for value in (NAME, "Dilnoza", STREET, "Makro"))
        assert all(phone[-7:] not in url for url in worker.asked)
    logging.getLogger("framework").error("about %s", phone)  # what would have been found
    assert phone in caplog.text
    assert "library-message" in logged.getvalue()
    told = caplog.text.replace(f"about {phone}", "") + logged.getvalue()
    assert not any(value in told for value in (phone, phone[-7:], NAME, STREET))


async def test_B3_a_reveal_is_an_entry_the_person_sees(desk: Desk) -> None:
    order = await desk.order("204")
    async with desk.worker("204") as worker:
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        await worker.reveal("contact.postal-address")
        receipt = await worker.page.inner_text(".receipt .digest")
    await desk.checkpoint()
    page = await desk.house.my_data.who_looked(order.person)
    entry = next(each for each in page.entries if each.id == receipt)
    assert entry.act == "use:person:authorised"
    assert entry.facts["purpose"] == "deliver-order"
    assert entry.facts["role"] == "courier"
    assert entry.facts["allowed"] == ["contact.postal-address"]


async def test_L3_what_a_purpose_does_not_need_is_named_with_the_reason(desk: Desk) -> None:
    order = await desk.order("204")
    async with desk.worker("204") as worker:
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        await worker.page.locator("details:not(.finding) summary").click()
        assert "Delivery does not need “Amount”." in await worker.page.inner_text("details:not(.finding)")
        assert await worker.page.locator("input[name=item][value='transaction.amount']").count() == 0
        form = worker.page.locator("form:has(input[name=item][value='contact.mobile'])")
        await form.locator("input[name=item]").evaluate("field => field.value = 'transaction.amount'")
        assert await worker.press("form:has(input[name=item][value='transaction.amount']) button") == 422
        assert "90" not in await worker.text()


async def test_C1_a_use_that_needs_consent_is_refused_on_the_page_of_the_case(desk: Desk) -> None:
    order = await desk.order("204")
    async with desk.worker("204") as worker:
        await worker.go(f"/desk/case/{order.case}?purpose=guide-courier")
        assert await worker.reveal("relationship.location") == 403
        assert "has not consented to: Guiding the courier" in await worker.text()
        assert await worker.page.inner_text("h1") == f"Order {(order.case or '').partition(':')[2]}"
        assert "Guiding the courier" in await worker.page.inner_text(".band")


async def test_S4_over_the_cap_the_value_stays_closed_and_the_page_says_so(desk: Desk) -> None:
    order = await desk.order("205")
    credential = await desk.house.inner_credential("desk")
    async with desk.worker("205") as worker:
        for _ in range(60):
            await desk.house.use(
                UseRequest(
                    credential=credential,
                    purpose="deliver-order",
                    case=order.case,
                    on_behalf_of="205",
                    items=("contact.name",),
                )
            )
        await worker.go(f"/desk/case/{order.case}?purpose=deliver-order")
        assert await worker.reveal("contact.name") == 429
        assert "limit of uses for this role is reached" in await worker.text()
        assert NAME not in await worker.source()


async def test_S6_a_forged_form_does_nothing(desk: Desk) -> None:
    order = await desk.order("204")
    path = f"/desk/case/{order.case}"
    async with desk.worker("204") as worker:
        await worker.go(f"{path}?purpose=deliver-order")
        token = await worker.page.locator("input[name=csrf]").first.input_value()
        session = (await cookie_of(worker))["__Host-desk"]
        form = {"purpose": "deliver-order", "item": "contact.name"}
        forged: list[tuple[str, dict[str, str]]] = [
            ("", {}),
            ("A" * 64, {}),
            (token, {"sec_fetch_site": "cross-site"}),
            (token, {"origin": "https://elsewhere.example"}),
        ]
        for csrf, headers in forged:
            answer = await asked(desk, path, session, {**form, "csrf": csrf}, **headers)
            assert answer.status_code == 403
            assert NAME not in answer.text
        honest = await asked(desk, path, session, {**form, "csrf": token})
        assert NAME in honest.text
        assert honest.headers["cache-control"] == "no-store"


# Finding a person --------------------------------------------------------------------------------------------


async def test_S4_a_phone_that_several_share_names_nobody(desk: Desk) -> None:
    shared = desk.phone()
    orders = [await desk.order(mobile=shared), await desk.order(mobile=shared)]
    assert orders[0].person != orders[1].person
    async with desk.worker("401") as worker:
        for by in ("take-order/contact.mobile", "account-management/contact.mobile"):
            await worker.look_up(by, shared)
            assert "Several people share it" in await worker.text()
            source = await worker.source()
            assert not any(value in source for order in orders for value in (order.person, order.case or "", shared))


async def test_S4_an_exact_phone_leads_to_the_open_order_under_the_purpose_it_was_sought_for(desk: Desk) -> None:
    phone = desk.phone()
    order = await desk.order(mobile=phone)
    async with desk.worker("401") as worker:
        await worker.look_up("take-order/contact.mobile", phone.removeprefix("+998"))
        assert phone[-7:] not in await worker.source()
        await worker.press(f"a[href^='/desk/case/{order.case}']")
        assert worker.path == f"/desk/case/{order.case}?purpose=take-order"
        assert all(phone[-7:] not in url for url in worker.asked)
    await desk.checkpoint()
    looked = await desk.house.my_data.who_looked(order.person)
    assert any(entry.act == "lookup:person:found" for entry in looked.entries)


async def test_S4_a_found_person_opens_for_that_session_and_purpose_alone(desk: Desk) -> None:
    phone = desk.phone()
    order = await desk.order(mobile=phone)
    stranger = await desk.order()
    async with desk.worker("401") as worker:
        await worker.look_up("account-management/contact.mobile", phone)
        await worker.press("form[action='/desk/find/person'] button")
        await worker.reveal("contact.name")
        assert NAME not in await worker.source(), "an order makes no account"
        assert "Given for something else" in await worker.text()
        await desk.account(order.person, phone)
        await worker.look_up("account-management/contact.mobile", phone)
        await worker.press("form[action='/desk/find/person'] button")
        assert NAME not in await worker.source()
        await worker.reveal("contact.name")
        assert NAME in await worker.text()
        for name, value in (("person", stranger.person), ("purpose", "loyalty-rewards")):
            await worker.look_up("account-management/contact.mobile", phone)
            await worker.page.locator(f".found input[name={name}]").evaluate("(field, it) => field.value = it", value)
            assert await worker.press("form[action='/desk/find/person'] button") == 422
            assert NAME not in await worker.source()


async def test_S4_a_courier_finds_nobody_even_with_a_form_of_their_own_making(desk: Desk) -> None:
    phone = desk.phone()
    await desk.order(mobile=phone)
    async with desk.worker("204") as worker:
        await worker.go("/desk/keys")
        token = await worker.page.locator("input[name=csrf]").first.input_value()
        form = {"csrf": token, "by": "take-order/contact.mobile", "value": phone}
        answer = await asked(desk, "/desk/find", (await cookie_of(worker))["__Host-desk"], form)
        assert answer.status_code == 422
        assert phone not in answer.text


async def test_P3_a_page_only_a_form_leads_to_begins_anew_when_its_language_is_changed(desk: Desk) -> None:
    async with desk.worker("401") as worker:
        for path, leads in (("/desk/sign-in?lang=ru", "/desk"), ("/desk/find/person?lang=ru", "/desk/find")):
            await worker.go(path)
            assert worker.path == leads
            assert await worker.page.get_attribute("html", "lang") == "ru"


# What the house can't settle about itself ----------------------------------------------------------------------


async def test_S6_an_officer_sees_what_is_in_doubt_and_what_to_do_and_a_courier_sees_nothing(desk: Desk) -> None:
    await desk.house.doubts.begin("copy", "2")
    try:
        async with desk.worker("102", "ru", width=320) as officer, desk.worker("204") as courier:
            assert "Копию 2 контрольного журнала прочитать нельзя" in await officer.text()
            assert "journal-copies" in await officer.text()
            assert "journal" not in await courier.text()
            await desk.house.doubts.are("copy", ())
            await officer.go("/desk")
            assert "Копию" not in await officer.text()
    finally:
        await desk.house.doubts.are("copy", ())
