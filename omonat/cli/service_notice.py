"""`omonat service-notice`: tell many people of an error, a breach or a change, by the company's own words (N2)."""

import json
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.base.ids import is_id
from omonat.base.instants import to_rfc3339
from omonat.cli._company_words import proved, said_in
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.cli._speech import tell as say
from omonat.flows.service_notice import Audience, ServiceNotice, ServiceRound
from omonat.flows.telling import Progress
from omonat.house import House

app = typer.Typer(help="Notices to many people: errors, breaches, changes. No advertising.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The notice: rnd_…")]
By = Annotated[str, typer.Option("--by", help="Who does it, by staff number; they prove themselves.")]
File = Annotated[Path, typer.Argument(help="TOML: tables uz, ru and en, each with title and text.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def write(
    file: File,
    *,
    kind: Annotated[str, typer.Option(help="system-error, security-breach or service-change.")],
    by: By,
    everybody: Annotated[bool, typer.Option("--everybody", help="Everybody whose data there is.")] = False,
    service: Annotated[str | None, typer.Option(help="Those with records of this service.")] = None,
    people: Annotated[Path | None, typer.Option(help="A file of person ids, one a line.")] = None,
    clients: Annotated[bool, typer.Option("--clients", help="Whoever is to be told at a business client.")] = False,
    home: Home = None,
) -> None:
    """Write one and say for whom; nobody is told before a second person approved it."""
    asked: dict[Audience, bool] = {
        "everybody": everybody, "service": service is not None, "people": people is not None, "clients": clients
    }  # fmt: skip
    if sum(asked.values()) != 1:
        raise BadInput("audience-unclear")
    audience = next(each for each, wanted in asked.items() if wanted)
    notice = ServiceNotice(kind=kind, said=said_in(file), audience=audience, service=service, people=_people_in(people))

    async def work(house: House) -> ServiceRound:
        await proved(house, by)
        return await house.service_notices.write(notice, by=by)

    _show(in_house(home, work))


@app.command()
def approve(round_: Id, by: By, home: Home = None) -> None:
    """The second person agrees, and states that it is no advertising; the jobs begin to tell people at once.

    Exit codes: 0 approved · 5 refused · 6 unknown.
    """

    async def work(house: House) -> ServiceRound:
        await proved(house, by)
        return await house.service_notices.approve(round_, by=by)

    _show(in_house(home, work))


@app.command()
def tell(home: Home = None) -> None:
    """Do now what the jobs of a running service do by themselves, until there is nothing more to do now.

    May be stopped and begun again at any moment, beside a running service too.
    """

    async def work(house: House) -> Progress:
        queued = moved = told = 0
        while True:
            step = await house.tell_many.step()
            queued, moved, told = queued + step.queued, moved + step.moved, told + step.told
            say("queued %(queued)s, sent another way %(moved)s, told %(told)s", queued=queued, moved=moved, told=told)
            if not step.more:
                return Progress(queued=queued, moved=moved, told=told)

    done = in_house(home, work)
    counts = {"queued": done.queued, "moved": done.moved, "told": done.told}
    typer.echo(words("queued %(queued)s, sent another way %(moved)s, told %(told)s", **counts))


@app.command("list")
def list_(home: Home = None, json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The newest notices, also what waits for approval, and how many people each has reached."""
    rounds = in_house(home, lambda house: house.service_notices.every())
    if json_:
        typer.echo(json.dumps([_row(one) for one in rounds], ensure_ascii=False, indent=2))
        return
    for one in rounds:
        _show(one)


def _people_in(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        ids = [line.strip() for line in file.read_text("ascii").splitlines() if line.strip()]
    except (OSError, ValueError):
        raise BadInput("audience-unclear") from None
    if not ids or not all(is_id("per", one) for one in ids):
        raise BadInput("audience-unclear")
    return tuple(ids)


def _show(one: ServiceRound) -> None:
    told = sum(many for (_, state), many in one.counts.items() if state == "told")
    of = sum(one.counts.values())
    if one.approved_at is None:
        state = words("waits for approval")
    else:
        search = words("everybody was looked at") if one.searched else words("people are being looked for")
        state = words("%(told)s of %(of)s told", told=told, of=of) + f"; {search}"
    audience = one.service or one.audience
    typer.echo(f"{one.id}  {one.kind} → {audience}: {one.said[spoken()].title}\n    {state}")
    for (channel, where), many in one.counts.items():
        typer.echo(f"    {channel:7} {where:12} {many}")


def _row(one: ServiceRound) -> dict[str, object]:
    counts = [{"channel": channel, "state": state, "many": many} for (channel, state), many in one.counts.items()]
    return {
        "id": one.id,
        "kind": one.kind,
        "audience": one.audience,
        "service": one.service,
        "approved": None if one.approved_at is None else to_rfc3339(one.approved_at),
        "searching": one.approved_at is not None and one.searched is None,
        "notices": counts,
    }
