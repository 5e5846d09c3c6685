"""`omonat cookies`: what the site script found that nobody registered, and how browsers chose (L7, T1)."""

from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.promises.cookies.rule import Sight

app = typer.Typer(help="Cookies: what the site script found, and how browsers chose.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def found(home: Home = None) -> None:
    """Print what was found and is not registered, newest first: kind, name or host, how often, first and last time."""
    for each in in_house(home, lambda house: house.cookies.found()):
        times = f"{to_rfc3339(each.first_at)}\t{to_rfc3339(each.last_at)}"
        typer.echo(f"{each.kind}\t{each.name}\t{each.times}\t{times}")


@app.command()
def settle(kind: str, name: str, home: Home = None) -> None:
    """Take one off the list: it is gone from the site, or registered. If it comes again, it is told again."""
    if kind not in get_args(Sight):
        raise BadInput("cookie-not-listed")
    if not in_house(home, lambda house: house.cookies.settle(cast(Sight, kind), name, by="operator")):
        raise BadInput("cookie-not-listed")
    typer.echo("settled")


@app.command()
def choices(days: Annotated[int, typer.Option(help="How many days back.")] = 30, home: Home = None) -> None:
    """Print how browsers chose, day by day: day, purpose, given or refused, by which button, how often."""
    for each in in_house(home, lambda house: house.cookies.counted(days)):
        typer.echo(f"{each.day}\t{each.purpose}\t{each.state}\t{each.how}\t{each.times}")
