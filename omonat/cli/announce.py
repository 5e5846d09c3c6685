"""`omonat announce`: say something to everybody, written by one person and approved by another (N3)."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.cli._company_words import proved, said_in
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.flows.announce import Announcement, InMedia
from omonat.house import House

app = typer.Typer(help="Announcements: what everybody can read at /page/announcements.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The announcement: ann_…, or version-2 for a version of the policy.")]
By = Annotated[str, typer.Option("--by", help="Who does it, by staff number; they prove themselves.")]
File = Annotated[Path, typer.Argument(help="TOML: tables uz, ru and en, each with title and text.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def write(
    file: File,
    by: By,
    *,
    corrects: Annotated[str | None, typer.Option(help="An announcement whose words these replace.")] = None,
    home: Home = None,
) -> None:
    """Write an announcement, or a correction; nobody reads it before a second person approved it."""
    said = said_in(file)

    async def work(house: House) -> Announcement:
        await proved(house, by)
        return await house.announce.write(said, by=by, announcement=corrects)

    _show(in_house(home, work))


@app.command()
def approve(announcement: Id, by: By, home: Home = None) -> None:
    """The second person agrees, and everybody can read it. Exit codes: 0 public · 5 refused · 6 unknown."""

    async def work(house: House) -> Announcement:
        await proved(house, by)
        return await house.announce.approve(announcement, by=by)

    _show(in_house(home, work))


@app.command()
def media(
    announcement: Id,
    *,
    medium: Annotated[str, typer.Option(help="The newspaper, site or station.")],
    on: Annotated[str, typer.Option(help="The day: 2026-12-01.")],
    reference: Annotated[str, typer.Option(help="Where to find it: an address, or number and page.")],
    by: By,
    home: Home = None,
) -> None:
    """Record that it was made public elsewhere; the page shows it."""
    try:
        where = InMedia(medium=medium, on=date.fromisoformat(on), reference=reference)
    except ValueError:
        raise BadInput("media-incomplete") from None

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.announce.in_media(announcement, where, by=by)

    typer.echo(words("recorded; evidence %(id)s", id=in_house(home, work)))


@app.command("list")
def list_(home: Home = None) -> None:
    """Every announcement, also what waits for approval, newest first."""
    for one in in_house(home, lambda house: house.announce.every()):
        _show(one)


def _show(one: Announcement) -> None:
    title = (one.draft or one.said or {})[spoken()].title
    if one.published_at is None:
        state = words("waits for approval")
    else:
        state = words("public since %(at)s", at=to_rfc3339(one.published_at))
        if one.draft is not None:
            state += ", " + words("its correction waits for approval")
    typer.echo(f"{one.id}  {state}: {title}")
    for where in one.media:
        typer.echo(f"    {where.medium}, {where.on.isoformat()}: {where.reference}")
