"""`omonat campaign`: one text for many who said yes to it (U5, U8, C3).

Planned, approved by a second person, started, looked at, stopped. Whoever plans, approves or starts proves themself as
for a publication.
"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from omonat.base.codes import registry, sentence
from omonat.base.errors import BadInput
from omonat.cli._house import in_house
from omonat.cli._speech import spoken, words
from omonat.cli.publish import ask
from omonat.flows.campaigns import Campaign, Marketer, Plan
from omonat.house import House
from omonat.pages.campaigns import LETTERS, REASONS, STATES
from omonat.promises.campaigns.rule import Texts
from omonat.promises.messages import Channel

app = typer.Typer(help="Campaigns: one text for many, each of whom said yes to it.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The campaign, like navroz-2027.")]
By = Annotated[str, typer.Option("--by", help="The marketer who does it, by staff number.")]
Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def plan(
    name: Name,
    *,
    purpose: Annotated[str, typer.Option(help="The purpose that people consented to.")],
    texts: Annotated[Path, typer.Option(help="A JSON file: text in Uzbek, subject, translations by language.")],
    by: By,
    channel: Annotated[Channel, typer.Option(help="How it goes.")] = Channel.EMAIL,
    home: Home = None,
) -> None:
    """Check the words and count everybody by whether they may be written to; nothing leaves yet."""
    try:
        said = msgspec.json.decode(texts.read_bytes(), type=Texts)
    except (OSError, msgspec.DecodeError):
        raise BadInput("campaign-texts-wrong", part="file") from None
    wanted = Plan(name=name, purpose=purpose, channel=channel, texts=said)

    async def work(house: House) -> Campaign:
        return await house.campaigns.plan(wanted, await _proved(house, by))

    _show(in_house(home, work))


@app.command()
def approve(name: Name, by: By, home: Home = None) -> None:
    """Read the words and the counts of somebody else's campaign, and agree; without it nothing starts."""

    async def work(house: House) -> Campaign:
        _show(await house.campaigns.show(name), texts=True)
        return await house.campaigns.approve(name, await _proved(house, by))

    _show(in_house(home, work))


@app.command()
def start(name: Name, by: By, home: Home = None) -> None:
    """Let it run; the jobs of the running service write and send its letters."""

    async def work(house: House) -> Campaign:
        return await house.campaigns.start(name, await _proved(house, by))

    _show(in_house(home, work))


@app.command()
def stop(name: Name, by: By, home: Home = None) -> None:
    """Stop it: when this ends, nothing of it can leave any more."""
    _show(in_house(home, lambda house: house.campaigns.stop(name, Marketer(staff=by))))


@app.command()
def status(name: Name, home: Home = None) -> None:
    """What it says and how far it is: letters by how they stand, and why."""
    _show(in_house(home, lambda house: house.campaigns.show(name)), texts=True)


@app.command("list")
def list_(home: Home = None) -> None:
    """Every campaign, the newest first."""
    for campaign in in_house(home, lambda house: house.campaigns.every()):
        typer.echo(f"{campaign.name:30} {campaign.purpose:24} {words(STATES[campaign.state])}")


async def _proved(house: House, by: str) -> Marketer:
    """Whoever acts proves themself with password and code, once there are staff with secrets."""
    return Marketer(staff=by, proof=ask(by) if await house.staff.anybody_has_secrets() else None)


def _show(campaign: Campaign, *, texts: bool = False) -> None:
    typer.echo(f"{campaign.name}  {campaign.purpose}  {words(STATES[campaign.state])}")
    if texts:
        said = campaign.texts
        for part in (said.subject, said.text, *said.translations.values()):
            if part:
                typer.echo(part)
    typer.echo(words("people when it was planned:"))
    for reason, many in campaign.counted.items():
        _line(words(REASONS[reason]) if reason in REASONS else reason, many)
    typer.echo(words("letters:"))
    for state, many in campaign.letters.items():
        _line(_letter(campaign, state), many)


def _line(said: str, many: int) -> None:
    typer.echo(f"  {many:>7}  {said}")


def _letter(campaign: Campaign, state: str) -> str:
    """A state in words; behind it why, where there is a reason."""
    name, _, code = state.partition(":")
    about = {"purpose": campaign.purpose, "name": campaign.name}
    return f"{words(LETTERS[name])}: {sentence(code, spoken(), about)}" if code in registry() else words(LETTERS[name])
