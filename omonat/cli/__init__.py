"""The command line. Every outcome has its own exit code, every error its next step.

A command group is one module here that has `app = typer.Typer(…)`; it appears as `omonat <module name> …`. A module
with a function `register(root)` adds commands to the top instead. There is no other list: `_modules` finds both.
"""

import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import NoReturn

import typer

from omonat import __version__
from omonat.base.codes import advice, registry, sentence
from omonat.base.errors import OmonatError
from omonat.cli._speech import spoken, translate
from omonat.database.processes import keep_memory_private


def build() -> typer.Typer:
    """The whole command line, put together from the modules of this package."""
    root = typer.Typer(
        name="omonat",
        help="Runs a company's privacy policy: publishes it, enforces it on every use of personal data, and proves it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a traceback with local variables would print personal data
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_options)
    for module in _modules():
        if hasattr(module, "register"):
            module.register(root)
        if hasattr(module, "app"):
            root.add_typer(module.app, name=module.__name__.rpartition(".")[2].replace("_", "-"))
    return root


def main() -> NoReturn:
    """Run the command line and exit: 0 when done, else by `omonat.base.codes.EXITS`."""
    keep_memory_private()  # a command may hold keys
    try:
        command = typer.main.get_command(build())
        translate(command)
        command()
    except OmonatError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


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


def _modules() -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if not found.name.startswith("_"):
            yield import_module(f"{__name__}.{found.name}")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"omonat {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Say the version."),
) -> None:
    pass
