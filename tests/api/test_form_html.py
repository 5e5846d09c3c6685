"""A service's form as HTML: only what is declared, each field with its notice, and what comes back is taken in."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from omonat.base.instants import DAY, Instant
from omonat.pages.words import LANGUAGES
from omonat.policy.prose_words import BASES
from tests.api.conftest import Door

INPUTS = ("input", "select", "textarea")


class Page(HTMLParser):
    """The elements of a fragment with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def fields(self) -> dict[str, dict[str, str]]:
        return {about["name"]: about | {"tag": tag} for tag, about in self.elements if tag in INPUTS}

    def shown(self) -> list[str]:
        return [name for name, about in self.fields().items() if about.get("type") != "hidden"]

    def posted(self, **typed: str) -> dict[str, Any]:
        """What a browser would send: what the form carries, and what is typed."""
        carried = {name: about["value"] for name, about in self.fields().items() if about.get("type") == "hidden"}
        return carried | {name.replace("__", ".").replace("_", "-"): value for name, value in typed.items()}


async def shown(door: Door, service: str, language: str = "en", **wanted: Any) -> Page:
    answer = await door.http.get(f"/v1/services/{service}/form.html?lang={language}")
    if wanted:
        answer = await door.ask(f"/v1/services/{service}/form.html?lang={language}", wanted)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(answer.content) <= 100_000
    return Page(answer.text)


async def collected(door: Door, service: str, posted: dict[str, Any], **more: Any) -> Any:
    return await door.ask("/v1/collect", {"service": service, "posted": posted, **more})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_L3_a_form_asks_what_the_service_declares_and_says_beside_it_why(door: Door, language: str) -> None:
    law = await door.house.grounds.law.current()
    page = await shown(door, "order", language)
    fields, form = page.fields(), law.form("order")
    items = {name for name in page.shown() if "." in name}
    assert items <= set(form.items)
    typed = set(form.required) - {"transaction.order-lines", "transaction.amount"}
    assert typed <= items, "what a person types and the service can't do without"
    assert not items & {"transaction.order-lines", "relationship.location"}, "nobody types these"
    for name in items:
        ids = fields[name]["aria-describedby"].split()
        assert any(about.get("id") in ids for tag, about in page.elements if tag == "p")
        assert law.label("item", name, language) in page.text
    assert ("required" in fields["contact.name"], "required" in fields["contact.landmark"]) == (True, False)
    assert fields["contact.mobile"]["type"] == "tel"
    assert (fields["contact.mobile"]["autocomplete"], fields["contact.mobile"]["inputmode"]) == ("tel", "tel")
    assert fields["contact.postal-address"]["autocomplete"] == "street-address"
    basis = BASES[law.purposes["deliver-order"].basis][language].lower()
    assert f"{law.purposes['deliver-order'].says[language]} ({basis})" in page.text
    assert any(tag == "form" and about["lang"] == language and "action" not in about for tag, about in page.elements)


async def test_C1_every_consent_has_a_box_of_its_own_and_none_is_ticked(door: Door) -> None:
    law = await door.house.grounds.law.current()
    page = await shown(door, "registration", "uz")
    boxes = {name: about for name, about in page.fields().items() if name.startswith("consent:")}
    assert set(boxes) == {f"consent:{purpose}" for purpose in law.form("registration").offers}
    assert {about["value"] for about in boxes.values()} == {"yes"}
    assert not any("checked" in about for _, about in page.elements)
    for purpose in law.form("registration").offers:
        assert law.purposes[purpose].tells["uz"] in page.text


async def test_K1_where_a_service_asks_an_age_it_is_asked_first_and_without_a_hint(door: Door) -> None:
    page = await shown(door, "registration")
    assert page.shown()[0] in ("relationship.age-band", "relationship.birth-date")
    assert not any("selected" in about for _, about in page.elements)
    order = await shown(door, "order")
    assert "relationship.age-band" not in order.shown()
    law = await door.house.grounds.law.current()
    typed = page.posted(contact__name="Bola", contact__mobile="+998901234567")
    refused = await collected(door, "registration", typed | {"relationship.age-band": f"under-{law.child_under}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "child")
    again = await shown(door, "registration", posted=typed, problem=refused.json())
    assert refused.json()["detail"] in again.text
    assert "Bola" not in str(again.elements), "nothing of a child's is said again"


async def test_L1_what_a_browser_posts_is_taken_as_it_is_and_what_was_shown_is_recorded(door: Door) -> None:
    page = await shown(door, "newsletter", "ru")
    posted = page.posted(contact__email="dilnoza@mail.example", contact__name="  ", csrf="the site's own")
    answer = await collected(door, "newsletter", posted | {"consent:marketing-email": "yes"})
    assert (answer.status_code, answer.json()["version"]) == (201, "1"), answer.text
    async with door.house.grounds.database.connection() as connection:
        row = await connection.fetchrow(
            "select language, told, standing->'consents' as consents from persons where id = $1",
            answer.json()["person"],
        )
        choices = await connection.fetch(
            "select purpose, state from choices where person = $1 and kind = 'consent'", answer.json()["person"]
        )
    assert (row["language"], row["told"]) == ("ru", 1), "the version beside the button was accepted"
    states = {each["purpose"]: each["state"] for each in choices}
    assert states.pop("marketing-email") == "given"
    assert set(states.values()) <= {"withdrawn"}, "a box left empty is a no"


async def test_C1_a_box_left_empty_on_a_form_of_a_known_case_takes_no_consent_back(door: Door) -> None:
    taken = await door.order(consents={"marketing-sms": True})
    page = await shown(door, "order")
    assert "consent:marketing-sms" in page.fields()
    posted = page.posted(contact__name="Dilnoza", contact__mobile="901234567", contact__postal_address="Chilonzor 5")
    given = {"transaction.order-lines": [{"item": "Osh", "count": 1, "price": 100}], "transaction.amount": 100}
    later = await collected(door, "order", posted, items=given, case=taken["case"])
    assert (later.status_code, later.json()["person"]) == (201, taken["person"]), later.text
    assert await agreed(door, taken["person"]) == ["given"], "the case says whose form it is: an empty box is silent"
    again = await collected(door, "order", posted, items=given, case=taken["case"], person=taken["person"])
    assert (again.status_code, await agreed(door, taken["person"])) == (201, ["given"])
    fresh = await collected(door, "order", posted, items=given, case=f"order:{next(door.numbers)}")
    assert (fresh.status_code, await agreed(door, fresh.json()["person"])) == (201, ["withdrawn"]), "somebody new: a no"
    both = await collected(door, "order", posted, items=given, case=taken["case"], consents={"marketing-sms": True})
    assert both.json()["code"] == "posted-and-given"


async def agreed(door: Door, person: str) -> list[str]:
    """What somebody said about advertising by SMS, in order."""
    async with door.house.grounds.database.connection() as connection:
        rows = await connection.fetch(
            "select state from choices where person = $1 and purpose = 'marketing-sms' order by at, id", person
        )
    return [row["state"] for row in rows]


async def test_L2_a_form_that_was_refused_comes_back_filled_in_and_says_where_it_is_wrong(door: Door) -> None:
    page = await shown(door, "order", "uz")
    typed = page.posted(contact__name="Dilnoza", contact__mobile="12", contact__postal_address="Chilonzor\r\n5")
    supplied = {"transaction.order-lines": [{"item": "Osh", "count": 1, "price": 100}], "transaction.amount": 100}
    case = f"order:{next(door.numbers)}"
    refused = await door.ask(
        "/v1/collect?lang=uz", {"service": "order", "posted": typed, "items": supplied, "case": case}
    )
    assert (refused.status_code, refused.json()["item"]) == (422, "contact.mobile"), refused.text
    again = await shown(door, "order", "uz", posted=typed, problem=refused.json())
    fields = again.fields()
    assert {name for name, about in fields.items() if "aria-invalid" in about} == {"contact.mobile"}
    assert (fields["contact.name"]["value"], fields["contact.mobile"]["value"]) == ("Dilnoza", "12")
    assert "telefon raqamiga oʻxshamaydi" in again.text
    mended = again.posted(
        contact__name="Dilnoza", contact__mobile="901234567", contact__postal_address="Chilonzor\r\n5"
    )
    taken = await door.ask(
        "/v1/collect?lang=uz", {"service": "order", "posted": mended, "items": supplied, "case": case}
    )
    assert taken.status_code == 201, taken.text
    empty = await collected(door, "order", page.posted(), items=supplied, case=f"order:{next(door.numbers)}")
    missing = await shown(door, "order", "en", posted={}, problem=empty.json())
    marked = {name for name, about in missing.fields().items() if "aria-invalid" in about}
    assert marked == {"contact.name", "contact.mobile", "contact.postal-address"}


async def test_C1_an_item_that_waits_for_a_yes_is_marked_at_the_box(door: Door) -> None:
    page = await shown(door, "newsletter")
    posted = page.posted(contact__email="dilnoza@mail.example")
    refused = await collected(door, "newsletter", posted)
    assert refused.json()["code"] == "item-waits-for-consent"
    again = await shown(door, "newsletter", posted=posted, problem=refused.json())
    assert [name for name, about in again.fields().items() if "aria-invalid" in about] == ["consent:marketing-email"]
    english = {line.strip() for line in again.text.splitlines() if re.search(r"[a-z]{3} [a-z]{3}", line)}
    for language in ("uz", "ru"):
        other = await shown(door, "newsletter", language, posted=posted, problem=refused.json())
        assert not english & {line.strip() for line in other.text.splitlines()}, "every sentence is translated"


async def test_L1_a_site_chooses_among_what_is_optional_and_never_goes_past_the_declaration(door: Door) -> None:
    page = await shown(door, "registration", items=["contact.email"], offers=["marketing-email"], whole=False)
    law = await door.house.grounds.law.current()
    assert {"contact.email", "consent:marketing-email"} <= set(page.shown())
    assert set(page.shown()) - {"contact.email", "consent:marketing-email"} <= set(law.form("registration").required)
    assert not [tag for tag, _ in page.elements if tag in ("form", "button")]
    path = "/v1/services/order/form.html"
    for wanted, code in (
        ({"items": ["contact.nmae"]}, "item-unknown"),
        ({"items": ["identity.password"]}, "item-unknown"),
        ({"items": ["relationship.marital-status"]}, "item-not-collected"),
        ({"items": ["transaction.order-lines"]}, "item-not-typed"),
        ({"offers": ["survey-invitation"]}, "consent-not-offered"),
        ({"problem": {"code": "made-up"}}, "value-wrong"),
    ):
        answer = await door.ask(path, wanted)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await door.http.post(path, json={})).status_code == 401
    unknown = await door.http.get("/v1/services/ordr/form.html")
    assert (unknown.status_code, unknown.json()["nearest"]) == (422, "order")


async def test_C4_both_the_browser_and_the_site_saying_the_same_is_refused(door: Door) -> None:
    page = await shown(door, "newsletter")
    posted = page.posted(contact__email="a@mail.example") | {"consent:marketing-email": "yes"}
    for more in ({"items": {"contact.email": "b@mail.example"}}, {"consents": {"marketing-email": False}}):
        answer = await collected(door, "newsletter", posted, **more)
        assert answer.json()["code"] == "posted-and-given"
    neither = await door.ask("/v1/collect", {"service": "newsletter"})
    assert neither.json()["code"] == "key-missing"
    forged = await collected(door, "newsletter", posted | {"omonat-form": "omf1.x.y"})
    assert forged.json()["code"] == "form-invalid"
    undeclared = await collected(door, "newsletter", posted | {"relationship.marital-status": "single"})
    assert undeclared.json()["code"] == "item-not-collected"


async def test_C4_a_form_open_for_too_long_is_shown_anew_with_what_was_typed(door: Door) -> None:
    page = await shown(door, "newsletter", "en")
    posted = page.posted(contact__email="a@mail.example") | {"consent:marketing-email": "yes"}
    began = door.clock.now
    door.clock.now = Instant(began + DAY)
    late = await collected(door, "newsletter", posted)
    again = await shown(door, "newsletter", posted=posted, problem=late.json())
    fresh = await collected(door, "newsletter", posted | again.posted())
    door.clock.now = began
    assert late.json()["code"] == "form-expired"
    assert "open for too long" in again.text
    assert again.fields()["contact.email"]["value"] == "a@mail.example"
    assert fresh.status_code == 201, fresh.text


async def test_P2_what_is_posted_cannot_break_out_of_the_form(door: Door) -> None:
    bad = '"><script>alert(1)</script><textarea>'
    posted = {"contact.name": bad, "contact.postal-address": "</textarea>" + bad, "consent:marketing-email": bad}
    problem = {"code": "person-unknown", "item": bad, "detail": bad}
    answer = await door.ask("/v1/services/order/form.html", {"posted": posted, "problem": problem})
    assert "<script" not in answer.text
    page = Page(answer.text)
    assert page.fields()["contact.name"]["value"] == bad
    assert bad in page.text
    assert not re.search(r"\s(on\w+|style)=", re.sub(r'"[^"]*"', '""', answer.text))
