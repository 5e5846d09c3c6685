"""`omonat business-client`: by which procedure business clients are told, and what each of them was told (N1)."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import Instant, from_rfc3339, to_rfc3339
from omonat.cli._company_words import proved
from omonat.cli._house import in_house
from omonat.cli._speech import words
from omonat.flows.business_clients import Giving
from omonat.flows.client_procedures import Procedure
from omonat.flows.client_register import BusinessClient
from omonat.house import House
from omonat.promises.notice.clients import Step
from omonat.promises.notice.words import LANGUAGES, Words

app = typer.Typer(help="Business clients: whom to tell what, and what they were told.", no_args_is_help=True)

Client = Annotated[str, typer.Argument(help="The client: bcl_…")]
By = Annotated[str, typer.Option("--by", help="Who does it, by staff number; they prove themselves.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
_STEP = {"id", "occasion", "part", "within-days", "channels", *LANGUAGES}


@app.command()
def procedure(
    file: Annotated[Path | None, typer.Argument(help="TOML with the steps of a new version; without it: show.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who writes it, by staff number.")] = None,
    approve: Annotated[int | None, typer.Option(help="Approve this version.")] = None,
    home: Home = None,
) -> None:
    """Show the procedure, write a new version, or approve one; the newest approved one is in force."""
    steps = None if file is None else _steps_in(file)

    async def work(house: House) -> list[Procedure]:
        if steps is not None or approve is not None:
            await proved(house, by or "")
        if steps is not None:
            return [await house.client_procedures.write(steps, by=by or "")]
        if approve is not None:
            return [await house.client_procedures.approve(approve, by=by or "")]
        return list(await house.client_procedures.every())

    for one in in_house(home, work):
        state = words("waits for approval") if one.approved_at is None else words("approved")
        typer.echo(f"{one.version}  {state}")
        for step in one.steps:
            typer.echo(f"    {step.id}: {step.occasion} → {step.part}, {step.within} d, {', '.join(step.channels)}")


@app.command("register")
def register_(
    by: By,
    *,
    name: Annotated[str | None, typer.Option(help="A company's name.")] = None,
    trader: Annotated[str | None, typer.Option(help="A sole trader, by their person: per_…")] = None,
    home: Home = None,
) -> None:
    """Register a company by its name, or a sole trader by who they are."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.business_clients.register(by=by, name=name, trader=trader)

    typer.echo(in_house(home, work))


@app.command()
def contact(
    client: Client,
    person: Annotated[str, typer.Argument(help="Whom to tell, by their person: per_…")],
    part: Annotated[str, typer.Argument(help="Which part of the procedure is theirs.")],
    by: By,
    *,
    ends: Annotated[bool, typer.Option("--ends", help="They are it no more.")] = False,
    home: Home = None,
) -> None:
    """Name somebody to be told at a client; their data comes in like everybody else's."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.business_clients.contact(client, person, part, by=by, ends=ends)

    typer.echo(words("recorded; evidence %(id)s", id=in_house(home, work)))


@app.command()
def given(
    client: Client,
    step: Annotated[str, typer.Argument(help="The step of the procedure.")],
    *,
    channel: Annotated[str, typer.Option(help="How: one of the channels of the step.")],
    at: Annotated[str, typer.Option(help="When: 2026-12-01T09:00:00+05:00.")],
    by: By,
    home: Home = None,
) -> None:
    """Record that every contact of the step's part was told. Prints a receipt for each, to be handed to them.

    `python verifier.py --receipt` checks one without us, beside a copy of the log.
    """
    giving = Giving(client=client, step=step, channel=channel, at=_instant(at))

    async def work(house: House) -> list[str]:
        await proved(house, by)
        return [one.receipt for one in await house.business_clients.give(giving, by=by)]

    for receipt in in_house(home, work):
        typer.echo(receipt)


@app.command()
def acknowledged(
    client: Client,
    notice: Annotated[str, typer.Argument(help="The notice, by its entry: ev_…")],
    *,
    at: Annotated[str, typer.Option(help="When they confirmed it: 2026-12-01T09:00:00+05:00.")],
    by: By,
    home: Home = None,
) -> None:
    """Record that a contact confirmed that a notice reached them."""
    when = _instant(at)

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.business_clients.acknowledge(client, notice, at=when, by=by)

    typer.echo(words("recorded; evidence %(id)s", id=in_house(home, work)))


@app.command()
def end(client: Client, by: By, home: Home = None) -> None:
    """They are no client any more."""

    async def work(house: House) -> str:
        await proved(house, by)
        return await house.business_clients.end(client, by=by)

    typer.echo(words("recorded; evidence %(id)s", id=in_house(home, work)))


@app.command("list")
def list_(home: Home = None) -> None:
    """Every client, what it was told, and what it is still owed, the most urgent first."""
    for one in in_house(home, lambda house: house.business_clients.every()):
        _show(one)


def _steps_in(file: Path) -> tuple[Step, ...]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
        if set(read) != {"step"}:
            raise BadInput("procedure-malformed", step="", occasions="", channels="")
        return tuple(_step(one) for one in read["step"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput("procedure-malformed", step="", occasions="", channels="") from None


def _step(read: dict[str, Any]) -> Step:
    """Raises KeyError, TypeError, ValueError for what isn't one."""
    strings = [read["id"], read["occasion"], read["part"], *read["channels"]]
    spoken = {each: read[each] for each in LANGUAGES if each in read}
    strings += [words[part] for words in spoken.values() for part in ("title", "text")]
    if set(read) - _STEP or not all(isinstance(one, str) for one in strings) or type(read["within-days"]) is not int:
        raise ValueError
    return Step(
        id=read["id"],
        occasion=read["occasion"],
        part=read["part"],
        within=read["within-days"],
        channels=tuple(read["channels"]),
        says={each: Words(title=said["title"].strip(), text=said["text"].strip()) for each, said in spoken.items()},
    )


def _instant(text: str) -> Instant:
    try:
        return from_rfc3339(text)
    except ValueError:
        raise BadInput("instant-malformed", example="2026-12-01T09:00:00+05:00") from None


def _show(one: BusinessClient) -> None:
    typer.echo(
        f"{one.id}  {one.name or one.trader}" + ("" if one.ended_at is None else f" – {to_rfc3339(one.ended_at)}")
    )
    for contact_ in one.contacts:
        typer.echo(f"    {contact_.person}: {contact_.part}")
    for notice in one.given:
        typer.echo(f"    {to_rfc3339(notice.at)}  {notice.step} → {notice.person}, {notice.channel}; {notice.entry}")
        if notice.acknowledged_at is not None:
            says = words("confirmed %(at)s", at=to_rfc3339(notice.acknowledged_at))
            typer.echo(f"        {says}; {notice.acknowledgement}")
    for due in one.owed:
        says = words(
            "%(step)s is owed to %(person)s until %(at)s", step=due.step, person=due.person, at=to_rfc3339(due.due)
        )
        typer.echo(f"    ! {says} ({due.about})")
