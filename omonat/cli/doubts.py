"""`omonat doubts`: what the house can't settle about itself, and that a person has looked (A1, P5, S3, S5, S6)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import advice, sentence
from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.flows.doubts import Doubt
from omonat.flows.law_watch import CONFLICT
from omonat.house import House
from omonat.policy.conflicts import Conflict

app = typer.Typer(help="Doubts: what the house can't settle about itself.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("list")
def list_(home: Home = None) -> None:
    """Say what is in doubt now. Exit codes: 0 nothing is; 3 something is."""
    standing, conflicts = in_house(home, _looked_at)
    for doubt in standing:
        about = {"what": doubt.about}
        typer.echo(f"{doubt.kind} {doubt.about}  {to_rfc3339(doubt.since)}")
        typer.echo(f"  {sentence(doubt.code, spoken(), about)} {advice(doubt.code, spoken(), about)}")
        if doubt.kind == CONFLICT and doubt.about in conflicts:
            for side in conflicts[doubt.about].sides:
                typer.echo(f"    {side.pack}: {side.rule}  [{side.mark}] {side.source}")
    if standing:
        raise typer.Exit(3)
    typer.echo(words("nothing is in doubt"))


async def _looked_at(house: House) -> tuple[tuple[Doubt, ...], Mapping[str, Conflict]]:
    standing = await house.doubts.standing()
    torn = any(doubt.kind == CONFLICT for doubt in standing)
    return standing, await house.law_watch.standing() if torn else {}


@app.command()
def settle(
    kind: Annotated[str, typer.Argument(help="The first word of its line.")],
    about: Annotated[str, typer.Argument(help="The second.")],
    by: Annotated[str, typer.Option(help="Staff number of whoever has looked; they prove themselves.")],
    home: Home = None,
) -> None:
    """Somebody has looked and says so; it is evidence. What is still so comes again."""

    async def work(house: House) -> bool:
        await proved(house, by)
        return await house.doubts.settle(kind, about, by=by)

    if not in_house(home, work):
        raise BadInput("doubt-unknown")
    typer.echo(words("settled"))
