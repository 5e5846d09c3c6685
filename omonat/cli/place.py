"""`omonat place`: the register of hosts and rooms that hold personal data (S5)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.base.verdict import Allow
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.cli.safeguard import Document, Where, digest_of, show
from omonat.flows.safeguards import Standing
from omonat.house import House

app = typer.Typer(help="Hosts and rooms that hold personal data.", no_args_is_help=True)

Kind = Annotated[str, typer.Argument(help="host or room")]
Name = Annotated[str, typer.Argument(help="What a host calls itself; a name of your own for a room.")]
By = Annotated[str, typer.Option("--by", help="Who does it, by staff number; they prove themselves.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("list")
def list_(home: Home = None) -> None:
    """Say which there are and how each stands. Exit codes: 0 all stand and this machine is among them; 1 otherwise."""

    async def work(house: House) -> tuple[list[Standing], tuple[str, ...]]:
        standing = await house.safeguards.standing()
        return [one for one in standing if one.is_place], await house.places.unregistered()

    standing, missing = in_house(home, work)
    show(standing)
    for name in missing:
        typer.echo(f"host/{name}  {words('not in the register')}")
    if missing or not all(isinstance(one.verdict, Allow) for one in standing):
        raise typer.Exit(1)


@app.command()
def add(
    kind: Kind,
    name: Name,
    by: By,
    proof: Where,
    *,
    room: Annotated[str, typer.Option("--in", help="The room a host stands in.")] = "",
    document: Document = None,
    home: Home = None,
) -> None:
    """Put one into the register; that is its first review. Reviewed again with `omonat safeguard review`."""
    digest = digest_of(document)

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.places.add(kind, name, room=room, proof=proof, by=by, document=digest)

    typer.echo(in_house(home, work))


@app.command()
def end(kind: Kind, name: Name, by: By, home: Home = None) -> None:
    """It holds personal data no more; what was found of it stays."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.places.end(kind, name, by=by)

    typer.echo(in_house(home, work))
