"""A command starts without reading what it doesn't need, and is the same as in the whole command line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from omonat.cli import _asked_for, build

ROOT = Path(__file__).parents[2]


def leaves(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that ask for it."""
    if not isinstance(command, TyperGroup):
        yield words, command
        return
    for word, under in command.commands.items():
        yield from leaves(under, *words, word)


def described(command: Any) -> tuple[Any, ...]:
    """What may be typed after it, and what its help says."""
    return command.help, *(
        (each.name, each.opts, getattr(each, "help", None), each.default, each.required) for each in command.params
    )


def test_what_a_command_is_does_not_depend_on_what_else_was_read() -> None:
    every = dict(leaves(typer.main.get_command(build())))
    quick = 0
    for words, command in every.items():
        alone = _asked_for([*words, "--home", "/nowhere"])
        if alone is None:
            continue
        quick += 1
        assert described(dict(leaves(alone))[words]) == described(command), words
    assert quick > len(every) / 2


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["policy"], ["policy", "--help"], ["policy", "nonsense"], ["nonsense"]]
)
def test_whoever_looks_for_a_command_is_shown_all_of_them(words: list[str]) -> None:
    assert _asked_for(words) is None


def test_checking_a_policy_reads_no_web_framework_and_no_other_command() -> None:
    script = (
        "import sys; from omonat.cli import _asked_for; assert _asked_for(['policy', 'check', 'x.yaml']);"
        "print(*(name for name in sys.modules if name.partition('.')[0] in ('litestar', 'uvicorn', 'playwright')"
        " or name.startswith(('omonat.flows', 'omonat.house'))))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, timeout=120, check=True
    ).stdout
    assert said.split() == []
