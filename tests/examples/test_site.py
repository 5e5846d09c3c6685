"""BESHQOZON's site in a real browser, in each language, against the real API: what is taken, and what is refused."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from omonat.pages.words import LANGUAGES
from omonat_client import Client
from tests.examples.demo_running import Demo, until

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REFUSED = "Zzyzxov"
SUBMIT = "main form button.primary"


@pytest.fixture(name="demo", scope="module")
def a_demo(short_folder: Path) -> Iterator[Demo]:
    demo = Demo(short_folder / "shop", 12)
    try:
        yield demo.wait_until_ready()
    finally:
        demo.stop()


@pytest.fixture(name="browser", scope="module")
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """Somebody on the site, without script if they like; counts what leaves the origin."""

    def __init__(self, context: BrowserContext, demo: Demo, language: str) -> None:
        self.page: Page = context.new_page()
        self.grown_up = True
        self.base = demo.base
        self.away: list[str] = []
        self.troubles: list[str] = []
        self.page.on("request", lambda each: self.away.append(each.url) if not each.url.startswith(self.base) else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._hear)
        self.go(f"/?lang={language}")
        assert self.page.get_attribute("html", "lang") == language

    def _hear(self, line: ConsoleMessage) -> None:
        if "status of 4" not in line.text:  # a refusal answers with its own status, and the browser remarks on it
            self.troubles.append(line.text)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.base}{path}")
        if self.grown_up and self.page.locator("form[action='/age']").count():
            self.tell_year("1990")

    def tell_year(self, year: str) -> None:
        self.page.fill("#year", year)
        with self.page.expect_navigation():
            self.page.click("form[action='/age'] button")

    def fill(self, **items: str) -> None:
        for name, value in items.items():
            self.page.fill(f"[name='{name.replace('__', '.').replace('_', '-')}']", value)

    def choose_dishes(self) -> None:
        self.go("/menu")
        for dish in ("toy-oshi", "toy-oshi", "choy"):
            self.page.click(f"#{dish} button")
        self.go("/order")

    def send(self) -> int:
        with self.page.expect_navigation() as there:
            self.page.click(SUBMIT)
        return there.value.status

    def number(self) -> str:
        found = re.fullmatch(r".*/done/(\d+)", self.page.url)
        assert found, self.page.inner_text("main")
        return found[1]

    def look(self) -> None:
        """Every page is accessible, stays inside its window, and brings nothing from anywhere else."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")["violations"]
        assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found] == []
        assert self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")
        assert self.away == []
        assert self.troubles == []


@pytest.fixture(name="visitor", params=LANGUAGES)
def a_visitor(browser: Browser, demo: Demo, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    width = {"uz": 320, "ru": 390, "en": 1280}[request.param]
    scheme = "dark" if request.param == "ru" else "light"
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    yield Visitor(context, demo, request.param)
    context.close()


@pytest.fixture(name="anybody")
def somebody_without_script(browser: Browser, demo: Demo) -> Iterator[Visitor]:
    context = browser.new_context(java_script_enabled=False)
    yield Visitor(context, demo, "en")
    context.close()


@pytest.fixture(name="phone")
def an_unused_number(request: pytest.FixtureRequest) -> str:
    return f"+99890{abs(hash(request.node.nodeid)) % 9_000_000 + 1_000_000}"


def test_L1_an_order_without_anything_optional_is_taken_and_its_message_arrives(
    visitor: Visitor, demo: Demo, phone: str
) -> None:
    visitor.choose_dishes()
    visitor.look()
    assert not visitor.page.is_checked("[name='marketing-email']")
    visitor.fill(contact__name="Dilnoza Karimova", contact__mobile=phone, contact__postal_address="Chilonzor 5-12-34")
    visitor.send()
    number = visitor.number()
    visitor.look()
    (message,) = until(lambda: demo.caught(phone))
    assert message["channel"] == "sms"
    assert number in message["text"]
    visitor.go("/cart")
    visitor.look()


def test_U3_an_address_that_was_given_gets_the_letter_too(visitor: Visitor, demo: Demo, phone: str) -> None:
    address = f"d{phone[-7:]}@mail.example"
    visitor.choose_dishes()
    visitor.fill(
        contact__name="Дилноза", contact__mobile=phone, contact__postal_address="Чиланзар, 5", contact__email=address
    )
    visitor.send()
    (letter,) = until(lambda: demo.caught(address))
    assert visitor.number() in letter["subject"]


def test_L2_a_withheld_required_field_is_refused_with_its_promise_and_the_rest_stays(visitor: Visitor) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name="Dilnoza Karimova", contact__landmark="Bozor yonida")
    assert visitor.send() == 422
    refusal = visitor.page.locator(".refusal")
    assert refusal.locator("a.promise").inner_text() == "L2"
    assert "#L2" in str(refusal.locator("a.promise").get_attribute("href"))
    assert refusal.locator("dd").count() == 2
    assert visitor.page.input_value("[name='contact.name']") == "Dilnoza Karimova"
    assert visitor.page.input_value("[name='contact.landmark']") == "Bozor yonida"
    assert visitor.page.get_attribute("[name='contact.mobile']", "aria-invalid") == "true"
    visitor.look()


def test_N1_beside_every_field_stands_why_it_is_asked(visitor: Visitor) -> None:
    visitor.choose_dishes()
    for path in ("/order", "/sign-up", "/newsletter", "/ask"):
        visitor.go(path)
        fields = visitor.page.locator(".field:not(.offers), .omonat-field")
        assert fields.count() >= 2
        assert fields.count() == visitor.page.locator(".field .why, .omonat-field .omonat-why").count()
        assert visitor.page.locator(":is(.version, .omonat-version) a[href='/page/privacy-policy']").count() == 1
        visitor.look()


def test_L2_a_sign_up_makes_the_browser_known_and_is_confirmed(visitor: Visitor, demo: Demo, phone: str) -> None:
    visitor.go("/sign-up")
    visitor.fill(contact__name="Gulnora Yoʻldosheva", contact__mobile=phone)
    visitor.page.select_option("[name='relationship.age-band']", "25-34")
    visitor.send()
    visitor.number()
    visitor.look()
    assert until(lambda: demo.caught(phone))[0]["channel"] == "sms"


def test_K1_the_year_is_asked_first_without_a_hint_and_going_back_does_not_help(visitor: Visitor) -> None:
    visitor.grown_up = False
    for path in ("/sign-up", "/newsletter", "/ask"):
        visitor.go(path)
        assert visitor.page.locator("main input:not([type=hidden])").count() == 1, "nothing else is asked"
        assert visitor.page.input_value("#year") == ""
        assert not re.search(r"\d", visitor.page.inner_text("main")), "no age is named"
        visitor.look()
    visitor.tell_year("19")
    assert visitor.page.locator("#year-error").count() == 1
    visitor.look()
    visitor.tell_year(str(datetime.now(UTC).year - 10))
    assert visitor.page.locator(".refusal a.promise").inner_text() == "K1"
    visitor.look()
    for path in ("/sign-up", "/newsletter", "/ask"):
        visitor.go(path)
        assert visitor.page.locator("#year").count() == 0
        assert visitor.page.locator(".refusal").count() == 1
    again = visitor.page.request.post(f"{visitor.base}/age", form={"page": "ask", "year": "1990"}, max_redirects=0)
    assert again.status == 303
    assert "set-cookie" not in again.headers, "the first answer counts"
    sent = visitor.page.request.post(f"{visitor.base}/ask", form={"transaction.inquiry": "Salom"}, max_redirects=0)
    assert sent.status == 403


def test_K1_a_child_is_turned_away_before_anything_is_sent(visitor: Visitor, demo: Demo, phone: str) -> None:
    visitor.go("/sign-up")
    visitor.fill(contact__name="Bola", contact__mobile=phone)
    youngest = visitor.page.locator("[name='relationship.age-band'] option").nth(1)
    assert re.fullmatch(r"0–\d+", youngest.inner_text())
    visitor.page.select_option("[name='relationship.age-band']", str(youngest.get_attribute("value")))
    assert visitor.send() == 403
    assert visitor.page.locator(".refusal a.promise").inner_text() == "K1"
    assert demo.caught(phone) == []


def test_C1_the_newsletter_needs_a_yes_and_then_begins(visitor: Visitor, demo: Demo, phone: str) -> None:
    address = f"n{phone[-7:]}@mail.example"
    visitor.go("/newsletter")
    visitor.fill(contact__email=address)
    yes = "[name='consent:marketing-email']"
    assert not visitor.page.is_checked(yes)
    assert visitor.send() == 422
    assert visitor.page.get_attribute(yes, "aria-invalid") == "true"
    assert visitor.page.input_value("[name='contact.email']") == address, "nobody types it twice"
    visitor.look()
    visitor.page.check(yes)
    visitor.send()
    visitor.number()
    (letter,) = until(lambda: demo.caught(address))
    assert "List-Unsubscribe" in letter["headers"]


def test_R2_a_newsletter_agreed_to_beside_an_order_outlives_the_order(visitor: Visitor, demo: Demo, phone: str) -> None:
    address = f"w{phone[-7:]}@mail.example"
    visitor.choose_dishes()
    visitor.fill(
        contact__name="Dilnoza", contact__mobile=phone, contact__postal_address="Chilonzor 5", contact__email=address
    )
    visitor.page.check("[name='marketing-email']")
    visitor.send()
    case = f"order:{visitor.number()}"
    clients = demo.details["clients"]
    with Client(demo.base, clients["site"]) as site, Client(demo.base, clients["panel"]) as panel:
        person = site.use("deliver-order", case=case).person
        panel.close_case(case)
    with Client(demo.base, clients["marketing"]) as marketing:
        assert marketing.use("marketing-email", person=person, on_behalf_of="501").items["contact.email"] == address


def test_L2_a_question_is_answered_somewhere_so_a_phone_or_an_address_is_needed(visitor: Visitor, phone: str) -> None:
    visitor.go("/ask")
    visitor.fill(contact__name="Aziz", transaction__inquiry="Banket, 20 kishi?")
    assert visitor.send() == 422
    assert visitor.page.get_attribute("[name='contact.mobile']", "aria-invalid") == "true"
    assert visitor.page.locator("form [aria-invalid='true']").count() == 1
    assert visitor.page.input_value("[name='transaction.inquiry']") == "Banket, 20 kishi?"
    visitor.look()
    visitor.fill(contact__email=f"q{phone[-7:]}@mail.example")
    visitor.send()
    visitor.number()
    visitor.look()


def test_L2_everything_that_is_missing_is_named_at_once(visitor: Visitor) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__landmark="Bozor yonida")
    assert visitor.send() == 422
    missing = visitor.page.locator("form [aria-invalid='true']")
    assert missing.count() > 1
    refusal = visitor.page.locator(".refusal").inner_text()
    for name in missing.evaluate_all("all => all.map(each => each.name)"):
        assert visitor.page.locator(f"label[for='{name}']").evaluate("each => each.firstChild.data") in refusal


def test_a_text_that_is_too_long_is_refused_and_never_cut(visitor: Visitor, phone: str) -> None:
    visitor.go("/ask")
    visitor.fill(contact__name="Aziz", contact__mobile=phone, transaction__inquiry="a" * 10_001)
    assert visitor.send() == 422
    assert visitor.page.locator(".refusal").count() == 1
    assert visitor.page.input_value("[name='transaction.inquiry']") == "a" * 10_001


def test_N1_the_page_of_thanks_names_who_the_api_says_sees_the_data(visitor: Visitor, demo: Demo, phone: str) -> None:
    language = visitor.page.get_attribute("html", "lang")
    visitor.choose_dishes()
    visitor.fill(contact__name="Olim", contact__mobile=phone, contact__postal_address="Yunusobod 4")
    visitor.send()
    visitor.number()
    form = visitor.page.request.get(f"{demo.base}/v1/services/order/form?lang={language}").json()
    offered = {offer["purpose"] for offer in form["offers"]}
    mobile = next(field for field in form["fields"] if field["item"] == "contact.mobile")
    people = {role for why in mobile["why"] if why["purpose"] not in offered for role in why["seen-by"]}
    assert people
    assert people <= set(visitor.page.locator(".facts dt").all_inner_texts())


def test_a_number_of_portions_the_cart_does_not_know_changes_nothing(anybody: Visitor) -> None:
    anybody.go("/menu")
    anybody.page.click("#choy button")
    sent = {"dish": "choy", "from": "cart", "by": "-5"}
    anybody.page.request.post(f"{anybody.base}/cart", form=sent)
    anybody.go("/cart")
    assert anybody.page.locator(".count span").all_inner_texts() == ["1"]


def test_everything_works_without_script(anybody: Visitor, demo: Demo, phone: str) -> None:
    anybody.choose_dishes()
    anybody.page.fill("[name='contact.name']", "Anna Kim")
    anybody.page.fill("[name='contact.mobile']", phone)
    anybody.page.fill("[name='contact.postal-address']", "Mirobod, Oybek 3")
    anybody.send()
    anybody.number()


def test_an_order_of_another_browser_is_not_shown(visitor: Visitor, browser: Browser, demo: Demo, phone: str) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name="Olim", contact__mobile=phone, contact__postal_address="Yunusobod 4")
    visitor.send()
    context = browser.new_context()
    stranger = context.new_page()
    answer = stranger.goto(visitor.page.url)
    assert answer is not None
    assert answer.status == 404
    context.close()


def test_L3_refused_values_are_nowhere_in_the_demos_files_or_its_log(visitor: Visitor, demo: Demo) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name=REFUSED, contact__mobile="12", contact__postal_address=f"{REFUSED} 7")
    assert visitor.send() == 422
    assert visitor.page.locator(".refusal").count() == 0
    assert visitor.page.locator(".error").count() == 1
    assert visitor.page.input_value("[name='contact.name']") == REFUSED
    visitor.look()
    marked = REFUSED.encode()
    written = [file for file in demo.home.rglob("*") if file.is_file()]
    assert any(file.name == "shop.sqlite" for file in written)
    assert [file for file in written if marked in file.read_bytes()] == []
    assert REFUSED not in demo.said


def test_the_shop_keeps_no_personal_value_of_what_was_taken(visitor: Visitor, demo: Demo, phone: str) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name="Xurshida Norinova", contact__mobile=phone, contact__postal_address="Beruniy 41")
    visitor.send()
    visitor.number()
    kept = b"".join(file.read_bytes() for file in (demo.home / "demo").glob("shop.sqlite*"))
    assert b"done" in kept
    for value in ("Xurshida", "Norinova", phone, phone[4:], "Beruniy"):
        assert value.encode() not in kept


def test_A3_the_bill_has_a_code_that_leads_a_guest_to_what_was_recorded(
    visitor: Visitor, demo: Demo, browser: Browser, phone: str
) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name="Xurshida Norinova", contact__mobile=phone, contact__postal_address="Beruniy 41")
    visitor.send()
    number = visitor.number()
    with visitor.page.expect_navigation():
        visitor.page.click(f"form[action='/bill/{number}'] button")
    visitor.look()
    assert visitor.page.locator("figure [role=img] svg path").count() >= 1
    address = visitor.page.get_attribute(".scan a", "href") or ""
    assert address.startswith(f"{demo.base}/me/visit/")
    kept = b"".join(file.read_bytes() for file in (demo.home / "demo").glob("shop.sqlite*"))
    assert address.rpartition("/")[2].encode() not in kept
    other = visitor.page.locator("header a[lang]").first
    language = other.get_attribute("lang")
    other.click()
    assert visitor.page.url == f"{demo.base}/done/{number}", (
        "another language leads back to the order, not to a dead end"
    )
    assert visitor.page.get_attribute("html", "lang") == language
    context = browser.new_context(java_script_enabled=False)
    guest = context.new_page()
    answer = guest.goto(address)
    assert answer is not None
    assert answer.status == 200
    said = guest.content()
    assert number in said
    for value in ("Xurshida", "Norinova", phone, phone[4:], "Beruniy"):
        assert value not in said
    context.close()


def test_A3_nobody_prints_another_browsers_bill(visitor: Visitor, demo: Demo, anybody: Visitor, phone: str) -> None:
    visitor.choose_dishes()
    visitor.fill(contact__name="Xurshida Norinova", contact__mobile=phone, contact__postal_address="Beruniy 41")
    visitor.send()
    number = visitor.number()
    for headers, status in (({}, 404), ({"sec-fetch-site": "cross-site"}, 403)):
        answer = anybody.page.request.post(f"{demo.base}/bill/{number}", headers=headers)
        assert answer.status == status


def test_a_form_sent_twice_is_one_order(anybody: Visitor, phone: str) -> None:
    anybody.choose_dishes()
    anybody.page.fill("[name='contact.name']", "Anna Kim")
    anybody.page.fill("[name='contact.mobile']", phone)
    anybody.page.fill("[name='contact.postal-address']", "Mirobod, Oybek 3")
    once = anybody.page.input_value("[name='once']")
    anybody.send()
    number = anybody.number()
    answer = anybody.page.request.post(
        f"{anybody.base}/order", form={"once": once, "contact.name": "Anna Kim"}, max_redirects=0
    )
    assert answer.status == 303
    assert answer.headers["location"] == f"/done/{number}"


def test_a_form_from_another_site_is_not_taken(anybody: Visitor) -> None:
    answer = anybody.page.request.post(
        f"{anybody.base}/cart", form={"dish": "choy"}, headers={"sec-fetch-site": "cross-site"}, max_redirects=0
    )
    assert answer.status == 403
