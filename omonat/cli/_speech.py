"""What the command line says, in the reader's language: its sentences, from the catalogues beside it."""

import os
from pathlib import Path
from typing import Any

import typer
from typer import rich_utils

from omonat.pages.words import LANGUAGES, N_, Words, words_of

_FOLDERS = (Path(__file__).parent,)
_FRAME = {
    "ERRORS_PANEL_TITLE": N_("Error"),
    "ABORTED_TEXT": N_("Aborted."),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
"""What the library says around complaints."""


def spoken() -> str:
    """The language of the command line: OMONAT_LANGUAGE, else that of the terminal, else English."""
    for name in ("OMONAT_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        tag = os.environ.get(name, "")[:2].lower()
        if tag in LANGUAGES:
            return tag
    return "en"


def words_in(language: str) -> Words:
    """The sentences of the command line in one language."""
    return words_of(language, _FOLDERS)


def words(message: str, /, **about: Any) -> str:
    """One sentence in the language of the command line."""
    return words_in(spoken())(message, **about)


def ngettext(one: str, many: str, num: int, **about: Any) -> str:
    """One sentence with a number in it, in the form the language wants."""
    return words_in(spoken()).ngettext(one, many, num, **about)


def tell(line: str, /, **about: object) -> None:
    """Something takes longer: one line on standard error for whoever waits."""
    typer.echo(f"  … {words(line, **about)}", err=True)


def frame() -> None:
    """Put what the library says around complaints into the language of the command line."""
    for name, text in _FRAME.items():
        setattr(rich_utils, name, words_in(spoken()).raw(text))
