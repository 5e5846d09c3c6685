"""`omonat tasks`: what is left to a person, and the word that it is done (A1, Q1, R2, R3)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import advice, sentence
from omonat.base.instants import to_rfc3339
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.house import House

app = typer.Typer(help="Tasks: what is left to a person.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("list")
def list_(home: Home = None) -> None:
    """Say what waits, the oldest first. Exit codes: 0 nothing does; 3 something does."""
    waiting = in_house(home, lambda house: house.tasks.waiting())
    for task in waiting:
        typer.echo("  ".join([f"{task.kind} {task.about}", to_rfc3339(task.since), *task.some]))
        typer.echo(f"  {sentence(task.code, spoken(), task.named)} {advice(task.code, spoken(), task.named)}")
        for line in (task.cases, task.items):
            if line:
                typer.echo("    " + ", ".join(line))
    if waiting:
        raise typer.Exit(3)
    typer.echo(words("nothing waits"))


@app.command()
def done(
    kind: Annotated[str, typer.Argument(help="The first word of its line.")],
    about: Annotated[str, typer.Argument(help="What follows, up to the time; in quotes where it is two words.")],
    by: Annotated[str, typer.Option(help="Staff number of the privacy officer; they prove themselves.")],
    home: Home = None,
) -> None:
    """Say that it is done, or that you have looked; it is evidence. What is still so comes again."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.tasks.done(kind, about, by=by)

    typer.echo(in_house(home, work))
