"""Pages are rendered strictly: nothing unescaped, nothing silently missing, the frame says where one is."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from jinja2 import Environment, TemplateNotFound, UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import Extends, Macro

from omonat.base.instants import SECOND, Instant, from_rfc3339
from omonat.pages import Door, Nav, Proof
from omonat.pages.render import current, in_language

NOW = from_rfc3339("2026-11-22T14:05:00+05:00")
_SYNTAX = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
_FOLDERS = [*sorted(Path("omonat").glob("*/templates")), Path("examples/site/templates")]
FRAME = {"path": "/me/data?page=2", "place": "Centre", "home": "/me"}


@pytest.fixture(name="door")
def a_door(tmp_path: Path) -> Door:
    (tmp_path / "templates").mkdir()
    return Door("example", tmp_path)


def _write(door: Door, main: str) -> None:
    text = (
        f'{{% extends "base.html" %}}{{% block title %}}Title{{% endblock %}}{{% block main %}}{main}{{% endblock %}}'
    )
    (door.folder / "templates" / "page.html").write_text(text, "utf-8")


def _render(door: Door, main: str, language: str = "en", **context: object) -> str:
    _write(door, main)
    return door.render("page.html", language=language, now=NOW, **{**FRAME, **context})


def test_what_a_person_typed_is_never_markup(door: Door) -> None:
    said = '<script>alert("x")</script>'
    html = _render(door, "{{ kit.facts([(said, said, said)]) }}{{ kit.field(said, said, value=said) }}", said=said)
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") >= 5


def test_a_name_nobody_gave_is_a_fault_not_a_gap(door: Door) -> None:
    with pytest.raises(UndefinedError):
        _render(door, "{{ forgotten }}")
    with pytest.raises(TemplateNotFound):
        door.render("gone.html", language="en", now=NOW)


def test_the_frame_says_language_place_and_where_one_is(door: Door) -> None:
    html = _render(door, "", "ru", nav=[Nav("/me", "A"), Nav("/me/data", "B")], controller="BESHQOZON")
    assert '<html lang="ru">' in html
    assert "<title>Title · Centre</title>" in html
    assert 'href="/me/data" aria-current="page"' in html
    assert html.count("aria-current") == 2
    assert 'href="/me/data?page=2&amp;lang=uz"' in html


@pytest.mark.parametrize("folder", _FOLDERS, ids=str)
def test_no_page_calls_a_macro_like_something_the_frame_prints(folder: Path) -> None:
    """A macro of a page is seen by the frame it extends: one called `place` stood in every title of My choices."""
    reads: set[str] = set()
    for frame in (Path("omonat/pages/templates/base.html"), folder / "frame.html"):
        if frame.exists():
            reads |= find_undeclared_variables(_SYNTAX.parse(frame.read_text("utf-8")))
    for page in sorted(folder.glob("*.html")):
        tree = _SYNTAX.parse(page.read_text("utf-8"))
        if tree.find(Extends) is not None:
            assert reads.isdisjoint(macro.name for macro in tree.find_all(Macro)), page


def test_T2_the_foot_says_which_checkpoint_verified_the_page(door: Door) -> None:
    proof = Proof(18204, Instant(NOW - 12 * SECOND), sha256(b"x").digest(), "/proof/18204")
    assert "Verified by checkpoint 18,204, 12 s ago" in _render(door, "", proof=proof)
    assert "Проверено контрольной точкой 18\u00a0204, 12 с назад" in _render(door, "", "ru", proof=proof)
    assert 'href="/proof/18204"' in _render(door, "", proof=proof)


def test_signing_out_is_a_form_with_its_token(door: Door) -> None:
    html = _render(door, "", nav=[Nav("/me", "A")], sign_out="/me/out", csrf="token-1")
    assert 'method="post" action="/me/out"' in html
    assert 'name="csrf" value="token-1"' in html


def test_L3_a_field_says_why_it_is_asked_and_whether_it_must_be_filled(door: Door) -> None:
    html = _render(
        door,
        '{{ kit.field("phone", "Phone", "tel", notice="The courier calls.", promise_id="U2", error="Too short.") }}'
        '{{ kit.field("note", "Note", required=false) }}',
    )
    assert 'aria-describedby="phone-error phone-why" aria-invalid="true"' in html
    assert "The courier calls." in html
    assert "/page/privacy-policy#U2" in html
    assert html.count(" required") == html.count('type="tel"') == 1
    assert ">optional<" in html


def test_a_tick_box_is_never_ticked_for_anybody(door: Door) -> None:
    assert "checked" not in _render(door, '{{ kit.tick("news", "Newsletter") }}')


def test_a_refusal_says_what_why_and_what_one_can_do(door: Door) -> None:
    html = _render(door, '{{ kit.refusal("Withheld", "Not needed.", "L3", "Call.") }}')
    for part in ("Withheld", "Not needed.", "/page/privacy-policy#L3", "What you can do", "Call."):
        assert part in html


def test_no_page_carries_inline_style_or_script(door: Door) -> None:
    html = _render(door, '{{ kit.star(digest) }}{{ kit.purpose_band("p", "p", "r") }}', digest=sha256(b"x").digest())
    assert " style=" not in html
    assert "<style" not in html
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_the_language_switch_keeps_the_page_and_its_query() -> None:
    assert in_language("/me", "ru") == "/me?lang=ru"
    assert in_language("/me?a=1&lang=uz&b=", "en") == "/me?a=1&b=&lang=en"


def test_the_current_door_is_the_longest_that_fits() -> None:
    nav = [Nav("/desk", "A"), Nav("/desk/cases", "B")]
    assert current("/desk/cases/7?x=1", nav) == "/desk/cases"
    assert current("/desk/casesx", nav) == "/desk"
    assert current("/me", nav) is None


def test_a_plain_text_part_is_written_as_it_is_read(door: Door) -> None:
    (door.folder / "templates" / "letter.txt").write_text("{{ said }}", "utf-8")
    door.warm()
    assert door.render("letter.txt", language="uz", now=NOW, said="Oʻq & «yoy»") == "Oʻq & «yoy»"


def test_a_template_counts_in_the_readers_plurals(door: Door) -> None:
    (door.folder / "locale").mkdir()
    (door.folder / "locale" / "ru.po").write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "%(n)s use"\nmsgid_plural "%(n)s uses"\n'
        'msgstr[0] "%(n)s просмотр"\nmsgstr[1] "%(n)s просмотра"\nmsgstr[2] "%(n)s просмотров"\n',
        "utf-8",
    )
    main = "{% for n in (1, 3, 11) %}{% trans n=n %}{{ n }} use{% pluralize %}{{ n }} uses{% endtrans %};{% endfor %}"
    assert "1 просмотр;3 просмотра;11 просмотров;" in _render(door, main, "ru")
    assert "1 use;3 uses;11 uses;" in _render(Door("again", door.folder), main, "en")


def test_a_refusal_by_code_speaks_from_the_registry(door: Door) -> None:
    html = _render(door, '{{ kit.refused("nobody-registered-this", {}) }}')
    assert "nobody-registered-this" in html
