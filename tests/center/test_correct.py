"""A person puts right what is wrong: at once, or after a code where it is a new phone or e-mail (Q1, Q2, S6)."""

import pytest

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import DAY, SECOND
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at
from tests.erasure.stories import closed
from tests.erasure.test_holds import officers, placed


async def typed(center: Center, reader: Reader, item: str, value: str) -> None:
    """From My data to the field, and press the button."""
    center.clock.forward(SECOND)
    await reader.go("/me/data")
    async with reader.page.expect_navigation():
        await reader.page.locator(f"[id='{item}'] > .deeds a[href^='/me/correct']").click()
    await reader.page.fill("#value", value)
    async with reader.page.expect_navigation():
        await reader.page.locator("main form[action='/me/correct'] button").click()


async def entered(reader: Reader, code: str) -> None:
    await reader.page.fill("#code", code)
    async with reader.page.expect_navigation():
        await reader.page.locator("main form[action='/me/correct/code'] button").click()


async def shown(center: Center, person: str, item: str) -> object:
    return (await center.house.my_data(person)).newest()[item].value


async def test_Q2_a_name_is_corrected_at_once_and_the_wrong_one_is_destroyed(center: Center) -> None:
    order, phone = await center.customer()
    again, _ = await center.customer(phone, person=order.person)
    pool = center.house.grounds.database.pool
    slots = {r["slot"] for r in await pool.fetch("select slot from records where person = $1", order.person)}
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        await typed(center, reader, "contact.name", "Dilnoza Karimova-Aliyeva")
        assert "It is corrected: Name" in await reader.text()
        assert "Aliyeva" not in reader.page.url
        await reader.press("Show everything")
        assert "Dilnoza Karimova-Aliyeva" in await reader.text()
        await reader.go("/me/who-looked")
        assert "You corrected" in await reader.text()
    for record in (order.record, again.record):  # in each record where the same one stood
        held = [h for h in (await center.house.my_data(order.person)).held if h.record == record]
        assert {h.item: h.value for h in held}["contact.name"] == "Dilnoza Karimova-Aliyeva"
        assert {h.item: h.value for h in held}["contact.mobile"] == phone
    now = {r["slot"] for r in await pool.fetch("select slot from records where person = $1", order.person)}
    assert not slots & now
    (gone,) = await center.house.erase.of_person(order.person)
    assert (gone.cause, gone.items, gone.stage) == ("inaccurate", ("contact.name",), "final")
    await center.assign(order.case, "204")
    seen = await center.deliver(order.case, "204", "contact.name")
    assert seen.items["contact.name"] == "Dilnoza Karimova-Aliyeva"


@pytest.mark.parametrize(
    ("language", "empty", "long"),
    [
        ("uz", "“Ism” toʻldirilmagan", "500 belgidan uzun"),
        ("ru", "Не заполнено: «Имя»", "длиннее 500 символов"),
        ("en", "“Name” is empty", "longer than 500 characters"),
    ],
)
async def test_A3_what_is_wrong_with_a_correction_is_said_to_a_person_not_to_a_program(
    center: Center, language: str, empty: str, long: str
) -> None:
    order, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        for value, said in (("  ", empty), ("a" * 501, long)):
            await reader.go(f"/me/correct?record={order.record}&item=contact.name")
            await reader.page.locator("#value").evaluate("(e, said) => { e.maxLength = 600; e.value = said }", value)
            async with reader.page.expect_navigation():
                await reader.page.locator("main form button").first.click()
            assert said in await reader.page.locator("#value-error").inner_text()
    assert await shown(center, order.person, "contact.name") == "Dilnoza Karimova"


async def test_Q1_a_new_phone_counts_once_its_owner_typed_the_code(center: Center) -> None:
    order, phone = await center.customer()
    new = center.phone()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await typed(center, reader, "contact.mobile", new)
        assert reader.path == "/me/correct/code"
        assert await shown(center, order.person, "contact.mobile") == phone
        row = await center.house.grounds.database.pool.fetchrow(
            "select facts::text, sealed from outbox where person = $1 and template = 'new-channel-code'", order.person
        )
        assert row is not None
        assert new[4:] not in row["facts"]
        await entered(reader, "000000")
        assert await reader.page.locator("#code-error").is_visible()
        assert new[4:] not in (await reader.page.content()).replace(" ", "")
        await entered(reader, await center.code(order.person, "new-channel-code"))
        await entered(reader, await center.code(order.person, "confirm-code"))
        assert "It is corrected: Mobile phone" in await reader.text()
        assert await shown(center, order.person, "contact.mobile") == new
    async with center.reader() as later:
        await center.sign_in(later, new, order.person)
    codes = "select count(*) from outbox where person = $1 and template = 'sign-in-code'"
    before = await center.house.grounds.database.pool.fetchval(codes, order.person)
    async with center.reader() as old:
        await center.ask_code(old, phone)
    assert await center.house.grounds.database.pool.fetchval(codes, order.person) == before


async def test_S6_whoever_finds_an_open_browser_makes_no_number_of_theirs_the_persons(center: Center) -> None:
    order, phone = await center.customer()
    theirs = center.phone()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await typed(center, reader, "contact.mobile", theirs)
        await entered(reader, await center.code(order.person, "new-channel-code"))
        assert "One more code" in await reader.page.inner_text("h1")
        assert await shown(center, order.person, "contact.mobile") == phone
        told = await reader.text()
        assert phone[-4:] in told.replace(" ", "")
        assert theirs[-4:] not in told.replace(" ", "")
    codes = "select count(*) from outbox where person = $1 and template = 'sign-in-code'"
    before = await center.house.grounds.database.pool.fetchval(codes, order.person)
    async with center.reader() as thief:
        await center.ask_code(thief, theirs)
    assert await center.house.grounds.database.pool.fetchval(codes, order.person) == before


async def test_Q1_a_number_that_somebody_else_holds_needs_a_second_proof(center: Center) -> None:
    other, recycled = await center.customer()
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        await typed(center, reader, "contact.mobile", recycled)
        await entered(reader, await center.code(order.person, "new-channel-code"))
        assert "One more code" in await reader.page.inner_text("h1")
        assert await shown(center, order.person, "contact.mobile") == phone
        await looked_at(reader.page, "en")
        await entered(reader, await center.code(order.person, "new-channel-code"))  # the first one again
        assert await reader.page.locator("#code-error").is_visible()
        await entered(reader, await center.code(order.person, "confirm-code"))
        assert await shown(center, order.person, "contact.mobile") == recycled
    assert await shown(center, other.person, "contact.mobile") == recycled, "the other keeps what is theirs"


async def test_S6_other_peoples_places_and_old_steps_change_nothing(center: Center) -> None:
    order, phone = await center.customer()
    other, other_phone = await center.customer()
    correct = center.house.correct
    with pytest.raises(Refused) as said:
        await correct.begin(order.person, other.record, "contact.name", "Yolgʻonchi Ism", language="uz")
    assert said.value.code == "record-unknown"
    kept = await correct.begin(order.person, order.record, "contact.mobile", center.phone(), language="uz")
    assert kept is not None
    code = await center.code(order.person, "new-channel-code")
    with pytest.raises(Refused) as said:
        await correct.enter(other.person, kept, code, language="uz")  # somebody else's browser
    assert said.value.code == "correction-begin-again"
    with pytest.raises(Refused):
        await correct.enter(order.person, kept[:-8] + "AAAAAAA=", code, language="uz")
    center.clock.forward(DAY)
    with pytest.raises(Refused):
        await correct.enter(order.person, kept, code, language="uz")
    async with center.reader() as reader:
        await center.sign_in(reader, other_phone, other.person)
        assert await reader.go(f"/me/correct?item=contact.name&record={order.record}") == 404
        assert await reader.go("/me/correct?item=contact.name&record=rec_x") == 422
        for nothing in ("", "?item=contact.name", f"?record={other.record}"):  # an address typed by heart
            assert await reader.go(f"/me/correct{nothing}") == 200
            assert reader.path == "/me/data", "where one chooses what to put right"
        post = reader.page.context.request.post
        form = {"item": "contact.name", "record": other.record, "value": "Boshqa Ism"}
        assert (await post(f"{center.base}/me/correct", form=form)).status == 403
    assert await shown(center, order.person, "contact.mobile") == phone
    assert await shown(center, other.person, "contact.name") == "Dilnoza Karimova"


async def test_Q2_what_cannot_be_read_and_what_is_the_same_is_told_beside_the_field(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        for item, value in (
            ("contact.name", "<script>alert(1)</script>"),
            ("contact.name", " "),
            ("contact.name", "Dilnoza Karimova"),
            ("contact.mobile", "12"),
        ):
            await typed(center, reader, item, value)
            assert await reader.page.locator("#value-error").is_visible(), value
        assert [line for line in reader.said if "alert" in line] == []
    for item in ("transaction.amount", "transaction.order-lines"):
        with pytest.raises(Refused) as said:
            await center.house.correct.look(order.person, order.record, item)
        assert said.value.code == "correction-not-here"
    with pytest.raises(BadInput):
        await center.house.correct.look(order.person, order.record, "contact.shoe-size")


async def test_R2_what_a_hold_or_a_dispute_keeps_somebody_has_to_look_at(center: Center) -> None:
    """And the answer is the same for both, so that nobody learns of a hold from it."""
    order, _ = await center.customer()
    disputed, _ = await center.customer()
    await closed(center.shop, disputed)
    await officers(center.shop)
    await placed(center.shop, "person", order.person, may_tell=False)
    codes = set()
    for one in (order, disputed):
        with pytest.raises(Refused) as said:
            await center.house.correct.begin(one.person, one.record, "contact.name", "Boshqa Ism", language="uz")
        codes.add(said.value.code)
        work = "select count(*) from work_items where rule = 'correction' and person = $1 and closed_at is null"
        assert await center.house.grounds.database.pool.fetchval(work, one.person) == 1
        assert await shown(center, one.person, "contact.name") == "Dilnoza Karimova"
    assert codes == {"correction-to-be-looked-at"}


async def test_K2_a_child_in_quarantine_corrects_nothing(center: Center) -> None:
    order, _ = await center.customer()
    await center.house.grounds.database.pool.execute(
        "update persons set quarantined_at = $2 where id = $1", order.person, center.clock.now
    )
    with pytest.raises(Refused) as said:
        await center.house.correct.begin(order.person, order.record, "contact.name", "Boshqa Ism", language="uz")
    assert said.value.code == "person-unknown"


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_correcting_is_readable_for_everybody(center: Center, language: str) -> None:
    order, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        await looked_at(reader.page, language)
        await typed(center, reader, "contact.mobile", "12")
        await looked_at(reader.page, language)
        await typed(center, reader, "contact.mobile", center.phone())
        await looked_at(reader.page, language)
        await typed(center, reader, "contact.name", "Boshqa Ism")
        await looked_at(reader.page, language)
