"""`omonat tasks`: what is left to a person, and the word that it is done (A1, Q1, R2, R3)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import advice, sentence
from omonat.base.instants import to_rfc3339
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import ngettext, spoken, words
from omonat.flows.tasks import EVERY_CASE, Task
from omonat.house import House

app = typer.Typer(help="Tasks: what is left to a person.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("list")
def list_(home: Home = None) -> None:
    """Say what waits, the oldest first. Exit codes: 0 nothing does; 3 something does."""
    waiting = in_house(home, lambda house: house.tasks.waiting(cases=EVERY_CASE))
    for task in waiting.tasks:
        typer.echo("  ".join([f"{task.kind} {task.about}", to_rfc3339(task.since), *task.some]))
        typer.echo(f"  {sentence(task.code, spoken(), task.named)} {advice(task.code, spoken(), task.named)}")
        for line in _content(task):
            typer.echo(f"    {line}")
    if waiting.more:
        typer.echo(ngettext("%(num)s more waits", "%(num)s more wait", waiting.more))
    if waiting.tasks:
        raise typer.Exit(3)
    typer.echo(words("nothing waits"))


def _content(task: Task) -> Iterator[str]:
    if task.forgotten:
        yield words("what it was about isn't known any more")
    everything = ", ".join(task.items) or words("all that is held there")
    for copy in task.copies:
        yield f"{copy.case}: {', '.join(copy.items) or everything}"
    if task.items and not task.copies:
        yield everything
    if task.more:
        yield ngettext("%(num)s further case", "%(num)s further cases", task.more)
    for item, until in task.stays:
        yield words("%(item)s must stay there until %(at)s", item=item, at="–" if until is None else to_rfc3339(until))


@app.command()
def done(
    kind: Annotated[str, typer.Argument(help="The first word of its line.")],
    about: Annotated[str, typer.Argument(help="What follows, up to the time; in quotes where it is two words.")],
    by: Annotated[str, typer.Option(help="Staff number of the privacy officer; they prove themselves.")],
    home: Home = None,
) -> None:
    """Say that it is done, or that you have looked; it is evidence."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.tasks.done(kind, about, by=by)

    typer.echo(in_house(home, work))
