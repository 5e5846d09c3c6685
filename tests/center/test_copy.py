"""A person takes everything with them as a file: whole, readable by people and programs, locked on wish (A3, S2)."""
# ruff: noqa: F811 - a fixture that asks for another one is meant to have its name

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyrage
import pytest
from jsonschema import Draft202012Validator
from litestar.testing import RequestFactory

from omonat.base.errors import BadInput, Refused
from omonat.base.instants import SECOND, to_datetime
from omonat.center.copy import content
from omonat.center.visit import Visit
from omonat.flows.locking import Lock, check, locked
from omonat.flows.take_away import IN_AN_HOUR, next_copy_at
from tests.center.conftest import Center, Reader
from tests.center.test_in_chromium import looked_at, unfolded
from tests.erasure.stories import ordered
from tests.flows.conftest import Shop, clock, house, settings, shop  # noqa: F401 - fixtures

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "my-data-copy.schema.json").read_text("utf-8"))


async def saved(center: Center, reader: Reader, form: str, **fields: str) -> tuple[str, bytes]:
    """Press the button and get the file."""
    center.clock.forward(SECOND)
    await reader.go("/me/copy")
    await unfolded(reader.page)
    await reader.page.check(f"input[name=form][value={form}]")
    for name, value in fields.items():
        await reader.page.fill(f"#{name}", value)
    async with reader.page.expect_download() as coming:
        await reader.page.locator("main form[action='/me/copy'] button").click()
    download = await coming.value
    return download.suggested_filename, Path(await download.path()).read_bytes()


async def test_A3_everything_is_in_the_file_with_why_and_until_when_and_who_looked(center: Center) -> None:
    order, phone = await center.customer(items={"contact.landmark": "<b>Makro</b> & bozor"})
    await center.assign(order.case, "204")
    await center.deliver(order.case, "204", "contact.name", "financial.card-number")
    async with center.reader(java_script_enabled=False) as reader:
        await center.sign_in(reader, phone, order.person)
        name, content = await saved(center, reader, "json")
        assert name == "my-data.json"
        told: Any = json.loads(content)
        Draft202012Validator(SCHEMA).validate(told)
        values = {held["item"]: held["value"] for held in told["held"]}
        assert values["contact.mobile"] == phone
        assert values["contact.landmark"] == "<b>Makro</b> & bozor"
        held = next(each for each in told["held"] if each["item"] == "contact.postal-address")
        assert "deliver-order" in held["used-for"]
        assert held["kept-until"]
        assert "use:person:authorised" in [each["act"] for each in told["who-looked"]]
        assert {"kind": "acceptance", "state": "given"}.items() <= told["choices"][0].items()
        assert "Xodim" not in content.decode(), "no name of staff"
        name, content = await saved(center, reader, "html")
        page = content.decode()
        assert "&lt;b&gt;Makro&lt;/b&gt; &amp; bozor" in page
        assert "Delivery of the order" in page
        assert "looked at your data" in page
        for loads in ("src=", "href=", "<script", "url(", "@import"):
            assert loads not in page
        name, content = await saved(center, reader, "pdf")
        assert name == "my-data.pdf"
        assert content.startswith(b"%PDF-")
        await reader.go("/me/who-looked")
        assert "You took a copy of your data" in await reader.text()
    copied = [e for e in (await center.house.my_data.who_looked(order.person)).entries if e.act.endswith(":copied")]
    assert [entry.facts["form"] for entry in copied] == ["pdf", "html", "json"]
    assert all(entry.facts["opened"] > 0 for entry in copied)


async def test_S2_a_locked_file_opens_with_its_password_or_key_and_with_nothing_else(center: Center) -> None:
    order, phone = await center.customer()
    key = pyrage.x25519.Identity.generate()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        name, content = await saved(center, reader, "json", recipient=str(key.to_public()))
        assert name == "my-data.json.age"
        assert b"Dilnoza" not in content
        assert json.loads(pyrage.decrypt(content, [key]))["person"] == order.person
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(content, [pyrage.x25519.Identity.generate()])
        name, content = await saved(center, reader, "html", password="toʻrtta oddiy soʻz")
        assert name == "my-data.html.age"
        assert b"Dilnoza" in pyrage.passphrase.decrypt(content, "toʻrtta oddiy soʻz")
        for field, wrong in (("password", "qisqa"), ("recipient", "AGE-SECRET-KEY-1")):
            await reader.go("/me/copy")
            await unfolded(reader.page)
            await reader.page.fill(f"#{field}", wrong)
            async with reader.page.expect_navigation():
                await reader.page.locator("main form[action='/me/copy'] button").click()
            assert await reader.page.locator(f"#{field}-error").is_visible()
            assert wrong not in await reader.page.content()
    entries = (await center.house.my_data.who_looked(order.person)).entries
    assert [e.facts["locked"] for e in entries if e.act == "access:person:copied"] == [True, True]


async def test_S2_what_is_no_lock_locks_nothing() -> None:
    for lock, code in (
        (Lock(password="elevenchars"), "password-short"),
        (Lock(recipient="age1qqq"), "age-key-malformed"),
        (Lock(recipient="ssh-rsa x"), "age-key-malformed"),
    ):
        with pytest.raises(BadInput) as said:
            check(lock)
        assert said.value.code == code
    assert await locked(b"x", Lock()) == b"x"


async def test_S6_a_copy_needs_the_form_of_ones_own_page(center: Center) -> None:
    order, phone = await center.customer()
    async with center.reader() as reader:
        await center.sign_in(reader, phone, order.person)
        post = reader.page.context.request.post
        assert (await post(f"{center.base}/me/copy", form={"form": "json"})).status == 403
        await reader.go("/me/copy")
        csrf = await reader.page.locator("form[action='/me/copy'] input[name=csrf]").get_attribute("value") or ""
        assert (await post(f"{center.base}/me/copy", form={"form": "csv", "csrf": csrf})).status == 422
    async with center.reader() as nobody:
        await nobody.go("/me/copy")
        assert await nobody.page.locator("#who").count() == 1


async def test_A3_each_person_takes_a_few_copies_an_hour_and_every_one_taken_is_in_evidence(shop: Shop) -> None:
    eager, other = (await ordered(shop)).person, (await ordered(shop)).person

    async def taken(person: str) -> int:
        entries = (await shop.house.my_data.who_looked(person)).entries
        return sum(entry.act == "access:person:copied" for entry in entries)

    async def take(person: str) -> str:
        try:
            await shop.house.take_away(person, form="json", lock=Lock())
        except Refused as refused:
            return refused.code
        return "taken"

    answers = [await take(eager) for _ in range(IN_AN_HOUR + 2)]
    assert answers == ["taken"] * IN_AN_HOUR + ["too-many-copies"] * 2
    assert await take(other) == "taken"
    assert (await taken(eager), await taken(other)) == (IN_AN_HOUR, 1)
    shop.clock.forward(next_copy_at(shop.clock()) - shop.clock() - SECOND)
    assert await take(eager) == "too-many-copies"
    shop.clock.forward(SECOND)
    assert await take(eager) == "taken"
    assert await taken(eager) == IN_AN_HOUR + 1


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_who_took_too_many_reads_when_the_next_one_can_be_taken(center: Center, language: str) -> None:
    order, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        for _ in range(IN_AN_HOUR):
            await center.house.take_away(order.person, form="json", lock=Lock())
        await reader.go("/me/copy")
        async with reader.page.expect_navigation() as coming:
            await reader.page.locator("main form[action='/me/copy'] button").click()
        answer = await coming.value
        assert answer is not None
        assert answer.status == 429
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        again = next_copy_at(center.clock())
        assert to_datetime(again).astimezone(ZoneInfo("Asia/Tashkent")).strftime("%H:%M") in await reader.text()
        assert not await reader.page.locator("#password").is_visible()
        await looked_at(reader.page, language)


async def test_A3_a_thousand_records_are_all_in_a_copy_of_each_form(shop: Shop) -> None:
    """How long it takes is measured by the bench."""
    first = await ordered(shop)
    for _ in range(999):
        await ordered(shop, person=first.person)
    visit = Visit(shop.house, RequestFactory().get("/me/copy?lang=uz"))
    visit._policy = await shop.house.grounds.law.current()
    for form in ("json", "html", "pdf"):
        copy = await shop.house.take_away(first.person, form=form, lock=Lock())  # type: ignore[arg-type]
        made = await content(visit, copy, form)  # type: ignore[arg-type]
        assert len({held.record for held in copy.mine.held}) == 1000
        assert len(made) > 50_000, form


@pytest.mark.parametrize("language", ["uz", "ru", "en"])
async def test_A3_taking_away_is_readable_for_everybody(center: Center, language: str) -> None:
    order, phone = await center.customer()
    async with center.reader(language) as reader:
        await center.sign_in(reader, phone, order.person)
        await reader.go("/me/copy")
        await unfolded(reader.page)
        await looked_at(reader.page, language)
        _, content = await saved(center, reader, "html")
        await reader.page.set_content(content.decode())
        await looked_at(reader.page, language)
