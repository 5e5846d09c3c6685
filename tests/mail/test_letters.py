"""Letters: complete in three languages, the same in text and HTML, and deaf to what values try to be."""

import html
import re
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.base.errors import BadInput
from omonat.base.instants import SECOND, Instant
from omonat.mail.compose import Unsubscribe, compose
from omonat.mail.letter import Letter, Sender, blocks_of, greeting_name, write_letter, write_sms
from omonat.promises.messages import LANGUAGES, TEMPLATES, Channel, MessageClass, Value

from .conftest import LINKS, NOON, SENDER

PARAMS: dict[str, dict[str, Value]] = {
    "sign-in-code": {"code": "271828", "minutes": 10},
    "confirm-code": {"code": "271828", "minutes": 10, "act": "delete-all"},
    "new-channel-code": {"code": "271828", "minutes": 10, "address": "+998901234568"},
    "registration-confirmation": {},
    "confirm-data": {},
    "order-confirmation": {"order": "41877", "delivery": 1, "total": 12_500_000},
    "information-request-answer": {"request": "88", "answer": "Ha, bor.\n\nOsh soat 12 da tayyor."},
    "request-code": {"request": "K7M2QR9XDT", "minutes": 60, "code": "271828"},
    "request-received": {"request": "K7M2QR9XDT", "due": 1_796_000_000, "code": "ABCDEFGHJKLMNPQR"},
    "parent-ask": {"link": "pas_x.first.c2lnbmVk", "what": "Contact details", "address": "+998901234568"},
    "parent-confirm": {"link": "pas_x.second.c2lnbmVk", "address": "+998901234568"},
    "parent-pay": {
        "link": "pas_x.first.c2lnbmVk", "what": "Contact details", "address": "+998901234568", "total": 100_000
    },
    "parent-paid": {
        "link": "pas_x.first.c2lnbmVk", "payment": "pay_abcdefgh", "address": "+998901234568", "total": 100_000
    },
    "parent-overtaken": {
        "kind": "service-change", "version": "2", "due": NOON // SECOND, "recipients": "Legal counsel",
        "ways": "A signed form, A call to trained staff", "address": "+998901234568"
    },
    "request-confirm": {"request": "K7M2QR9XDT", "link": "K7M2QR9XDT.c2lnbmVk"},
    "mail-choices": {"about": "left", "link": "per_aaaaaaaaaaaaaaaaaaaaaaaaaa.less.1796000000.c2lnbmVk"},
    "request-answered": {"request": "K7M2QR9XDT", "code": "ABCDEFGHJKLMNPQR"},
    "request-proof": {"request": "K7M2QR9XDT", "code": "ABCDEFGHJKLMNPQR"},
    "finding-answered": {"request": "K7M2QR9XDT", "code": "ABCDEFGHJKLMNPQR"},
    "request-escalated": {"request": "K7M2QR9XDT", "kind": "complaint", "step": "overdue", "due": 1_796_000_000},
    "service-notice": {"kind": "security-breach", "title": "Nosozlik", "text": "Bir.\n\nIkki."},
    "policy-changed": {
        "kind": "service-change", "since": "1", "version": "2", "text": "Bir.\n\nIkki.", "agree": 1,
        "effective": NOON // SECOND,
    },
    "company-notice": {"kind": "system-error", "round": "rnd_x", "title": "Nosozlik", "text": "Bir.\n\nIkki."},
    "newsletter-welcome": {},
    "campaign": {"campaign": "navroz", "subject": "Navroʻz", "text": "Bir.\n\nIkki.", "brief": "Раз."},
    "survey-invitation": {"campaign": "soʻrov", "subject": "Uch savol", "text": "Bir.\n\nIkki.", "brief": "Раз."},
}  # fmt: skip
UNSUBSCRIBE = Unsubscribe("https://beshqozon.example/unsubscribe/token", SENDER.mailbox)
MAIL_LINKS = replace(LINKS, unsubscribe=UNSUBSCRIBE.address)
EVERY = [
    (template, language, channel)
    for template in TEMPLATES.values()
    for language in LANGUAGES
    for channel in sorted(template.channels)
]
LETTERS = [(template.id, language) for template, language, channel in EVERY if channel is Channel.EMAIL]
TEXTS = [(template.id, language) for template, language, channel in EVERY if channel is Channel.SMS]


def letter_of(template: str, language: str, **changed: Value) -> Letter:
    params = {**PARAMS[template], **changed}
    return write_letter(template, language, params, sender=SENDER, links=MAIL_LINKS, name="Gulnora Yoʻldosheva")


class Reading(HTMLParser):
    """The words a person sees, and the tags and addresses that are there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._skip = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._skip = tag in {"style", "title"}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_endtag(self, tag: str) -> None:
        self._skip = False

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.words += data.split()


def test_N1_every_parameter_of_every_template_is_tried_here() -> None:
    assert {name: set(params) for name, params in PARAMS.items()} == {
        name: set(template.open | template.sealed | template.worded) for name, template in TEMPLATES.items()
    }


@pytest.mark.parametrize(("template", "language"), LETTERS)
def test_N1_every_letter_is_complete_in_every_language(template: str, language: str) -> None:
    marketing = TEMPLATES[template].message_class is MessageClass.MARKETING
    needed = {"brief"} if marketing and language != "uz" else {"subject", "first", "body"}
    assert needed <= blocks_of(template, language)
    letter = letter_of(template, language)
    assert letter.subject.startswith(SENDER.name)
    assert SENDER.name in letter.first
    assert letter.paragraphs
    assert SENDER.mailbox in letter.foot
    assert LINKS.policy in letter.foot
    assert "{" not in letter.text()
    if marketing and language != "uz":
        assert letter.translation


@pytest.mark.parametrize(("template", "language"), TEXTS)
def test_N1_every_sms_is_complete_in_every_language_and_fits_three_parts(template: str, language: str) -> None:
    text = write_sms(template, language, PARAMS[template], sender=SENDER, links=MAIL_LINKS)
    assert text.startswith(f"{SENDER.name}:")
    assert "\n" not in text
    assert len(text) <= 3 * 67  # a part of a long message in UCS-2 holds 67 letters


def test_the_languages_of_a_template_have_the_same_blocks() -> None:
    for template in TEMPLATES.values():
        if template.message_class is not MessageClass.MARKETING:
            assert len({blocks_of(template.id, language) for language in LANGUAGES}) == 1, template.id


@pytest.mark.parametrize(("template", "language"), LETTERS)
def test_the_plain_text_says_every_word_the_html_says(template: str, language: str) -> None:
    letter = letter_of(template, language)
    page = Reading(letter.html())
    words = letter.text().split()
    addresses = {address for address in page.addresses if address}
    assert addresses <= set(words)
    spoken = [word.rstrip(":") for word in words if word != "--" and word not in addresses]
    seen = [word.rstrip(":") for word in page.words if word not in addresses]
    assert spoken == seen


@pytest.mark.parametrize(("template", "language"), LETTERS)
def test_T1_a_letter_loads_nothing_and_asks_for_one_thing(template: str, language: str) -> None:
    page = Reading(letter_of(template, language).html())
    assert not {"img", "script", "iframe", "link", "form", "object", "svg"} & set(page.tags)
    assert len(page.addresses) <= 1
    assert "url(" not in letter_of(template, language).html()


def test_a_code_is_sent_without_a_link_and_without_a_name() -> None:
    for language in LANGUAGES:
        letter = letter_of("sign-in-code", language)
        assert letter.action is None
        assert letter.greeting is None
        assert "http" not in write_sms("sign-in-code", language, PARAMS["sign-in-code"], sender=SENDER, links=LINKS)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_U5_marketing_is_in_uzbek_with_a_translation_of_at_most_two_fifths(language: str) -> None:
    letter = letter_of("newsletter-welcome", language)
    assert letter.language == "uz"
    assert letter.translated_into == language
    assert letter.text().index(letter.paragraphs[0]) < letter.text().index(letter.translation[0])
    small = sum(map(len, letter.translation))
    assert small <= 0.4 * (small + sum(map(len, letter.paragraphs)))
    assert f'class="small" lang="{language}"' in letter.html()


def test_an_order_says_what_the_courier_sees_and_only_where_there_is_one() -> None:
    assert "courier" in letter_of("order-confirmation", "en").text()
    assert "courier" not in letter_of("order-confirmation", "en", delivery=0).text()
    assert "125 000 soʻm" in letter_of("order-confirmation", "uz").text().replace("\u00a0", " ")


NASTY = st.text(st.characters(codec="utf-8"), max_size=60)


@given(NASTY, NASTY)
def test_no_value_becomes_markup_a_line_or_a_template(title: str, name: str) -> None:
    params = {"kind": "system-error", "title": "{{ links }}" + title, "text": "<b>x</b>{% if %}" + title}
    letter = write_letter("service-notice", "en", params, sender=SENDER, links=LINKS, name=name)
    page = Reading(letter.html())
    plain = Reading(letter_of("service-notice", "en").html())
    assert set(page.tags) <= set(plain.tags)
    assert page.addresses == plain.addresses
    assert "{{ links }}" in letter.text()
    assert html.escape("<b>x</b>") in letter.html()
    assert not re.search(r"[\r\n]", letter.subject + letter.first + (letter.greeting or ""))


@given(st.dictionaries(st.sampled_from(["subject", "name", "to", "id", "unsubscribe"]), NASTY, min_size=1))
def test_S6_no_value_adds_a_header(parts: dict[str, str]) -> None:
    letter = letter_of("newsletter-welcome", "uz")
    values = {name: f"a{value}\r\nBcc: thief@mail.example" for name, value in parts.items()}
    sender = Sender(values.get("name", SENDER.name), SENDER.mailbox)
    title = {"kind": "system-error", "title": values.get("subject", "x"), "text": "y"}
    flattened = write_letter("service-notice", "en", title, sender=SENDER, links=LINKS)
    assert "\n" not in flattened.subject
    if set(parts) == {"subject"}:
        return
    with pytest.raises(BadInput) as refused:
        compose(
            letter,
            message_id=values.get("id", "msg_x"),
            sender=sender,
            to=values.get("to", "gulnora@mail.example"),
            unsubscribe=Unsubscribe(values.get("unsubscribe", UNSUBSCRIBE.address), SENDER.mailbox),
            now=NOON,
        )
    assert refused.value.code in {"message-unsafe-header", "message-address-malformed"}
    assert "thief" not in str(refused.value)


@pytest.mark.parametrize("to", ["", "a", "a@", "a@b@c.example", "a b@c.example", "a@mail.example, b@mail.example"])
def test_T1_what_is_not_one_address_gets_no_letter(to: str) -> None:
    with pytest.raises(BadInput) as refused:
        compose(
            letter_of("newsletter-welcome", "uz"),
            message_id="msg_x",
            sender=SENDER,
            to=to,
            unsubscribe=UNSUBSCRIBE,
            now=NOON,
        )
    assert refused.value.code == "message-address-malformed"


def test_C3_marketing_can_be_left_by_one_click_and_the_rest_says_nothing_of_it() -> None:
    marketing = _sent("newsletter-welcome", UNSUBSCRIBE)
    assert marketing["List-Unsubscribe"] == (f"<{UNSUBSCRIBE.address}>, <mailto:{SENDER.mailbox}?subject=unsubscribe>")
    assert marketing["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (
        _sent("newsletter-welcome", Unsubscribe("http://localhost/u", SENDER.mailbox))["List-Unsubscribe-Post"] is None
    )
    assert _sent("service-notice", None)["List-Unsubscribe"] is None


def test_a_letter_has_a_date_a_number_of_its_own_and_two_parts() -> None:
    letter = _sent("order-confirmation", None)
    assert letter["Date"] == "Tue, 01 Dec 2026 07:00:00 +0000"
    assert letter["Message-ID"] == "<msg_x@beshqozon.example>"
    assert letter["From"] == "BESHQOZON <webmaster@beshqozon.example>"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    text = letter.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text == letter_of("order-confirmation", "uz").text()


@pytest.mark.parametrize(
    ("typed", "greeted"),
    [
        ("Gulnora Yoʻldosheva", "Gulnora Yoʻldosheva"),
        ("Oʻktamjon G'aniyev", "Oʻktamjon G'aniyev"),
        ("Анна-Мария", "Анна-Мария"),
        (" Ali ", "Ali"),
        ("Win https://prize.example now", None),
        ("prize.example/x", None),
        ("prize.example", None),
        ("A. Karimov", "A. Karimov"),
        ("Ali\nhttps://x.example", None),
        ("+998901234567", None),
        ("a" * 61, None),
        ("", None),
        (None, None),
    ],
)
def test_a_letter_greets_names_and_not_what_was_typed_instead(typed: str | None, greeted: str | None) -> None:
    assert greeting_name(typed) == greeted


def _sent(template: str, unsubscribe: Unsubscribe | None):  # type: ignore[no-untyped-def]
    message = compose(
        letter_of(template, "uz"),
        message_id="msg_x",
        sender=SENDER,
        to="gulnora@mail.example",
        unsubscribe=unsubscribe,
        now=Instant(NOON),
    )
    return message_from_bytes(message.as_bytes(), policy=policy.default)


@pytest.mark.parametrize(("language", "more"), [("uz", "va boshqalar"), ("ru", "и другое"), ("en", "and more")])
@pytest.mark.parametrize("template", ["parent-ask", "parent-pay"])
def test_K2_what_is_held_of_a_child_is_cut_after_a_whole_name_and_says_that_there_is_more(
    template: str, language: str, more: str
) -> None:
    names = [f"Category of things {n}" for n in range(40)]
    params = {**PARAMS[template], "what": ", ".join(names)}
    said = write_sms(template, language, params, sender=SENDER, links=MAIL_LINKS)
    listed = said[said.index("Category") :].partition(f" {more})")[0]
    assert f" {more})" in said
    assert listed.split(", ") == names[: len(listed.split(", "))], "each name is whole"
    letter = write_letter(template, language, params, sender=SENDER, links=MAIL_LINKS)
    assert f"{listed} {more}" in dict(letter.facts).values()
    short = write_sms(template, language, {**params, "what": "Contact details"}, sender=SENDER, links=MAIL_LINKS)
    assert more not in short
