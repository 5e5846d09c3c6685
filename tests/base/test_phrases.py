"""What is expected is said in the reader's language: no English words inside an Uzbek or Russian sentence."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from omonat.base.codes import LANGUAGES, advice, registry, sentence
from omonat.base.errors import BadInput
from omonat.base.phrases import phrases, said
from omonat.policy.kinds import normalise
from omonat.policy.words import Kind

ROOT = Path(__file__).parents[2]
SAYING = ("malformed", "matching", "_invalid", "record")
WRONG = (
    None,
    True,
    -1,
    1.5,
    "",
    "\0",
    "x" * 20_000,
    "?!",
    "12345678",
    [],
    [1],
    {},
    {"unknown": 1},
    {"lat": 5, "lon": 5},
)
LEFT = re.compile(r"[A-Za-z][A-Za-z]{2,}(?: [A-Za-z]{2,})+")
"""Two words of Latin letters in a row: in Russian there is no reason for them."""


def expected_words() -> Iterator[str]:
    """Every literal the code gives as what is expected."""
    for file in (*(ROOT / "omonat" / "policy" / "kinds").glob("*.py"), ROOT / "omonat" / "base" / "settings.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found: list[ast.expr] = []
            if isinstance(node, ast.Call):
                found = [word.value for word in node.keywords if word.arg == "expected"]
                if isinstance(node.func, ast.Name) and node.func.id in SAYING:
                    found += node.args
            elif isinstance(node, ast.Assign) and any(
                getattr(t, "id", "") in ("expected", "_LINE", "_POINT") for t in node.targets
            ):
                found = [node.value, *getattr(node.value, "values", [])]
            elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_EXPECTED":
                found = list(getattr(node.value, "values", []))
            yield from (one.value for one in found if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_A3_whatever_is_expected_has_its_words_in_every_language() -> None:
    names = {"environment", "origin", "database", "journal_copies", "key_copies", "root_key"}
    found = {
        word for word in expected_words() if (" " in word and re.search("[a-z]{2}", word)) or word in phrases()
    } - names
    assert len(found) > 30
    assert found - phrases().keys() == set()
    assert all(set(words) == {"uz", "ru"} and all(words.values()) for words in phrases().values())


@pytest.mark.parametrize("kind", list(Kind))
def test_A3_a_refused_value_is_explained_without_a_word_of_english(kind: Kind) -> None:
    for value in WRONG:
        try:
            normalise(kind, value)
        except BadInput as error:
            about = {**error.about, "kind": "«…»"}
            text = sentence(error.code, "ru", about) + advice(error.code, "ru", about)
            assert not LEFT.search(text), text


def test_D1_where_nothing_is_near_no_nearest_is_named() -> None:
    for code in registry().values():
        if code.otherwise:
            for language in LANGUAGES:
                assert "{nearest}" not in advice(code.id, language, {"nearest": ""})
                assert "{nearest}" not in code.otherwise[language]
                assert "xyz" in advice(code.id, language, {"nearest": "xyz"})


def test_A3_a_phrase_with_keys_and_one_of_several_is_put_together() -> None:
    assert said("lat: metres; lon: how many", "ru") == "lat: метры; lon: сколько"
    assert said("string/null", "uz") == "matn/null"
    assert said("2611-00132", "ru") == "2611-00132"
    assert said("an object with these keys; lat, lon", "ru") == "объект с такими ключами; lat, lon"
