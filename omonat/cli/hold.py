"""`omonat hold`: legal holds, placed and ended by two privacy officers (R2)."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import Instant, from_rfc3339, to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.flows.holds import Hold, HoldRequest

app = typer.Typer(help="Legal holds: deletion suspended, with authority and review date.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The hold: hld_…")]
By = Annotated[str, typer.Option("--by", help="The privacy officer who does it, by staff number.")]
Review = Annotated[str, typer.Option("--review", help="When to look at it again: 2027-03-01T00:00:00+05:00.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Target = Annotated[str, typer.Argument(help="per_…, rec_…, or a case as kind:reference.")]


@app.command()
def place(
    target: Target,
    *,
    authority: Annotated[str, typer.Option(help="Who ordered it, under which number; kept sealed.")],
    review: Review,
    by: By,
    item: Annotated[list[str] | None, typer.Option(help="These items or categories alone.")] = None,
    tell: Annotated[bool, typer.Option("--tell/--silent", help="Whether the person may be told.")] = True,
    home: Home = None,
) -> None:
    """Place a hold; another officer has to approve it within three days."""
    request = HoldRequest(
        scope=_scope(target), target=target, authority=authority, review_at=_instant(review), may_tell=tell,
        items=tuple(item or ()),
    )  # fmt: skip
    _show(in_house(home, lambda house: house.holds.place(request, by=by)))


@app.command()
def approve(hold: Id, by: By, home: Home = None) -> None:
    """The second officer agrees, to a hold or to its end."""
    _show(in_house(home, lambda house: house.holds.approve(hold, by=by)))


@app.command()
def end(hold: Id, by: By, home: Home = None) -> None:
    """Ask for the end of a hold; another officer has to approve it."""
    _show(in_house(home, lambda house: house.holds.end(hold, by=by)))


@app.command()
def review(hold: Id, by: By, review: Review, home: Home = None) -> None:
    """It was looked at and stands, until a later review."""
    _show(in_house(home, lambda house: house.holds.review(hold, by=by, review_at=_instant(review))))


@app.command("list")
def list_(home: Home = None) -> None:
    """Every hold that stands, the one to be reviewed first first."""
    for hold in in_house(home, lambda house: house.holds.standing()):
        _show(hold)


def _scope(target: str) -> Literal["person", "case", "record"]:
    return "case" if ":" in target else "record" if target.startswith("rec_") else "person"


def _instant(text: str) -> Instant:
    try:
        return from_rfc3339(text)
    except ValueError:
        raise BadInput("instant-malformed", example="2027-03-01T00:00:00+05:00") from None


def _show(hold: Hold) -> None:
    state = words("approved") if hold.approved_at else words("waits for approval")
    if hold.released_at:
        state = words("released")
    if hold.ending_by and not hold.released_at:
        state += ", " + words("its end waits for approval")
    items = f" ({', '.join(hold.items)})" if hold.items else ""
    told = words("the person may be told") if hold.may_tell else words("the person may not be told")
    review = words("review %(at)s", at=to_rfc3339(hold.review_at))
    typer.echo(f"{hold.id}  {hold.target}{items}: {state}; {hold.authority}; {review}; {told}")
