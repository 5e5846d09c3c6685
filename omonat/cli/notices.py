"""`omonat notices`: tell people of a new version, see how far that is, and take in what came back (P2, N2)."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from omonat.base.errors import BadInput
from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import tell as say
from omonat.cli._speech import words
from omonat.flows.telling import Progress, Round
from omonat.house import House
from omonat.mail.reports import returned as report_of

app = typer.Typer(help="Tell people of a new version of the policy.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def tell(home: Home = None) -> None:
    """Do now what the jobs of a running service do by themselves, until there is nothing more to do now.

    May be stopped and begun again at any moment, beside a running service too.
    """

    async def work(house: House) -> Progress:
        queued = moved = told = 0
        while True:
            step = await house.tell_people.round()
            queued, moved, told = queued + step.queued, moved + step.moved, told + step.told
            say("queued %(queued)s, sent another way %(moved)s, told %(told)s", queued=queued, moved=moved, told=told)
            if not step.more:
                return Progress(queued=queued, moved=moved, told=told)

    done = in_house(home, work)
    counts = {"queued": done.queued, "moved": done.moved, "told": done.told}
    typer.echo(words("queued %(queued)s, sent another way %(moved)s, told %(told)s", **counts))


@app.command()
def status(home: Home = None, json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """How many people are told of each version, by which way, and how many of them have been."""
    rounds = in_house(home, lambda house: house.tell_people.status())
    if json_:
        typer.echo(json.dumps([_row(one) for one in rounds], ensure_ascii=False, indent=2))
        return
    for one in rounds:
        told = sum(many for (_, state), many in one.counts.items() if state == "told")
        search = words("people are being looked for") if one.searching else words("everybody was looked at")
        of = sum(one.counts.values())
        typer.echo(
            words("version %(version)s: %(told)s of %(of)s told", version=one.version, told=told, of=of) + f"; {search}"
        )
        for (channel, state), many in one.counts.items():
            typer.echo(f"  {channel:7} {state:12} {many}")
    if not rounds:
        typer.echo(words("no version has news that people have to be told"))


@app.command()
def returned(
    file: Annotated[Path | None, typer.Argument(help="The letter that came back; else standard input.")] = None,
    home: Home = None,
) -> None:
    """Take in a letter of ours that came back (RFC 3464): it has told nobody, and the next way is taken.

    For the mail server to pipe to. Only a final failure counts. Exit codes: 0 noted · 6 no notice of ours.
    """
    raw = file.read_bytes() if file is not None else sys.stdin.buffer.read()
    report = report_of(raw)
    if report is None:
        raise BadInput("notice-not-found")

    async def work(house: House) -> str | None:
        known = await house.tell_people.came_back(report.message) or await house.tell_many.came_back(report.message)
        await house.mailbox.note(report)  # an address that isn't there is written to no more
        return known

    was = in_house(home, work)
    if was is None:
        raise BadInput("notice-not-found")
    said = {
        "handed-over": words("noted: the next way is taken"),
        "told": words("too late: it had counted as delivered"),
    }
    typer.echo(said.get(was, words("known already")))


def _row(one: Round) -> dict[str, object]:
    counts = [{"channel": channel, "state": state, "many": many} for (channel, state), many in one.counts.items()]
    return {"version": one.version, "begun": to_rfc3339(one.begun), "searching": one.searching, "notices": counts}
