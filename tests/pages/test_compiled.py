"""Templates are compiled once: the code is the same for every language, and a file of it is only an offer."""

import marshal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

from omonat.base.instants import from_rfc3339
from omonat.center.door import CENTER
from omonat.desk.door import DESK
from omonat.pages import Door, formats
from omonat.pages.words import LANGUAGES
from omonat.site.door import SITE

NOW = from_rfc3339("2026-11-22T14:05:00+05:00")
PAGE = "page.txt"


@pytest.fixture(name="door")
def a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / PAGE).write_text("{{ 1234567|number }} {{ 4500000|money }} {{ now|day }}", "utf-8")
    return Door("example", tmp_path)


def read(door: Door, language: str = "en") -> str:
    return Door(door.name, door.folder).render(PAGE, language=language, now=NOW)  # as a process that just began


def kept(door: Door) -> Iterator[Path]:
    return (door.folder / "__pycache__").glob("template-*")


def environments(door: Door) -> list[Environment]:
    return [door._environments[language] for language in LANGUAGES]


@pytest.mark.parametrize("door", [SITE, CENTER, DESK], ids=lambda door: door.name)
def test_a_template_is_the_same_code_in_every_language(door: Door) -> None:
    for template in environments(door)[0].list_templates(extensions=["html", "txt"]):
        codes = set()
        for environment in environments(door):
            assert environment.loader is not None
            source, file, _ = environment.loader.get_source(environment, template)
            codes.add(marshal.dumps(environment.compile(source, template, file)))
        assert len(codes) == 1, template


def test_even_a_constant_is_told_in_the_language_of_its_reader(door: Door) -> None:
    for language in LANGUAGES:
        words = door.words(language)
        number, money = formats.number(words, 1_234_567), formats.money(words, 4_500_000)
        assert read(door, language) == f"{number} {money} {formats.day(words, NOW, door.zone)}"
    assert list(kept(door))


def test_a_template_that_was_changed_is_compiled_anew(door: Door) -> None:
    read(door)
    (door.folder / "templates" / PAGE).write_text("changed", "utf-8")
    assert read(door) == "changed"


def test_what_was_cut_short_or_is_somebody_elses_is_compiled_anew(door: Door) -> None:
    whole = read(door)
    for damage in (b"", b"nothing of ours", None):
        for file in kept(door):
            file.write_bytes(file.read_bytes()[:40] if damage is None else damage)
        assert read(door) == whole


def test_where_nothing_can_be_written_pages_are_made_all_the_same(door: Door) -> None:
    (door.folder / "__pycache__").write_text("no folder")
    assert "1,234,567" in read(door)


def test_where_python_keeps_no_code_neither_do_we(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "1,234,567" in read(door)
    assert not (door.folder / "__pycache__").exists()
