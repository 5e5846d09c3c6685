"""The command line speaks the reader's language: nothing is printed there that no catalogue knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from omonat.cli import build
from omonat.cli._speech import translate

FILES = sorted((Path(__file__).parents[2] / "omonat" / "cli").glob("*.py"))
SAYING = {"echo", "secho", "prompt", "confirm", "BadParameter"}
NOT_WORDS = re.compile(r"`[^`]*`|--\w+|[-./\w]*[/.=]+[-./\w]*|\bomonat\b|\bpython\b|\{\}")


def _plain(node: ast.expr) -> str:
    """What a printed value says by itself, without what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return " ".join(_plain(part) for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.BinOp):
        return f"{_plain(node.left)} {_plain(node.right)}"
    if isinstance(node, ast.IfExp):
        return f"{_plain(node.body)} {_plain(node.orelse)}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _plain(node.func.value)
    return ""


def _untranslated(source: str) -> list[str]:
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call) and each.args]
    said = [_plain(call.args[0]) for call in calls if getattr(call.func, "attr", "") in SAYING]
    return [text for text in said if re.search(r"[A-Za-z]{2,}", NOT_WORDS.sub("", text))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sentence_goes_through_the_catalogue(file: Path) -> None:
    assert _untranslated(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        'typer.echo("settled")',
        'typer.echo(f"{n} faults")',
        'typer.echo("ended" if yes else words("x"))',
        'typer.confirm("Erase?")',
    ],
)
def test_the_check_finds_a_sentence_that_does_not(source: str) -> None:
    assert _untranslated(source) != []


def helps(command: Any) -> Iterator[str]:
    """All that the help of a command, and of everything under it, says."""
    yield from (text for text in (command.help, *(getattr(each, "help", None) for each in command.params)) if text)
    for under in getattr(command, "commands", {}).values():
        yield from helps(under)


@pytest.mark.parametrize("language", ["uz", "ru"])
def test_the_help_of_every_command_speaks_the_readers_language(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    english = typer.main.get_command(build())
    monkeypatch.setenv("OMONAT_LANGUAGE", language)
    command = typer.main.get_command(build())
    translate(command)
    said, before = list(helps(command)), list(helps(english))
    assert len(said) == len(before) > 200
    assert {text for text in said if text in before and " " in text} == set()
    monkeypatch.setenv("OMONAT_LANGUAGE", "en")
    translate(typer.main.get_command(build()))  # what the library draws around it is set for the whole process
