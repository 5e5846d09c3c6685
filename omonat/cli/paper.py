"""`omonat paper`: what is sealed to its recipient, on sheets of codes, and back (S2)."""

import os
from pathlib import Path
from typing import Annotated

import typer

from omonat.base import paper
from omonat.base.errors import BadInput
from omonat.base.paper import PER_SHEET
from omonat.cli._speech import ngettext, spoken, words
from omonat.flows import on_paper
from omonat.house import system_clock
from omonat.pages.sheets import sheets_pdf

app = typer.Typer(help="Paper batches: sealed files as codes on sheets, and back.", no_args_is_help=True)

_LARGEST = 32 * 1024 * 1024


@app.command("print")
def print_(
    files: Annotated[list[Path], typer.Argument(help="Files that age or an offline desk sealed.")],
    *,
    out: Annotated[Path, typer.Option(help="The PDF to write, which doesn't exist yet.")],
) -> None:
    """Put sealed files on sheets, as codes that any scanner reads.

    What isn't encrypted to its recipient is refused, also what only a password locks: sheets lie about. Each file is a
    batch of its own.
    """
    batches = [on_paper.codes_of(_read(file)) for file in files]
    _write(out, sheets_pdf(batches, spoken(), system_clock()))
    for codes in batches:
        sheets = ngettext("%(num)s sheet", "%(num)s sheets", -(-len(codes) // PER_SHEET))
        typer.echo(f"{codes[0].split('/')[2]}\t{sheets}")


@app.command()
def join(
    scanned: Annotated[list[Path], typer.Argument(help="Text files with what was scanned, a code on a line.")],
    *,
    out: Annotated[Path, typer.Option(help="A folder that doesn't exist yet.")],
) -> None:
    """Put the sealed files together again from scanned sheets, in any order; each is checked against its batch's name.

    Where codes are missing they are named, and nothing is written.
    """
    files = paper.joined(line for file in scanned for line in paper.lines_of(_read(file)))
    if out.exists():
        raise typer.BadParameter(words("%(folder)s exists already", folder=out), param_hint="--out")
    os.umask(0o077)
    out.mkdir(parents=True)
    for batch, content in files.items():
        file = out / f"{batch}{on_paper.ending(content)}"
        file.write_bytes(content)
        typer.echo(str(file))


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size <= _LARGEST:
            return file.read_bytes()
    except OSError:
        raise BadInput("paper-unreadable", file=file.name) from None
    raise BadInput("paper-too-long", sheets=str(paper.MOST // PER_SHEET))


def _write(file: Path, content: bytes) -> None:
    """Owner's eyes only, and never over another file."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
    except FileExistsError:
        raise typer.BadParameter(words("%(folder)s exists already", folder=file), param_hint="--out") from None
