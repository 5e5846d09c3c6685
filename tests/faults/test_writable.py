"""No text field of any door is forgotten by the search of the disk: each is planted, or says why nothing is told in it.

The search itself is `test_forensic`, where what is named as planted must have been.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct

from omonat.database.inventory import inventory
from tests.faults import writable
from tests.faults.text_fields import BY_LAST_NAME, PLANTED, READABLE, TAKES_NO_WORDS, excused, stated

READABLE_FORMS = ("public", "name", "reference")


def unsaid(fields: set[str]) -> set[str]:
    """The fields of which nobody said what becomes of their words."""
    return {field for field in fields if field not in PLANTED and excused(field) is None}


def test_S2_every_text_field_of_a_door_is_planted_or_says_why_nothing_is_told_in_it() -> None:
    found = writable.every_field()
    assert len(found) >= 300
    assert unsaid(found) == set()


def test_S2_what_is_said_of_text_fields_is_said_of_fields_there_are() -> None:
    found = writable.every_field()
    assert (PLANTED.keys() | TAKES_NO_WORDS.keys()) - found == set()
    assert PLANTED.keys() & TAKES_NO_WORDS.keys() == set()
    ends = {field.strip("{}").replace(".", " ").split(" ")[-1] for field in found}
    assert BY_LAST_NAME.keys() - ends == set()


def test_S2_a_new_field_at_any_door_is_missed_until_somebody_says_what_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoteBody(Struct, rename="kebab"):
        person: str
        on_the_phone: Annotated[dict[str, list[str]], Meta(description="What they said.")] | None = None

    @dataclass
    class Postcard:
        picture: bytes
        words: str

    @dataclass
    class Operation:
        body: Any
        path: str = "/v1/notes/{nickname}"

    templates = tmp_path / "desk" / "templates"
    templates.mkdir(parents=True)
    (templates / "note.html").write_text(
        '{{ kit.field("note", _("A note (short)"), type="textarea") }}{{ kit.field("day", _("Day"), type="date") }}'
        '<input name="nickname" required><input type="hidden" name="csrf">{{ kit.code_entry(name="word", length=6) }}'
    )
    monkeypatch.setattr(writable.omonat, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(writable, "OPERATIONS", [Operation(NoteBody)])
    monkeypatch.setattr(writable, "Letter", Postcard)
    missed = unsaid(writable.every_field())
    assert missed == {
        "NoteBody.on-the-phone", "NoteBody.on-the-phone key", "{nickname}", "Postcard.picture", "Postcard.words",
        "desk/note.html note", "desk/note.html nickname", "desk/note.html word",
    }  # fmt: skip


def test_S2_what_lies_readable_is_what_the_inventory_says_so_of() -> None:
    columns = inventory().columns()
    for place, column in READABLE.items():
        assert columns[column].form in READABLE_FORMS, place
    planted = {place for places in PLANTED.values() for place in places}
    assert set(map(stated, planted)) - {None} == set(READABLE.values())
