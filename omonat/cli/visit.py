"""`omonat visit`: the link on a bill that leads to what was recorded about a visit (A3)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.pages.qr import svg

app = typer.Typer(help="Links on bills that lead to what was recorded about a visit.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.callback()
def _group() -> None:
    """Links on bills that lead to what was recorded about a visit."""


@app.command()
def link(
    case: str,
    qr: Annotated[Path | None, typer.Option(help="A file for the QR code, as SVG.")] = None,
    home: Home = None,
) -> None:
    """Print the link of a case, such as `order:41877`, and when it ends; the making is recorded."""
    made = in_house(home, lambda house: house.visit_links.make_by_operator(case))
    if qr is not None:
        qr.write_text(svg(made.address), "ascii")
    typer.echo(f"{made.address}\t{to_rfc3339(made.until)}")
