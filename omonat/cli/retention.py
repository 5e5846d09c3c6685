"""`omonat retention`: destroying what is due, and the time it goes by (R3)."""

from pathlib import Path
from typing import Annotated

import typer

from omonat.base.codes import sentence
from omonat.base.instants import to_rfc3339
from omonat.cli._house import in_house
from omonat.cli._speech import ngettext, spoken, words
from omonat.hooks.sender import public_key
from omonat.house import WEBHOOK_KEY, House

app = typer.Typer(help="Retention: destroying what is due.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]


@app.command()
def sweep(home: Home = None) -> None:
    """Destroy what is due now, as the running service does by itself."""

    async def work(house: House) -> tuple[int, str]:
        looked = 0
        while True:
            done = await house.sweeper.round()
            looked += done.records
            if not done.more:
                return looked, done.doubt

    looked, doubt = in_house(home, work)
    if doubt:
        typer.echo(sentence(doubt, spoken(), {}), err=True)
        raise typer.Exit(7)
    typer.echo(ngettext("%(num)s record looked at", "%(num)s records looked at", looked))


@app.command("confirm-clock")
def confirm_clock(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask once more.")] = False, home: Home = None
) -> None:
    """Confirm that this machine's time is right, so that what is due by it may be destroyed."""

    async def work(house: House) -> None:
        now = house.grounds.clock()
        if not yes:
            typer.confirm(words("This machine says it is %(now)s. Is that right?", now=to_rfc3339(now)), abort=True)
        await house.sweeper.confirm_clock(by="operator")

    in_house(home, work)
    typer.echo(words("confirmed"))


@app.command("renew-lookups")
def renew_lookups(home: Home = None) -> None:
    """Begin with a new look-up key, so that erasures waiting for the end of the old one become final."""
    epoch = in_house(home, lambda house: house.sweeper.lookup_key.begin(by="operator"))
    begun = words(
        "look-up key %(epoch)s: the running service digests the channels anew, then ends the older one", epoch=epoch
    )
    typer.echo(begun)


@app.command("webhook-key")
def webhook_key(home: Home = None) -> None:
    """Print the public key other systems check our webhooks with."""

    async def work(house: House) -> str:
        return public_key(house.grounds.vault.signing_key(WEBHOOK_KEY))

    typer.echo(in_house(home, work))
