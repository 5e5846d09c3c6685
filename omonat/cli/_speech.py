"""What the command line says, in the reader's language: its sentences and its help, from the catalogues beside it."""

import os
from pathlib import Path
from typing import Any

import typer
from typer import rich_utils

from omonat.pages.words import LANGUAGES, N_, Words, paragraphs, words_of

_FOLDERS = (Path(__file__).parent,)
_FRAME = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "ERRORS_PANEL_TITLE": N_("Error"),
    "ABORTED_TEXT": N_("Aborted."),
    "DEFAULT_STRING": N_("[default: {}]"),
    "REQUIRED_LONG_STRING": N_("[required]"),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
"""What the library draws around help and complaints."""


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


def translate(command: Any) -> None:
    """Put the help of a command, and of everything under it, into the language of the command line."""
    said = words_in(spoken())
    for name, text in _FRAME.items():
        setattr(rich_utils, name, said.raw(text))
    _translate(command, said)


def _translate(command: Any, said: Words) -> None:
    command.help = _help(command.help, said)
    command.short_help = None  # made anew from `help`
    context = typer.Context(command, help_option_names=["-h", "--help"])
    asking = command.get_help_option(context)
    if asking is not None:
        asking.help = said.raw(N_("Show this message and exit."))
    for each in command.params:
        each.help = _help(getattr(each, "help", None), said)
    for under in getattr(command, "commands", {}).values():
        _translate(under, said)


def _help(text: str | None, said: Words) -> str | None:
    return None if text is None else "\n\n".join(said.raw(each) for each in paragraphs(text))
