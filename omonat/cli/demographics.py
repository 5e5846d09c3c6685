"""`omonat demographics`: anonymous answers of four weeks, as far as they may be seen (L4)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.cli._house import in_house
from omonat.cli._speech import words


def register(root: typer.Typer) -> None:
    """`demographics`, at the top."""
    root.command(name="demographics")(command)


def command(
    ago: Annotated[int, typer.Option(help="Which period of four weeks: 1 is the newest that may be seen.")] = 1,
    home: Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")] = None,
) -> None:
    """Print anonymous answers: question, first day, day after the last, band, number. What is too small is hidden, and
    all of a period of which a restore lost answers."""
    for report in in_house(home, lambda house: house.demographics.report(periods_ago=ago)):
        hidden = words("lost in part") if report.incomplete else words("hidden")
        for cell in report.cells:
            number = hidden if cell.times is None else str(cell.times)
            typer.echo(f"{report.question}\t{report.since}\t{report.until}\t{cell.answer}\t{number}")
