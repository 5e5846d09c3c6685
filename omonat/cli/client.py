"""`omonat client`: credentials of the company's own systems, each bound to roles and a source (S4, T2)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from omonat.cli._house import in_house
from omonat.cli._speech import words

app = typer.Typer(help="Clients: credentials of the company's systems.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The system's name: site, panel, courier-app …")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def issue(
    name: Name,
    source: Annotated[str, typer.Option(help="Where its data comes from: a source of the policy.")],
    role: Annotated[list[str], typer.Option(help="A role it may act in; may be given several times.")],
    home: Home = None,
) -> None:
    """Make a credential and print it, once. Issuing one again replaces the secret at once."""
    typer.echo(in_house(home, lambda house: house.clients.issue(name=name, source=source, roles=role)))


@app.command()
def end(name: Name, home: Home = None) -> None:
    """End a credential; the very next request with it is refused."""
    ended = in_house(home, lambda house: house.clients.end(name=name))
    typer.echo(words("ended") if ended else words("there was no live credential of that name"), err=not ended)
    sys.exit(0 if ended else 6)
