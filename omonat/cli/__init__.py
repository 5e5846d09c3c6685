"""The command line. Every outcome has its own exit code, every error its next step.

A command group is one module here that has `app = typer.Typer(…)`; it appears as `omonat <module name> …`. A module
with a function `register(root)` adds commands to the top instead. There is no other list: `_modules` finds both.
"""

import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from omonat import __version__
from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import OmonatError
from omonat.cli._speech import spoken, translate
from omonat.database.processes import keep_memory_private


def build(only: str = "") -> typer.Typer:
    """The whole command line, put together from the modules of this package; or what the module `only` brings to it."""
    root = typer.Typer(
        name="omonat",
        help="Runs a company's privacy policy: publishes it, enforces it on every use of personal data, and proves it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with local variables would print personal data
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_options)
    for module in _modules(only):
        if hasattr(module, "register"):
            module.register(root)
        if hasattr(module, "app"):
            root.add_typer(module.app, name=module.__name__.rpartition(".")[2].replace("_", "-"))
    return root


def main() -> NoReturn:
    """Run the command line and exit: 0 when done, else by `omonat.base.codes.EXITS`."""
    keep_memory_private()  # a command may hold keys
    try:
        command = _asked_for(sys.argv[1:]) or typer.main.get_command(build())
        translate(command)
        command()
    except OmonatError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _asked_for(words: Sequence[str]) -> Any | None:
    """The command line with the one module that is named like the first word, where that brings the command these words
    ask for: all the others need not be read first. None for everything else, also where help is wanted."""
    if not words or f"{__name__}.{_module(words[0])}" not in _names():
        return None
    root = typer.main.get_command(build(_module(words[0])))
    found: Any = root
    for word in words:
        if isinstance(found, TyperGroup):
            found = found.commands.get(word)
    return None if found is None or isinstance(found, TyperGroup) else root


def fail(error: OmonatError) -> NoReturn:
    """Say what happened and what to do, and exit with the code registered for it."""
    language = spoken()
    for one in (error, *getattr(error, "reasons", ())):
        lead = "omonat: " if one is error else "  - "
        typer.echo(lead + sentence(one.code, language, one.about), err=True)
        if step := advice(one.code, language, one.about):
            typer.echo(("    " if one is not error else "  ") + step, err=True)
    known = registry().get(error.code)
    sys.exit(known.exit if known else 1)


def _modules(only: str) -> Iterator[ModuleType]:
    for name in _names():
        if not only or name == f"{__name__}.{only}":
            yield import_module(name)


def _names() -> list[str]:
    found = sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))
    return [f"{__name__}.{name}" for name in found]


def _module(word: str) -> str:
    return "serve" if word == "demo" else word.replace("-", "_")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"omonat {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Say the version."),
) -> None:
    pass
