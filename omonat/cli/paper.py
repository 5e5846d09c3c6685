"""`omonat paper`: what is sealed to its recipient, on sheets of codes, and back (S2)."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.base.paper import LONGEST, LONGEST_SCAN, PER_SHEET
from omonat.cli._speech import ngettext, spoken, tell, words
from omonat.flows import on_paper
from omonat.house import system_clock
from omonat.pages.sheets import sheets_pdf

app = typer.Typer(help="Paper batches: sealed files as codes on sheets, and back.", no_args_is_help=True)


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
    batches = [on_paper.codes_of(_read(file, LONGEST)) for file in files]
    tell("drawing %(num)s codes", num=sum(map(len, batches)))
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
    files = on_paper.scans({str(file): _read(file, LONGEST_SCAN) for file in scanned})
    if out.exists():
        raise typer.BadParameter(words("%(folder)s exists already", folder=out), param_hint="--out")
    os.umask(0o077)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as draft:
            whole = Path(draft) / out.name
            whole.mkdir()
            for name, content in files.items():
                (whole / name).write_bytes(content)
            whole.rename(out)
    except OSError:
        raise BadInput("paper-unwritable", file=str(out)) from None
    for name in files:
        typer.echo(str(out / name))


def _read(file: Path, most: int) -> bytes:
    """The file, or so much of it that whoever takes it sees that it is longer than `most`."""
    try:
        with file.open("rb") as opened:
            return opened.read(most + 1)
    except OSError:
        raise BadInput("paper-unreadable", file=str(file)) from None


def _write(file: Path, content: bytes) -> None:
    """Owner's eyes only, never over another file, whole or not at all."""
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise typer.BadParameter(words("%(folder)s exists already", folder=file), param_hint="--out") from None
    except OSError:
        raise BadInput("paper-unwritable", file=str(file)) from None
    try:
        with os.fdopen(opened, "wb") as draft:
            draft.write(content)
    except OSError:
        file.unlink(missing_ok=True)
        raise BadInput("paper-unwritable", file=str(file)) from None
