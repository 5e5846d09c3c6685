"""`omonat safeguard`: how each safeguard, host and room stands, and what a review found (S3, S5)."""

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import sentence
from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.base.verdict import Allow
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.flows.safeguards import Standing
from omonat.house import House

app = typer.Typer(help="Safeguards: who looked at each, and what is overdue.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="Who does it, by staff number; they prove themselves.")]
Where = Annotated[str, typer.Option("--proof", help="Where the proof lies: a document or a ticket by its number.")]
Document = Annotated[Path | None, typer.Option("--document", help="A file that proves it; its SHA-256 is kept.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command("list")
def list_(home: Home = None) -> None:
    """Say how each stands. Exit codes: 0 all stand; 1 one is overdue or broken."""
    standing = in_house(home, lambda house: house.safeguards.standing())
    show(standing)
    if not all(isinstance(one.verdict, Allow) for one in standing):
        raise typer.Exit(1)


@app.command()
def review(
    about: Annotated[str, typer.Argument(help="The safeguard, or host/… or room/….")],
    by: By,
    proof: Where,
    *,
    broken: Annotated[bool, typer.Option("--broken", help="It was found broken.")] = False,
    document: Document = None,
    home: Home = None,
) -> None:
    """Its owner has looked, and says where the proof lies."""
    digest = digest_of(document)

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.safeguards.review(about, kept=not broken, proof=proof, by=by, document=digest)

    typer.echo(in_house(home, work))


def show(standing: Sequence[Standing]) -> None:
    """A line for each: what, whose, by when or since when not, and where the newest proof lies."""
    for one in standing:
        due = "–" if one.due is None else to_rfc3339(one.due)
        room = f" ({one.room})" if one.room else ""
        typer.echo(f"{one.about}{room}  {one.owner}  {words('look again by')} {due}")
        if one.last is not None and one.last.proof:
            typer.echo(f"    {to_rfc3339(one.last.at)}  {one.last.proof}  {one.last.entry}")
        if not isinstance(one.verdict, Allow):
            typer.echo(f"    {sentence(one.verdict.reasons[0].code, spoken(), {})}")


def digest_of(document: Path | None) -> str:
    """SHA-256 of a file in hex, empty without one. Raises BadInput `proof-missing` for a file that can't be read."""
    if document is None:
        return ""
    try:
        with document.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        raise BadInput("proof-missing") from None
