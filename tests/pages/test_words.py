"""Every string a person sees exists in Uzbek, Russian and English; the page speaks the reader's language."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omonat.pages import extract
from omonat.pages.words import DEFAULT_LANGUAGE, KIT, LANGUAGES, language_of, words_of
from tests.pages.english import left_in_english, unlisted

ROOT = Path(__file__).parents[2]
TRANSLATED = [(door, language) for door in extract.doors(ROOT) for language in extract.TRANSLATED]
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def _strings(message: object) -> list[str]:
    return list(message) if isinstance(message, list | tuple) else [str(message or "")]


def test_nothing_is_missing_doubtful_stale_or_left_in_english_in_any_door() -> None:
    assert extract.run(ROOT, check=True) == []


@pytest.mark.parametrize("door", extract.doors(ROOT), ids=lambda each: each.name)
def test_every_sentence_a_module_says_is_seen_by_the_extraction(door: Path) -> None:
    """One that is not would be missing from every catalogue, and nobody would be told: it is shown in English."""
    assert unlisted(door) == set()


def test_a_sentence_the_extraction_does_not_see_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text('a = visit.words(known.get(x, N_("Kept")))\nb = MAIL.words("uz")("Privacy")\n')
    assert unlisted(tmp_path) == {"Privacy"}


@pytest.mark.parametrize("language", extract.TRANSLATED)
def test_english_on_a_page_is_found_with_its_gaps_filled_and_a_translation_is_not(language: str) -> None:
    words = words_of(language)
    said = ["My data", "in 12 days", words.ngettext("in %(num)s minute", "in %(num)s minutes", 3), words("Sign out")]
    assert left_in_english(language, said) == ["My data", "in 12 days"]


@pytest.mark.parametrize("door", extract.doors(ROOT), ids=lambda each: each.name)
def test_no_russian_sentence_puts_a_second_full_stop_after_a_day(door: Path) -> None:
    """A day ends in its own: 22 ноября 2026 г."""
    said = [text for message in extract.read(door, "ru") for text in _strings(message.string)]
    assert [text for text in said if "%(day)s." in text] == []


@pytest.mark.parametrize(("door", "language"), TRANSLATED, ids=lambda each: getattr(each, "name", each))
def test_a_translation_names_exactly_what_its_sentence_names(door: Path, language: str) -> None:
    for message in extract.read(door, language):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(_strings(message.id)[-1]))
        for said in _strings(message.string):
            assert set(PLACEHOLDER.findall(said)) == wanted, message.id


@pytest.mark.parametrize(("door", "language"), TRANSLATED, ids=lambda each: getattr(each, "name", each))
def test_uzbek_is_written_with_its_own_letters(door: Path, language: str) -> None:
    """oʻ gʻ with U+02BB and tutuq belgisi with U+02BC, never a quotation mark; no exclamation marks."""
    for message in extract.read(door, language):
        for said in _strings(message.string) if message.id else []:
            assert "!" not in re.sub(r"`[^`]*`", "", said)
            if language == "uz":
                assert not re.search(r"\w['`’‘]\w", said), said


@pytest.mark.parametrize("language", extract.TRANSLATED)
def test_one_sentence_has_one_translation_in_all_doors(language: str) -> None:
    seen: dict[str, object] = {}
    for door in extract.doors(ROOT):
        for message in extract.read(door, language):
            key = _strings(message.id)[0]
            if key:
                assert seen.setdefault(key, message.string) == message.string, key


def test_the_query_beats_the_saved_choice_beats_the_header_beats_uzbek() -> None:
    assert language_of("ru", "en", "uz") == "ru"
    assert language_of(None, "en", "ru") == "en"
    assert language_of("tlh", "??", "ru-RU,en;q=0.5") == "ru"
    assert language_of(None, None, "de, en;q=0.3, ru;q=0.7") == "ru"
    assert language_of(None, None, "de") == DEFAULT_LANGUAGE == "uz"
    assert language_of(None, None, "ru;q=0, en;q=0.1") == "en"


@given(st.text(), st.text(), st.text())
def test_whatever_a_browser_sends_the_page_speaks_some_language(query: str, cookie: str, header: str) -> None:
    assert language_of(query, cookie, header) in LANGUAGES


@given(st.lists(st.sampled_from(["ru", "en;q=0.2", "uz;q=nan", ";q=1", "ru;q=2", "*", "en-GB;q=0.9"])))
def test_odd_weights_never_fail(parts: list[str]) -> None:
    assert language_of(None, None, ",".join(parts)) in LANGUAGES


def test_a_door_without_a_catalogue_still_has_the_kits_words(tmp_path: Path) -> None:
    assert words_of("ru", (tmp_path,))("Sign out") == "Выход"
    assert words_of("en", (tmp_path,))("Sign out") == "Sign out"


def test_a_doors_own_translation_stands_before_the_kits(tmp_path: Path) -> None:
    (tmp_path / "locale").mkdir()
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "locale" / "ru.po").write_text(head + 'msgid "Sign out"\nmsgstr "Уйти"\n', "utf-8")
    assert words_of("ru", (tmp_path,))("Sign out") == "Уйти"
    assert words_of("ru", (tmp_path,))("Done") == "Готово"


def test_extraction_keeps_translations_drops_the_unused_and_marks_the_new(tmp_path: Path) -> None:
    door = tmp_path / "omonat" / "desk"
    (door / "templates").mkdir(parents=True)
    (door / "locale").mkdir()
    page = door / "templates" / "page.html"
    page.write_text('{{ _("Queue") }} {% trans n=3 %}{{ n }} open{% endtrans %}', "utf-8")
    (door / "module.py").write_text('x = _("Case")\ny = words.ngettext("%(num)s case", "%(num)s cases", 2)\n', "utf-8")
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (door / "locale" / "ru.po").write_text(
        head + 'msgid "Queue"\nmsgstr "Очередь"\n\nmsgid "Gone"\nmsgstr "x"\n', "utf-8"
    )
    faults = extract.run(tmp_path, check=False)
    assert "desk/ru: not translated: Case" in faults
    assert "desk/ru: not translated: %(n)s open" in faults
    assert not any("Queue" in fault and "/ru" in fault for fault in faults)
    assert {str(m.id) for m in extract.read(door, "ru") if m.id} == {
        "Queue",
        "Case",
        "%(n)s open",
        "('%(num)s case', '%(num)s cases')",
    }
    assert KIT not in [door]
